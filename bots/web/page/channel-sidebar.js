/** The list of channels, and what the address says is open: `#/channel` or `#/channel/thread`. */
import { openDialog } from "./dialogs.js";
import { button, byId, el, fill, icon } from "./dom.js";
import { openMenu } from "./menu.js";
import { recall, remember } from "./storage.js";

/**
 * @import { Place } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 * @import { Personas } from "./personas.js"
 */

const NAME = /^[a-z0-9][a-z0-9-]{0,39}$/;
const THREAD = /^[0-9a-f-]{32,36}$/;

/**
 * The place in the address.
 *
 * @param {string} fallback The channel for an address that names none.
 * @returns {Place}
 */
export function placeInAddress(fallback) {
  const [channel = "", thread = ""] = location.hash.replace(/^#\/?/, "").split("/");
  return { channel: NAME.test(channel) ? channel : fallback, thread: THREAD.test(thread) ? thread : null };
}

export class ChannelSidebar {
  /** @param {{ l10n: Localization, defaults: string[], personas: Personas, onshortcuts: () => void, onsignout: (() => void) | null }} options */
  constructor({ l10n, defaults, personas, onshortcuts, onsignout }) {
    this.l10n = l10n;
    this.defaults = defaults;
    this.personas = personas;
    this.onshortcuts = onshortcuts;
    this.onsignout = onsignout;
    this.node = byId("sidebar");
    this.scrim = byId("scrim");
    this.main = byId("main");
    /** @type {Set<string>} */
    this.unread = new Set();
    /** @type {string | null} */
    this.current = null;
    /** @type {HTMLElement | null} */
    this.opener = null;
    this.scrim.addEventListener("click", () => this.close());
    this.node.addEventListener("keydown", (event) => event.key === "Escape" && this.close());
    personas.addEventListener("change", () => this.render());
  }

  get names() {
    const names = [...new Set([...this.defaults, ...addedChannels()])];
    return this.current && !names.includes(this.current) ? [...names, this.current] : names;
  }

  /** @param {string} channel */
  show(channel) {
    this.current = channel;
    this.unread.delete(channel);
    this.render();
    this.close();
  }

  /**
   * Mark a channel that is not open as having something new.
   *
   * @param {string} channel
   */
  markUnread(channel) {
    if (channel === this.current || this.unread.has(channel)) return;
    this.unread.add(channel);
    this.render();
  }

  /**
   * Go to the channel before or after the open one.
   *
   * @param {1 | -1} offset
   */
  step(offset) {
    const { names } = this;
    const index = names.indexOf(this.current ?? "") + offset;
    location.hash = `#/${names[(index + names.length) % names.length]}`;
  }

  /** @param {HTMLElement} opener */
  open(opener) {
    this.opener = opener;
    this.node.classList.add("open");
    this.scrim.hidden = false;
    this.main.inert = true; // what lies behind the drawer cannot be reached by Tab
    /** @type {HTMLElement | null} */ (this.node.querySelector('[aria-current="page"]'))?.focus();
  }

  close() {
    if (!this.node.classList.contains("open")) return;
    this.node.classList.remove("open");
    this.scrim.hidden = true;
    this.main.inert = false;
    this.opener?.focus();
  }

  render() {
    const { l10n } = this;
    const add = button("plus", l10n.format("page-add-channel"), () => this.#openAddDialog(), { className: "button quiet" });
    fill(
      this.node,
      el("p.brand", {}, el("img", { src: "/page/mark.svg", alt: "" }), "Atelier"),
      el("div", {}, el("h2", {}, l10n.format("page-channels")), el("ul", {}, this.names.map((name) => this.#entry(name))), add),
      this.#footer(),
    );
  }

  /** @param {string} name */
  #entry(name) {
    const unread = this.unread.has(name);
    const link = el(
      "a.channel",
      { href: `#/${name}`, "aria-current": name === this.current ? "page" : null, onclick: () => this.close() },
      el("span", {}, name),
      unread ? el("span.visually-hidden", {}, `, ${this.l10n.format("page-unread")}`) : null,
    );
    link.classList.toggle("unread", unread);
    return el("li", {}, link);
  }

  #footer() {
    const { l10n } = this;
    const menu = { className: "button quiet", "aria-haspopup": "menu" };
    return el(
      "footer",
      {},
      this.personas.current.administrator ? el("a.button.quiet", { href: "/studio" }, icon("studio"), el("span", {}, l10n.format("page-studio"))) : null,
      button("theme", l10n.format("page-theme"), (event) => openMenu(event.currentTarget, themeEntries(l10n)), menu),
      button("globe", l10n.format("page-language"), (event) => openMenu(event.currentTarget, languageEntries(l10n)), menu),
      button("keys", l10n.format("page-shortcuts"), () => this.onshortcuts(), { className: "button quiet" }),
      this.onsignout && button("signOut", l10n.format("page-sign-out"), this.onsignout, { className: "button quiet" }),
    );
  }

  async #openAddDialog() {
    const { l10n } = this;
    const rule = l10n.format("page-channel-rule");
    const field = el("input", { type: "text", maxLength: 40, required: true, pattern: "[a-z0-9][a-z0-9\\-]*", title: rule, autocomplete: "off" });
    await openDialog(l10n.format("page-add-channel"), (close) =>
      el(
        "form",
        {
          onsubmit: (event) => {
            event.preventDefault();
            this.#add(field.value);
            close();
          },
        },
        el("label.line", {}, l10n.format("page-channel-name"), field),
        el("p", {}, rule),
        el(
          "div.actions",
          {},
          button(null, l10n.format("button-cancel"), () => close()),
          el("button.button.primary", { type: "submit" }, l10n.format("page-save")),
        ),
      ),
    );
  }

  /** @param {string} name */
  #add(name) {
    remember("channels", JSON.stringify([...new Set([...this.names, name])]));
    location.hash = `#/${name}`;
  }
}

/** @returns {string[]} */
function addedChannels() {
  try {
    const names = JSON.parse(recall("channels") ?? "[]");
    return Array.isArray(names) ? names.filter((name) => typeof name === "string" && NAME.test(name)) : [];
  } catch {
    return []; // somebody wrote something else there
  }
}

/** @param {Localization} l10n */
function themeEntries(l10n) {
  const current = document.documentElement.dataset.theme ?? null;
  return [null, "light", "dark"].map((theme) => ({
    label: l10n.format(`page-theme-${theme ?? "system"}`),
    ticked: theme === current,
    run: () => setTheme(theme),
  }));
}

/** @param {string | null} theme Null follows the system. */
function setTheme(theme) {
  remember("theme", theme);
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
}

/** @param {Localization} l10n */
function languageEntries(l10n) {
  return Object.entries({ en: "English", fr: "Français" }).map(([locale, label]) => ({
    label,
    ticked: locale === l10n.locale,
    run: () => {
      remember("locale", locale);
      location.reload();
    },
  }));
}
