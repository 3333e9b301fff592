/** The side panel of one picture's thread: the message it began with, and what became of it. */
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { el, fill, iconButton } from "./dom.js";

/** On a narrow screen the thread lies over the room, which Tab must not reach then. */
const OVERLAYS = matchMedia("(max-width: 900px)");

export class Thread {
  constructor({ shared, perform, onreply, onclose }) {
    const { words } = shared;
    this.node = document.getElementById("thread");
    this.node.setAttribute("aria-label", words.say("threadOf"));
    this.body = el("section.conversation");
    this.place_ = null;
    this.conversation = new Conversation({ ...shared, root: this.body, threads: false, perform: (...args) => perform(this, ...args), empty: () => el("li.welcome", {}, el("p", {}, words.say("emptyThread"))) });
    this.composer = new Composer({ ...shared, id: "thread-prompt", place: () => this.place_, placeholder: () => words.say("threadPlaceholder"), onreply: (reply, text) => onreply(this, reply, text) });
    const close = iconButton("close", words.say("closeThread"), onclose);
    fill(this.node, el("header", {}, el("h2", {}, words.say("threadOf")), close), this.body, el("div.composer-slot", {}, this.composer.node));
    OVERLAYS.addEventListener("change", () => this.#cover());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && !event.defaultPrevented && onclose());
    this.body.addEventListener("dragover", (event) => this.composer.drag(event));
    this.body.addEventListener("drop", (event) => this.composer.drag(event));
    this.composer.form.addEventListener("modechange", (event) => this.conversation.mark((event.detail.pictures ?? []).map((each) => each.id)));
  }

  place() {
    return this.place_;
  }

  #cover() {
    document.getElementById("room").inert = OVERLAYS.matches && this.place_ !== null;
  }

  openThread() {
    // A thread has no threads of its own.
  }

  async show(place) {
    if (!place.thread) {
      this.place_ = null;
      this.conversation.place = null;
      this.node.hidden = true;
      this.#cover();
      return;
    }
    if (this.place_?.thread === place.thread && this.place_.channel === place.channel) return;
    this.place_ = place;
    this.node.hidden = false;
    this.#cover();
    await this.conversation.open(place);
    this.composer.focus();
  }
}
