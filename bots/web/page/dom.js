/** Builds the page's elements. Text is only ever inserted as text, never as markup. */
import { SHAPES } from "./icons.js";

/** @typedef {Node | string | null | undefined | false} Child */

/**
 * @typedef {object} Listeners
 * @property {(event: MouseEvent & { currentTarget: HTMLElement }) => void} [onclick]
 * @property {(event: PointerEvent) => void} [onpointerdown]
 * @property {(event: SubmitEvent) => void} [onsubmit]
 * @property {(event: Event) => void} [onchange]
 * @property {(event: Event) => void} [onload]
 */

/** @typedef {Listeners & Record<string, unknown>} Values */

/**
 * @template {string} Tag
 * @typedef {Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : HTMLElement} ElementOf
 */

/**
 * @template {string} Spec
 * @typedef {Spec extends `${infer Tag}.${string}` ? ElementOf<Tag> : ElementOf<Spec>} ElementFor
 */

/**
 * `el("button.primary", { onclick, "aria-label": … }, "text", child)`.
 * Names with a dash and those of `ATTRIBUTES` are attributes; `on…` are listeners; the rest are properties.
 *
 * @template {string} Spec
 * @param {Spec} spec The tag's name, then classes, separated by dots.
 * @param {Values} [values]
 * @param {...(Child | readonly Child[])} children
 * @returns {ElementFor<Spec>}
 */
export function el(spec, values = {}, ...children) {
  const [name, ...classes] = spec.split(".");
  const node = document.createElement(name || "div");
  if (classes.length) node.classList.add(...classes);
  for (const [key, value] of Object.entries(values)) set(node, key, value);
  node.append(...present(children));
  return /** @type {ElementFor<Spec>} */ (/** @type {unknown} */ (node));
}

const ATTRIBUTES = new Set(["role", "for", "href", "list", "width", "height"]);

/**
 * @param {HTMLElement} node
 * @param {string} key
 * @param {unknown} value
 */
function set(node, key, value) {
  if (value === undefined || value === null) return;
  if (key.startsWith("on")) node.addEventListener(key.slice(2), /** @type {EventListener} */ (value));
  else if (key.includes("-") || ATTRIBUTES.has(key)) node.setAttribute(key, String(value));
  else Reflect.set(node, key, value);
}

/**
 * @param {readonly (Child | readonly Child[])[]} children
 * @returns {(Node | string)[]}
 */
function present(children) {
  return children.flat().filter((child) => child !== null && child !== undefined && child !== false);
}

/**
 * The element with an id that `index.html` has.
 *
 * @param {string} id
 * @returns {HTMLElement}
 */
export function byId(id) {
  const node = document.getElementById(id);
  if (!node) throw new Error(`no element with the id ${id}`);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/**
 * An icon; screen readers skip it, so its button needs a label.
 *
 * @param {string} name
 */
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
  for (const shape of SHAPES[name] ?? []) {
    const path = document.createElementNS(SVG, "path");
    path.setAttribute("d", shape);
    svg.append(path);
  }
  return svg;
}

/**
 * A button of an icon alone, named by its label, which also shows as a tooltip.
 *
 * @param {string} name
 * @param {string} label
 * @param {NonNullable<Listeners["onclick"]>} onclick
 * @param {Values} [values]
 */
export function iconButton(name, label, onclick, values = {}) {
  return el("button.button.quiet.icon-only", { type: "button", title: label, "aria-label": label, onclick, ...values }, icon(name));
}

/**
 * A button of a label, with an icon where `name` is given.
 *
 * @param {string | null} name
 * @param {string} label
 * @param {NonNullable<Listeners["onclick"]>} onclick
 * @param {Values} [values]
 */
export function button(name, label, onclick, values = {}) {
  return el("button.button", { type: "button", onclick, ...values }, name ? icon(name) : null, el("span", {}, label));
}

/**
 * Replace the content of a node.
 *
 * @param {Element} node
 * @param {...(Child | readonly Child[])} children
 */
export function fill(node, ...children) {
  node.replaceChildren(...present(children));
}

/**
 * A hue from 0 to 359 that is always the same for a text.
 *
 * @param {string} text
 */
export function hue(text) {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + (letter.codePointAt(0) ?? 0)) % 9973;
  return (sum * 47) % 360;
}

/**
 * A person's initial on a colour of their own.
 *
 * @param {{ id: string, name: string }} person
 */
export function avatar(person, small = false) {
  const initial = [...(person.name || "?")][0]?.toUpperCase();
  const node = el(small ? "span.avatar.small" : "span.avatar", { "aria-hidden": "true" }, initial);
  node.style.setProperty("--hue", String(hue(person.id)));
  return node;
}
