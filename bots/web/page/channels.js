/** The list of channels, and what the address says is open: `#/channel` or `#/channel/thread`. */
import { button, el, fill, icon } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { openMenu } from "./menu.js";
import { recall, remember } from "./words.js";

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const THREAD = /^[0-9a-f-]{32,36}$/;

/** The place in the address; `fallback` is the channel for an address that names none. */
export function placeInAddress(fallback) {
  const [channel, thread] = location.hash.replace(/^#\/?/, "").split("/");
  return { channel: NAME.test(channel) ? channel : fallback, thread: THREAD.test(thread ?? "") ? thread : null };
}

export class Channels {
  constructor({ words, given, people, onkeys }) {
    Object.assign(this, { words, given, people, onkeys });
    this.node = document.getElementById("sidebar");
    this.scrim = document.getElementById("scrim");
    this.room = document.getElementById("room");
    this.unread = new Set();
    this.scrim.addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    people.addEventListener("change", () => this.draw());
    this.current = null;
  }

  get names() {
    let own = [];
    try {
      own = JSON.parse(recall("channels")) ?? [];
    } catch {
      own = [];
    }
    const names = [...new Set([...this.given, ...own.filter((name) => NAME.test(name))])];
    return this.current && !names.includes(this.current) ? [...names, this.current] : names;
  }

  show(channel) {
    this.current = channel;
    this.unread.delete(channel);
    this.draw();
    this.close();
  }

  /** Something new in a channel that is not open. */
  mark(channel) {
    if (channel === this.current || this.unread.has(channel)) return;
    this.unread.add(channel);
    this.draw();
  }

  /** The channel before or after the open one. */
  step(by) {
    const { names } = this;
    location.hash = `#/${names[(names.indexOf(this.current) + by + names.length) % names.length]}`;
  }

  open(opener) {
    this.opener = opener;
    this.node.classList.add("open");
    this.scrim.hidden = false;
    this.room.inert = true; // what lies behind the drawer cannot be reached by Tab
    this.node.querySelector('[aria-current="page"]').focus();
  }

  close() {
    if (!this.node.classList.contains("open")) return;
    this.node.classList.remove("open");
    this.scrim.hidden = true;
    this.room.inert = false;
    this.opener?.focus();
  }

  draw() {
    const { words } = this;
    fill(
      this.node,
      el("p.brand", {}, el("img", { src: "/page/mark.svg", alt: "" }), "Atelier"),
      el("div", {}, el("h2", {}, words.say("channels")), el("ul", {}, this.names.map((name) => this.#entry(name))), button("plus", words.say("addChannel"), () => this.#add(), { className: "button quiet" })),
      this.#foot(),
    );
  }

  #entry(name) {
    const fresh = this.unread.has(name);
    const link = el("a.channel", { href: `#/${name}`, "aria-current": name === this.current ? "page" : null, onclick: () => this.close() }, el("span", {}, name), fresh ? el("span.visually-hidden", {}, `, ${this.words.say("unread")}`) : null);
    link.classList.toggle("unread", fresh);
    return el("li", {}, link);
  }

  #foot() {
    const { words } = this;
    const choice = (name, label, run) => button(name, label, run, { className: "button quiet", "aria-haspopup": "menu" });
    return el(
      "footer",
      {},
      this.people.current.administrator ? el("a.button.quiet", { href: "/studio" }, icon("studio"), el("span", {}, words.say("studio"))) : null,
      choice("theme", words.say("theme"), (event) => openMenu(event.currentTarget, themes(words))),
      choice("globe", words.say("language"), (event) => openMenu(event.currentTarget, languages(words))),
      button("keys", words.say("shortcuts"), () => this.onkeys(), { className: "button quiet" }),
    );
  }

  async #add() {
    const field = el("input", { type: "text", maxLength: 40, required: true, pattern: "[a-z0-9][a-z0-9\\-]*", title: this.words.say("channelRule"), autocomplete: "off" });
    await openDialog(this.words.say("addChannel"), (close) =>
      el(
        "form",
        { onsubmit: (event) => { event.preventDefault(); this.#keep(field.value); close(); } },
        el("label.line", {}, this.words.say("channelName"), field),
        el("p", {}, this.words.say("channelRule")),
        el("div.actions", {}, button(null, this.words.say("cancel"), () => close()), el("button.button.primary", { type: "submit" }, this.words.say("save"))),
      ),
    );
  }

  #keep(name) {
    remember("channels", JSON.stringify([...new Set([...this.names, name])]));
    location.hash = `#/${name}`;
  }
}

function themes(words) {
  const now = document.documentElement.dataset.theme ?? null;
  const entry = (theme, label) => ({ label: words.say(label), ticked: theme === now, run: () => setTheme(theme) });
  return [entry(null, "themeSystem"), entry("light", "themeLight"), entry("dark", "themeDark")];
}

function setTheme(theme) {
  remember("theme", theme);
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

function languages(words) {
  const entry = (locale, label) => ({ label, ticked: locale === words.locale, run: () => { remember("locale", locale); location.reload(); } });
  return [entry("en", "English"), entry("fr", "Français")];
}

