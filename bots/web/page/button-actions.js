/** What buttons do: some act on the page, the others ask the server. */
import { newKey, ServerUnreachable } from "./api-client.js";
import { askDialog, confirmDialog, factList, openDialog } from "./dialogs.js";
import { button, el } from "./dom.js";
import { FEATURE_LOCKED, localReply } from "./ephemeral-reply.js";
import { openLightbox } from "./lightbox.js";
import { openMenu } from "./menu.js";
import { typedPrompt } from "./message-view.js";
import { openPersonaDialog } from "./persona-dialog.js";

/**
 * @import { ApiClient } from "./api-client.js"
 * @import { Message, Picture, Place, Reply } from "./api-types.js"
 * @import { Composer } from "./composer.js"
 * @import { Conversation } from "./conversation.js"
 * @import { Localization } from "./localization.js"
 * @import { Personas } from "./personas.js"
 * @import { Toasts } from "./toasts.js"
 */

/**
 * A conversation with its prompt box: the channel's, or a thread's.
 *
 * @typedef {object} Pane
 * @property {Conversation} conversation
 * @property {Composer} composer
 * @property {() => Place} place
 * @property {(job: string) => void} openThread
 */

/** @typedef {{ message: Message | null, target: string | null, anchor: HTMLElement | null }} Pressed */

export class ButtonActions {
  /** @param {{ l10n: Localization, api: ApiClient, toasts: Toasts, personas: Personas, onreply: (pane: Pane, reply: Reply, text: string) => void }} options */
  constructor({ l10n, api, toasts, personas, onreply }) {
    this.l10n = l10n;
    this.api = api;
    this.toasts = toasts;
    this.personas = personas;
    this.onreply = onreply;
  }

  /**
   * Run the action of a pressed button.
   *
   * @param {Pane} pane
   * @param {string} action
   * @param {Message | null} message Null for buttons of an ephemeral reply.
   * @param {string | null} target
   * @param {HTMLElement | null} anchor The button, or the ephemeral reply that holds it.
   * @returns {Promise<void>}
   */
  async run(pane, action, message, target, anchor) {
    const local = LOCAL[action];
    if (local) return local(this, pane, { message, target, anchor });
    const more = await (QUESTIONS[action]?.(this, { message, target, anchor }) ?? {});
    if (more === null) return undefined;
    return this.#post(pane, { action, target, ...more }, anchor);
  }

  /**
   * @param {Pane} pane
   * @param {Record<string, unknown>} values
   * @param {HTMLElement | null} anchor
   * @returns {Promise<void>}
   */
  async #post(pane, values, anchor) {
    const place = pane.place();
    try {
      const reply = await this.api.action({ ...values, key: newKey(), channel: place.channel, thread: place.thread });
      if (anchor?.classList.contains("ephemeral-reply") && reply.kind !== "refusal") anchor.remove();
      this.onreply(pane, reply, "");
    } catch (error) {
      if (!(error instanceof ServerUnreachable)) throw error;
      this.toasts.show(this.l10n.format("page-request-failed"), { retry: () => this.#post(pane, values, anchor) });
    }
  }
}

/**
 * Actions that need no server.
 *
 * @type {Record<string, (actions: ButtonActions, pane: Pane, pressed: Pressed) => void | Promise<void>>}
 */
const LOCAL = {
  open: (actions, pane, { message, target }) => {
    if (!message) return;
    const pictures = message.pictures.map((picture) => ({
      ...picture,
      buttons: message.buttons.filter((each) => each.target === picture.id && each.action !== "undo"),
    }));
    openLightbox(pictures, target, actions.l10n, (action, id, anchor) => actions.run(pane, action, message, id, anchor));
  },
  edit: (_actions, pane, { message, target }) => pane.composer.edit(pictureOf(pane, message, target)),
  blend: (_actions, pane, { message, target }) => pane.composer.blend(pictureOf(pane, message, target)),
  reroll: (_actions, pane, { message }) => {
    if (message) pane.composer.reroll(message, typedPrompt(message));
  },
  locked: ({ l10n, personas }, pane, { target }) => {
    const feature = target ?? "";
    const needs = l10n.format(`tier-${pane.conversation.locked[feature] ?? personas.current.role}`);
    const text = l10n.format("feature-not-in-tier", { feature, needs, tier: l10n.format(`tier-${personas.current.role}`) });
    pane.conversation.showReply(localReply("refusal", FEATURE_LOCKED, text), "");
  },
  "switch-persona": (actions) => {
    openPersonaDialog(actions.personas, actions.l10n);
  },
  thread: (_actions, pane, { message }) => {
    if (message) pane.openThread(message.id);
  },
  "show-parent": (actions, pane, { message, target }) => {
    const view = target ? pane.conversation.find(target) : null;
    if (view) {
      view.node.scrollIntoView({ block: "center" });
      view.node.focus({ preventScroll: true });
    } else if (message?.parent) {
      const picture = { ...message.parent, alt: actions.l10n.format("page-made-from"), width: message.width, height: message.height };
      openLightbox([picture], target, actions.l10n, () => {});
    }
  },
  copy: async (actions, _pane, { message, anchor }) => {
    if (!message) return;
    await copy(typedPrompt(message));
    actions.toasts.show(actions.l10n.format("page-copied"));
    anchor?.focus();
  },
};

/**
 * Actions with a question first; null means that it was dismissed.
 *
 * @type {Record<string, (actions: ButtonActions, pressed: Pressed) => Promise<Record<string, unknown> | null>>}
 */
const QUESTIONS = {
  upscale: ({ l10n }, { anchor }) =>
    new Promise((resolve) => {
      const opener = anchor?.isConnected ? anchor : document.querySelector(".composer textarea");
      const entry = (/** @type {number} */ factor) => ({ icon: "upscale", label: l10n.format("page-upscale-factor", { factor }), run: () => resolve({ factor }) });
      openMenu(/** @type {HTMLElement} */ (opener), [2, 4].map(entry));
    }),
  delete: async ({ l10n }) => {
    const confirmed = await confirmDialog(l10n, l10n.format("page-delete-title"), l10n.format("page-delete-text"), l10n.format("button-delete"));
    return confirmed ? {} : null;
  },
  report: async ({ l10n }) => {
    const words = await askDialog(l10n, l10n.format("page-report-title"), l10n.format("page-report-question"), l10n.format("page-report-send"));
    return words ? { words } : null;
  },
};

/**
 * A reply that lists facts about one job opens as a dialog.
 *
 * @param {Reply} reply
 * @param {Localization} l10n
 */
export function openDetails(reply, l10n) {
  return openDialog(reply.title, (close) =>
    el("div", {}, factList(reply.fields), el("div.actions", {}, button(null, l10n.format("page-close"), () => close(), { autofocus: true }))),
  );
}

/**
 * @param {Pane} pane
 * @param {Message | null} message
 * @param {string | null} id
 * @returns {Picture}
 */
function pictureOf(pane, message, id) {
  if (!id) throw new Error("the button names no picture");
  const holder = message ?? pane.conversation.find(id)?.message;
  return holder?.pictures.find((picture) => picture.id === id) ?? { id, url: `/pictures/${id}`, alt: "", width: 512, height: 512 };
}

/** @param {string} text */
async function copy(text) {
  // Plain HTTP on an address other than this machine has no clipboard API; a selected field still copies.
  const { clipboard } = /** @type {Partial<Navigator>} */ (navigator);
  if (clipboard) return clipboard.writeText(text);
  const field = el("textarea", { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  return field.remove();
}
