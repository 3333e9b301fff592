/** Short notices: toasts for what concerns the page, and announcements for screen readers. */
import { byId, el, icon } from "./dom.js";

/** @import { Localization } from "./localization.js" */

const SHOWN_FOR = 5000; // milliseconds
const ANNOUNCE_AFTER = 60; // milliseconds

export class Toasts {
  /** @param {Localization} l10n */
  constructor(l10n) {
    this.l10n = l10n;
    this.node = byId("toasts");
    this.polite = byId("polite");
    this.assertive = byId("assertive");
  }

  /**
   * A notice that disappears by itself, except while it is pointed at or focused.
   *
   * @param {string} text
   * @param {{ retry?: (() => void) | null }} [options]
   */
  show(text, { retry = null } = {}) {
    const run = () => {
      node.remove();
      retry?.();
    };
    const node = el(
      "div.toast",
      {},
      el("span", {}, text),
      retry && el("button.button", { type: "button", onclick: run }, this.l10n.format("page-retry")),
      el("button.button.icon-only", { type: "button", "aria-label": this.l10n.format("page-dismiss"), onclick: () => node.remove() }, icon("close")),
    );
    this.node.append(node);
    this.announce(text);
    const expire = () => (node.matches(":hover, :focus-within") ? setTimeout(expire, 1000) : node.remove());
    setTimeout(expire, retry ? SHOWN_FOR * 3 : SHOWN_FOR);
  }

  /**
   * Have a screen reader read a text when it is idle.
   *
   * @param {string} text
   */
  announce(text) {
    setRegion(this.polite, text);
  }

  /**
   * Have a screen reader read a text at once.
   *
   * @param {string} text
   */
  alert(text) {
    setRegion(this.assertive, text);
  }
}

/**
 * @param {HTMLElement} region
 * @param {string} text
 */
function setRegion(region, text) {
  // The same text is only read twice when the region was empty in between.
  region.textContent = "";
  setTimeout(() => { region.textContent = text; }, ANNOUNCE_AFTER);
}
