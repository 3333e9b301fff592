/** Charts of the administrators' page: values by tier over time, as bands on each other or as lines. */
const SVG = "http://www.w3.org/2000/svg";
const TIERS = ["free", "plus", "team", "pro"];
const [HEIGHT, LEFT, FOOT, HEAD] = [190, 44, 6, 12];

class Chart {
  constructor(words) {
    this.words = words;
    this.node = shape("svg", { class: "chart", role: "img" });
  }

  label(text) {
    this.node.setAttribute("aria-label", text);
  }

  /** One object of values by tier for each moment, the newest at the right; there is room for `room` of them. */
  draw(moments, room) {
    this.width = this.node.clientWidth || 800;
    this.top = Math.max(4, ...moments.map((each) => this.height(each)));
    this.step = (this.width - LEFT) / Math.max(1, room);
    const grid = [0, this.top / 2, this.top].flatMap((value) => [
      shape("line", { class: "grid", x1: LEFT, x2: this.width, y1: this.y(value), y2: this.y(value) }),
      shape("text", { x: LEFT - 6, y: this.y(value) + 4, "text-anchor": "end" }, this.words.number(value)),
    ]);
    this.node.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.node.replaceChildren(...grid, ...this.shapes(moments));
  }

  y(value) {
    return HEIGHT - FOOT - (value / this.top) * (HEIGHT - FOOT - HEAD);
  }

  /** The left edge of a moment. */
  x(at, count) {
    return this.width - (count - at) * this.step;
  }
}

/** Each tier's band stands on the one below. */
export class Bands extends Chart {
  height(moment) {
    return TIERS.reduce((sum, tier) => sum + (moment[tier] ?? 0), 0);
  }

  shapes(moments) {
    return moments.flatMap((moment, at) => {
      let below = 0;
      return TIERS.filter((tier) => moment[tier]).map((tier) => {
        const [low, high] = [this.y(below), this.y(below + moment[tier])];
        below += moment[tier];
        return shape("rect", { class: tier, x: this.x(at, moments.length), width: this.step + 0.3, y: high, height: low - high });
      });
    });
  }
}

/** A line for each tier, with holes where it has no value. */
export class Lines extends Chart {
  height(moment) {
    return Math.max(0, ...Object.values(moment));
  }

  shapes(moments) {
    return TIERS.map((tier) => {
      const parts = moments.map((moment, at) => {
        if (moment[tier] === undefined) return "";
        const [x, y] = [this.x(at, moments.length), this.y(moment[tier])];
        const before = at > 0 && moments[at - 1][tier] !== undefined;
        return `${before ? "L" : "M"}${x},${y}H${x + this.step}`;
      });
      return shape("path", { class: `line ${tier}`, d: parts.join("") });
    });
  }
}

function shape(name, values, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) node.setAttribute(key, value);
  if (text) node.textContent = text;
  return node;
}
