/** The doors of tiers, features, servers and new members: a table with an override for each. */
import { el, fill } from "./dom.js";
import { TIERS, tierBadge } from "./persona-dialog.js";

/**
 * @import { ApiClient } from "./api-client.js"
 * @import { Door, DoorList } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 * @import { Toasts } from "./toasts.js"
 */

const PLAYGROUND = "web:playground";
const ALL_SERVERS = "*";
const USUAL = "usual";
const COLUMNS = ["door", "door-now", "door-default", "door-override", "door-other-overrides", "door-wait"];

export class DoorSettings {
  /**
   * @param {ApiClient} api
   * @param {Localization} l10n
   * @param {Toasts} toasts
   */
  constructor(api, l10n, toasts) {
    this.api = api;
    this.l10n = l10n;
    this.toasts = toasts;
    this.servers = "";
    /** @type {DoorList} */
    this.last = { doors: [], servers: [PLAYGROUND], operator: false };
    this.server = el("select", { onchange: () => this.refresh().catch((error) => this.#fail(error)) });
    this.rows = el("tbody");
    this.signIn = el("p.sign-in-hint", { hidden: true }, el("a.button.quiet", { href: "/sign-in" }, l10n.format("page-sign-in-doors")));
    this.node = el(
      "section.panel",
      {},
      el("h2", {}, l10n.format("page-doors")),
      el("label.line", {}, l10n.format("page-doors-server"), this.server),
      this.signIn,
      el("table", {}, el("thead", {}, el("tr", {}, COLUMNS.map((name) => el("th", { scope: "col" }, l10n.format(`page-column-${name}`))))), this.rows),
    );
  }

  get #serverName() {
    return this.server.value || PLAYGROUND;
  }

  /** Read the doors again. */
  async refresh() {
    const server = this.#serverName;
    const answer = await this.api.doors(server);
    if (server === this.#serverName) this.#receive(answer);
  }

  /** @param {DoorList} answer */
  #receive(answer) {
    this.last = answer;
    this.signIn.hidden = answer.operator;
    const servers = answer.servers.join(" ");
    // A list that somebody is choosing from is left alone.
    if (this.servers !== servers && document.activeElement !== this.server) {
      this.servers = servers;
      const chosen = this.#serverName;
      fill(this.server, answer.servers.map((name) => el("option", { value: name, selected: name === chosen }, this.#label(name))));
    }
    if (!this.rows.contains(document.activeElement)) this.#render();
  }

  #render() {
    fill(this.rows, this.last.doors.map((door) => this.#row(door)));
  }

  /** @param {string} server */
  #label(server) {
    if (server === PLAYGROUND) return this.l10n.format("page-doors-this-playground");
    return server === ALL_SERVERS ? this.l10n.format("page-doors-all-servers") : server;
  }

  /** @param {string} door */
  #doorName(door) {
    return this.l10n.format(isTier(door) ? `tier-${door}` : `page-door-${door}`);
  }

  /** @param {Door} door */
  #row(door) {
    const { l10n } = this;
    const state = (/** @type {string} */ name) => l10n.format(`page-door-${name}`);
    const now = state(door.now);
    const others = Object.entries(door.set).filter(([server]) => server !== this.server.value);
    return el(
      "tr",
      {},
      el("td", {}, isTier(door.door) ? tierBadge(door.door, l10n) : this.#doorName(door.door)),
      el("td", {}, door.degraded ? l10n.format("page-door-degraded", { state: now }) : now),
      el("td", {}, state(door.usual)),
      el("td", {}, this.#choice(door)),
      el("td.wide", {}, others.map(([server, name]) => l10n.format("page-door-set", { door: this.#label(server), state: state(name) })).join(", ") || "–"),
      el("td.number", {}, door.wait === null ? "–" : l10n.format("page-seconds", { seconds: door.wait })),
    );
  }

  /** @param {Door} door */
  #choice(door) {
    const { l10n } = this;
    const override = door.set[this.server.value] ?? USUAL;
    const choice = el(
      "select",
      { "aria-label": l10n.format("page-door-select", { door: this.#doorName(door.door) }), onchange: () => this.#set(door.door, choice) },
      [USUAL, ...door.states].map((state) => el("option", { value: state, selected: state === override }, l10n.format(`page-door-${state}`))),
    );
    return choice;
  }

  /**
   * @param {string} door
   * @param {HTMLSelectElement} choice
   */
  async #set(door, choice) {
    const { l10n } = this;
    choice.blur();
    try {
      const answer = await this.api.setDoor({ door, state: choice.value, server: this.server.value });
      if ("kind" in answer) this.toasts.show(answer.text);
      else {
        this.#receive(answer);
        this.toasts.show(l10n.format("page-door-set", { door: this.#doorName(door), state: l10n.format(`page-door-${choice.value}`) }));
      }
    } catch (error) {
      this.#fail(error);
    }
    this.#render();
  }

  /** @param {unknown} error */
  #fail(error) {
    this.toasts.show(this.l10n.format("page-request-failed"));
    console.error(error);
  }
}

/**
 * @param {string} door
 * @returns {door is import("./api-types.js").Tier}
 */
function isTier(door) {
  return TIERS.some((tier) => tier === door);
}
