/** One job's message: who asked, what for, and the card that grows into the pictures. */
import { avatar, button, el, fill, iconButton } from "./dom.js";
import { gallery, shapeOf } from "./gallery.js";
import { openMenu } from "./menu.js";
import { tierBadge } from "./who.js";

const LONG_PROMPT = 400;

export class MessageView {
  /** `perform(action, message, target, anchor)` carries a button out. */
  constructor(message, { words, perform, threads }) {
    this.words = words;
    this.perform = perform;
    this.threads = threads;
    this.node = el("li.message", { tabIndex: -1 });
    this.node.dataset.job = message.id;
    this.card = el("div.card");
    this.show(message);
  }

  /** Show the message as it is now, keeping the focus where it was inside it. */
  show(message) {
    this.message = message;
    const held = this.#held();
    const label = `${message.author.name}: ${message.prompt}`;
    this.node.setAttribute("aria-label", label.length > 160 ? `${label.slice(0, 159)}…` : label);
    fill(this.node, avatar(message.author), this.#byline(), this.#prompt(), this.#parent(), this.card);
    fill(this.card, ...this.#content());
    this.#giveBack(held);
  }

  /** A step further: only the bar, the words and the preview change. */
  progress(event) {
    if (this.message.ended || !this.bar) return;
    this.says.textContent = event.text;
    const share = event.share ?? 0;
    this.bar.classList.toggle("unknown", event.share === null);
    this.bar.firstChild.style.setProperty("--share", share);
    this.bar.setAttribute("aria-valuenow", Math.round(share * 100));
    if (event.preview) this.#preview(event.preview);
  }

  #byline() {
    const { words, message } = this;
    const made = new Date(message.created_at);
    return el(
      "div.byline",
      {},
      el("span.name", {}, message.author.name),
      tierBadge(message.tier),
      el("time", { dateTime: message.created_at, title: words.full.format(made) }, words.clock.format(made)),
      message.private ? el("span.private", {}, words.say("privateResult")) : null,
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
      { type: "button", onclick: (event) => this.perform("show-parent", this.message, parent.id, event.currentTarget) },
      el("img", { src: parent.url, alt: "", loading: "lazy" }),
      this.words.say("madeFrom"),
    );
  }

  #content() {
    const { message } = this;
    this.bar = null;
    if (message.state === "queued" || message.state === "running") return [this.#growing()];
    if (message.pictures.length) return this.#result();
    return [this.#without()];
  }

  #growing() {
    const { words, message } = this;
    const waiting = message.state === "queued";
    this.says = el("span.says", {}, message.text);
    this.bar = el("div.bar", { role: "progressbar", "aria-label": message.prompt.slice(0, 80), "aria-valuemin": 0, "aria-valuemax": 100 }, el("i"));
    this.bar.classList.toggle("unknown", !waiting && !message.bar);
    this.bar.firstChild.style.setProperty("--share", message.bar ?? 0);
    this.stage = el("div.stage.shimmer", {}, waiting ? this.#place() : el("div.waiting", {}, words.say("starting")));
    this.stage.classList.toggle("in-line", waiting);
    if (!waiting) this.stage.style.setProperty("aspect-ratio", `${message.width} / ${message.height}`);
    if (this.lastPreview && !waiting) this.#preview(this.lastPreview);
    return el(`div.progress-card.${shapeOf(message, message.count)}`, {}, this.stage, waiting ? null : this.bar, el("div.foot", {}, this.says, this.#cancel()));
  }

  #place() {
    const position = this.message.line?.position;
    if (!position) return el("div.waiting", {}, this.message.text);
    return el("div.waiting", {}, el("b", {}, this.words.say("place", position)), el("span", {}, this.words.say("placeNote")));
  }

  #preview(data) {
    this.lastPreview = data;
    const known = this.stage.querySelector("img");
    // Several pictures in the making come side by side, in another shape than each of them.
    const fit = () => this.stage.style.setProperty("aspect-ratio", `${image.naturalWidth} / ${image.naturalHeight}`);
    const image = known ?? el("img", { alt: "", onload: fit });
    image.src = `data:image/jpeg;base64,${data}`;
    if (!known) fill(this.stage, image);
    this.stage.classList.remove("shimmer");
  }

  #cancel() {
    const cancel = this.message.buttons.find((each) => each.action === "cancel");
    return cancel ? button(null, cancel.label, (event) => this.#press("cancel", cancel.target, event), { "data-action": "cancel" }) : null;
  }

  #result() {
    const { message } = this;
    const press = (action, target, event) => this.#press(action, target, event);
    return [gallery(message, this.words, press), this.#jobTools(press)];
  }

  #jobTools(press) {
    const { words, message } = this;
    const of = (action) => message.buttons.find((each) => each.action === action);
    const tool = (name, each) => button(name, each.label, (event) => press(each.action, each.target, event), { "data-action": each.action, className: "button quiet" });
    const reroll = of("reroll");
    const undo = of("undo");
    const more = iconButton("more", words.say("more"), (event) => openMenu(event.currentTarget, this.#moreEntries(press)), { "aria-haspopup": "menu", "data-action": "more" });
    return el(
      "div.job-tools",
      {},
      el("span.result-text", {}, message.text),
      reroll && tool("reroll", reroll),
      undo && tool("undo", undo),
      this.threads ? button("thread", words.say("thread"), (event) => press("thread", message.id, event), { "data-action": "thread", className: "button quiet" }) : null,
      more,
    );
  }

  #moreEntries(press) {
    const { words, message } = this;
    const anchor = this.node.querySelector('[data-action="more"]');
    const run = (action, target) => () => press(action, target, { currentTarget: anchor });
    const own = message.buttons.filter((each) => ["details", "report", "delete"].includes(each.action));
    return [
      { icon: "copy", label: words.say("copyPrompt"), run: run("copy", message.id) },
      ...own.map((each) => ({ icon: each.action, label: each.label, danger: each.action === "delete", run: run(each.action, each.target) })),
    ];
  }

  #without() {
    const { message } = this;
    const reroll = message.buttons.find((each) => each.action === "reroll");
    return el(
      `div.trouble.${message.state}`,
      {},
      el("span", {}, message.text),
      reroll ? button("reroll", reroll.label, (event) => this.#press("reroll", reroll.target, event), { "data-action": "reroll" }) : null,
    );
  }

  #press(action, target, event) {
    this.perform(action, this.message, target, event?.currentTarget ?? null);
  }

  #held() {
    const active = document.activeElement;
    if (!this.node.contains(active)) return null;
    return { node: active === this.node, action: active.dataset.action, target: active.dataset.target };
  }

  #giveBack(held) {
    if (!held) return;
    const same = held.action && [...this.node.querySelectorAll(`[data-action="${held.action}"]`)].find((each) => each.dataset.target === held.target);
    (same ?? this.node).focus({ preventScroll: true });
  }
}

/** What a copied prompt is: the words with their flags, so that it can be typed again. */
export function typed(message) {
  return [message.words ?? message.prompt, ...message.flags].join(" ");
}

