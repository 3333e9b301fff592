/** The page's beginning: builds its parts, and passes on what happens between them. */
import { Actions, showDetails } from "./actions.js";
import { Api } from "./api.js";
import { Channels, placeInAddress } from "./channels.js";
import { Composer } from "./composer.js";
import { Conversation } from "./conversation.js";
import { openDialog } from "./dialogs.js";
import { button, el, fill } from "./dom.js";
import { Notices } from "./notices.js";
import { People } from "./people.js";
import { Stream } from "./stream.js";
import { Thread } from "./thread.js";
import { Topbar } from "./topbar.js";
import { rememberedLocale, Words } from "./words.js";

/** Answers that the message itself shows; a short notice is enough. */
const DONE = new Set(["deleted", "cancelled", "cancelling"]);

class Page {
  constructor(api, people, welcome, words) {
    Object.assign(this, { api, people, welcome, words });
    this.notices = new Notices(words);
    const shared = { words, api, people, welcome, notices: this.notices };
    const perform = (room, ...args) => this.actions.perform(room, ...args);
    const onreply = (room, reply, text) => this.receive(room, reply, text);
    this.actions = new Actions({ words, api, notices: this.notices, onreply });
    this.channels = new Channels({ words, people, given: welcome.channels, onkeys: () => this.showKeys() });
    this.topbar = new Topbar({ words, api, people, onwaitlist: () => this.composer.ask("/waitlist"), onmenu: (opener) => this.channels.open(opener), onquota: () => this.composer.ask("/quota") });
    this.conversation = new Conversation({ ...shared, root: document.getElementById("conversation"), threads: true, perform: (...args) => perform(this, ...args), empty: () => this.#invitation() });
    this.composer = new Composer({ ...shared, id: "prompt", place: () => this.place(), placeholder: () => words.say("promptPlaceholder", this.here?.channel ?? ""), onreply: (reply, text) => onreply(this, reply, text) });
    fill(document.getElementById("composer"), this.composer.node);
    this.thread = new Thread({ shared, perform, onreply, onclose: () => this.#closeThread() });
    this.stream = new Stream(() => api.streamAddress(), this.#handlers());
    this.#listen();
  }

  place() {
    return { channel: this.here.channel, thread: null };
  }

  openThread(job) {
    location.hash = `#/${this.here.channel}/${job}`;
  }

  begin() {
    this.#go();
    this.stream.start();
    this.topbar.refresh();
    // On a phone the focus would open the keyboard over half of the page.
    if (matchMedia("(hover: hover)").matches) this.composer.focus();
  }

  /** What the server answered: a message, a file, facts, or words for one's own eyes. */
  receive(room, reply, text) {
    if (reply.message) this.#show(reply.message);
    if (reply.attachment) save(reply.attachment);
    if (reply.kind === "placeholder") {
      room.conversation.toEnd();
      // The end may have been told already: a quick picture overtakes the answer to its order.
      const now = room.conversation.views.get(reply.message.id)?.message ?? reply.message;
      if (!now.ended) this.notices.say(now.text);
      this.topbar.refresh();
    } else if (reply.code === "details") showDetails(reply, this.words);
    else if (DONE.has(reply.code)) {
      this.notices.toast(reply.text);
      this.topbar.refresh();
    } else {
      room.conversation.tell(reply, text);
      this.topbar.refresh(); // joining or leaving the waitlist shows there
    }
  }

  showKeys() {
    const { words } = this;
    const rows = words.book.keys.flatMap(([keys, what]) => [el("dt", {}, el("kbd", {}, keys)), el("dd", {}, what)]);
    openDialog(words.say("shortcuts"), (close) => el("div", {}, el("dl.keys", {}, rows), el("div.actions", {}, button(null, words.say("close"), () => close(), { autofocus: true }))));
  }

  #handlers() {
    return {
      onhello: () => {
        this.topbar.offline.hidden = true;
        // What happened while nobody listened, be it between loading and listening, is in the record.
        this.#catchUp();
      },
      onmessage: (message) => this.#show(message),
      onprogress: (event) => {
        this.conversation.progress(event);
        this.thread.conversation.progress(event);
      },
      onwhisper: ({ text }) => {
        this.conversation.tell({ kind: "answer", text, title: "", private: true, fields: [], buttons: [], pictures: [] }, "");
        this.topbar.refresh();
      },
      onlost: () => { this.topbar.offline.hidden = false; },
    };
  }

  #catchUp() {
    this.conversation.refresh();
    if (this.thread.place()) this.thread.conversation.refresh();
    this.topbar.refresh();
  }

  #show(message) {
    const conversation = [this.conversation, this.thread.conversation].find((each) => each.holds(message));
    const before = conversation?.views.get(message.id)?.message;
    conversation?.show(message);
    if (!conversation && !message.thread && !message.mine) this.channels.mark(message.channel);
    const news = message.mine && message.ended && !(before?.ended ?? false);
    if (!news) return;
    if (message.pictures.length) this.notices.say(this.words.say("picturesReady", message.pictures.length, message.prompt));
    else this.notices.say(message.text);
    this.topbar.refresh();
  }

  #go() {
    const place = placeInAddress(this.welcome.channels[0]);
    const moved = this.here?.channel !== place.channel;
    this.here = place;
    if (moved) {
      this.channels.show(place.channel);
      this.topbar.show(place.channel);
      this.composer.rename();
      this.conversation.open(this.place());
    }
    this.thread.show(place);
  }

  #closeThread() {
    const job = this.thread.place()?.thread;
    location.hash = `#/${this.here.channel}`;
    const view = this.conversation.views.get(job);
    if (view) view.node.focus();
    else this.composer.focus();
  }

  #invitation() {
    const { words, welcome } = this;
    const example = (text) => el("li", {}, button(null, text, () => this.composer.write(text)));
    return el("li.welcome", {}, el("img", { src: "/page/mark.svg", alt: "" }), el("h2", {}, words.say("emptyTitle")), el("p", {}, words.say("emptyText")), el("ul", {}, welcome.examples.map(example)));
  }

  #listen() {
    addEventListener("hashchange", () => this.#go());
    addEventListener("keydown", (event) => this.#shortcut(event));
    this.people.addEventListener("change", () => {
      this.stream.start();
      this.conversation.open(this.place());
      if (this.thread.place()) this.thread.conversation.open(this.thread.place());
      this.topbar.refresh();
    });
    const room = document.getElementById("conversation");
    for (const name of ["dragover", "dragleave", "drop"]) room.addEventListener(name, (event) => this.composer.drag(event));
    // A file dropped beside the box must not replace the page.
    for (const name of ["dragover", "drop"]) addEventListener(name, (event) => event.preventDefault());
    this.composer.form.addEventListener("modechange", (event) => this.conversation.mark((event.detail.pictures ?? []).map((each) => each.id)));
    document.getElementById("skip").textContent = this.words.say("skip");
    document.getElementById("skip").addEventListener("click", (event) => { event.preventDefault(); this.composer.focus(); });
  }

  #shortcut(event) {
    if (event.altKey && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
      event.preventDefault();
      this.channels.step(event.key === "ArrowUp" ? -1 : 1);
      return;
    }
    const typing = event.target.closest?.("input, textarea, select, dialog, [role=menu]");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") this.composer.focus();
    else if (event.key === "?") this.showKeys();
    else return;
    event.preventDefault();
  }
}

/** Save a file that came with an answer. */
function save({ name, mime, data }) {
  const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
  const address = URL.createObjectURL(new Blob([bytes], { type: mime }));
  el("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

async function begin() {
  let people = null;
  const api = new Api(() => people?.token() ?? "");
  const welcome = await api.welcome(rememberedLocale());
  const words = new Words(welcome.locale);
  document.documentElement.lang = words.locale;
  people = new People(words.locale);
  const page = new Page(api, people, welcome, words);
  page.begin();
}

begin().catch((error) => {
  console.error(error);
  const words = new Words(document.documentElement.lang);
  fill(document.getElementById("conversation"), el("div.welcome", { role: "alert" }, el("p", {}, words.say("failed")), button("reroll", words.say("again"), () => location.reload())));
});
