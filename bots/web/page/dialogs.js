/** Dialogs: native ones, so that the focus stays inside and comes back by itself, at once: `close` is told a frame later. */
import { button, el } from "./dom.js";

let count = 0;

/** A dialog with a title; `build(close)` gives its content. Resolves with what `close` was given. */
export function openDialog(title, build, { kind = "dialog" } = {}) {
  return new Promise((done) => {
    const id = `dialog-title-${(count += 1)}`;
    const close = (value) => dialog.close(value === undefined ? "" : String(value));
    const dialog = el("dialog", { "aria-labelledby": id }, el("h2", { id }, title), build(close));
    dialog.classList.add(...kind.split(" "));
    dialog.addEventListener("click", (event) => event.target === dialog && outside(event, dialog) && close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      done(dialog.returnValue);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/** A question with one button that goes on; true when it was pressed. */
export async function confirmDialog(words, title, text, go) {
  const answer = await openDialog(title, (close) =>
    el(
      "div",
      {},
      el("p", {}, text),
      el(
        "div.actions",
        {},
        button(null, words.say("cancel"), () => close(), { autofocus: true }),
        el("button.button.primary", { type: "button", onclick: () => close("go") }, go),
      ),
    ),
  );
  return answer === "go";
}

/** A question answered in words; null when it was closed. */
export async function askDialog(words, title, label, go) {
  const field = el("textarea", { rows: 3, maxLength: 1000, required: true });
  const answer = await openDialog(title, (close) =>
    el(
      "form",
      { onsubmit: (event) => { event.preventDefault(); close("go"); } },
      el("label.line", {}, label, field),
      el(
        "div.actions",
        {},
        button(null, words.say("cancel"), () => close()),
        el("button.button.primary", { type: "submit" }, go),
      ),
    ),
  );
  return answer === "go" ? field.value.trim() : null;
}

/** Names and values, such as a picture's details. */
export function facts(fields) {
  return el("dl.facts", {}, fields.flatMap(({ name, value }) => [el("dt", {}, name), el("dd", {}, value)]));
}

function outside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
