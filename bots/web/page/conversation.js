/** The messages of one place, oldest first, kept true by events and by loading again. */
import { button, el, fill } from "./dom.js";
import { MessageView } from "./message.js";
import { note } from "./note.js";

const NEAR = 120; // pixels from the end that still count as the end

export class Conversation {
  /** `root` scrolls; `perform` carries buttons out; `empty()` gives what an empty place shows. */
  constructor({ root, words, api, notices, perform, empty, threads }) {
    Object.assign(this, { root, words, api, notices, perform, empty, threads });
    this.views = new Map();
    this.reads = new Map();
    this.list = el("ol.messages", { "aria-label": words.say("messages") });
    this.newest = button("down", words.say("newest"), () => this.toEnd(), { className: "button to-newest", hidden: true });
    this.list.addEventListener("keydown", (event) => this.#move(event));
    // Pictures take their room when they come: whoever was at the end stays there.
    new ResizeObserver(() => this.stuck && this.toEnd()).observe(this.list);
    root.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.stuck = true;
  }

  /** Show a place: its messages as the record has them. */
  async open(place) {
    this.place = place;
    this.views.clear();
    this.reads.clear();
    this.stuck = true;
    this.root.setAttribute("aria-busy", "true");
    fill(this.list, el("li.welcome", {}, el("p", {}, this.words.say("loading"))));
    fill(this.root, this.list, this.newest);
    await this.refresh();
  }

  /** Catch up with the record, keeping what is shown. */
  async refresh() {
    const { place } = this;
    try {
      const { messages } = await this.api.conversation(place);
      if (place !== this.place) return;
      this.list.querySelector(".welcome")?.remove();
      for (const message of messages) this.show(message);
      this.#dress();
    } catch (error) {
      if (place === this.place && !this.views.size) this.#failed();
      console.error(error);
    } finally {
      this.root.setAttribute("aria-busy", "false");
    }
  }

  /** Whether a message belongs here. */
  holds(message) {
    return this.place && message.channel === this.place.channel && (message.thread ?? null) === (this.place.thread ?? null);
  }

  /** Show a message, or what it has become. A reading older than the one shown is left out. */
  show(message) {
    if ((this.reads.get(message.id) ?? 0) > message.read_at) return null;
    this.reads.set(message.id, message.read_at);
    const known = this.views.get(message.id);
    if (known) {
      if (JSON.stringify({ ...known.message, read_at: 0 }) !== JSON.stringify({ ...message, read_at: 0 })) known.show(message);
    } else this.#insert(message);
    this.#settle(!known);
    return known ?? null;
  }

  progress(event) {
    this.views.get(event.job)?.progress(event);
    this.#settle(false);
  }

  /** An answer for one's own eyes, at the end. */
  tell(reply, asked) {
    const node = note(reply, asked, this.words, (each, of) => this.perform(each.action, null, each.target, of));
    this.list.querySelector(".welcome")?.remove();
    this.list.append(node);
    this.toEnd();
    if (reply.kind === "refusal") this.notices.interrupt(reply.text);
    else this.notices.say(reply.text || reply.title);
  }

  find(picture) {
    return [...this.views.values()].find((view) => view.message.pictures.some((each) => each.id === picture)) ?? null;
  }

  mark(pictures) {
    for (const tile of this.list.querySelectorAll(".tile")) {
      tile.classList.toggle("chosen", pictures.includes(tile.querySelector("[data-target]").dataset.target));
    }
  }

  toEnd() {
    this.stuck = true;
    this.newest.hidden = true;
    this.root.scrollTop = this.root.scrollHeight;
  }

  #insert(message) {
    this.list.querySelector(".welcome")?.remove();
    const view = new MessageView(message, { words: this.words, perform: this.perform, threads: this.threads });
    this.views.set(message.id, view);
    const later = [...this.list.querySelectorAll(".message")].find((node) => this.views.get(node.dataset.job).message.created_at > message.created_at);
    if (later) later.before(view.node);
    else this.list.append(view.node);
    this.#dress();
  }

  #dress() {
    if (!this.views.size && !this.list.children.length) this.list.append(this.empty());
    for (const old of this.list.querySelectorAll(".day")) old.remove();
    let day = null;
    const nodes = [...this.list.querySelectorAll(".message")];
    for (const node of nodes) {
      const made = new Date(this.views.get(node.dataset.job).message.created_at);
      if (day !== made.toDateString()) node.before(el("li.day", { role: "separator" }, this.words.day(made)));
      day = made.toDateString();
      node.tabIndex = node === nodes.at(-1) ? 0 : -1;
    }
  }

  #failed() {
    fill(this.list, el("li.welcome", { role: "alert" }, el("p", {}, this.words.say("loadFailed")), button("reroll", this.words.say("again"), () => this.open(this.place))));
  }

  #settle(fresh) {
    if (this.stuck) this.toEnd();
    else if (fresh) this.newest.hidden = false;
  }

  #scrolled() {
    this.stuck = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < NEAR;
    if (this.stuck) this.newest.hidden = true;
  }

  #move(event) {
    const nodes = [...this.list.querySelectorAll(".message, .aside-note")];
    const at = nodes.indexOf(document.activeElement);
    if (at < 0) return;
    const to = { ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: nodes.length - 1 }[event.key];
    if (to === undefined || !nodes[to] || event.altKey) return;
    event.preventDefault();
    nodes[at].tabIndex = -1;
    nodes[to].tabIndex = 0;
    nodes[to].focus();
  }
}
