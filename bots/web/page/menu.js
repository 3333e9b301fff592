/** A small menu beside a button: arrow keys move, Escape closes, the button has the focus again. */
import { el, icon } from "./dom.js";

/** `entries`: { icon, label, run, danger, ticked }. */
export function openMenu(anchor, entries) {
  const close = () => menu.remove();
  const items = entries.map((entry) =>
    el(
      entry.danger ? "button.danger" : "button",
      {
        type: "button",
        role: entry.ticked === undefined ? "menuitem" : "menuitemradio",
        "aria-checked": entry.ticked === undefined ? null : String(entry.ticked),
        tabIndex: -1,
        onclick: () => {
          menu.hidePopover();
          anchor.focus();
          entry.run();
        },
      },
      entry.icon ? icon(entry.icon) : null,
      el(entry.ticked ? "span.ticked" : "span", {}, entry.label),
      entry.ticked ? icon("tick") : null,
    ),
  );
  const menu = el("div.menu", { role: "menu", popover: "auto", "aria-label": anchor.getAttribute("aria-label") ?? anchor.textContent }, items);
  menu.addEventListener("keydown", (event) => move(event, items, menu, anchor));
  menu.addEventListener("toggle", (event) => {
    anchor.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed") close();
  });
  (anchor.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  settle(menu, anchor);
  items.find((item) => item.getAttribute("aria-checked") === "true")?.focus() ?? items[0].focus();
}

function move(event, items, menu, anchor) {
  const at = items.indexOf(document.activeElement);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
  if (to !== undefined) {
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    menu.hidePopover();
    anchor.focus();
  }
}

function settle(menu, anchor) {
  const by = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const below = by.bottom + 4 + size.height <= innerHeight;
  const top = below ? by.bottom + 4 : Math.max(8, by.top - size.height - 4);
  const left = Math.min(Math.max(8, by.left), innerWidth - size.width - 8);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
}
