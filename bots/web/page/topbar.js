/** The head of the room: which channel, what it is for, and how many credits are left. */
import { el, fill, iconButton } from "./dom.js";

export class Topbar {
  constructor({ words, api, people, onmenu, onquota }) {
    Object.assign(this, { words, api, people });
    this.node = document.getElementById("topbar");
    this.menu = iconButton("menu", words.say("openChannels"), () => onmenu(this.menu));
    this.menu.classList.add("menu-button");
    this.title = el("h1");
    this.topic = el("p.topic");
    this.quota = el("button.quota", { type: "button", hidden: true, onclick: onquota });
    fill(this.node, this.menu, this.title, this.topic, this.quota);
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
      const { left, limit } = await this.api.quota();
      if (asked === this.people.current) this.#quota(left, limit);
    } catch (error) {
      this.quota.hidden = true;
      console.error(error);
    }
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
