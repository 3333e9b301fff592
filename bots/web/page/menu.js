/** A small menu beside a button: arrow keys move, Escape closes and restores the focus. */
import { el, icon } from "./dom.js";

/**
 * @typedef {object} MenuEntry
 * @property {string} label
 * @property {string} [icon]
 * @property {boolean} [danger]
 * @property {boolean} [ticked] Given for the entries of a choice.
 * @property {() => void} run
 */

/**
 * @param {HTMLElement} anchor
 * @param {MenuEntry[]} entries
 */
export function openMenu(anchor, entries) {
  const items = entries.map((entry) => menuItem(entry, () => {
    menu.hidePopover();
    anchor.focus();
    entry.run();
  }));
  const label = anchor.getAttribute("aria-label") ?? anchor.textContent;
  const menu = el("div.menu", { role: "menu", popover: "auto", "aria-label": label }, items);
  menu.addEventListener("keydown", (event) => pressKey(event, items, menu, anchor));
  menu.addEventListener("toggle", (event) => {
    const open = event.newState === "open";
    anchor.setAttribute("aria-expanded", String(open));
    if (!open) menu.remove();
  });
  (anchor.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  moveBeside(menu, anchor);
  (items.find((item) => item.getAttribute("aria-checked") === "true") ?? items[0])?.focus();
}

/**
 * @param {MenuEntry} entry
 * @param {() => void} onclick
 * @returns {HTMLElement}
 */
function menuItem(entry, onclick) {
  const choice = entry.ticked !== undefined;
  return el(
    entry.danger ? "button.danger" : "button",
    {
      type: "button",
      role: choice ? "menuitemradio" : "menuitem",
      "aria-checked": choice ? String(entry.ticked) : null,
      tabIndex: -1,
      onclick,
    },
    entry.icon ? icon(entry.icon) : null,
    el(entry.ticked ? "span.ticked" : "span", {}, entry.label),
    entry.ticked ? icon("tick") : null,
  );
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} items
 * @param {HTMLElement} menu
 * @param {HTMLElement} anchor
 */
function pressKey(event, items, menu, anchor) {
  const index = items.findIndex((item) => item === document.activeElement);
  const next = { ArrowDown: index + 1, ArrowUp: index - 1, Home: 0, End: items.length - 1 }[event.key];
  if (next !== undefined) {
    event.preventDefault();
    items[(next + items.length) % items.length]?.focus();
  } else if (event.key === "Escape" || event.key === "Tab") {
    event.preventDefault();
    event.stopPropagation();
    menu.hidePopover();
    anchor.focus();
  }
}

/**
 * Below the anchor where the window has the space, above it otherwise.
 *
 * @param {HTMLElement} menu
 * @param {HTMLElement} anchor
 */
function moveBeside(menu, anchor) {
  const from = anchor.getBoundingClientRect();
  const size = menu.getBoundingClientRect();
  const fitsBelow = from.bottom + 4 + size.height <= innerHeight;
  const top = fitsBelow ? from.bottom + 4 : Math.max(8, from.top - size.height - 4);
  const left = Math.min(Math.max(8, from.left), innerWidth - size.width - 8);
  menu.style.setProperty("top", `${top}px`);
  menu.style.setProperty("left", `${left}px`);
}
