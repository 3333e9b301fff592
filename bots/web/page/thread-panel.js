/** The side panel of one picture's thread: the message it started with, and what was made of it. */
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { byId, el, fill, iconButton } from "./dom.js";

/**
 * @import { Place, Reply } from "./api-types.js"
 * @import { Pane } from "./button-actions.js"
 * @import { Mode, SharedParts } from "./composer.js"
 * @import { RunAction } from "./message-view.js"
 */

/**
 * @typedef {object} ThreadOptions
 * @property {SharedParts} shared
 * @property {(pane: Pane) => RunAction} runActionIn
 * @property {(pane: Pane, reply: Reply, text: string) => void} onreply
 * @property {() => void} onclose
 */

/** On a narrow screen the thread covers the channel, which Tab must then not reach. */
const NARROW = matchMedia("(max-width: 900px)");

export class ThreadPanel {
  /** @param {ThreadOptions} options */
  constructor({ shared, runActionIn, onreply, onclose }) {
    const { l10n } = shared;
    this.node = byId("thread");
    this.node.setAttribute("aria-label", l10n.format("page-thread"));
    this.body = el("section.conversation");
    /** @type {Place | null} */
    this.openPlace = null;
    this.conversation = new Conversation({
      ...shared,
      root: this.body,
      threads: false,
      runAction: runActionIn(this),
      empty: () => el("li.welcome", {}, el("p", {}, l10n.format("page-thread-welcome"))),
    });
    this.composer = new Composer({
      ...shared,
      id: "thread-prompt",
      place: () => this.place(),
      placeholder: () => l10n.format("page-thread-placeholder"),
      onreply: (reply, text) => onreply(this, reply, text),
    });
    const close = iconButton("close", l10n.format("page-close-thread"), onclose);
    fill(this.node, el("header", {}, el("h2", {}, l10n.format("page-thread")), close), this.body, el("div.composer-slot", {}, this.composer.node));
    NARROW.addEventListener("change", () => this.#disableChannel());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && onclose());
    this.body.addEventListener("dragover", (event) => this.composer.drag(event));
    this.body.addEventListener("drop", (event) => this.composer.drag(event));
    markBlended(this);
  }

  get isOpen() {
    return this.openPlace !== null;
  }

  /** The open thread. Throws while none is open. */
  place() {
    if (!this.openPlace) throw new Error("no thread is open");
    return this.openPlace;
  }

  #disableChannel() {
    byId("main").inert = NARROW.matches && this.isOpen;
  }

  openThread() {
    // A thread has no threads of its own.
  }

  /**
   * Open the thread of a place, or close the panel where the place has none.
   *
   * @param {Place} place
   */
  async show(place) {
    if (!place.thread) {
      this.openPlace = null;
      this.conversation.place = null;
      this.node.hidden = true;
      this.#disableChannel();
      return;
    }
    if (this.openPlace?.thread === place.thread && this.openPlace.channel === place.channel) return;
    this.openPlace = place;
    this.node.hidden = false;
    this.#disableChannel();
    await this.conversation.open(place);
    this.composer.focus();
  }
}

/**
 * Mark the pictures that a pane's prompt box is going to blend.
 *
 * @param {Pane} pane
 */
export function markBlended({ composer, conversation }) {
  composer.form.addEventListener("modechange", (event) => {
    const { detail: mode } = /** @type {CustomEvent<Mode>} */ (event);
    conversation.mark(mode.kind === "blend" ? mode.pictures.map((each) => each.id) : []);
  });
}
