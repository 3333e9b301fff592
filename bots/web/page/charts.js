/** SVG charts of values by tier over time: stacked bars, or lines. */

/**
 * @import { TierValues } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

const SVG = "http://www.w3.org/2000/svg";
const TIERS = ["free", "plus", "team", "pro"];
const [HEIGHT, LEFT, BOTTOM, TOP] = [190, 44, 6, 12]; // pixels: the chart's height, and its margins

class Chart {
  /** @param {Localization} l10n */
  constructor(l10n) {
    this.l10n = l10n;
    this.node = shape("svg", { class: "chart", role: "img" });
    this.width = 0;
    this.highest = 0;
    this.step = 0;
  }

  /** @param {string} text */
  label(text) {
    this.node.setAttribute("aria-label", text);
  }

  /**
   * @param {readonly TierValues[]} samples The newest is last, and is drawn at the right.
   * @param {number} capacity How many samples the width holds.
   */
  draw(samples, capacity) {
    this.width = this.node.clientWidth || 800;
    this.highest = Math.max(4, ...samples.map((each) => this.heightOf(each)));
    this.step = (this.width - LEFT) / Math.max(1, capacity);
    const grid = [0, this.highest / 2, this.highest].flatMap((value) => [
      shape("line", { class: "grid", x1: LEFT, x2: this.width, y1: this.y(value), y2: this.y(value) }),
      shape("text", { x: LEFT - 6, y: this.y(value) + 4, "text-anchor": "end" }, this.l10n.number(value)),
    ]);
    this.node.setAttribute("viewBox", `0 0 ${this.width} ${HEIGHT}`);
    this.node.replaceChildren(...grid, ...this.shapesOf(samples));
  }

  /**
   * The highest value that a sample reaches.
   *
   * @param {TierValues} _sample
   * @returns {number}
   */
  heightOf(_sample) {
    throw new Error("a chart says how high its samples are");
  }

  /**
   * @param {readonly TierValues[]} _samples
   * @returns {SVGElement[]}
   */
  shapesOf(_samples) {
    throw new Error("a chart draws its samples");
  }

  /** @param {number} value */
  y(value) {
    return HEIGHT - BOTTOM - (value / this.highest) * (HEIGHT - BOTTOM - TOP);
  }

  /**
   * The left edge of a sample.
   *
   * @param {number} index
   * @param {number} count
   */
  x(index, count) {
    return this.width - (count - index) * this.step;
  }
}

/** The tiers' values on top of each other. */
export class StackedBars extends Chart {
  /**
   * @override
   * @param {TierValues} sample
   */
  heightOf(sample) {
    return TIERS.reduce((sum, tier) => sum + (sample[tier] ?? 0), 0);
  }

  /**
   * @override
   * @param {readonly TierValues[]} samples
   */
  shapesOf(samples) {
    return samples.flatMap((sample, index) => {
      let below = 0;
      return TIERS.flatMap((tier) => {
        const value = sample[tier];
        if (!value) return [];
        const [low, high] = [this.y(below), this.y(below + value)];
        below += value;
        return [shape("rect", { class: tier, x: this.x(index, samples.length), width: this.step + 0.3, y: high, height: low - high })];
      });
    });
  }
}

/** A line for each tier, interrupted where it has no value. */
export class Lines extends Chart {
  /**
   * @override
   * @param {TierValues} sample
   */
  heightOf(sample) {
    return Math.max(0, ...Object.values(sample).map((value) => value ?? 0));
  }

  /**
   * @override
   * @param {readonly TierValues[]} samples
   */
  shapesOf(samples) {
    return TIERS.map((tier) => {
      const segments = samples.map((sample, index) => {
        const value = sample[tier];
        if (value === undefined) return "";
        const [x, y] = [this.x(index, samples.length), this.y(value)];
        const continues = samples[index - 1]?.[tier] !== undefined;
        return `${continues ? "L" : "M"}${x},${y}H${x + this.step}`;
      });
      return shape("path", { class: `line ${tier}`, d: segments.join("") });
    });
  }
}

/**
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} name
 * @param {Record<string, string | number>} values
 * @param {string} [text]
 * @returns {SVGElementTagNameMap[Tag]}
 */
function shape(name, values, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(values)) node.setAttribute(key, String(value));
  if (text) node.textContent = text;
  return node;
}
