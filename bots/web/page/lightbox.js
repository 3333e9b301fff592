/** Pictures at full size: arrow keys switch, Z zooms, Escape closes and the browser restores the focus. */
import { button, el, fill, iconButton } from "./dom.js";

/**
 * @import { Button, Picture } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

/** @typedef {Picture & { buttons?: Button[] }} LightboxPicture */
/** @typedef {(action: string, target: string, anchor: HTMLElement | null) => void} PressInLightbox */

/**
 * @param {readonly LightboxPicture[]} pictures
 * @param {string | null} first The id of the picture to open.
 * @param {Localization} l10n
 * @param {PressInLightbox} press
 */
export function openLightbox(pictures, first, l10n, press) {
  new Lightbox(pictures, first, l10n, press).open();
}

class Lightbox {
  /**
   * @param {readonly LightboxPicture[]} pictures
   * @param {string | null} first
   * @param {Localization} l10n
   * @param {PressInLightbox} press
   */
  constructor(pictures, first, l10n, press) {
    this.pictures = pictures;
    this.index = Math.max(0, pictures.findIndex((picture) => picture.id === first));
    this.l10n = l10n;
    this.press = press;
    this.opener = document.activeElement instanceof HTMLElement ? document.activeElement : null;
    this.caption = el("p.caption");
    this.position = el("span", { role: "status" });
    this.figure = el("figure", { onclick: (event) => event.target === this.figure && this.dialog.close() });
    this.footer = el("footer");
    this.zoomButton = iconButton("zoom", l10n.format("page-zoom"), () => this.#toggleZoom());
    this.closeButton = iconButton("close", l10n.format("page-close"), () => this.dialog.close());
    const header = el("header", {}, this.caption, this.position, this.zoomButton, this.closeButton);
    this.dialog = el("dialog.lightbox", { "aria-label": l10n.format("page-open-picture") }, header, this.figure, this.footer);
    this.dialog.addEventListener("keydown", (event) => this.#pressKey(event));
    this.dialog.addEventListener("close", () => this.dialog.remove());
  }

  open() {
    this.#render();
    document.body.append(this.dialog);
    this.dialog.showModal();
    this.closeButton.focus();
  }

  #render() {
    const { figure, l10n, pictures } = this;
    const picture = pictures[this.index];
    if (!picture) throw new Error("a lightbox without pictures");
    const image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height, onclick: () => this.#toggleZoom() });
    figure.classList.remove("zoomed");
    // A small picture is enlarged, yet never beyond the window.
    figure.style.setProperty("--fit-width", `calc((100dvh - 130px) * ${picture.width / picture.height})`);
    fill(figure, image, ...(pictures.length > 1 ? this.#arrows() : []));
    this.caption.textContent = picture.alt;
    this.position.textContent = pictures.length > 1 ? l10n.format("page-picture-of", { number: this.index + 1, count: pictures.length }) : "";
    fill(this.footer, this.#tools(picture));
  }

  #arrows() {
    const previous = iconButton("previous", this.l10n.format("page-previous-picture"), () => this.#step(-1));
    const next = iconButton("next", this.l10n.format("page-next-picture"), () => this.#step(1));
    previous.classList.add("arrow", "previous");
    next.classList.add("arrow", "next");
    return [previous, next];
  }

  /** @param {LightboxPicture} picture */
  #tools(picture) {
    const run = (/** @type {string} */ action) => {
      this.dialog.close();
      this.press(action, picture.id, this.opener);
    };
    const buttons = (picture.buttons ?? []).map(({ action }) => button(action, this.l10n.format(`button-${action}`), () => run(action)));
    return [...buttons, el("a.button", { href: `${picture.url}?download=1`, download: "" }, this.l10n.format("page-download"))];
  }

  /** @param {1 | -1} offset */
  #step(offset) {
    const { length } = this.pictures;
    this.index = (this.index + offset + length) % length;
    this.#render();
  }

  #toggleZoom() {
    this.zoomButton.setAttribute("aria-pressed", String(this.figure.classList.toggle("zoomed")));
  }

  /** @param {KeyboardEvent} event */
  #pressKey(event) {
    const many = this.pictures.length > 1;
    if (event.key === "ArrowRight" && many) this.#step(1);
    else if (event.key === "ArrowLeft" && many) this.#step(-1);
    else if (event.key === "z" || event.key === "Z") this.#toggleZoom();
    else return;
    event.preventDefault();
  }
}
