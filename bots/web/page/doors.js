/** The doors of tiers, features, whole servers and new members: a table, and the setting of each by hand. */
import { el, fill } from "./dom.js";
import { tierBadge } from "./who.js";

const TIERS = ["free", "plus", "team", "pro"];
const HERE = "web:playground";
const EVERYWHERE = "*";
const USUAL = "usual";

export class Doors {
  constructor(api, words, notices) {
    Object.assign(this, { api, words, notices, servers: "" });
    this.last = { doors: [], servers: [HERE] };
    this.server = el("select", { onchange: () => this.read().catch((error) => this.#failed(error)) });
    this.rows = el("tbody");
    const head = words.book.doorColumns.map((name) => el("th", { scope: "col" }, name));
    this.node = el(
      "section.panel",
      {},
      el("h2", {}, words.say("doorsTitle")),
      el("label.line", {}, words.say("doorsIn"), this.server),
      el("table", {}, el("thead", {}, el("tr", {}, head)), this.rows),
    );
  }

  /** Read them again; a list that is being chosen from is left alone. */
  async read() {
    const server = this.server.value || HERE;
    const answer = await this.api.doors(server);
    if (server === (this.server.value || HERE)) this.#take(answer);
  }

  #take(answer) {
    this.last = answer;
    const { words } = this;
    if (this.servers !== answer.servers.join(" ") && document.activeElement !== this.server) {
      this.servers = answer.servers.join(" ");
      const chosen = this.server.value || HERE;
      const names = { [HERE]: words.say("doorsHere"), [EVERYWHERE]: words.say("doorsEverywhere") };
      fill(this.server, answer.servers.map((name) => el("option", { value: name, selected: name === chosen }, names[name] ?? name)));
    }
    if (!this.rows.contains(document.activeElement)) this.#draw();
  }

  #draw() {
    fill(this.rows, this.last.doors.map((door) => this.#row(door)));
  }

  #row(door) {
    const { words } = this;
    const states = words.book.doorStates;
    const others = Object.entries(door.set).filter(([name]) => name !== this.server.value);
    const names = { [HERE]: words.say("doorsHere"), [EVERYWHERE]: words.say("doorsEverywhere") };
    return el(
      "tr",
      {},
      el("td", {}, TIERS.includes(door.door) ? tierBadge(door.door) : words.book.doorNames[door.door]),
      el("td", {}, states[door.now], door.degraded ? ` · ${words.say("degraded")}` : ""),
      el("td", {}, states[door.usual]),
      el("td", {}, this.#choice(door)),
      el("td.wide", {}, others.map(([name, state]) => `${names[name] ?? name}: ${states[state]}`).join(", ") || "–"),
      el("td.number", {}, door.wait === null ? "–" : words.say("seconds", words.number(door.wait))),
    );
  }

  #choice(door) {
    const { words } = this;
    const set = door.set[this.server.value] ?? USUAL;
    const name = words.book.doorNames[door.door];
    const choice = el(
      "select",
      { "aria-label": words.say("doorsOf", name), onchange: () => this.#set(door.door, choice) },
      [USUAL, ...door.states].map((state) => el("option", { value: state, selected: state === set }, words.book.doorStates[state])),
    );
    return choice;
  }

  async #set(door, choice) {
    choice.blur();
    try {
      const answer = await this.api.setDoor({ door, state: choice.value, server: this.server.value });
      if (answer.kind === "refusal") this.notices.toast(answer.text);
      else {
        this.#take(answer);
        this.notices.toast(this.words.say("doorSet", this.words.book.doorNames[door], this.words.book.doorStates[choice.value]));
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#draw();
  }

  #failed(error) {
    this.notices.toast(this.words.say("failed"));
    console.error(error);
  }
}
