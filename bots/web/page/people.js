/** Who one is on this page. The list is kept by the browser, the choice by the window. */
import { recall, remember } from "./words.js";

const CAST = [
  { id: "ada", name: "Ada", role: "free", administrator: false },
  { id: "basil", name: "Basil", role: "plus", administrator: false },
  { id: "chloe", name: "Chloé", role: "team", administrator: false },
  { id: "dimitri", name: "Dimitri", role: "pro", administrator: true },
];
export const ROLES = ["free", "plus", "team", "pro"];

export class People extends EventTarget {
  constructor(locale) {
    super();
    this.locale = locale;
    this.all = read() ?? structuredClone(CAST);
    const chosen = chosenHere() ?? recall("person");
    this.current = this.all.find((person) => person.id === chosen) ?? this.all[0];
  }

  /** The person of this window as a header may carry it: JSON in UTF-8, then base64url. */
  token() {
    const { id, name, role, administrator } = this.current;
    const text = JSON.stringify({ id, name, roles: [role], administrator, locale: this.locale });
    const bytes = new TextEncoder().encode(text);
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  }

  choose(person) {
    this.current = person;
    try {
      sessionStorage.setItem("atelier.person", person.id);
    } catch {
      // Without storage the choice lasts as long as the page.
    }
    remember("person", person.id);
    this.dispatchEvent(new Event("change"));
  }

  /** Add or change someone; an id never changes, since quota and history hang on it. */
  save(person) {
    const known = this.all.find((other) => other.id === person.id);
    const kept = known ? Object.assign(known, person) : { ...person, id: this.#idFor(person.name) };
    if (!known) this.all.push(kept);
    remember("people", JSON.stringify(this.all));
    this.choose(kept);
  }

  remove(person) {
    this.all = this.all.filter((other) => other !== person);
    remember("people", JSON.stringify(this.all));
    if (this.current === person) this.choose(this.all[0]);
  }

  #idFor(name) {
    const plain = name.normalize("NFD").replace(/[^A-Za-z0-9]+/g, "").toLowerCase().slice(0, 24) || "member";
    let id = plain;
    for (let n = 2; this.all.some((person) => person.id === id); n += 1) id = `${plain}${n}`;
    return id;
  }
}

function chosenHere() {
  try {
    return sessionStorage.getItem("atelier.person");
  } catch {
    return null;
  }
}

function read() {
  try {
    const kept = JSON.parse(recall("people"));
    const sound = Array.isArray(kept) && kept.length > 0 && kept.every((p) => typeof p?.id === "string" && typeof p?.name === "string" && ROLES.includes(p?.role));
    return sound ? kept : null;
  } catch {
    return null;
  }
}
