/** The page's entry point: builds its parts, and passes on what happens between them. */
import { ApiClient } from "./api-client.js";
import { ButtonActions, openDetails } from "./button-actions.js";
import { ChannelHeader } from "./channel-header.js";
import { ChannelSidebar, placeInAddress } from "./channel-sidebar.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { openDialog } from "./dialogs.js";
import { button, byId, el, fill } from "./dom.js";
import { localReply } from "./ephemeral-reply.js";
import { EventStream } from "./event-stream.js";
import { loadLocalization, rememberedLocale } from "./localization.js";
import { Personas } from "./personas.js";
import { markBlended, ThreadPanel } from "./thread-panel.js";
import { Toasts } from "./toasts.js";

/**
 * @import { Message, Place, Reply, Welcome } from "./api-types.js"
 * @import { Pane } from "./button-actions.js"
 * @import { Localization } from "./localization.js"
 * @import { RunAction } from "./message-view.js"
 */

/** Answers that the message itself shows; a toast is enough. */
const SHOWN_BY_MESSAGE = new Set(["deleted", "cancelled", "cancelling"]);
const SHORTCUTS = ["send", "new-line", "recall", "focus", "channel", "message", "ends", "escape", "help"];

class Page {
  /**
   * @param {ApiClient} api
   * @param {Personas} personas
   * @param {Welcome} welcome
   * @param {Localization} l10n
   */
  constructor(api, personas, welcome, l10n) {
    this.api = api;
    this.personas = personas;
    this.welcome = welcome;
    this.l10n = l10n;
    this.open = placeInAddress(welcome.channels[0] ?? "general");
    this.toasts = new Toasts(l10n);
    const shared = { l10n, api, personas, welcome, toasts: this.toasts };
    const onreply = (/** @type {Pane} */ pane, /** @type {Reply} */ reply, /** @type {string} */ text) => this.receive(pane, reply, text);
    /** @type {(pane: Pane) => RunAction} */
    const runActionIn = (pane) => (...args) => this.actions.run(pane, ...args);
    this.actions = new ButtonActions({ l10n, api, personas, toasts: this.toasts, onreply });
    this.sidebar = new ChannelSidebar({ l10n, personas, defaults: welcome.channels, onshortcuts: () => this.showShortcuts(), onsignout: welcome.operator ? () => this.#signOut() : null });
    this.header = new ChannelHeader({
      l10n,
      api,
      personas,
      onmenu: (opener) => this.sidebar.open(opener),
      onquota: () => this.composer.ask("/quota"),
      onwaitlist: () => this.composer.ask("/waitlist"),
      onlocked: (locked) => {
        this.conversation.lock(locked);
        this.thread.conversation.lock(locked);
      },
    });
    this.conversation = new Conversation({ ...shared, root: byId("conversation"), threads: true, runAction: runActionIn(this), empty: () => this.#welcome() });
    this.composer = new Composer({
      ...shared,
      id: "prompt",
      place: () => this.place(),
      placeholder: () => l10n.format("page-prompt-placeholder", { channel: this.open.channel }),
      onreply: (reply, text) => onreply(this, reply, text),
    });
    fill(byId("composer"), this.composer.node);
    this.thread = new ThreadPanel({ shared, runActionIn, onreply, onclose: () => this.#closeThread() });
    this.stream = new EventStream(() => api.eventStreamUrl(), this.#handlers());
    this.#listen();
  }

  /** @returns {Place} */
  place() {
    return { channel: this.open.channel, thread: null };
  }

  /** @param {string} job */
  openThread(job) {
    location.hash = `#/${this.open.channel}/${job}`;
  }

  start() {
    this.#showChannel();
    this.thread.show(this.open);
    this.stream.start();
    this.header.refresh();
    // On a phone the focus would open the keyboard over half of the page.
    if (matchMedia("(hover: hover)").matches) this.composer.focus();
  }

  /**
   * Show what the server answered: a message, a file, facts, or a reply for this member alone.
   *
   * @param {Pane} pane
   * @param {Reply} reply
   * @param {string} text What the member had typed.
   */
  receive(pane, reply, text) {
    if (reply.message) this.#show(reply.message);
    if (reply.download) this.api.save(reply.download);
    if (reply.kind === "placeholder" && reply.message) {
      pane.conversation.scrollToEnd();
      // The end may have been announced already: a quick picture overtakes the answer to its prompt.
      const current = pane.conversation.views.get(reply.message.id)?.message ?? reply.message;
      if (!current.ended) this.toasts.announce(current.text);
    } else if (reply.code === "details") {
      openDetails(reply, this.l10n);
      return;
    } else if (SHOWN_BY_MESSAGE.has(reply.code)) this.toasts.show(reply.text);
    else pane.conversation.showReply(reply, text);
    this.header.refresh();
  }

  showShortcuts() {
    const { l10n } = this;
    const rows = SHORTCUTS.flatMap((name) => [
      el("dt", {}, el("kbd", {}, l10n.format(`page-shortcut-${name}-keys`))),
      el("dd", {}, l10n.format(`page-shortcut-${name}`)),
    ]);
    openDialog(l10n.format("page-shortcuts"), (close) =>
      el("div", {}, el("dl.keys", {}, rows), el("div.actions", {}, button(null, l10n.format("page-close"), () => close(), { autofocus: true }))),
    );
  }

  async #signOut() {
    await this.api.signOut();
    location.reload();
  }

  /** @returns {import("./event-stream.js").Handlers} */
  #handlers() {
    return {
      onconnect: () => {
        this.header.offline.hidden = true;
        // What happened while nobody listened, be it between loading and listening, is in the record.
        this.#catchUp();
      },
      onmessage: (message) => this.#show(message),
      onprogress: (event) => {
        this.conversation.progress(event);
        this.thread.conversation.progress(event);
      },
      onnotice: ({ text }) => {
        this.conversation.showReply(localReply("answer", "", text), "");
        this.header.refresh();
      },
      onlost: () => { this.header.offline.hidden = false; },
    };
  }

  #catchUp() {
    this.conversation.refresh();
    this.thread.conversation.refresh();
    this.header.refresh();
  }

  /** @param {Message} message */
  #show(message) {
    const conversation = [this.conversation, this.thread.conversation].find((each) => each.holds(message));
    const before = conversation?.views.get(message.id)?.message;
    conversation?.show(message);
    if (!conversation && !message.thread && !message.mine) this.sidebar.markUnread(message.channel);
    if (message.mine && message.ended && !before?.ended) this.#announceEnd(message);
  }

  /** @param {Message} message */
  #announceEnd({ pictures, prompt, text }) {
    const count = pictures.length;
    this.toasts.announce(count ? this.l10n.format("page-pictures-ready", { count, prompt }) : text);
    this.header.refresh();
  }

  #navigate() {
    const before = this.open.channel;
    this.open = placeInAddress(this.welcome.channels[0] ?? "general");
    if (this.open.channel !== before) this.#showChannel();
    this.thread.show(this.open);
  }

  #showChannel() {
    const { channel } = this.open;
    this.sidebar.show(channel);
    this.header.show(channel);
    this.composer.renderPlaceholder();
    this.conversation.open(this.place());
  }

  #closeThread() {
    const job = this.open.thread ?? "";
    location.hash = `#/${this.open.channel}`;
    const view = this.conversation.views.get(job);
    if (view) view.node.focus();
    else this.composer.focus();
  }

  #welcome() {
    const { l10n, welcome } = this;
    const example = (/** @type {import("./api-types.js").Example} */ { prompt, thumbnail }) => {
      const choice = button(null, prompt, () => this.composer.write(prompt));
      if (thumbnail) choice.prepend(el("img", { src: thumbnail, alt: "", width: 56, height: 56 }));
      return el("li", {}, choice);
    };
    return el(
      "li.welcome",
      {},
      el("img", { src: "/page/mark.svg", alt: "" }),
      el("h2", {}, l10n.format("page-welcome-title")),
      el("p", {}, l10n.format("page-welcome-text")),
      el("ul", {}, welcome.examples.map(example)),
    );
  }

  #listen() {
    addEventListener("hashchange", () => this.#navigate());
    addEventListener("keydown", (event) => this.#pressKey(event));
    this.personas.addEventListener("change", () => {
      this.stream.start();
      this.conversation.open(this.place());
      if (this.thread.isOpen) this.thread.conversation.open(this.thread.place());
      this.header.refresh();
    });
    const conversation = byId("conversation");
    for (const name of /** @type {const} */ (["dragover", "dragleave", "drop"])) conversation.addEventListener(name, (event) => this.composer.drag(event));
    // A file dropped beside the box must not replace the page.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
    markBlended(this);
    const skip = byId("skip");
    skip.textContent = this.l10n.format("page-skip-link");
    skip.addEventListener("click", (event) => {
      event.preventDefault();
      this.composer.focus();
    });
  }

  /** @param {KeyboardEvent} event */
  #pressKey(event) {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.sidebar.step(event.key === "ArrowUp" ? -1 : 1);
      return;
    }
    const typing = event.target instanceof Element && event.target.closest("input, textarea, select, dialog, [role=menu]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.composer.focus();
    else if (event.key === "?") this.showShortcuts();
    else return;
    event.preventDefault();
  }
}

async function start() {
  /** @type {Personas | null} */
  let personas = null;
  const api = new ApiClient(() => personas?.token() ?? "");
  const welcome = await api.welcome(rememberedLocale());
  const l10n = await loadLocalization(welcome.locale);
  document.documentElement.lang = l10n.locale;
  personas = new Personas(l10n.locale);
  new Page(api, personas, welcome, l10n).start();
}

start().catch((error) => {
  console.error(error);
  byId("conversation").setAttribute("aria-busy", "false");
  byId("load-failed").hidden = false;
});
