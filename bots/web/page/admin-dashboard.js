/** The administrators' page: read again every two seconds, with charts of the last day and of these minutes. */
import { ApiClient } from "./api-client.js";
import { Lines, StackedBars } from "./charts.js";
import { byId, el, fill } from "./dom.js";
import { DoorSettings } from "./door-settings.js";
import { loadLocalization, rememberedLocale } from "./localization.js";
import { tierBadge } from "./persona-dialog.js";
import { Personas } from "./personas.js";
import { Toasts } from "./toasts.js";

/**
 * @import { Capacity, EstimateAccuracy, ModelFault, TierLoad, TierValues, TimeBucket, WorkerLoad } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

const READ_EVERY = 2000; // milliseconds
const READ_DAY_EVERY = 60_000; // milliseconds
const SAMPLES = 240; // readings that the first chart shows: eight minutes
const TIER_COLUMNS = ["tier", "queued", "running", "wait-median", "wait-p90", "accuracy", "doors"];
const ACCURACY_COLUMNS = ["tier", "surge-age", "within-p90", "width", "estimates"];
const WORKER_COLUMNS = ["worker", "device", "models", "busy", "seconds-per-picture"];

class AdminDashboard {
  /**
   * @param {ApiClient} api
   * @param {Localization} l10n
   */
  constructor(api, l10n) {
    this.api = api;
    this.l10n = l10n;
    this.doors = new DoorSettings(api, l10n, new Toasts(l10n));
    this.root = byId("studio");
    /** @type {TierValues[]} */
    this.samples = [];
    this.readAt = el("p.at", { role: "status" });
    this.statistics = el("div.tiles");
    this.queueNow = new StackedBars(l10n);
    this.queueOfDay = new StackedBars(l10n);
    this.waitsOfDay = new Lines(l10n);
    this.dayReadAt = -Infinity;
    this.legends = [el("div.legend"), el("div.legend")];
    this.tiers = el("tbody");
    this.accuracy = el("tbody");
    this.workers = el("tbody");
    const title = (/** @type {string} */ id) => l10n.format(id);
    fill(
      this.root,
      el("header", {}, el("h1", {}, title("page-studio")), this.readAt, el("a.button", { href: "/" }, title("page-back-to-chat"))),
      this.statistics,
      panel(title("page-chart-now"), this.queueNow.node, this.legends[0]),
      panel(title("page-chart-day-queue"), this.queueOfDay.node, el("h2", {}, title("page-chart-day-waits")), this.waitsOfDay.node, this.legends[1]),
      panel(title("page-tiers"), table(l10n, TIER_COLUMNS, this.tiers)),
      panel(title("page-accuracy"), table(l10n, ACCURACY_COLUMNS, this.accuracy)),
      this.doors.node,
      panel(title("page-workers"), table(l10n, WORKER_COLUMNS, this.workers)),
    );
  }

  /** Read and show, until the server refuses. */
  async run() {
    for (;;) {
      try {
        const capacity = await this.api.capacity();
        if ("kind" in capacity) return this.#showRefusal(capacity.text);
        this.#show(capacity);
        await this.doors.refresh();
        if (performance.now() - this.dayReadAt > READ_DAY_EVERY) await this.#showDay();
      } catch (error) {
        this.readAt.textContent = this.l10n.format("page-request-failed");
        console.error(error);
      }
      await new Promise((resolve) => setTimeout(resolve, READ_EVERY));
    }
  }

  /** @param {string} text */
  #showRefusal(text) {
    const { l10n } = this;
    this.root.setAttribute("aria-busy", "false");
    const back = el("a.button", { href: "/" }, l10n.format("page-back-to-chat"));
    fill(this.root, el("h1", {}, l10n.format("page-studio")), el("p", { role: "alert" }, text), el("p", {}, back));
  }

  /** @param {Capacity} capacity */
  #show(capacity) {
    const { l10n } = this;
    this.root.setAttribute("aria-busy", "false");
    const time = new Intl.DateTimeFormat(l10n.locale, { timeStyle: "medium" }).format(new Date(capacity.at));
    this.readAt.textContent = l10n.format("page-as-of", { time });
    fill(this.statistics, statistics(capacity, l10n).map(([label, value]) => el("dl.figure", {}, el("dt", {}, label), el("dd", {}, value))));
    this.#showQueue(capacity.tiers);
    for (const legend of this.legends) fill(legend, capacity.tiers.map(({ tier }) => tierBadge(tier, l10n)));
    fill(this.tiers, capacity.tiers.map((tier) => this.#tierRow(tier)));
    const unknown = el("tr", {}, el("td.none", { colSpan: ACCURACY_COLUMNS.length }, l10n.format("page-no-estimates")));
    fill(this.accuracy, capacity.accuracy.length ? capacity.accuracy.map((one) => this.#accuracyRow(one)) : unknown);
    const none = el("tr", {}, el("td.none", { colSpan: WORKER_COLUMNS.length }, l10n.format("page-no-workers")));
    fill(this.workers, capacity.workers.length ? capacity.workers.map((worker) => this.#workerRow(worker)) : none);
  }

  /** @param {TierLoad[]} tiers */
  #showQueue(tiers) {
    this.samples = [...this.samples, Object.fromEntries(tiers.map((tier) => [tier.tier, tier.queued]))].slice(-SAMPLES);
    this.queueNow.draw(this.samples, SAMPLES);
    const totals = this.samples.map((each) => this.queueNow.heightOf(each));
    this.queueNow.label(this.l10n.format("page-chart-now-label", { now: totals.at(-1) ?? 0, most: Math.max(...totals) }));
  }

  async #showDay() {
    const { l10n } = this;
    const { day = [] } = await this.api.lastDay();
    this.dayReadAt = performance.now();
    this.queueOfDay.draw(day.map((each) => each.queued), day.length);
    this.waitsOfDay.draw(day.map((each) => each.waits), day.length);
    this.queueOfDay.label(l10n.format("page-chart-day-queue-label", { most: highest(day, "queued") }));
    this.waitsOfDay.label(l10n.format("page-chart-day-waits-label", { most: highest(day, "waits") }));
  }

  /** @param {TierLoad} load */
  #tierRow(load) {
    const { l10n } = this;
    const seconds = (/** @type {number | null} */ value) => (value === null ? "–" : l10n.format("page-seconds", { seconds: value }));
    const accuracy = load.calibration === null ? "–" : l10n.format("page-percent", { percent: load.calibration * 100 });
    const numbers = [l10n.number(load.queued), l10n.number(load.running), seconds(load.p50), seconds(load.p90), accuracy];
    return el(
      "tr",
      {},
      el("td", {}, tierBadge(load.tier, l10n)),
      numbers.map((value) => el("td.number", {}, value)),
      el("td", {}, load.doors ? doorText(load.doors, l10n) : "–"),
    );
  }

  /** @param {EstimateAccuracy} one */
  #accuracyRow(one) {
    const { l10n } = this;
    const numbers = [l10n.format("page-percent", { percent: one.coverage * 100 }), l10n.format("page-times", { times: one.width }), l10n.number(one.jobs)];
    return el(
      "tr",
      {},
      el("td", {}, tierBadge(one.tier, l10n)),
      el("td", {}, l10n.format("page-surge-age", { age: one.surge_age })),
      numbers.map((value) => el("td.number", {}, value)),
    );
  }

  /** @param {WorkerLoad} load */
  #workerRow(load) {
    const { l10n } = this;
    const rates = Object.entries(load.rates).map(([name, seconds]) => `${name}: ${l10n.format("page-seconds", { seconds })}`);
    const faults = Object.entries(load.faults).map(([model, fault]) => el("p.fault", {}, this.#faultText(model, fault)));
    return el(
      "tr",
      {},
      el("td", {}, load.name),
      el("td", {}, load.device),
      el("td", {}, load.profiles.join(", "), faults),
      el("td.number", {}, `${load.running} / ${load.slots}`),
      el("td", {}, rates.join(", ") || "–"),
    );
  }

  /**
   * @param {string} model
   * @param {ModelFault} fault
   */
  #faultText(model, fault) {
    const { l10n } = this;
    const format = new Intl.DateTimeFormat(l10n.locale, { dateStyle: "short", timeStyle: "short" });
    const time = (/** @type {string} */ text) => format.format(new Date(text));
    const name = fault.part ? `${model} (${fault.part})` : model;
    const { reason } = fault;
    const since = time(fault.since);
    if (fault.next_try === null) return l10n.format("page-model-fault-trying", { model: name, reason, since });
    return l10n.format("page-model-fault", { model: name, reason, since, next: time(fault.next_try) });
  }
}

/**
 * @param {Capacity} capacity
 * @param {Localization} l10n
 * @returns {[string, string][]}
 */
function statistics({ tiers, workers, waitlist }, l10n) {
  const total = (/** @type {"queued" | "running" | "backlog"} */ name) => tiers.reduce((sum, tier) => sum + tier[name], 0);
  const slots = workers.reduce((sum, worker) => sum + worker.slots, 0);
  return [
    [l10n.format("page-stat-queued"), l10n.number(total("queued"))],
    [l10n.format("page-stat-running"), `${l10n.number(total("running"))} / ${l10n.number(slots)}`],
    [l10n.format("page-stat-backlog"), l10n.format("page-seconds", { seconds: total("backlog") })],
    [l10n.format("page-stat-workers"), l10n.number(workers.length)],
    [l10n.format("page-stat-waitlist"), l10n.number(waitlist)],
  ];
}

/**
 * @param {{ set: string, now: string, degraded: boolean }} doors
 * @param {Localization} l10n
 */
function doorText({ set, now, degraded }, l10n) {
  const name = (/** @type {string} */ state) => l10n.format(`page-door-${state}`);
  const state = set === "auto" ? l10n.format("page-door-resolved", { set: name(set), now: name(now) }) : name(set);
  return degraded ? l10n.format("page-door-degraded", { state }) : state;
}

/**
 * @param {readonly TimeBucket[]} day
 * @param {"queued" | "waits"} kind
 */
function highest(day, kind) {
  return Math.max(0, ...day.flatMap((each) => Object.values(each[kind]).map((value) => value ?? 0)));
}

/**
 * @param {string} title
 * @param {...(Node | undefined)} children
 */
function panel(title, ...children) {
  return el("section.panel", {}, el("h2", {}, title), ...children);
}

/**
 * @param {Localization} l10n
 * @param {readonly string[]} columns
 * @param {HTMLElement} body
 */
function table(l10n, columns, body) {
  const head = columns.map((name) => el("th", { scope: "col" }, l10n.format(`page-column-${name}`)));
  return el("table", {}, el("thead", {}, el("tr", {}, head)), body);
}

async function start() {
  /** @type {Personas | null} */
  let personas = null;
  const api = new ApiClient(() => personas?.token() ?? "");
  const welcome = await api.welcome(rememberedLocale());
  const l10n = await loadLocalization(welcome.locale);
  document.documentElement.lang = l10n.locale;
  personas = new Personas(l10n.locale);
  await new AdminDashboard(api, l10n).run();
}

start().catch((error) => {
  console.error(error);
  byId("load-failed").hidden = false;
});
