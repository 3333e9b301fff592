/** Building the page's elements. Text only ever goes in as text, never as markup. */
import { SHAPES } from "./icons.js";

/**
 * `el("button.primary", { onclick, "aria-label": … }, "text", child)`.
 * Names with a dash, and `role`, `for`, `href`, are attributes; `on…` are listeners; the rest are properties.
 */
export function el(spec, values = {}, ...children) {
  const [name, ...classes] = spec.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(values)) set(node, key, value);
  node.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ATTRIBUTES = new Set(["role", "for", "href", "list", "width", "height"]);

function set(node, key, value) {
  if (value === undefined || value === null) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
  else if (key.includes("-") || ATTRIBUTES.has(key)) node.setAttribute(key, value);
  else node[key] = value;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawn sign; screen readers pass it by, so its button needs words. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("fill", "none");
  svg.setAttribute("stroke", "currentColor");
  svg.setAttribute("stroke-width", "1.8");
  svg.setAttribute("stroke-linecap", "round");
  svg.setAttribute("stroke-linejoin", "round");
  for (const shape of SHAPES[name]) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/** A button of an icon alone, named by its label and showing it as a tip. */
export function iconButton(name, label, onclick, values = {}) {
  return el("button.button.quiet.icon-only", { type: "button", title: label, "aria-label": label, onclick, ...values }, icon(name));
}

/** A button of an icon and words. */
export function button(name, label, onclick, values = {}) {
  return el("button.button", { type: "button", onclick, ...values }, name ? icon(name) : null, el("span", {}, label));
}

/** Replace what a node holds. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

/** A number from 0 to 359 that stays the same for a text. */
export function hue(text) {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + letter.codePointAt(0)) % 9973;
  return (sum * 47) % 360;
}

/** A person's sign: the first letter on a colour of their own. */
export function avatar(person, small = false) {
  const node = el(small ? "span.avatar.small" : "span.avatar", { "aria-hidden": "true" }, [...(person.name || "?")][0].toUpperCase());
  node.style.setProperty("--hue", hue(person.id));
  return node;
}
