/** The head of the room: which channel, what it is for, how many credits are left, and the waitlist. */
import { el, fill, iconButton } from "./dom.js";

const LOOK_AGAIN = 10_000; // while somebody waits for the doors

export class Topbar {
  constructor({ words, api, people, onmenu, onquota, onwaitlist }) {
    Object.assign(this, { words, api, people });
    this.node = document.getElementById("topbar");
    this.menu = iconButton("menu", words.say("openChannels"), () => onmenu(this.menu));
    this.menu.classList.add("menu-button");
    this.title = el("h1");
    this.topic = el("p.topic");
    this.quota = el("button.quota", { type: "button", hidden: true, onclick: onquota });
    this.waitlist = el("button.quota", { type: "button", hidden: true, onclick: onwaitlist });
    fill(this.node, this.menu, this.title, this.topic, this.waitlist, this.quota);
    this.offline = el("div.offline", { role: "status", hidden: true }, words.say("offline"));
    this.node.after(this.offline);
  }

  show(channel) {
    this.title.textContent = `# ${channel}`;
    this.topic.textContent = this.words.book.topicOf[channel] ?? "";
    document.title = `#${channel} · Atelier`;
  }

  /** What is left of the person's credits, now. */
  async refresh() {
    const asked = this.people.current;
    try {
      const { left, limit, waitlist } = await this.api.quota();
      if (asked !== this.people.current) return;
      this.#quota(left, limit);
      this.#waitlist(waitlist);
    } catch (error) {
      this.quota.hidden = true;
      console.error(error);
    }
  }

  /** Where one stands while the doors are shut, or until when one is invited in. */
  #waitlist({ position, invited_until: until }) {
    const { words } = this;
    clearTimeout(this.looking);
    const waits = position !== null || until !== null;
    if (waits) this.looking = setTimeout(() => this.refresh(), LOOK_AGAIN);
    this.waitlist.hidden = !waits;
    this.waitlist.textContent = until ? words.say("invited", words.clock.format(new Date(until))) : words.say("onWaitlist", position);
  }

  #quota(left, limit) {
    const { words } = this;
    const said = words.number(Math.max(0, left));
    const meter = el("meter", { min: 0, max: limit || 1, low: limit / 4, optimum: limit, value: left, "aria-hidden": "true" });
    fill(this.quota, meter, el("span", {}, said, el("span.long", {}, ` / ${words.number(limit)} ${words.say("credits")}`)));
    this.quota.setAttribute("aria-label", words.say("quotaLabel", said, words.number(limit)));
    this.quota.hidden = false;
  }
}
