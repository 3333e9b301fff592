/** A job's finished pictures side by side, each with its own buttons. */
import { el, icon } from "./dom.js";

const ICONS = { vary: "vary", upscale: "upscale", edit: "edit" };

/** "many", or the shape of a single picture: what decides how much room it takes. */
export function shapeOf({ width, height }, count) {
  if (count > 1) return "many";
  if (width > height * 1.2) return "wide";
  return height > width * 1.2 ? "tall" : "square";
}

export function gallery(message, words, press) {
  const many = message.pictures.length > 1;
  return el(`div.gallery.${shapeOf(message.pictures[0], message.pictures.length)}`, {}, message.pictures.map((picture, at) => tile(message, picture, at + 1, many, words, press)));
}

function tile(message, picture, number, many, words, press) {
  const image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height, decoding: "async" });
  const open = el(
    "button.open",
    {
      type: "button",
      "aria-label": `${many ? words.say("openNumber", number) : words.say("open")}: ${picture.alt}`,
      "data-action": "open",
      "data-target": picture.id,
      onclick: (event) => press("open", picture.id, event),
    },
    image,
  );
  const own = message.buttons.filter((each) => each.target === picture.id && ICONS[each.action]);
  const tools = [
    ...own.map((each) => tool(ICONS[each.action], each.label, each.action, picture.id, press)),
    own.length ? tool("blend", words.say("blend") + (many ? ` ${number}` : ""), "blend", picture.id, press) : null,
    download(picture, number, many, words),
  ];
  return el("figure.tile", {}, open, many ? el("span.number", { "aria-hidden": "true" }, String(number)) : null, el("div.tools", {}, tools));
}

function tool(sign, label, action, target, press) {
  return el(
    "button.button.quiet",
    { type: "button", title: label, "data-action": action, "data-target": target, onclick: (event) => press(action, target, event) },
    icon(sign),
    el("span", {}, label),
  );
}

/** A link, not a button: the browser itself saves the file. */
function download(picture, number, many, words) {
  const label = words.say("download") + (many ? ` ${number}` : "");
  return el("a.button.quiet.download", { href: `${picture.url}?download=1`, download: "", title: label, "data-action": "download", "data-target": picture.id }, icon("download"), el("span", {}, label));
}
