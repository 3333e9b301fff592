/** What buttons do: some happen on the page, the others are asked of the server. */
import { newKey, Trouble } from "./api.js";
import { askDialog, confirmDialog, facts, openDialog } from "./dialogs.js";
import { button, el } from "./dom.js";
import { openLightbox } from "./lightbox.js";
import { openMenu } from "./menu.js";
import { typed } from "./message.js";

export class Actions {
  /** `room`: { conversation, composer, place(), openThread(job) } of the side where the button stands. */
  constructor({ words, api, notices, onreply }) {
    Object.assign(this, { words, api, notices, onreply });
  }

  /** Carry a button out. `message` is null for buttons of notes; `anchor` is the button or the note. */
  async perform(room, action, message, target, anchor) {
    const here = LOCAL[action];
    if (here) return here(this, room, { message, target, anchor });
    const more = await (ASKING[action]?.(this, { message, target, anchor }) ?? {});
    if (more === null) return undefined;
    return this.#ask(room, { action, target, ...more }, anchor);
  }

  async #ask(room, values, anchor) {
    const place = room.place();
    try {
      const reply = await this.api.action({ ...values, key: newKey(), channel: place.channel, thread: place.thread });
      if (anchor?.classList?.contains("aside-note") && reply.kind !== "refusal") anchor.remove();
      this.onreply(room, reply, "");
    } catch (error) {
      if (!(error instanceof Trouble)) throw error;
      this.notices.toast(this.words.say("failed"), { again: () => this.#ask(room, values, anchor) });
    }
  }
}

/** What happens without the server. */
const LOCAL = {
  open: (actions, room, { message, target }) => {
    const pictures = message.pictures.map((picture) => ({ ...picture, buttons: message.buttons.filter((each) => each.target === picture.id && each.action !== "undo") }));
    openLightbox(pictures, target, actions.words, (action, id, anchor) => actions.perform(room, action, message, id, anchor));
  },
  edit: (_actions, room, { message, target }) => room.composer.edit(pictureOf(room, message, target)),
  blend: (_actions, room, { message, target }) => room.composer.blend(pictureOf(room, message, target)),
  reroll: (_actions, room, { message }) => room.composer.reroll(message, typed(message)),
  thread: (_actions, room, { message }) => room.openThread(message.id),
  "show-parent": (actions, room, { message, target }) => {
    const view = room.conversation.find(target);
    if (!view) return openLightbox([{ ...message.parent, alt: actions.words.say("madeFrom") }], target, actions.words, () => {});
    view.node.scrollIntoView({ block: "center" });
    return view.node.focus({ preventScroll: true });
  },
  copy: async (actions, _room, { message, anchor }) => {
    await copy(typed(message));
    actions.notices.toast(actions.words.say("copied"));
    anchor?.focus();
  },
};

/** What has a question first; null means that it was left. */
const ASKING = {
  upscale: ({ words }, { anchor }) =>
    new Promise((done) => {
      const at = anchor?.isConnected ? anchor : document.querySelector(".composer textarea");
      openMenu(at, [2, 4].map((factor) => ({ icon: "upscale", label: `${words.say("upscale")} ×${factor}`, run: () => done({ factor }) })));
    }),
  delete: async ({ words }) => ((await confirmDialog(words, words.say("deleteTitle"), words.say("deleteText"), words.say("delete"))) ? {} : null),
  report: async ({ words }) => {
    const said = await askDialog(words, words.say("reportTitle"), words.say("reportWords"), words.say("reportSend"));
    return said ? { words: said } : null;
  },
};

/** A reply with a list of facts about one job opens as a dialog. */
export function showDetails(reply, words) {
  return openDialog(reply.title, (close) => el("div", {}, facts(reply.fields), el("div.actions", {}, button(null, words.say("close"), () => close(), { autofocus: true }))));
}

function pictureOf(room, message, id) {
  const known = message ?? room.conversation.find(id)?.message;
  return known?.pictures.find((picture) => picture.id === id) ?? { id, url: `/pictures/${id}`, alt: "", width: 512, height: 512 };
}

async function copy(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  // Plain HTTP on another address than this machine has no clipboard; a selected field still copies.
  const field = el("textarea", { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  return field.remove();
}
