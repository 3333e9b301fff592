/** Who the visitor is on this page. The browser keeps the list, the window keeps the choice. */
import { recall, remember } from "./storage.js";

/** @import { Tier } from "./api-types.js" */

/** @typedef {{ id: string, name: string, role: Tier, administrator: boolean }} Persona */

/** @type {readonly Persona[]} */
const DEFAULTS = [
  { id: "ada", name: "Ada", role: "free", administrator: false },
  { id: "basil", name: "Basil", role: "plus", administrator: false },
  { id: "chloe", name: "Chloé", role: "team", administrator: false },
  { id: "dimitri", name: "Dimitri", role: "pro", administrator: true },
];
/** @type {readonly Tier[]} */
export const ROLES = ["free", "plus", "team", "pro"];

export class Personas extends EventTarget {
  /** @param {string} locale */
  constructor(locale) {
    super();
    this.locale = locale;
    /** @type {Persona[]} */
    this.all = readList() ?? structuredClone([...DEFAULTS]);
    const chosen = chosenInWindow() ?? recall("person");
    this.current = this.all.find((persona) => persona.id === chosen) ?? this.#first();
  }

  /** The persona of this window as a header may carry it: JSON in UTF-8, then base64url. */
  token() {
    const { id, name, role, administrator } = this.current;
    const text = JSON.stringify({ id, name, roles: [role], administrator, locale: this.locale });
    const bytes = new TextEncoder().encode(text);
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  /** @param {Persona} persona */
  choose(persona) {
    this.current = persona;
    try {
      sessionStorage.setItem("atelier.person", persona.id);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    remember("person", persona.id);
    this.dispatchEvent(new Event("change"));
  }

  /**
   * Add or change a persona; an id never changes, since quota and history belong to it.
   *
   * @param {Omit<Persona, "id"> & { id?: string | undefined }} values
   */
  save(values) {
    const existing = this.all.find((persona) => persona.id === values.id);
    /** @type {Persona} */
    const saved = { ...values, id: existing?.id ?? this.#newId(values.name) };
    this.all = existing ? this.all.map((persona) => (persona === existing ? saved : persona)) : [...this.all, saved];
    remember("people", JSON.stringify(this.all));
    this.choose(saved);
  }

  /** @param {Persona} persona */
  remove(persona) {
    this.all = this.all.filter((other) => other !== persona);
    remember("people", JSON.stringify(this.all));
    if (this.current === persona) this.choose(this.#first());
  }

  #first() {
    const [first] = this.all;
    if (!first) throw new Error("the list of personas is never empty");
    return first;
  }

  /** @param {string} name */
  #newId(name) {
    const base = name.normalize("NFD").replace(/[^A-Za-z0-9]+/g, "").toLowerCase().slice(0, 24) || "member";
    let id = base;
    for (let number = 2; this.all.some((persona) => persona.id === id); number += 1) id = `${base}${number}`;
    return id;
  }
}

function chosenInWindow() {
  try {
    return sessionStorage.getItem("atelier.person");
  } catch {
    return null; // storage is forbidden here
  }
}

/** @returns {Persona[] | null} */
function readList() {
  try {
    const list = JSON.parse(recall("people") ?? "null");
    return Array.isArray(list) && list.length > 0 && list.every(isPersona) ? list : null;
  } catch {
    return null; // somebody wrote something else there
  }
}

/**
 * @param {unknown} value
 * @returns {value is Persona}
 */
function isPersona(value) {
  const { id, name, role } = /** @type {Partial<Persona>} */ (value ?? {});
  return typeof id === "string" && typeof name === "string" && ROLES.some((each) => each === role);
}
