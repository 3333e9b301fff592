/** The prompt box: who writes, what is attached, what is meant by it, and sending. */
import { newKey } from "./api.js";
import { Attachments, fileOf } from "./attachments.js";
import { paintMask } from "./brush.js";
import { avatar, button, el, fill, icon, iconButton } from "./dom.js";
import { HintList } from "./hintlist.js";
import { openWho, tierBadge } from "./who.js";

const NEW = { kind: "new" };

export class Composer {
  /** `place()` says where it writes; `onreply(reply, text)` takes the answers. */
  constructor({ words, notices, people, api, welcome, place, placeholder, onreply, id }) {
    Object.assign(this, { words, notices, people, api, welcome, place, placeholder, onreply });
    this.mode = NEW;
    this.sent = [];
    this.back = -1;
    this.attachments = new Attachments({ words, notices, limit: welcome.limits.upload, onchange: () => this.box.focus() });
    this.box = el("textarea", { id, rows: 1, spellcheck: true, "aria-label": words.say("promptLabel"), enterKeyHint: "send" });
    this.hints = new HintList(this.box, { words, notices, id: `${id}-hints`, knows: () => this.#knows() });
    this.banner = el("div.mode", { hidden: true });
    this.person = el("button.button.quiet.person", { type: "button", onclick: () => openWho(people, words) });
    this.count = el("span.count", { "aria-live": "polite" });
    this.submit = el("button.button.primary.send", { type: "submit", title: words.say("send"), "aria-label": words.say("send") }, icon("send"));
    this.form = el("form.composer", { onsubmit: (event) => { event.preventDefault(); this.send(); } }, this.hints.node, this.banner, this.attachments.node, this.box, this.#row());
    this.node = el("div", {}, this.form, el("p.footnote", {}, el("span", {}, words.say("footEnter")), el("span", {}, words.say("footFlags"))));
    this.#listen();
    people.addEventListener("change", () => this.#who());
    this.#who();
    this.rename();
  }

  focus() {
    this.box.focus();
  }

  /** Put words into the box, ready to be changed. */
  write(text) {
    this.box.value = text;
    this.#grow();
    this.focus();
    this.box.setSelectionRange(text.length, text.length);
  }

  edit(picture) {
    this.attachments.clear();
    this.#turn({ kind: "edit", picture, mask: null });
  }

  blend(picture) {
    const chosen = this.mode.kind === "blend" ? this.mode.pictures : [];
    const others = chosen.filter((each) => each.id !== picture.id);
    const pictures = others.length < chosen.length ? others : [...chosen, picture].slice(-4);
    this.#turn(pictures.length ? { kind: "blend", pictures } : NEW);
  }

  /** A whole new order goes through the grammar; one made from a picture keeps its picture. */
  reroll(message, text) {
    const plain = message.command === "imagine" && !message.sources;
    this.#turn(plain ? NEW : { kind: "reroll", job: message.id });
    this.write(plain ? text : message.prompt);
    this.box.select();
  }

  /** The words in an empty box, for the place and mode of the moment. */
  rename() {
    const { words, mode } = this;
    const named = { edit: "editPlaceholder", blend: "blendPlaceholder", reroll: "rerollPlaceholder" }[mode.kind];
    this.box.placeholder = named ? words.say(named) : this.placeholder();
  }

  /** Send what is in the box. The box is free for the next words at once; a refusal gives them back. */
  async send() {
    const draft = this.#draft(this.box.value);
    this.#clear();
    await this.#deliver(draft);
  }

  /** A command of the page itself; what is being written stays in the box. */
  ask(text) {
    return this.#deliver({ ...this.#draft(text, NEW), files: {} });
  }

  async #deliver(draft) {
    this.form.setAttribute("aria-busy", "true");
    try {
      const reply = await this.api.message(draft.values, draft.files);
      if (reply.kind === "refusal") this.#giveBack(draft);
      else if (draft.text.trim()) this.sent.unshift(draft.text);
      this.onreply(reply, draft.text);
    } catch (error) {
      this.#giveBack(draft);
      this.unsure = draft;
      this.notices.toast(this.words.say("failed"), { again: () => (this.box.value === draft.text ? this.send() : this.#deliver(draft)) });
      console.error(error);
    } finally {
      this.form.setAttribute("aria-busy", "false");
    }
  }

  #draft(text, mode = this.mode) {
    const { file, use } = this.attachments;
    const draft = { text, mode, place: this.place(), person: this.people.current.id, file, use };
    // Words that went into a broken connection keep their key, so that they are asked once.
    const same = ["text", "mode", "person", "file", "use"].every((name) => this.unsure?.[name] === draft[name]) && samePlace(this.unsure.place, draft.place);
    draft.values = { key: same ? this.unsure.values.key : newKey(), channel: draft.place.channel, thread: draft.place.thread, text, ...this.#meaning(draft) };
    draft.files = { reference: use === "reference" ? file : null, source: use === "edit" ? file : null, mask: mode.mask ?? null };
    return draft;
  }

  #meaning({ mode, file, use }) {
    if (mode.kind === "edit") return { action: "edit", target: mode.picture.id };
    if (mode.kind === "reroll") return { action: "reroll", target: mode.job };
    if (mode.kind === "blend") return { action: "blend", sources: mode.pictures.map((each) => each.id).join(",") };
    return file && use === "edit" ? { action: "edit" } : {};
  }

  #clear() {
    this.back = -1;
    this.box.value = "";
    this.attachments.clear();
    this.hints.close();
    this.#grow();
    this.#turn(NEW);
    this.focus();
  }

  #giveBack(draft) {
    if (this.box.value || this.mode !== NEW || !samePlace(draft.place, this.place())) return;
    if (draft.file) this.attachments.add(draft.file, draft.use);
    this.#turn(draft.mode);
    this.write(draft.text);
  }

  #turn(mode) {
    this.mode = mode;
    this.banner.hidden = mode.kind === "new";
    fill(this.banner, ...this.#bannerOf(mode));
    this.rename();
    this.form.dispatchEvent(new CustomEvent("modechange", { bubbles: true, detail: mode }));
    if (mode.kind !== "new") this.focus();
  }

  #bannerOf(mode) {
    const { words } = this;
    const leave = iconButton("close", words.say("leaveMode"), () => { this.#turn(NEW); this.focus(); });
    if (mode.kind === "edit") {
      const painted = mode.mask !== null;
      const paint = button("brush", words.say(painted ? "changeMask" : "paintMask"), () => this.#paint());
      return [thumb(mode.picture), el("span.says", {}, words.say(painted ? "maskPainted" : "editing")), paint, leave];
    }
    if (mode.kind === "blend") {
      const says = mode.pictures.length < 2 ? words.say("blendMore") : words.say("blending", mode.pictures.length);
      return [el("span.thumbs", {}, mode.pictures.map(thumb)), el("span.says", { role: "status" }, says), leave];
    }
    if (mode.kind === "reroll") return [icon("reroll"), el("span.says", {}, words.say("rerolling")), leave];
    return [];
  }

  async #paint() {
    const mask = await paintMask(this.mode.picture, this.words);
    if (mask && this.mode.kind === "edit") this.#turn({ ...this.mode, mask });
    this.focus();
  }

  #row() {
    const { words } = this;
    return el(
      "div.row",
      {},
      this.person,
      iconButton("attach", words.say("attach"), () => this.attachments.picker.click()),
      this.attachments.picker,
      iconButton("options", words.say("addOption"), () => this.#offerFlags()),
      el("span.space"),
      this.count,
      this.submit,
    );
  }

  #offerFlags() {
    const gap = this.box.value && !/\s$/.test(this.box.value) ? " " : "";
    if (!/(^|\s)--$/.test(this.box.value)) this.write(`${this.box.value}${gap}--`);
    this.focus();
    this.hints.look();
  }

  #who() {
    const { words, people } = this;
    const { current } = people;
    this.person.setAttribute("aria-label", words.say("personLabel", current.name, current.role));
    fill(this.person, avatar(current, true), el("span.who", {}, current.name), tierBadge(current.role));
  }

  #knows() {
    const { words, welcome, people } = this;
    const notes = words.say("commandNotes");
    const commands = welcome.commands.filter((name) => name !== "studio" || people.current.administrator).map((name) => ({ name, note: notes[name] ?? "" }));
    const flags = [["--ar", "hintAr"], ["--count", "hintCount"], ["--seed", "hintSeed"], ["--no", "hintNo"], ["--model", "hintModel"], ["--strength", "hintStrength"]];
    return { commands, studio: welcome.studio, flags: flags.map(([name, note]) => ({ name, note: words.say(note) })), aspects: welcome.aspects, models: welcome.models, count: welcome.limits.count };
  }

  #listen() {
    const { box, form } = this;
    box.addEventListener("input", () => { this.#grow(); this.hints.look(); });
    box.addEventListener("click", () => this.hints.look());
    box.addEventListener("keydown", (event) => this.#pressed(event));
    box.addEventListener("paste", (event) => {
      const file = fileOf(event.clipboardData);
      if (!file) return;
      event.preventDefault();
      this.attachments.add(file);
    });
    for (const name of ["dragover", "dragleave", "drop"]) form.addEventListener(name, (event) => this.drag(event));
  }

  /** Something is dragged over the box, or over the conversation above it. */
  drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    this.form.classList.toggle("dropping", event.type === "dragover");
    const file = event.type === "drop" ? fileOf(event.dataTransfer) : null;
    if (file) this.attachments.add(file);
  }

  #pressed(event) {
    if (event.isComposing) return;
    if (this.hints.key(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && this.#recall(1)) event.preventDefault();
    else if (event.key === "ArrowDown" && this.#recall(-1)) event.preventDefault();
    else if (event.key === "Escape" && this.mode.kind !== "new") {
      event.preventDefault();
      this.#turn(NEW);
    }
  }

  #recall(by) {
    const shown = this.back >= 0 ? this.sent[this.back] : "";
    const to = this.back + by;
    if (this.box.value !== shown || to < -1 || to >= this.sent.length) return false;
    this.back = to;
    this.write(to >= 0 ? this.sent[to] : "");
    return true;
  }

  #grow() {
    this.box.style.setProperty("height", "auto");
    this.box.style.setProperty("height", `${this.box.scrollHeight}px`);
    const over = this.box.value.length - this.welcome.limits.prompt;
    this.count.classList.toggle("over", over > 0);
    this.count.textContent = over > 0 ? this.words.say("tooLong", over) : "";
  }
}

function samePlace(one, two) {
  return one?.channel === two?.channel && one?.thread === two?.thread;
}

function thumb(picture) {
  return el("img.thumb", { src: picture.url, alt: picture.alt });
}
