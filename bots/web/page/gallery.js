/** A job's finished pictures side by side, each with its buttons. */
import { el, icon } from "./dom.js";

/**
 * @import { LockedFeatures, Message, Picture } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

/** @typedef {(action: string, target: string | null, anchor: HTMLElement) => void} Press */

const PICTURE_ACTIONS = new Set(["vary", "upscale", "edit"]);

/**
 * "many", or the shape of a single picture: what decides how much space it takes.
 *
 * @param {{ width: number, height: number }} size
 * @param {number} count
 */
export function shapeOf({ width, height }, count) {
  if (count > 1) return "many";
  if (width > height * 1.2) return "wide";
  return height > width * 1.2 ? "tall" : "square";
}

/**
 * @param {Message} message
 * @param {Localization} l10n
 * @param {LockedFeatures} locked
 * @param {Press} press
 */
export function gallery(message, l10n, locked, press) {
  const { pictures } = message;
  const [first] = pictures;
  const shape = first ? shapeOf(first, pictures.length) : "square";
  return el(`div.gallery.${shape}`, {}, pictures.map((picture, index) => tile(message, picture, index + 1, { l10n, locked, press })));
}

/**
 * @param {Message} message
 * @param {Picture} picture
 * @param {number} number
 * @param {{ l10n: Localization, locked: LockedFeatures, press: Press }} options
 */
function tile(message, picture, number, { l10n, locked, press }) {
  const many = message.pictures.length > 1;
  const label = (/** @type {string} */ id, /** @type {string} */ numbered) => (many ? l10n.format(numbered, { number }) : l10n.format(id));
  const image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height, decoding: "async" });
  const open = el(
    "button.open",
    {
      type: "button",
      "aria-label": `${label("page-open-picture", "page-open-picture-number")}: ${picture.alt}`,
      "data-action": "open",
      "data-target": picture.id,
      onclick: (event) => press("open", picture.id, event.currentTarget),
    },
    image,
  );
  const buttons = message.buttons.filter((each) => each.target === picture.id && PICTURE_ACTIONS.has(each.action));
  const offer = (/** @type {string} */ action, /** @type {string} */ name) => {
    const tier = locked[action];
    return tier ? lockedTool(action, name, picture.id, l10n.format(`tier-${tier}`), press) : tool(action, name, picture.id, press);
  };
  const tools = [
    ...buttons.map((each) => offer(each.action, each.label)),
    buttons.length ? offer("blend", label("page-blend", "page-blend-number")) : null,
    download(picture, label("page-download", "page-download-number")),
  ];
  const badge = many ? el("span.number", { "aria-hidden": "true" }, String(number)) : null;
  return el("figure.tile", {}, open, badge, el("div.tools", {}, tools));
}

/**
 * @param {string} action
 * @param {string} label
 * @param {string} target
 * @param {Press} press
 */
function tool(action, label, target, press) {
  return el(
    "button.button.quiet",
    { type: "button", title: label, "data-action": action, "data-target": target, onclick: (event) => press(action, target, event.currentTarget) },
    icon(action),
    el("span", {}, label),
  );
}

/**
 * The button of a feature that the member's tier lacks: it names the tier, and says so when it is pressed.
 *
 * @param {string} action
 * @param {string} label
 * @param {string} target
 * @param {string} tier
 * @param {Press} press
 */
function lockedTool(action, label, target, tier, press) {
  const name = `${label} · ${tier}`;
  return el(
    "button.button.quiet.locked",
    { type: "button", title: name, "aria-label": name, "data-action": action, "data-target": target, onclick: (event) => press("locked", action, event.currentTarget) },
    icon(action),
    icon("lock"),
    el("span", {}, name),
  );
}

/**
 * A link and not a button: the browser itself saves the file.
 *
 * @param {Picture} picture
 * @param {string} label
 */
function download(picture, label) {
  return el(
    "a.button.quiet.download",
    { href: `${picture.url}?download=1`, download: "", title: label, "data-action": "download", "data-target": picture.id },
    icon("download"),
    el("span", {}, label),
  );
}
