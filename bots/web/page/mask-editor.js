/** Paints a mask over a picture: with a mouse, a pen, a finger, or the keyboard. */
import { openDialog } from "./dialogs.js";
import { button, el, icon } from "./dom.js";

/**
 * @import { Picture } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

/** @typedef {{ x: number, y: number }} Point In the picture's pixels. */
/** @typedef {{ points: Point[], size: number, erase: boolean }} Stroke */

const TINT = "rgba(210, 60, 30, 0.55)";

/**
 * Resolves with a PNG of the picture's size, white where it may change; null when the dialog was closed.
 *
 * @param {Picture} picture
 * @param {Localization} l10n
 * @returns {Promise<Blob | null>}
 */
export async function openMaskEditor(picture, l10n) {
  const mask = new Mask(picture.width, picture.height);
  /** @type {Blob | null} */
  let result = null;
  await openDialog(
    l10n.format("page-mask-title"),
    (close) => {
      const status = el("p", { role: "status" });
      const use = async () => {
        if (mask.empty) {
          status.textContent = l10n.format("page-mask-empty");
          return;
        }
        result = await mask.toBlob();
        close("use");
      };
      return el(
        "div",
        {},
        new MaskCanvas(picture, mask, l10n).node,
        status,
        el(
          "div.actions",
          {},
          button(null, l10n.format("button-cancel"), () => close()),
          el("button.button.primary", { type: "button", onclick: use }, l10n.format("page-mask-use")),
        ),
      );
    },
    { kind: "dialog mask-editor" },
  );
  return result;
}

/** Strokes, kept as points in the picture's pixels, so that the last one can be undone. */
class Mask {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.width = width;
    this.height = height;
    /** @type {Stroke[]} */
    this.strokes = [];
  }

  get empty() {
    return !this.strokes.some((stroke) => !stroke.erase);
  }

  /**
   * @param {Point} point
   * @param {number} size
   * @param {boolean} erase
   */
  begin(point, size, erase) {
    this.strokes.push({ points: [point], size, erase });
  }

  /** @param {Point} point */
  extend(point) {
    this.strokes.at(-1)?.points.push(point);
  }

  undo() {
    this.strokes.pop();
  }

  clear() {
    this.strokes = [];
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} scale Canvas pixels for one pixel of the picture.
   * @param {string} colour
   */
  draw(context, scale, colour) {
    for (const stroke of this.strokes) {
      context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
      context.strokeStyle = colour;
      context.lineWidth = stroke.size * scale;
      context.lineCap = "round";
      context.lineJoin = "round";
      const [first, ...rest] = stroke.points;
      if (!first) continue;
      context.beginPath();
      context.moveTo(first.x * scale, first.y * scale);
      for (const point of rest.length ? rest : [first]) context.lineTo(point.x * scale, point.y * scale);
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  /** @returns {Promise<Blob | null>} */
  toBlob() {
    const strokes = new Layer(this.width, this.height);
    this.draw(strokes.context, 1, "#fff");
    const { canvas, context } = new Layer(this.width, this.height);
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.width, this.height);
    context.drawImage(strokes.canvas, 0, 0);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
  }
}

/** A canvas with its drawing context. */
class Layer {
  /**
   * @param {number} width
   * @param {number} height
   */
  constructor(width, height) {
    this.canvas = el("canvas");
    this.canvas.width = width;
    this.canvas.height = height;
    this.context = contextOf(this.canvas);
  }
}

/** @param {HTMLCanvasElement} canvas */
function contextOf(canvas) {
  const context = canvas.getContext("2d");
  if (!context) throw new Error("this browser has no 2D canvas");
  return context;
}

/** The picture with the mask over it, and the brush's controls. */
class MaskCanvas {
  /**
   * @param {Picture} picture
   * @param {Mask} mask
   * @param {Localization} l10n
   */
  constructor(picture, mask, l10n) {
    this.picture = picture;
    this.mask = mask;
    this.l10n = l10n;
    this.erase = false;
    this.painting = false;
    this.cursorShown = false;
    this.cursor = { x: picture.width / 2, y: picture.height / 2 };
    const largest = Math.max(picture.width, picture.height);
    this.size = el("input", { type: "range", min: Math.max(2, Math.round(largest / 40)), max: Math.round(largest / 2), value: Math.round(largest / 6) });
    this.image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height });
    this.canvas = el("canvas", { tabIndex: 0, role: "application", "aria-label": l10n.format("page-mask-canvas") });
    this.frame = el("div.canvas-frame", {}, this.image, this.canvas);
    this.node = el("div", {}, this.frame, this.#controls());
    new ResizeObserver(() => this.#fit()).observe(this.frame);
    this.image.addEventListener("load", () => this.#fit());
    this.#listenToPointer();
    this.#listenToKeys();
  }

  get brushSize() {
    return Number(this.size.value);
  }

  #controls() {
    const { l10n } = this;
    const label = el("span", {}, l10n.format("page-mask-erase"));
    const erase = el("button.button", { type: "button", "aria-pressed": "false", onclick: () => {
      this.erase = !this.erase;
      erase.setAttribute("aria-pressed", String(this.erase));
      label.textContent = l10n.format(this.erase ? "page-mask-paint" : "page-mask-erase");
    } }, label);
    return el(
      "div.tools",
      {},
      el("label.size", {}, icon("brush"), l10n.format("page-mask-brush-size"), this.size),
      erase,
      button("undo", l10n.format("page-mask-undo"), () => this.#change(() => this.mask.undo())),
      button("close", l10n.format("page-mask-clear"), () => this.#change(() => this.mask.clear())),
    );
  }

  /** @param {() => void} edit */
  #change(edit) {
    edit();
    this.#redraw();
  }

  #redraw() {
    const { canvas } = this;
    const context = contextOf(canvas);
    context.clearRect(0, 0, canvas.width, canvas.height);
    const scale = canvas.width / this.picture.width;
    // Drawn opaque on a layer and tinted at once, so that crossing strokes do not grow darker.
    const layer = new Layer(canvas.width, canvas.height);
    this.mask.draw(layer.context, scale, "#000");
    layer.context.globalCompositeOperation = "source-in";
    layer.context.fillStyle = TINT;
    layer.context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(layer.canvas, 0, 0);
    if (this.cursorShown) this.#drawCursor(context, scale);
  }

  /**
   * @param {CanvasRenderingContext2D} context
   * @param {number} scale
   */
  #drawCursor(context, scale) {
    for (const [colour, width] of /** @type {const} */ ([["#fff", 4], ["#000", 2]])) {
      context.strokeStyle = colour;
      context.lineWidth = width;
      context.beginPath();
      context.arc(this.cursor.x * scale, this.cursor.y * scale, (this.brushSize / 2) * scale, 0, Math.PI * 2);
      context.stroke();
    }
  }

  #fit() {
    const { canvas, picture } = this;
    const shown = this.image.getBoundingClientRect();
    if (!shown.width) return;
    const scale = Math.min(shown.width / picture.width, shown.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    canvas.style.setProperty("width", `${width}px`);
    canvas.style.setProperty("height", `${height}px`);
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    this.#redraw();
  }

  /**
   * @param {PointerEvent} event
   * @returns {Point}
   */
  #pointOf(event) {
    const box = this.canvas.getBoundingClientRect();
    return {
      x: ((event.clientX - box.left) / box.width) * this.picture.width,
      y: ((event.clientY - box.top) / box.height) * this.picture.height,
    };
  }

  #listenToPointer() {
    const { canvas, mask } = this;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.painting = true;
      this.#change(() => mask.begin(this.#pointOf(event), this.brushSize, this.erase));
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.painting) return;
      const events = event.getCoalescedEvents();
      for (const each of events.length ? events : [event]) mask.extend(this.#pointOf(each));
      this.#redraw();
    });
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { this.painting = false; });
  }

  #listenToKeys() {
    const { canvas } = this;
    canvas.addEventListener("keydown", (event) => {
      if (!this.#pressKey(event)) return;
      event.preventDefault();
      this.#redraw();
    });
    // The cursor is drawn for the keyboard alone; a pointer has its own.
    canvas.addEventListener("focus", () => this.#change(() => { this.cursorShown = canvas.matches(":focus-visible"); }));
    canvas.addEventListener("blur", () => this.#change(() => { this.cursorShown = false; }));
  }

  /**
   * Whether the key means something here.
   *
   * @param {KeyboardEvent} event
   */
  #pressKey(event) {
    const { cursor, mask, picture } = this;
    const direction = DIRECTIONS[event.key];
    if (direction) {
      const step = Math.max(1, this.brushSize / 3);
      cursor.x = Math.min(picture.width, Math.max(0, cursor.x + direction[0] * step));
      cursor.y = Math.min(picture.height, Math.max(0, cursor.y + direction[1] * step));
      if (event.shiftKey && mask.strokes.length) mask.extend({ ...cursor });
    } else if (event.key === " ") mask.begin({ ...cursor }, this.brushSize, this.erase);
    else if (event.key === "z" || event.key === "Z") mask.undo();
    else return false;
    return true;
  }
}

/** @type {Record<string, readonly [number, number]>} */
const DIRECTIONS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
