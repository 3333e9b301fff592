/** The header of a channel: its name and topic, the credits left, and the waitlist position. */
import { byId, el, fill, iconButton } from "./dom.js";

/**
 * @import { ApiClient } from "./api-client.js"
 * @import { LockedFeatures, Quota } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 * @import { Personas } from "./personas.js"
 */

const REFRESH_WHILE_WAITING = 10_000; // milliseconds

/**
 * @typedef {object} HeaderOptions
 * @property {Localization} l10n
 * @property {ApiClient} api
 * @property {Personas} personas
 * @property {(opener: HTMLElement) => void} onmenu
 * @property {() => void} onquota
 * @property {() => void} onwaitlist
 * @property {(locked: LockedFeatures) => void} onlocked Receives what the persona's tier lacks.
 */

export class ChannelHeader {
  /** @param {HeaderOptions} options */
  constructor({ l10n, api, personas, onmenu, onquota, onwaitlist, onlocked }) {
    this.l10n = l10n;
    this.api = api;
    this.personas = personas;
    this.onlocked = onlocked;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.refreshing = undefined;
    this.node = byId("channel-header");
    const menu = iconButton("menu", l10n.format("page-show-channels"), (event) => onmenu(event.currentTarget));
    menu.classList.add("menu-button");
    this.title = el("h1");
    this.topic = el("p.topic");
    this.quota = el("button.quota", { type: "button", hidden: true, onclick: onquota });
    this.waitlist = el("button.quota", { type: "button", hidden: true, onclick: onwaitlist });
    fill(this.node, menu, this.title, this.topic, this.waitlist, this.quota);
    this.offline = el("div.offline", { role: "status", hidden: true }, l10n.format("page-offline"));
    this.node.after(this.offline);
  }

  /** @param {string} channel */
  show(channel) {
    this.title.textContent = `# ${channel}`;
    this.topic.textContent = this.l10n.find(`page-topic-${channel}`) ?? "";
    document.title = `#${channel} · Atelier`;
  }

  /** Read the persona's quota and waitlist position again. */
  async refresh() {
    const persona = this.personas.current;
    try {
      const quota = await this.api.quota();
      if (persona !== this.personas.current) return;
      this.onlocked(quota.locked);
      this.#showQuota(quota);
      this.#showWaitlist(quota.waitlist);
    } catch (error) {
      this.quota.hidden = true;
      console.error(error);
    }
  }

  /** @param {Quota["waitlist"]} waitlist */
  #showWaitlist({ position, invited_until: until }) {
    const { l10n } = this;
    clearTimeout(this.refreshing);
    const waiting = position !== null || until !== null;
    if (waiting) this.refreshing = setTimeout(() => this.refresh(), REFRESH_WHILE_WAITING);
    this.waitlist.hidden = !waiting;
    if (until !== null) this.waitlist.textContent = l10n.format("page-invited-until", { time: l10n.time.format(new Date(until)) });
    else if (position !== null) this.waitlist.textContent = l10n.format("page-waitlist-position", { position });
  }

  /** @param {Quota} quota */
  #showQuota(quota) {
    const { l10n } = this;
    const left = Math.max(0, quota.left);
    const limit = l10n.number(quota.limit);
    const meter = el("meter", { min: 0, max: quota.limit || 1, low: quota.limit / 4, optimum: quota.limit, value: left, "aria-hidden": "true" });
    fill(this.quota, meter, el("span", {}, l10n.number(left), el("span.long", {}, ` ${l10n.format("page-quota-of", { limit })}`)));
    this.quota.setAttribute("aria-label", l10n.format("page-quota", { left, limit }));
    this.quota.hidden = false;
  }
}
