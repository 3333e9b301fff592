/** The dialog "Who are you?": choose a persona, change one, or add one. */
import { openDialog } from "./dialogs.js";
import { avatar, button, el, fill, iconButton } from "./dom.js";
import { ROLES } from "./personas.js";

/**
 * @import { Tier } from "./api-types.js"
 * @import { Localization } from "./localization.js"
 * @import { Persona, Personas } from "./personas.js"
 */

/** Lowest first. */
export const TIERS = ROLES;

/**
 * @param {Tier} tier
 * @param {Localization} l10n
 */
export function tierBadge(tier, l10n) {
  return el(`span.badge.${tier}`, {}, l10n.format(`tier-${tier}`));
}

/**
 * @param {Personas} personas
 * @param {Localization} l10n
 */
export function openPersonaDialog(personas, l10n) {
  return openDialog(l10n.format("page-persona-title"), (close) => new PersonaDialog(personas, l10n, () => close()).node);
}

class PersonaDialog {
  /**
   * @param {Personas} personas
   * @param {Localization} l10n
   * @param {() => void} close
   */
  constructor(personas, l10n, close) {
    this.personas = personas;
    this.l10n = l10n;
    this.close = close;
    this.node = el("div");
    this.#showList();
  }

  #showList() {
    const { l10n, personas } = this;
    fill(
      this.node,
      el("p", {}, l10n.format("page-persona-text")),
      el("div.personas", {}, personas.all.map((persona) => this.#row(persona))),
      el(
        "div.actions",
        {},
        button("plus", l10n.format("page-persona-new"), () => this.#showForm(null)),
        button(null, l10n.format("page-close"), () => this.close()),
      ),
    );
  }

  /** @param {Persona} persona */
  #row(persona) {
    const { l10n, personas } = this;
    const chosen = persona === personas.current;
    const choose = () => {
      personas.choose(persona);
      this.close();
    };
    return el(
      "div.row",
      {},
      el(
        "button.option",
        { type: "button", "aria-pressed": String(chosen), autofocus: chosen, onclick: choose },
        avatar(persona, true),
        el("span.persona-name", {}, persona.name, " ", persona.administrator ? el("span.is-admin", {}, l10n.format("page-persona-is-administrator")) : null),
        tierBadge(persona.role, l10n),
      ),
      iconButton("edit", l10n.format("page-persona-edit", { name: persona.name }), () => this.#showForm(persona)),
    );
  }

  /** @param {Persona | null} persona Null adds one. */
  #showForm(persona) {
    const { l10n, personas } = this;
    const name = el("input", { type: "text", value: persona?.name ?? "", required: true, maxLength: 40, autocomplete: "off" });
    const administrator = el("input", { type: "checkbox", checked: persona?.administrator ?? false });
    const selected = persona?.role ?? "free";
    const roles = ROLES.map((role) => ({ role, radio: el("input", { type: "radio", name: "role", value: role, checked: role === selected }) }));
    const save = (/** @type {SubmitEvent} */ event) => {
      event.preventDefault();
      const given = name.value.trim();
      if (!given) return name.focus();
      const role = roles.find(({ radio }) => radio.checked)?.role ?? selected;
      personas.save({ id: persona?.id, name: given, role, administrator: administrator.checked });
      return this.close();
    };
    fill(
      this.node,
      el(
        "form",
        { onsubmit: save },
        el("label.line", {}, l10n.format("page-persona-name"), name),
        el(
          "fieldset",
          {},
          el("legend", {}, l10n.format("page-persona-role")),
          el("div.roles", {}, roles.map(({ role, radio }) => el("label", {}, radio, el("span", {}, l10n.format(`tier-${role}`))))),
        ),
        el("label.tick", {}, administrator, l10n.format("page-persona-administrator")),
        el(
          "div.actions",
          {},
          persona && personas.all.length > 1 ? button("delete", l10n.format("page-persona-remove"), () => this.#remove(persona)) : null,
          button(null, l10n.format("page-back"), () => this.#showList()),
          el("button.button.primary", { type: "submit" }, l10n.format("page-save")),
        ),
      ),
    );
    name.focus();
  }

  /** @param {Persona} persona */
  #remove(persona) {
    this.personas.remove(persona);
    this.#showList();
  }
}
