/** Files given to a prompt box: by button, drop or paste; looked at before they are sent. */
import { el, fill, iconButton } from "./dom.js";

const KINDS = ["image/png", "image/jpeg", "image/webp", "image/gif"];

export class Attachments {
  constructor({ words, notices, limit, onchange }) {
    Object.assign(this, { words, notices, limit, onchange });
    this.node = el("div.attachments", { hidden: true });
    this.file = null;
    this.use = "reference"; // or "edit"
    this.picker = el("input", { type: "file", accept: KINDS.join(","), hidden: true, onchange: () => this.#picked() });
  }

  /** Take a file if it is a picture that a browser can read; say why not else. */
  add(file, use = "reference") {
    const megabytes = Math.floor(this.limit / 1_048_576);
    if (file.size > this.limit) return this.#refuse(this.words.say("fileTooBig", file.name, megabytes));
    // Some files carry no kind; the server looks at the bytes in any case.
    if (file.type && !KINDS.includes(file.type)) return this.#refuse(this.words.say("notPicture", file.name));
    this.clear();
    this.file = file;
    this.use = use;
    this.address = URL.createObjectURL(file);
    this.#show();
    this.onchange();
    return undefined;
  }

  clear() {
    if (this.address) URL.revokeObjectURL(this.address);
    this.file = null;
    this.address = null;
    this.use = "reference";
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  #refuse(text) {
    this.notices.toast(text);
  }

  #picked() {
    const [file] = this.picker.files;
    this.picker.value = "";
    if (file) this.add(file);
  }

  #show() {
    const { words, file } = this;
    const use = el(
      "select",
      { "aria-label": words.say("referenceUse"), onchange: () => { this.use = use.value; this.onchange(); } },
      el("option", { value: "reference" }, words.say("asReference")),
      el("option", { value: "edit" }, words.say("asEdit")),
    );
    use.value = this.use;
    const drop = iconButton("close", words.say("remove", file.name), () => { this.clear(); this.onchange(); });
    fill(this.node, el("div.attached", {}, el("img", { src: this.address, alt: "" }), el("span.label", {}, file.name), use, drop));
    this.node.hidden = false;
  }
}

/** The first file of a drop or paste, or null. */
export function fileOf(transfer) {
  return [...(transfer?.files ?? [])][0] ?? null;
}
