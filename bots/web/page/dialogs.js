/** Dialogs: native ones, so that the browser keeps the focus inside and restores it when they close. */
import { button, el } from "./dom.js";

/**
 * @import { Field } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

/** @typedef {(value?: string) => void} Close */

let count = 0;

/**
 * Open a dialog. Resolves with what `close` was given; the browser reports the closing one frame later.
 *
 * @param {string} title
 * @param {(close: Close) => HTMLElement} build Gives the content.
 * @returns {Promise<string>}
 */
export function openDialog(title, build, { kind = "dialog" } = {}) {
  return new Promise((resolve) => {
    const id = `dialog-title-${(count += 1)}`;
    /** @type {Close} */
    const close = (value = "") => dialog.close(value);
    const dialog = el("dialog", { "aria-labelledby": id }, el("h2", { id }, title), build((value) => close(value)));
    dialog.classList.add(...kind.split(" "));
    dialog.addEventListener("click", (event) => event.target === dialog && isOutside(event, dialog) && close());
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * A question with one button that proceeds; true when it was pressed.
 *
 * @param {Localization} l10n
 * @param {string} title
 * @param {string} text
 * @param {string} proceed The button's label.
 */
export async function confirmDialog(l10n, title, text, proceed) {
  const answer = await openDialog(title, (close) =>
    el(
      "div",
      {},
      el("p", {}, text),
      el(
        "div.actions",
        {},
        button(null, l10n.format("button-cancel"), () => close(), { autofocus: true }),
        el("button.button.primary", { type: "button", onclick: () => close("proceed") }, proceed),
      ),
    ),
  );
  return answer === "proceed";
}

/**
 * A question answered with text; null when it was closed.
 *
 * @param {Localization} l10n
 * @param {string} title
 * @param {string} label
 * @param {string} proceed The button's label.
 */
export async function askDialog(l10n, title, label, proceed) {
  const field = el("textarea", { rows: 3, maxLength: 1000, required: true });
  const answer = await openDialog(title, (close) =>
    el(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          close("proceed");
        },
      },
      el("label.line", {}, label, field),
      el(
        "div.actions",
        {},
        button(null, l10n.format("button-cancel"), () => close()),
        el("button.button.primary", { type: "submit" }, proceed),
      ),
    ),
  );
  return answer === "proceed" ? field.value.trim() : null;
}

/**
 * Names and values, such as a picture's details.
 *
 * @param {readonly Field[]} fields
 */
export function factList(fields) {
  return el("dl.facts", {}, fields.flatMap(({ name, value }) => [el("dt", {}, name), el("dd", {}, value)]));
}

/**
 * @param {MouseEvent} event
 * @param {HTMLDialogElement} dialog
 */
function isOutside(event, dialog) {
  const box = dialog.getBoundingClientRect();
  return event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom;
}
