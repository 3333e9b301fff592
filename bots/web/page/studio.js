/** The administrators' page: read again every two seconds, with charts of the last day and of these minutes. */
import { Api } from "./api.js";
import { Bands, Lines } from "./charts.js";
import { el, fill } from "./dom.js";
import { Doors } from "./doors.js";
import { Notices } from "./notices.js";
import { People } from "./people.js";
import { tierBadge } from "./who.js";
import { rememberedLocale, Words } from "./words.js";

const EVERY = 2000;
const DAY_EVERY = 60000;
const KEPT = 240; // readings: eight minutes

class StudioPage {
  constructor(api, words) {
    Object.assign(this, { api, words });
    this.notices = new Notices(words);
    this.doors = new Doors(api, words, this.notices);
    this.root = document.getElementById("studio");
    this.seen = [];
    this.at = el("p.at", { role: "status" });
    this.tiles = el("div.tiles");
    this.chart = new Bands(words);
    this.dayQueue = new Bands(words);
    this.dayWaits = new Lines(words);
    this.dayRead = -Infinity;
    this.legends = [el("div.legend"), el("div.legend")];
    this.tiers = el("tbody");
    this.workers = el("tbody");
    fill(
      this.root,
      el("header", {}, el("h1", {}, words.say("studio")), this.at, el("a.button", { href: "/" }, words.say("backToChat"))),
      this.tiles,
      panel(words.say("queueOverTime"), this.chart.node, this.legends[0]),
      panel(words.say("queueOfDay"), this.dayQueue.node, el("h2", {}, words.say("waitsOfDay")), this.dayWaits.node, this.legends[1]),
      panel(words.say("tiersTitle"), table(words, "tierColumns", this.tiers)),
      this.doors.node,
      panel(words.say("workersTitle"), table(words, "workerColumns", this.workers)),
    );
  }

  async run() {
    for (;;) {
      try {
        const figures = await this.api.studio();
        if (figures.kind === "refusal") return this.#refused(figures.text);
        this.#show(figures);
        await this.doors.read();
        if (performance.now() - this.dayRead > DAY_EVERY) await this.#showDay();
      } catch (error) {
        this.at.textContent = this.words.say("failed");
        console.error(error);
      }
      await new Promise((done) => setTimeout(done, EVERY));
    }
  }

  #refused(text) {
    this.root.setAttribute("aria-busy", "false");
    fill(this.root, el("h1", {}, this.words.say("studio")), el("p", { role: "alert" }, text), el("p", {}, el("a.button", { href: "/" }, this.words.say("backToChat"))));
  }

  #show(figures) {
    const { words } = this;
    this.root.setAttribute("aria-busy", "false");
    this.at.textContent = words.say("asOf", new Intl.DateTimeFormat(words.locale, { timeStyle: "medium" }).format(new Date(figures.at)));
    const sum = (name) => figures.tiers.reduce((total, tier) => total + tier[name], 0);
    const slots = figures.workers.reduce((total, worker) => total + worker.slots, 0);
    const facts = [["factQueued", sum("queued")], ["factRunning", `${sum("running")} / ${slots}`], ["factBacklog", words.say("seconds", words.number(sum("backlog")))], ["factWorkers", figures.workers.length], ["factWaitlist", figures.waitlist]];
    fill(this.tiles, facts.map(([name, value]) => el("dl.figure", {}, el("dt", {}, words.say(name)), el("dd", {}, String(value)))));
    this.seen = [...this.seen, figures.tiers].slice(-KEPT);
    const totals = this.seen.map((each) => each.reduce((all, tier) => all + tier.queued, 0));
    this.chart.draw(this.seen.map((each) => Object.fromEntries(each.map((tier) => [tier.tier, tier.queued]))), KEPT);
    this.chart.label(words.say("chartLabel", totals.at(-1), Math.max(...totals)));
    for (const legend of this.legends) fill(legend, figures.tiers.map((tier) => tierBadge(tier.tier)));
    fill(this.tiers, figures.tiers.map((tier) => this.#tier(tier)));
    const none = el("tr", {}, el("td.none", { colSpan: 5 }, words.say("noWorkers")));
    fill(this.workers, figures.workers.length ? figures.workers.map((worker) => this.#worker(worker)) : none);
  }

  async #showDay() {
    const { words } = this;
    const answer = await this.api.studioDay();
    this.dayRead = performance.now();
    const day = answer.day ?? [];
    this.dayQueue.draw(day.map((each) => each.queued), day.length);
    this.dayWaits.draw(day.map((each) => each.waits), day.length);
    const most = (kind) => Math.max(0, ...day.flatMap((each) => Object.values(each[kind])));
    this.dayQueue.label(words.say("queueOfDayLabel", most("queued")));
    this.dayWaits.label(words.say("waitsOfDayLabel", words.number(most("waits"))));
  }

  #tier(tier) {
    const { words } = this;
    const wait = (seconds) => (seconds === null ? "–" : words.say("seconds", words.number(seconds)));
    const kept = tier.calibration === null ? "–" : `${words.number(tier.calibration * 100)} %`;
    const numbers = [tier.queued, tier.running, wait(tier.p50), wait(tier.p90), kept].map((value) => el("td.number", {}, String(value)));
    return el("tr", {}, el("td", {}, tierBadge(tier.tier)), numbers, el("td", {}, tier.doors ? this.#doors(tier.doors) : "–"));
  }

  #doors({ set, now, degraded }) {
    const states = this.words.book.doorStates;
    const moved = set === "auto" ? ` (${states[now]})` : "";
    return `${states[set]}${moved}${degraded ? ` · ${this.words.say("degraded")}` : ""}`;
  }

  #worker(worker) {
    const { words } = this;
    const rates = Object.entries(worker.rates).map(([name, seconds]) => `${name}: ${words.say("seconds", words.number(seconds))}`);
    return el("tr", {}, el("td", {}, worker.name), el("td", {}, worker.device), el("td", {}, worker.profiles.join(", ")), el("td.number", {}, `${worker.running} / ${worker.slots}`), el("td", {}, rates.join(", ") || "–"));
  }
}

function panel(title, ...children) {
  return el("section.panel", {}, el("h2", {}, title), children);
}

function table(words, columns, body) {
  return el("table", {}, el("thead", {}, el("tr", {}, words.book[columns].map((name) => el("th", { scope: "col" }, name)))), body);
}

async function begin() {
  let people = null;
  const api = new Api(() => people?.token() ?? "");
  const welcome = await api.welcome(rememberedLocale());
  const words = new Words(welcome.locale);
  document.documentElement.lang = words.locale;
  people = new People(words.locale);
  await new StudioPage(api, words).run();
}

begin();
