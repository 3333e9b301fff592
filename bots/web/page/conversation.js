/** The messages of one place, oldest first, kept current by events and by loading again. */
import { button, el, fill } from "./dom.js";
import { ephemeralReply } from "./ephemeral-reply.js";
import { MessageView } from "./message-view.js";

/**
 * @import { ApiClient } from "./api-client.js"
 * @import { LockedFeatures, Message, Place, ProgressEvent, Reply } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 * @import { RunAction } from "./message-view.js"
 * @import { Toasts } from "./toasts.js"
 */

/**
 * @typedef {object} ConversationOptions
 * @property {HTMLElement} root The element that scrolls.
 * @property {Localization} l10n
 * @property {ApiClient} api
 * @property {Toasts} toasts
 * @property {RunAction} runAction
 * @property {() => HTMLElement} empty Gives what an empty place shows.
 * @property {boolean} threads Whether messages have threads.
 */

const NEAR_END = 120; // pixels from the end that still count as the end

export class Conversation {
  /** @param {ConversationOptions} options */
  constructor({ root, l10n, api, toasts, runAction, empty, threads }) {
    this.root = root;
    this.l10n = l10n;
    this.api = api;
    this.toasts = toasts;
    this.runAction = runAction;
    this.empty = empty;
    this.threads = threads;
    /** @type {Place | null} */
    this.place = null;
    /** @type {Map<string, MessageView>} */
    this.views = new Map();
    /** @type {Map<string, number>} */
    this.readings = new Map();
    this.list = el("ol.messages", { "aria-label": l10n.format("page-messages") });
    this.newest = button("down", l10n.format("page-new-below"), () => this.scrollToEnd(), { className: "button to-newest", hidden: true });
    this.list.addEventListener("keydown", (event) => this.#moveFocus(event));
    // Pictures take their space when they load: whoever was at the end stays there.
    new ResizeObserver(() => this.atEnd && this.scrollToEnd()).observe(this.list);
    root.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    this.atEnd = true;
    /** @type {LockedFeatures} */
    this.locked = {};
  }

  /**
   * Mark the buttons of features that the member's tier lacks.
   *
   * @param {LockedFeatures} locked
   */
  lock(locked) {
    if (JSON.stringify(locked) === JSON.stringify(this.locked)) return;
    this.locked = locked;
    for (const view of this.views.values()) view.lock(locked);
  }

  /**
   * Show the messages of a place.
   *
   * @param {Place} place
   */
  async open(place) {
    this.place = place;
    this.views.clear();
    this.readings.clear();
    this.atEnd = true;
    this.root.setAttribute("aria-busy", "true");
    fill(this.list, el("li.welcome", {}, el("p", {}, this.l10n.format("page-loading"))));
    fill(this.root, this.list, this.newest);
    await this.refresh();
  }

  /** Load the messages again, keeping what is shown. */
  async refresh() {
    const { place } = this;
    if (!place) return;
    try {
      const { messages } = await this.api.conversation(place);
      if (place !== this.place) return;
      this.list.querySelector(".welcome")?.remove();
      for (const message of messages) this.show(message);
      this.#decorate();
    } catch (error) {
      if (place === this.place && !this.views.size) this.#showFailure(place);
      console.error(error);
    } finally {
      this.root.setAttribute("aria-busy", "false");
    }
  }

  /**
   * Whether a message belongs here.
   *
   * @param {Message} message
   */
  holds(message) {
    return this.place !== null && message.channel === this.place.channel && (message.thread ?? null) === (this.place.thread ?? null);
  }

  /**
   * Show a message, or update it. A reading older than the one shown is dropped.
   *
   * @param {Message} message
   */
  show(message) {
    if ((this.readings.get(message.id) ?? 0) > message.read_at) return;
    this.readings.set(message.id, message.read_at);
    const view = this.views.get(message.id);
    if (!view) this.#insert(message);
    else if (changed(view.message, message)) view.show(message);
    this.#keepPosition(!view);
  }

  /** @param {ProgressEvent} event */
  progress(event) {
    this.views.get(event.job)?.progress(event);
    this.#keepPosition(false);
  }

  /**
   * Show a reply that only this member sees, at the end.
   *
   * @param {Reply} reply
   * @param {string} request What the member had typed.
   */
  showReply(reply, request) {
    const node = ephemeralReply(reply, request, this.l10n, (action, target, anchor) => this.runAction(action, null, target, anchor));
    this.list.querySelector(".welcome")?.remove();
    this.list.append(node);
    this.scrollToEnd();
    if (reply.kind === "refusal") this.toasts.alert(reply.text);
    else this.toasts.announce(reply.text || reply.title);
  }

  /**
   * The message that holds a picture.
   *
   * @param {string} picture
   */
  find(picture) {
    return [...this.views.values()].find((view) => view.message.pictures.some((each) => each.id === picture)) ?? null;
  }

  /**
   * Mark the pictures that are chosen for a blend.
   *
   * @param {string[]} pictures
   */
  mark(pictures) {
    for (const tile of this.list.querySelectorAll(".tile")) {
      const open = /** @type {HTMLElement | null} */ (tile.querySelector("[data-target]"));
      tile.classList.toggle("chosen", pictures.includes(open?.dataset.target ?? ""));
    }
  }

  scrollToEnd() {
    this.atEnd = true;
    this.newest.hidden = true;
    this.root.scrollTop = this.root.scrollHeight;
  }

  /** @param {Message} message */
  #insert(message) {
    this.list.querySelector(".welcome")?.remove();
    const view = new MessageView(message, { l10n: this.l10n, runAction: this.runAction, threads: this.threads, locked: this.locked });
    this.views.set(message.id, view);
    const later = this.#nodes().find((node) => this.#messageOf(node).created_at > message.created_at);
    if (later) later.before(view.node);
    else this.list.append(view.node);
    this.#decorate();
  }

  /** @returns {HTMLElement[]} */
  #nodes() {
    return [...this.list.querySelectorAll(".message")].filter((node) => node instanceof HTMLElement);
  }

  /** @param {HTMLElement} node */
  #messageOf(node) {
    const view = this.views.get(node.dataset.job ?? "");
    if (!view) throw new Error("a message without a view");
    return view.message;
  }

  /** Insert the days' separators, and let Tab reach the newest message. */
  #decorate() {
    if (!this.views.size && !this.list.children.length) this.list.append(this.empty());
    for (const separator of this.list.querySelectorAll(".day")) separator.remove();
    let day = null;
    const nodes = this.#nodes();
    for (const node of nodes) {
      const created = new Date(this.#messageOf(node).created_at);
      if (day !== created.toDateString()) node.before(el("li.day", { role: "separator" }, this.l10n.day(created)));
      day = created.toDateString();
      node.tabIndex = node === nodes.at(-1) ? 0 : -1;
    }
  }

  /** @param {Place} place */
  #showFailure(place) {
    const { l10n } = this;
    const retry = button("reroll", l10n.format("page-retry"), () => this.open(place));
    fill(this.list, el("li.welcome", { role: "alert" }, el("p", {}, l10n.format("page-loading-failed")), retry));
  }

  /** @param {boolean} added */
  #keepPosition(added) {
    if (this.atEnd) this.scrollToEnd();
    else if (added) this.newest.hidden = false;
  }

  #scrolled() {
    this.atEnd = this.root.scrollHeight - this.root.scrollTop - this.root.clientHeight < NEAR_END;
    if (this.atEnd) this.newest.hidden = true;
  }

  /** @param {KeyboardEvent} event */
  #moveFocus(event) {
    const nodes = [...this.list.querySelectorAll(".message, .ephemeral-reply")].filter((node) => node instanceof HTMLElement);
    const index = nodes.findIndex((node) => node === document.activeElement);
    if (index < 0 || event.altKey) return;
    const next = nodes[{ ArrowUp: index - 1, ArrowDown: index + 1, Home: 0, End: nodes.length - 1 }[event.key] ?? -1];
    if (!next) return;
    event.preventDefault();
    for (const node of nodes) node.tabIndex = node === next ? 0 : -1;
    next.focus();
  }
}

/**
 * Whether two readings of a message differ in anything that shows.
 *
 * @param {Message} before
 * @param {Message} after
 */
function changed(before, after) {
  return JSON.stringify({ ...before, read_at: 0 }) !== JSON.stringify({ ...after, read_at: 0 });
}
