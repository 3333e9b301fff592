/** The file of a prompt box: by button, drop or paste, checked before it is sent. */
import { el, fill, iconButton } from "./dom.js";

/**
 * @import { Localization } from "./localization.js"
 * @import { Toasts } from "./toasts.js"
 */

/** @typedef {"reference" | "edit"} Use */

const MEDIA_TYPES = [
  ...["image/png", "image/jpeg", "image/webp", "image/gif"],
  ...["image/avif", "image/bmp", "image/heic", "image/heif"],
];
const PHONE_PHOTOS = ".heic,.heif"; // many systems know no media type for them
const MEBIBYTE = 1_048_576;

export class Attachments {
  /** @param {{ l10n: Localization, toasts: Toasts, limit: number, onchange: () => void }} options `limit` is in bytes. */
  constructor({ l10n, toasts, limit, onchange }) {
    this.l10n = l10n;
    this.toasts = toasts;
    this.limit = limit;
    this.onchange = onchange;
    this.node = el("div.attachments", { hidden: true });
    /** @type {File | null} */
    this.file = null;
    /** @type {string | null} */
    this.url = null;
    /** @type {Use} */
    this.use = "reference";
    this.picker = el("input", { type: "file", accept: `${MEDIA_TYPES.join(",")},${PHONE_PHOTOS}`, hidden: true, onchange: () => this.#picked() });
  }

  /**
   * Attach a file if it is a picture that a browser can read; otherwise say why not.
   *
   * @param {File} file
   * @param {Use} use
   */
  add(file, use = "reference") {
    const { l10n } = this;
    const { name } = file;
    if (file.size > this.limit) return this.toasts.show(l10n.format("page-file-too-large", { name, megabytes: Math.floor(this.limit / MEBIBYTE) }));
    // Some files come without a media type; the server reads the bytes in any case.
    if (file.type && !MEDIA_TYPES.includes(file.type)) return this.toasts.show(l10n.format("page-not-a-picture", { name }));
    this.clear();
    this.file = file;
    this.use = use;
    this.url = URL.createObjectURL(file);
    this.#render(file);
    return this.onchange();
  }

  /**
   * Pasted or dropped files: the first is attached, and the others are not passed over in silence.
   *
   * @param {DataTransfer | null} transfer
   * @returns {boolean} whether there is a file
   */
  addFirst(transfer) {
    const [file, ...others] = transfer?.files ?? [];
    if (!file) return false;
    this.add(file);
    if (others.length > 0) this.toasts.show(this.l10n.format("page-one-file", { name: file.name }));
    return true;
  }

  clear() {
    if (this.url) URL.revokeObjectURL(this.url);
    this.file = null;
    this.url = null;
    this.use = "reference";
    this.node.hidden = true;
    this.node.replaceChildren();
  }

  #picked() {
    const file = this.picker.files?.[0];
    this.picker.value = "";
    if (file) this.add(file);
  }

  /** @param {File} file */
  #render(file) {
    const { l10n } = this;
    const use = el(
      "select",
      {
        "aria-label": l10n.format("page-attachment-use"),
        onchange: () => {
          this.use = use.value === "edit" ? "edit" : "reference";
          this.onchange();
        },
      },
      el("option", { value: "reference" }, l10n.format("page-attachment-reference")),
      el("option", { value: "edit" }, l10n.format("page-attachment-edit")),
    );
    use.value = this.use;
    const remove = iconButton("close", l10n.format("page-remove-attachment", { name: file.name }), () => {
      this.clear();
      this.onchange();
    });
    const preview = el("img", { src: this.url, alt: "", onerror: () => preview.remove() }); // no browser shows every format
    fill(this.node, el("div.attached", {}, preview, el("span.label", {}, file.name), use, remove));
    this.node.hidden = false;
  }
}
