/** Short notices: toasts for what concerns the page, and words for screen readers. */
import { el, icon } from "./dom.js";

const SHOWN_FOR = 5000;

export class Notices {
  constructor(words) {
    this.words = words;
    this.toasts = document.getElementById("toasts");
    this.polite = document.getElementById("polite");
    this.assertive = document.getElementById("assertive");
  }

  /** A notice that goes by itself, except while it is pointed at or focused. */
  toast(text, { again = null } = {}) {
    const close = () => node.remove();
    const node = el(
      "div.toast",
      {},
      el("span", {}, text),
      again && el("button.button", { type: "button", onclick: () => { close(); again(); } }, this.words.say("again")),
      el("button.button.icon-only", { type: "button", "aria-label": this.words.say("dismiss"), onclick: close }, icon("close")),
    );
    this.toasts.append(node);
    this.say(text);
    const leave = () => (node.matches(":hover, :focus-within") ? setTimeout(leave, 1000) : close());
    setTimeout(leave, again ? SHOWN_FOR * 3 : SHOWN_FOR);
  }

  /** Tell a screen reader, when it has time. */
  say(text) {
    this.#speak(this.polite, text);
  }

  /** Tell a screen reader at once. */
  interrupt(text) {
    this.#speak(this.assertive, text);
  }

  #speak(region, text) {
    // The same words twice are only spoken twice when the region was empty between.
    region.textContent = "";
    setTimeout(() => { region.textContent = text; }, 60);
  }
}
