/** The list of suggestions above a prompt box: up and down choose, Tab or Enter accept, Escape closes. */
import { el, fill } from "./dom.js";
import { suggestionsFor } from "./suggestions.js";

/**
 * @import { Localization } from "./localization.js"
 * @import { Suggestions, Vocabulary } from "./suggestions.js"
 * @import { Toasts } from "./toasts.js"
 */

const CLOSE_AFTER_BLUR = 120; // milliseconds: a click on the list comes after the blur

export class SuggestionList {
  /**
   * @param {HTMLTextAreaElement} box
   * @param {{ l10n: Localization, toasts: Toasts, id: string, vocabulary: () => Vocabulary }} options
   */
  constructor(box, { vocabulary, l10n, toasts, id }) {
    this.box = box;
    this.vocabulary = vocabulary;
    this.l10n = l10n;
    this.toasts = toasts;
    this.id = id;
    this.node = el("div.suggestions", { role: "listbox", id, hidden: true, "aria-label": l10n.format("page-add-option") });
    /** @type {Suggestions | null} */
    this.suggestions = null;
    this.selected = -1;
    box.setAttribute("aria-autocomplete", "list");
    box.setAttribute("aria-controls", id);
    box.addEventListener("blur", () => setTimeout(() => this.close(), CLOSE_AFTER_BLUR));
  }

  /** Find the suggestions for what is typed now. */
  update() {
    const suggestions = suggestionsFor(this.box.value, this.box.selectionStart, this.vocabulary());
    if (!suggestions) return this.close();
    const count = suggestions.options.length;
    const changed = this.suggestions?.options.length !== count;
    this.suggestions = suggestions;
    this.selected = 0;
    this.#render(suggestions);
    if (changed) this.toasts.announce(this.l10n.format("page-suggestions", { count }));
    return undefined;
  }

  close() {
    this.suggestions = null;
    this.node.hidden = true;
    this.box.removeAttribute("aria-activedescendant");
  }

  /**
   * Whether the key was meant for the list.
   *
   * @param {KeyboardEvent} event
   */
  pressKey(event) {
    const { suggestions } = this;
    if (!suggestions) return false;
    const count = suggestions.options.length;
    if (event.key === "ArrowDown") this.selected = (this.selected + 1) % count;
    else if (event.key === "ArrowUp") this.selected = (this.selected - 1 + count) % count;
    else if (event.key === "Escape") {
      this.close();
      return true;
    } else if (event.key === "Tab" || (event.key === "Enter" && !event.shiftKey && this.#isUnfinished(suggestions))) {
      this.#accept(suggestions, this.selected);
      return true;
    } else return false;
    this.#render(suggestions);
    return true;
  }

  /**
   * @param {Suggestions} suggestions
   * @param {number} index
   */
  #accept({ start, end, options }, index) {
    this.box.setRangeText(options[index]?.text ?? "", start, end, "end");
    this.box.focus();
    this.box.dispatchEvent(new Event("input", { bubbles: true }));
  }

  /**
   * Enter accepts a suggestion only for a word that was begun: a bare "--" or a whole word is sent as it is.
   *
   * @param {Suggestions} suggestions
   */
  #isUnfinished({ start, end, options }) {
    const typed = this.box.value.slice(start, end);
    return typed !== "" && typed !== options[this.selected]?.text.trim();
  }

  /** @param {Suggestions} suggestions */
  #render(suggestions) {
    const rows = suggestions.options.map((option, index) =>
      el(
        "div.suggestion",
        {
          role: "option",
          id: `${this.id}-${index}`,
          "aria-selected": String(index === this.selected),
          onpointerdown: (event) => {
            event.preventDefault();
            this.#accept(suggestions, index);
          },
        },
        el("b", {}, option.label),
        el("span", {}, option.note),
      ),
    );
    fill(this.node, rows);
    this.node.hidden = false;
    this.box.setAttribute("aria-activedescendant", `${this.id}-${this.selected}`);
    rows[this.selected]?.scrollIntoView({ block: "nearest" });
  }
}
