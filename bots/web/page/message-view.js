/** One job's message: who asked, the prompt, and the card that turns from progress into pictures. */
import { avatar, button, el, fill, iconButton } from "./dom.js";
import { gallery, shapeOf } from "./gallery.js";
import { openMenu } from "./menu.js";
import { tierBadge } from "./persona-dialog.js";

/**
 * @import { Button, LockedFeatures, Message, ProgressEvent } from "./api-types.js"
 * @import { Press } from "./gallery.js"
 * @import { Localization } from "./localization.js"
 * @import { MenuEntry } from "./menu.js"
 */

/** @typedef {(action: string, message: Message | null, target: string | null, anchor: HTMLElement | null) => void} RunAction */
/** @typedef {{ stage: HTMLElement, status: HTMLElement, bar: HTMLElement, fill: HTMLElement }} ProgressParts */

const LONG_PROMPT = 400; // characters
const LONGEST_LABEL = 160; // characters

export class MessageView {
  /**
   * @param {Message} message
   * @param {{ l10n: Localization, runAction: RunAction, threads: boolean, locked: LockedFeatures }} options
   */
  constructor(message, { l10n, runAction, threads, locked }) {
    this.l10n = l10n;
    this.runAction = runAction;
    this.threads = threads;
    this.locked = locked;
    this.node = el("li.message", { tabIndex: -1 });
    this.node.dataset.job = message.id;
    this.card = el("div.card");
    /** @type {ProgressParts | null} */
    this.parts = null;
    /** @type {string | null} */
    this.lastPreview = null;
    this.message = message;
    this.show(message);
  }

  /**
   * Mark the buttons of features that the member's tier lacks.
   *
   * @param {LockedFeatures} locked
   */
  lock(locked) {
    this.locked = locked;
    if (this.message.pictures.length) this.show(this.message);
  }

  /**
   * Show the message as it is now, keeping the focus where it was inside it.
   *
   * @param {Message} message
   */
  show(message) {
    this.message = message;
    const focused = this.#focused();
    const label = `${message.author.name}: ${message.prompt}`;
    this.node.setAttribute("aria-label", label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label);
    fill(this.node, avatar(message.author), this.#byline(), this.#prompt(), this.#parent(), this.card);
    fill(this.card, ...this.#content());
    this.#restoreFocus(focused);
  }

  /**
   * One step further: only the bar, the status and the preview change.
   *
   * @param {ProgressEvent} event
   */
  progress(event) {
    const { parts } = this;
    if (this.message.ended || !parts) return;
    parts.status.textContent = event.text;
    const share = event.share ?? 0;
    parts.bar.classList.toggle("unknown", event.share === null);
    parts.fill.style.setProperty("--share", String(share));
    parts.bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
    if (event.preview) this.#showPreview(parts.stage, event.preview);
  }

  #byline() {
    const { l10n, message } = this;
    const created = new Date(message.created_at);
    return el(
      "div.byline",
      {},
      el("span.name", {}, message.author.name),
      tierBadge(message.tier, l10n),
      el("time", { dateTime: message.created_at, title: l10n.dateTime.format(created) }, l10n.time.format(created)),
      message.private ? el("span.private", {}, l10n.format("page-private-result")) : null,
    );
  }

  #prompt() {
    const { message } = this;
    const body = el("p.prompt", {}, message.command === "imagine" ? message.prompt : message.title);
    if (message.prompt.length > LONG_PROMPT) body.classList.add("long");
    if (message.flags.length) body.append(el("span.flags", {}, message.flags.map((flag) => el("span.flag", {}, flag))));
    return body;
  }

  #parent() {
    const { parent } = this.message;
    if (!parent) return null;
    return el(
      "button.parent",
      { type: "button", onclick: (event) => this.#press("show-parent", parent.id, event.currentTarget) },
      el("img", { src: parent.url, alt: "", loading: "lazy" }),
      this.l10n.format("page-made-from"),
    );
  }

  #content() {
    const { message } = this;
    this.parts = null;
    if (message.state === "queued" || message.state === "running") return [this.#progressCard()];
    if (message.pictures.length) return this.#result();
    return [this.#ended()];
  }

  #progressCard() {
    const { l10n, message } = this;
    const waiting = message.state === "queued";
    const done = el("i");
    const bar = el("div.bar", { role: "progressbar", "aria-label": message.prompt.slice(0, 80), "aria-valuemin": 0, "aria-valuemax": 100 }, done);
    bar.classList.toggle("unknown", !waiting && !message.bar);
    done.style.setProperty("--share", String(message.bar ?? 0));
    const stage = el("div.stage.shimmer", {}, waiting ? this.#queuePosition() : el("div.waiting", {}, l10n.format("page-starting")));
    stage.classList.toggle("in-line", waiting);
    if (!waiting) stage.style.setProperty("aspect-ratio", `${message.width} / ${message.height}`);
    if (this.lastPreview && !waiting) this.#showPreview(stage, this.lastPreview);
    const status = el("span.status-text", {}, message.text);
    this.parts = { stage, status, bar, fill: done };
    return el(`div.progress-card.${shapeOf(message, message.count)}`, {}, stage, waiting ? null : bar, el("div.foot", {}, status, this.#cancel()));
  }

  #queuePosition() {
    const position = this.message.line?.position;
    if (!position) return el("div.waiting", {}, this.message.text);
    const { l10n } = this;
    return el("div.waiting", {}, el("b", {}, l10n.format("page-queue-position", { position })), el("span", {}, l10n.format("page-queue-position-note")));
  }

  /**
   * @param {HTMLElement} stage
   * @param {string} data A JPEG in base64.
   */
  #showPreview(stage, data) {
    this.lastPreview = data;
    const shown = stage.querySelector("img");
    // Several pictures in the making come side by side, in another shape than each of them.
    const image = shown ?? el("img", { alt: "", onload: () => stage.style.setProperty("aspect-ratio", `${image.naturalWidth} / ${image.naturalHeight}`) });
    image.src = `data:image/jpeg;base64,${data}`;
    if (!shown) fill(stage, image);
    stage.classList.remove("shimmer");
  }

  /** @param {string} action */
  #button(action) {
    return this.message.buttons.find((each) => each.action === action) ?? null;
  }

  #cancel() {
    const cancel = this.#button("cancel");
    return cancel && button(null, cancel.label, (event) => this.#press("cancel", cancel.target, event.currentTarget), { "data-action": "cancel" });
  }

  #result() {
    /** @type {Press} */
    const press = (action, target, anchor) => this.#press(action, target, anchor);
    return [gallery(this.message, this.l10n, this.locked, press), this.#jobTools(press)];
  }

  /** @param {Press} press */
  #jobTools(press) {
    const { l10n, message } = this;
    const tool = (/** @type {string} */ name, /** @type {string} */ label, /** @type {string | null} */ target) =>
      button(name, label, (event) => press(name, target, event.currentTarget), { "data-action": name, className: "button quiet" });
    const offered = (/** @type {Button | null} */ each) => each && tool(each.action, each.label, each.target);
    const more = iconButton("more", l10n.format("page-more-actions"), (event) => openMenu(event.currentTarget, this.#moreEntries(press, event.currentTarget)), {
      "aria-haspopup": "menu",
      "data-action": "more",
    });
    return el(
      "div.job-tools",
      {},
      el("span.result-text", {}, message.text),
      offered(this.#button("reroll")),
      offered(this.#button("undo")),
      this.threads ? tool("thread", l10n.format("page-thread"), message.id) : null,
      more,
    );
  }

  /**
   * @param {Press} press
   * @param {HTMLElement} anchor
   * @returns {MenuEntry[]}
   */
  #moreEntries(press, anchor) {
    const { l10n, message } = this;
    const offered = message.buttons.filter((each) => ["details", "report", "delete"].includes(each.action));
    return [
      { icon: "copy", label: l10n.format("page-copy-prompt"), run: () => press("copy", message.id, anchor) },
      ...offered.map((each) => ({ icon: each.action, label: each.label, danger: each.action === "delete", run: () => press(each.action, each.target, anchor) })),
    ];
  }

  /** A job without pictures: it failed, was cancelled, or its pictures were deleted. */
  #ended() {
    const { message } = this;
    const reroll = this.#button("reroll");
    return el(
      `div.ended.${message.state}`,
      {},
      el("span", {}, message.text),
      reroll && button("reroll", reroll.label, (event) => this.#press("reroll", reroll.target, event.currentTarget), { "data-action": "reroll" }),
    );
  }

  /**
   * @param {string} action
   * @param {string | null} target
   * @param {HTMLElement} anchor
   */
  #press(action, target, anchor) {
    this.runAction(action, this.message, target, anchor);
  }

  #focused() {
    const active = document.activeElement;
    if (!(active instanceof HTMLElement) || !this.node.contains(active)) return null;
    return { action: active === this.node ? null : active.dataset.action, target: active.dataset.target };
  }

  /** @param {{ action?: string | null, target?: string | undefined } | null} focused */
  #restoreFocus(focused) {
    if (!focused) return;
    const same = [...this.node.querySelectorAll("[data-action]")]
      .filter((node) => node instanceof HTMLElement)
      .find((node) => node.dataset.action === focused.action && node.dataset.target === focused.target);
    (same ?? this.node).focus({ preventScroll: true });
  }
}

/**
 * The prompt with its flags, so that it can be typed again.
 *
 * @param {Message} message
 */
export function typedPrompt(message) {
  return [message.prompt, ...message.flags].join(" ");
}
