/** The prompt box: who writes, what is attached, what the text is for, and sending it. */
import { newKey } from "./api-client.js";
import { Attachments } from "./attachments.js";
import { avatar, button, el, fill, icon, iconButton } from "./dom.js";
import { openMaskEditor } from "./mask-editor.js";
import { openPersonaDialog, tierBadge } from "./persona-dialog.js";
import { SuggestionList } from "./suggestion-list.js";
import { listed, unknownWords } from "./vocabulary.js";

/**
 * @import { ApiClient } from "./api-client.js"
 * @import { Message, Picture, Place, Reply, Welcome } from "./api-types.js"
 * @import { Use } from "./attachments.js"
 * @import { Localization } from "./localization.js"
 * @import { Personas } from "./personas.js"
 * @import { Vocabulary } from "./suggestions.js"
 * @import { Toasts } from "./toasts.js"
 */

/**
 * What the text in the box is for.
 *
 * @typedef {{ kind: "new" }
 *   | { kind: "edit", picture: Picture, mask: Blob | null }
 *   | { kind: "blend", pictures: Picture[] }
 *   | { kind: "reroll", job: string }} Mode
 */

/** @typedef {{ text: string, mode: Mode, place: Place, persona: string, file: File | null, use: Use }} Draft */
/** @typedef {Draft & { values: Record<string, string | null>, files: Record<string, Blob | null> }} Submission */

/**
 * @typedef {object} SharedParts What both prompt boxes and both conversations use.
 * @property {Localization} l10n
 * @property {Toasts} toasts
 * @property {Personas} personas
 * @property {ApiClient} api
 * @property {Welcome} welcome
 */

/**
 * @typedef {object} ComposerOptions
 * @property {string} id
 * @property {() => Place} place Where it writes.
 * @property {() => string} placeholder What the empty box shows.
 * @property {(reply: Reply, text: string) => void} onreply Receives the answers.
 */

/** @type {Mode} */
const NEW = { kind: "new" };
const PLACEHOLDERS = { edit: "page-edit-placeholder", blend: "page-blend-placeholder", reroll: "page-reroll-placeholder" };
const FLAGS = ["ar", "count", "seed", "no", "model", "strength"];

export class Composer {
  /** @param {SharedParts & ComposerOptions} options */
  constructor({ l10n, toasts, personas, api, welcome, place, placeholder, onreply, id }) {
    this.l10n = l10n;
    this.toasts = toasts;
    this.personas = personas;
    this.api = api;
    this.welcome = welcome;
    this.place = place;
    this.placeholder = placeholder;
    this.onreply = onreply;
    this.mode = NEW;
    /** @type {string[]} */
    this.sent = [];
    this.recalled = -1;
    /** @type {Submission | null} A submission whose answer was lost. */
    this.unconfirmed = null;
    this.box = el("textarea", { id, rows: 1, spellcheck: true, "aria-label": l10n.format("page-prompt"), enterKeyHint: "send" });
    this.attachments = new Attachments({ l10n, toasts, limit: welcome.limits.upload, onchange: () => this.box.focus() });
    this.suggestions = new SuggestionList(this.box, { l10n, toasts, id: `${id}-suggestions`, vocabulary: () => this.#vocabulary() });
    this.banner = el("div.mode", { hidden: true });
    this.persona = el("button.button.quiet.persona", { type: "button", onclick: () => openPersonaDialog(personas, l10n) });
    this.excess = el("span.excess", { "aria-live": "polite" });
    this.unknown = el("p.unknown-words", { role: "status" });
    this.submit = el("button.button.primary.send", { type: "submit", title: l10n.format("page-send"), "aria-label": l10n.format("page-send") }, icon("send"));
    this.form = el(
      "form.composer",
      {
        onsubmit: (event) => {
          event.preventDefault();
          this.send();
        },
      },
      this.suggestions.node,
      this.banner,
      this.attachments.node,
      this.box,
      this.#row(),
    );
    this.node = el("div", {}, this.form, this.unknown, el("p.footnote", {}, el("span", {}, l10n.format("page-enter-hint")), el("span", {}, l10n.format("page-options-hint"))));
    this.#listen();
    personas.addEventListener("change", () => this.#renderPersona());
    this.#renderPersona();
    this.renderPlaceholder();
  }

  focus() {
    this.box.focus();
  }

  /**
   * Put text into the box, ready to be changed.
   *
   * @param {string} text
   */
  write(text) {
    this.box.value = text;
    this.#resize();
    this.focus();
    this.box.setSelectionRange(text.length, text.length);
  }

  /** @param {Picture} picture */
  edit(picture) {
    this.attachments.clear();
    this.#setMode({ kind: "edit", picture, mask: null });
  }

  /**
   * Add a picture to the blend, or take it out.
   *
   * @param {Picture} picture
   */
  blend(picture) {
    const chosen = this.mode.kind === "blend" ? this.mode.pictures : [];
    const others = chosen.filter((each) => each.id !== picture.id);
    const pictures = others.length < chosen.length ? others : [...chosen, picture].slice(-4);
    this.#setMode(pictures.length ? { kind: "blend", pictures } : NEW);
  }

  /**
   * A plain prompt is parsed anew with its flags; one made from a picture keeps its picture.
   *
   * @param {Message} message
   * @param {string} text
   */
  reroll(message, text) {
    const plain = message.command === "imagine" && !message.sources;
    this.#setMode(plain ? NEW : { kind: "reroll", job: message.id });
    this.write(plain ? text : message.prompt);
    this.box.select();
  }

  renderPlaceholder() {
    const { mode } = this;
    this.box.placeholder = mode.kind === "new" ? this.placeholder() : this.l10n.format(PLACEHOLDERS[mode.kind]);
  }

  /** Send what is in the box. The box is free for the next text at once; a refusal restores it. */
  async send() {
    const submission = this.#submissionOf(this.box.value);
    this.#clear();
    await this.#deliver(submission);
  }

  /**
   * Send a command of the page itself; what is being written stays in the box.
   *
   * @param {string} text
   */
  ask(text) {
    return this.#deliver({ ...this.#submissionOf(text, NEW), files: {} });
  }

  /** @param {Submission} submission */
  async #deliver(submission) {
    this.form.setAttribute("aria-busy", "true");
    try {
      const reply = await this.api.message(submission.values, submission.files);
      if (reply.kind === "refusal") this.#restore(submission);
      else if (submission.text.trim()) this.sent.unshift(submission.text);
      this.onreply(reply, submission.text);
    } catch (error) {
      this.#restore(submission);
      this.unconfirmed = submission;
      const retry = () => (this.box.value === submission.text ? this.send() : this.#deliver(submission));
      this.toasts.show(this.l10n.format("page-request-failed"), { retry });
      console.error(error);
    } finally {
      this.form.setAttribute("aria-busy", "false");
    }
  }

  /**
   * @param {string} text
   * @param {Mode} mode
   * @returns {Submission}
   */
  #submissionOf(text, mode = this.mode) {
    const { file, use } = this.attachments;
    const draft = { text, mode, place: this.place(), persona: this.personas.current.id, file, use };
    // A draft whose answer was lost keeps its key, so that the server answers it once.
    const key = this.unconfirmed && sameDraft(this.unconfirmed, draft) ? this.unconfirmed.values.key ?? newKey() : newKey();
    return {
      ...draft,
      values: { key, channel: draft.place.channel, thread: draft.place.thread, text, ...actionOf(draft) },
      files: {
        reference: use === "reference" ? file : null,
        source: use === "edit" ? file : null,
        mask: mode.kind === "edit" ? mode.mask : null,
      },
    };
  }

  #clear() {
    this.recalled = -1;
    this.box.value = "";
    this.attachments.clear();
    this.suggestions.close();
    this.#resize();
    this.#setMode(NEW);
    this.focus();
  }

  /** @param {Draft} draft */
  #restore(draft) {
    if (this.box.value || this.mode !== NEW || !samePlace(draft.place, this.place())) return;
    if (draft.file) this.attachments.add(draft.file, draft.use);
    this.#setMode(draft.mode);
    this.write(draft.text);
  }

  /** @param {Mode} mode */
  #setMode(mode) {
    this.mode = mode;
    this.banner.hidden = mode.kind === "new";
    fill(this.banner, ...this.#bannerOf(mode));
    this.renderPlaceholder();
    this.form.dispatchEvent(new CustomEvent("modechange", { bubbles: true, detail: mode }));
    if (mode.kind !== "new") this.focus();
  }

  /**
   * @param {Mode} mode
   * @returns {Node[]}
   */
  #bannerOf(mode) {
    const { l10n } = this;
    const leave = iconButton("close", l10n.format("page-leave-mode"), () => {
      this.#setMode(NEW);
      this.focus();
    });
    if (mode.kind === "edit") {
      const painted = mode.mask !== null;
      const paint = button("brush", l10n.format(painted ? "page-change-mask" : "page-paint-mask"), () => this.#paintMask(mode.picture));
      return [thumbnail(mode.picture), el("span.mode-text", {}, l10n.format(painted ? "page-mask-painted" : "page-editing")), paint, leave];
    }
    if (mode.kind === "blend") {
      const count = mode.pictures.length;
      const text = count < 2 ? l10n.format("page-blend-more") : l10n.format("page-blending", { count });
      return [el("span.thumbs", {}, mode.pictures.map(thumbnail)), el("span.mode-text", { role: "status" }, text), leave];
    }
    if (mode.kind === "reroll") return [icon("reroll"), el("span.mode-text", {}, l10n.format("page-rerolling")), leave];
    return [];
  }

  /** @param {Picture} picture */
  async #paintMask(picture) {
    const mask = await openMaskEditor(picture, this.l10n);
    if (mask && this.mode.kind === "edit") this.#setMode({ ...this.mode, mask });
    this.focus();
  }

  #row() {
    const { l10n } = this;
    return el(
      "div.row",
      {},
      this.persona,
      iconButton("attach", l10n.format("page-attach"), () => this.attachments.picker.click()),
      this.attachments.picker,
      iconButton("options", l10n.format("page-add-option"), () => this.#suggestFlags()),
      el("span.space"),
      this.excess,
      this.submit,
    );
  }

  #suggestFlags() {
    const gap = this.box.value && !/\s$/.test(this.box.value) ? " " : "";
    if (!/(^|\s)--$/.test(this.box.value)) this.write(`${this.box.value}${gap}--`);
    this.focus();
    this.suggestions.update();
  }

  #renderPersona() {
    const { l10n, personas } = this;
    const { current } = personas;
    this.persona.setAttribute("aria-label", l10n.format("page-persona-button", { name: current.name, tier: l10n.format(`tier-${current.role}`) }));
    fill(this.persona, avatar(current, true), el("span.persona-name", {}, current.name), tierBadge(current.role, l10n));
  }

  /** @returns {Vocabulary} */
  #vocabulary() {
    const { l10n, welcome, personas } = this;
    const commands = welcome.commands.filter((name) => name !== "studio" || personas.current.administrator);
    return {
      commands: commands.map((name) => ({ name, note: l10n.find(`page-command-${name}`) ?? "" })),
      studio: welcome.studio,
      flags: FLAGS.map((name) => ({ name: `--${name}`, note: l10n.format(`page-flag-${name}`) })),
      aspects: welcome.aspects,
      models: welcome.models,
      count: welcome.limits.count,
    };
  }

  #listen() {
    const { box, form } = this;
    box.addEventListener("input", () => {
      this.#resize();
      this.suggestions.update();
    });
    box.addEventListener("click", () => this.suggestions.update());
    box.addEventListener("keydown", (event) => this.#pressKey(event));
    box.addEventListener("paste", (event) => {
      if (this.attachments.addFirst(event.clipboardData)) event.preventDefault();
    });
    for (const name of /** @type {const} */ (["dragover", "dragleave", "drop"])) form.addEventListener(name, (event) => this.drag(event));
  }

  /**
   * Something is dragged over the box, or over the conversation above it.
   *
   * @param {DragEvent} event
   */
  drag(event) {
    if (!event.dataTransfer?.types.includes("Files")) return;
    event.preventDefault();
    event.stopPropagation();
    this.form.classList.toggle("drag-over", event.type === "dragover");
    if (event.type === "drop") this.attachments.addFirst(event.dataTransfer);
  }

  /** @param {KeyboardEvent} event */
  #pressKey(event) {
    if (event.isComposing) return;
    if (this.suggestions.pressKey(event)) event.preventDefault();
    else if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.send();
    } else if (event.key === "ArrowUp" && this.#recall(1)) event.preventDefault();
    else if (event.key === "ArrowDown" && this.#recall(-1)) event.preventDefault();
    else if (event.key === "Escape" && this.mode.kind !== "new") {
      event.preventDefault();
      this.#setMode(NEW);
    }
  }

  /**
   * Show an earlier or later prompt; false where the box holds something else, or there is none.
   *
   * @param {1 | -1} offset
   */
  #recall(offset) {
    const shown = this.sent[this.recalled] ?? "";
    const index = this.recalled + offset;
    if (this.box.value !== shown || index < -1 || index >= this.sent.length) return false;
    this.recalled = index;
    this.write(this.sent[index] ?? "");
    return true;
  }

  #markUnknownWords() {
    const { l10n, welcome } = this;
    const words = unknownWords(this.box.value, welcome);
    this.unknown.textContent = words.length ? l10n.format("page-unknown-words", { words: listed(words, welcome.locale), count: words.length }) : "";
  }

  #resize() {
    this.box.style.setProperty("height", "auto");
    this.box.style.setProperty("height", `${this.box.scrollHeight}px`);
    const count = this.box.value.length - this.welcome.limits.prompt;
    this.excess.textContent = count > 0 ? this.l10n.format("page-prompt-over", { count }) : "";
    this.#markUnknownWords();
  }
}

/**
 * @param {Draft} draft
 * @returns {Record<string, string>}
 */
function actionOf({ mode, file, use }) {
  if (mode.kind === "edit") return { action: "edit", target: mode.picture.id };
  if (mode.kind === "reroll") return { action: "reroll", target: mode.job };
  if (mode.kind === "blend") return { action: "blend", sources: mode.pictures.map((each) => each.id).join(",") };
  return file && use === "edit" ? { action: "edit" } : {};
}

/**
 * @param {Draft} one
 * @param {Draft} two
 */
function sameDraft(one, two) {
  const names = /** @type {const} */ (["text", "mode", "persona", "file", "use"]);
  return names.every((name) => one[name] === two[name]) && samePlace(one.place, two.place);
}

/**
 * @param {Place} one
 * @param {Place} two
 */
function samePlace(one, two) {
  return one.channel === two.channel && one.thread === two.thread;
}

/** @param {Picture} picture */
function thumbnail(picture) {
  return el("img.thumb", { src: picture.url, alt: picture.alt });
}
