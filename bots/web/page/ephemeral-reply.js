/** A reply that only this member sees: a refusal, a fact, a question. It stays until it is dismissed. */
import { factList } from "./dialogs.js";
import { button, el, icon, iconButton } from "./dom.js";
import { openLightbox } from "./lightbox.js";

/**
 * @import { Button, Reply } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 */

/** @typedef {(action: string, target: string | null, anchor: HTMLElement | null) => void} PressInReply */

export const FEATURE_LOCKED = "feature-not-in-tier";
/** Refusals that another persona would not get. */
const OF_THE_PERSONA = new Set([FEATURE_LOCKED, "quota-spent", "quota-too-small", "pool-spent", "too-large", "too-many-pictures", "waiting-full", "doors-closed", "doors-waitlist"]);

/**
 * A reply that the page gives itself.
 *
 * @param {string} kind
 * @param {string} code
 * @param {string} text
 * @returns {Reply}
 */
export function localReply(kind, code, text) {
  return { kind, code, text, title: "", private: true, fields: [], buttons: [], pictures: [], download: null, message: null };
}

/**
 * @param {Reply} reply
 * @param {string} request What the member had typed.
 * @param {Localization} l10n
 * @param {PressInReply} press
 */
export function ephemeralReply(reply, request, l10n, press) {
  const node = el(`li.ephemeral-reply.${reply.kind}`, { tabIndex: -1, "aria-label": l10n.format("page-only-you") });
  const dismiss = iconButton("close", l10n.format("page-dismiss"), () => node.remove());
  const audience = el("span.audience", {}, reply.private ? l10n.format("page-only-you") : null);
  const titled = reply.title && reply.kind !== "refusal";
  const buttons = buttonsOf(reply, l10n);
  const parts = [
    el("div.head", {}, reply.private ? icon("eye") : null, audience, dismiss),
    request ? el("p.request-text", {}, request) : null,
    titled ? el("h3", {}, reply.title) : null,
    reply.text && reply.text !== reply.title ? el("p.reply-text", {}, reply.text) : null,
    // A list of pictures needs no description.
    reply.fields.length && !reply.pictures.length ? factList(reply.fields) : null,
    reply.pictures.length ? pictureStrip(reply, l10n, press) : null,
    buttons.length ? el("div.reply-buttons", {}, buttons.map((each) => replyButton(each, press, node))) : null,
  ];
  node.append(...parts.filter((part) => part !== null));
  return node;
}

/**
 * @param {Reply} reply
 * @param {Localization} l10n
 */
function buttonsOf(reply, l10n) {
  const offered = reply.buttons.filter((each) => reply.kind !== "picture" || each.action === "edit" || each.action === "vary");
  return OF_THE_PERSONA.has(reply.code) ? [...offered, switchPersona(l10n)] : offered;
}

/**
 * @param {Localization} l10n
 * @returns {Button}
 */
function switchPersona(l10n) {
  return { action: "switch-persona", label: l10n.format("page-switch-persona"), target: null, index: null, style: "plain" };
}

/**
 * @param {Button} each
 * @param {PressInReply} press
 * @param {HTMLElement} node
 */
function replyButton(each, press, node) {
  const made = button(null, each.label, () => press(each.action, each.target, node));
  if (each.style !== "plain") made.classList.add(each.style);
  return made;
}

/**
 * @param {Reply} reply
 * @param {Localization} l10n
 * @param {PressInReply} press
 */
function pictureStrip(reply, l10n, press) {
  const open = (/** @type {string} */ id) => openLightbox(reply.pictures, id, l10n, (action, target) => press(action, target, null));
  const thumbnails = reply.pictures.map((picture) =>
    el(
      "button",
      { type: "button", title: picture.alt, "aria-label": `${l10n.format("page-open-picture")}: ${picture.alt}`, onclick: () => open(picture.id) },
      el("img", { src: picture.url, alt: picture.alt, loading: "lazy" }),
    ),
  );
  return el("div.strip", {}, thumbnails);
}
