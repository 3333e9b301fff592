/** Painting a mask over a picture: with a mouse, a pen, a finger, or the keyboard. */
import { button, el, icon } from "./dom.js";
import { openDialog } from "./dialogs.js";

const TINT = "rgba(210, 60, 30, 0.55)";

/** Resolves with a PNG of the picture's size, white where it may change; null when it was closed. */
export async function paintMask(picture, words) {
  const mask = new Mask(picture.width, picture.height);
  let result = null;
  await openDialog(
    words.say("brushTitle"),
    (close) => {
      const done = async () => {
        if (mask.empty) {
          says.textContent = words.say("maskEmpty");
          return;
        }
        result = await mask.toBlob();
        close("use");
      };
      const says = el("p", { role: "status" });
      return el("div", {}, easel(picture, mask, words), says, el("div.actions", {}, button(null, words.say("cancel"), () => close()), el("button.button.primary", { type: "button", onclick: done }, words.say("useMask"))));
    },
    { kind: "dialog brush" },
  );
  return result;
}

/** Strokes, kept as points in the picture's pixels, so that the last one can be taken back. */
class Mask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.strokes = [];
  }

  get empty() {
    return !this.strokes.some((stroke) => !stroke.erase);
  }

  begin(point, size, erase) {
    this.strokes.push({ points: [point], size, erase });
  }

  extend(point) {
    this.strokes.at(-1)?.points.push(point);
  }

  undo() {
    this.strokes.pop();
  }

  clear() {
    this.strokes = [];
  }

  draw(context, scale, colour) {
    for (const stroke of this.strokes) {
      context.globalCompositeOperation = stroke.erase ? "destination-out" : "source-over";
      context.strokeStyle = colour;
      context.lineWidth = stroke.size * scale;
      context.lineCap = "round";
      context.lineJoin = "round";
      context.beginPath();
      const [first, ...rest] = stroke.points;
      context.moveTo(first.x * scale, first.y * scale);
      for (const point of rest.length ? rest : [first]) context.lineTo(point.x * scale, point.y * scale);
      context.stroke();
    }
    context.globalCompositeOperation = "source-over";
  }

  toBlob() {
    const layer = canvasOf(this.width, this.height);
    this.draw(layer.getContext("2d"), 1, "#fff");
    const paper = canvasOf(this.width, this.height);
    const context = paper.getContext("2d");
    context.fillStyle = "#000";
    context.fillRect(0, 0, this.width, this.height);
    context.drawImage(layer, 0, 0);
    return new Promise((done) => paper.toBlob(done, "image/png"));
  }
}

function easel(picture, mask, words) {
  const largest = Math.max(picture.width, picture.height);
  const size = el("input", { type: "range", min: Math.max(2, Math.round(largest / 40)), max: Math.round(largest / 2), value: Math.round(largest / 6) });
  const image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height });
  const canvas = el("canvas", { tabIndex: 0, role: "application", "aria-label": words.say("brushCanvas") });
  const frame = el("div.easel", {}, image, canvas);
  const state = { erase: false, cursor: { x: picture.width / 2, y: picture.height / 2 }, down: false, focused: false };

  const redraw = () => {
    const context = canvas.getContext("2d");
    context.clearRect(0, 0, canvas.width, canvas.height);
    const scale = canvas.width / picture.width;
    // Painted opaque on a layer and laid over at once, so that crossing strokes do not grow darker.
    const layer = canvasOf(canvas.width, canvas.height);
    mask.draw(layer.getContext("2d"), scale, "#000");
    const ink = layer.getContext("2d");
    ink.globalCompositeOperation = "source-in";
    ink.fillStyle = TINT;
    ink.fillRect(0, 0, layer.width, layer.height);
    context.drawImage(layer, 0, 0);
    if (state.focused) ring(context, state.cursor, Number(size.value), scale);
  };
  const fit = () => {
    const shown = image.getBoundingClientRect();
    if (!shown.width) return;
    const scale = Math.min(shown.width / picture.width, shown.height / picture.height);
    const [width, height] = [picture.width * scale, picture.height * scale];
    canvas.style.setProperty("width", `${width}px`);
    canvas.style.setProperty("height", `${height}px`);
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    redraw();
  };
  new ResizeObserver(fit).observe(frame);
  image.addEventListener("load", fit);
  withPointer(canvas, picture, mask, state, size, redraw);
  withKeys(canvas, picture, mask, state, size, redraw);

  const erase = button(null, words.say("erase"), () => {
    state.erase = !state.erase;
    erase.setAttribute("aria-pressed", String(state.erase));
    erase.querySelector("span").textContent = words.say(state.erase ? "paint" : "erase");
  }, { "aria-pressed": "false" });
  return el(
    "div",
    {},
    frame,
    el(
      "div.tools",
      {},
      el("label.size", {}, icon("brush"), words.say("brushSize"), size),
      erase,
      button("undo", words.say("undoStroke"), () => { mask.undo(); redraw(); }),
      button("close", words.say("clear"), () => { mask.clear(); redraw(); }),
    ),
  );
}

function withPointer(canvas, picture, mask, state, size, redraw) {
  const point = (event) => {
    const box = canvas.getBoundingClientRect();
    return { x: ((event.clientX - box.left) / box.width) * picture.width, y: ((event.clientY - box.top) / box.height) * picture.height };
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    state.down = true;
    mask.begin(point(event), Number(size.value), state.erase);
    redraw();
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!state.down) return;
    for (const each of event.getCoalescedEvents?.() ?? [event]) mask.extend(point(each));
    redraw();
  });
  for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, () => { state.down = false; });
}

function withKeys(canvas, picture, mask, state, size, redraw) {
  const step = () => Math.max(1, Number(size.value) / 3);
  const ways = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  canvas.addEventListener("keydown", (event) => {
    const way = ways[event.key];
    if (way) {
      state.cursor.x = Math.min(picture.width, Math.max(0, state.cursor.x + way[0] * step()));
      state.cursor.y = Math.min(picture.height, Math.max(0, state.cursor.y + way[1] * step()));
      if (event.shiftKey && mask.strokes.length) mask.extend({ ...state.cursor });
    } else if (event.key === " ") mask.begin({ ...state.cursor }, Number(size.value), state.erase);
    else if (event.key === "z" || event.key === "Z") mask.undo();
    else return;
    event.preventDefault();
    redraw();
  });
  // The ring shows for the keyboard alone; a pointer shows where it is by itself.
  canvas.addEventListener("focus", () => { state.focused = canvas.matches(":focus-visible"); redraw(); });
  canvas.addEventListener("blur", () => { state.focused = false; redraw(); });
}

function ring(context, cursor, size, scale) {
  for (const [colour, width] of [["#fff", 4], ["#000", 2]]) {
    context.strokeStyle = colour;
    context.lineWidth = width;
    context.beginPath();
    context.arc(cursor.x * scale, cursor.y * scale, (size / 2) * scale, 0, Math.PI * 2);
    context.stroke();
  }
}

function canvasOf(width, height) {
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = height;
  return canvas;
}
