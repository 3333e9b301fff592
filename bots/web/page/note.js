/** An answer for one's own eyes: a refusal, a fact, a question; it stands in the conversation until dismissed. */
import { button, el, icon, iconButton } from "./dom.js";
import { facts } from "./dialogs.js";
import { openLightbox } from "./lightbox.js";

/** `press(button)` carries one of its buttons out. */
export function note(reply, asked, words, press) {
  const node = el(`li.aside-note.${reply.kind}`, { tabIndex: -1, "aria-label": words.say("onlyYou") });
  const dismiss = iconButton("close", words.say("dismiss"), () => node.remove());
  const only = el("span.eyes", {}, words.say("onlyYou"));
  const head = el("div.head", {}, reply.private ? icon("eye") : null, reply.private ? only : el("span.eyes"), dismiss);
  const titled = reply.title && reply.kind !== "refusal" ? el("h3", {}, reply.title) : null;
  const buttons = reply.buttons.filter((each) => reply.kind !== "picture" || each.action === "edit" || each.action === "vary");
  node.append(
    head,
    ...[
      asked ? el("p.asked", {}, asked) : null,
      titled,
      reply.text && reply.text !== reply.title ? el("p.words", {}, reply.text) : null,
      // A list of pictures speaks for itself.
      reply.fields.length && !reply.pictures.length ? facts(reply.fields) : null,
      reply.pictures.length ? strip(reply, words, press) : null,
      buttons.length ? el("div.answers", {}, buttons.map((each) => answer(each, press, node))) : null,
    ].filter(Boolean),
  );
  return node;
}

function answer(each, press, node) {
  const made = button(null, each.label, () => press(each, node));
  if (each.style !== "plain") made.classList.add(each.style);
  return made;
}

function strip(reply, words, press) {
  const open = (id) => openLightbox(reply.pictures, id, words, (action, target) => press({ action, target }, null));
  return el(
    "div.strip",
    {},
    reply.pictures.map((picture) =>
      el("button", { type: "button", title: picture.alt, "aria-label": `${words.say("open")}: ${picture.alt}`, onclick: () => open(picture.id) }, el("img", { src: picture.url, alt: picture.alt, loading: "lazy" })),
    ),
  );
}
