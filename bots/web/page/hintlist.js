/** The list of suggestions above a prompt box: up and down choose, Tab or Enter takes, Escape leaves. */
import { el, fill } from "./dom.js";
import { hintsFor } from "./hints.js";

export class HintList {
  constructor(box, { knows, words, notices, id }) {
    Object.assign(this, { box, knows, words, notices, id });
    this.node = el("div.hints", { role: "listbox", id, hidden: true, "aria-label": words.say("addOption") });
    this.found = null;
    this.at = -1;
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", id);
    box.addEventListener("blur", () => setTimeout(() => this.close(), 120));
  }

  /** Look again at what is typed. */
  look() {
    const found = hintsFor(this.box.value, this.box.selectionStart, this.knows());
    if (!found) return this.close();
    const fresh = !this.found || this.found.options.length !== found.options.length;
    this.found = found;
    this.at = 0;
    this.#show();
    if (fresh) this.notices.say(this.words.say("hintsCount", found.options.length));
    return undefined;
  }

  close() {
    this.found = null;
    this.node.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
  }

  /** Whether the key was for the list. */
  key(event) {
    if (!this.found) return false;
    const last = this.found.options.length;
    if (event.key === "ArrowDown") this.at = (this.at + 1) % last;
    else if (event.key === "ArrowUp") this.at = (this.at - 1 + last) % last;
    else if (event.key === "Escape") {
      this.close();
      return true;
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && this.#unfinished())) {
      this.take(this.at);
      return true;
    } else return false;
    this.#show();
    return true;
  }

  take(at) {
    const { start, end, options } = this.found;
    this.box.setRangeText(options[at].text, start, end, "end");
    this.box.focus();
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /** Enter takes a suggestion only for a word that was begun: a bare "--" or a whole word is sent as it is. */
  #unfinished() {
    const typed = this.box.value.slice(this.found.start, this.found.end);
    const option = this.found.options[this.at].text.trim();
    return typed !== option && typed !== "";
  }

  #show() {
    fill(
      this.node,
      this.found.options.map((option, at) =>
        el(
          "div.hint",
          { role: "option", id: `${this.id}-${at}`, "aria-selected": String(at === this.at), onpointerdown: (event) => { event.preventDefault(); this.take(at); } },
          el("b", {}, option.label),
          el("span", {}, option.note),
        ),
      ),
    );
    this.node.hidden = false;
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.at}`);
    this.node.children[this.at].scrollIntoView({ block: "nearest" });
  }
}
