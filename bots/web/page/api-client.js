/** The page's calls to its server. Everything that a person should read comes back as a reply. */

import { el } from "./dom.js";

/**
 * @import { Capacity, DoorList, Message, Place, Quota, Refusal, Reply, TimeBucket, Welcome } from "./api-types.js"
 */

/** @typedef {{ method?: string, body?: BodyInit, headers?: Record<string, string> }} RequestOptions */

const RETRY_AFTER = [0, 700, 2000]; // milliseconds

/** The server could not be reached, or answered something that is not a reply. */
export class ServerUnreachable extends Error {}

export class ApiClient {
  /** @param {() => string} persona Gives the persona of this window, encoded as the server reads it. */
  constructor(persona) {
    this.persona = persona;
    this.token = "";
  }

  /**
   * What the page needs to start; also gives the session its token.
   *
   * @param {string | null} locale
   * @returns {Promise<Welcome>}
   */
  async welcome(locale) {
    const query = locale ? `?locale=${encodeURIComponent(locale)}` : "";
    /** @type {Welcome} */
    const answer = await this.#json(`/api/welcome${query}`, {});
    this.token = answer.token;
    return answer;
  }

  /**
   * @param {Place} place
   * @returns {Promise<{ messages: Message[] }>}
   */
  conversation(place) {
    return this.#json(`/api/conversation?${placeQuery(place)}`, {});
  }

  /** @returns {Promise<Capacity | Refusal>} */
  capacity() {
    return this.#json("/api/studio", {});
  }

  /**
   * The last day, in buckets of ten minutes.
   *
   * @returns {Promise<{ day?: TimeBucket[] }>}
   */
  lastDay() {
    return this.#json("/api/studio/day", {});
  }

  /**
   * Every door of a server, and the servers whose doors may be set from here.
   *
   * @param {string} server
   * @returns {Promise<DoorList>}
   */
  doors(server) {
    return this.#json(`/api/studio/doors?${new URLSearchParams({ server })}`, {});
  }

  /**
   * Override a door.
   *
   * @param {{ door: string, state: string, server: string }} values
   * @returns {Promise<DoorList | Refusal>}
   */
  setDoor(values) {
    return this.#post("/api/studio/doors", jsonBody(values));
  }

  /** @returns {Promise<Quota>} */
  quota() {
    return this.#json("/api/quota", {});
  }

  /**
   * A message from a prompt box, perhaps with pictures. Its key makes sending it twice harmless.
   *
   * @param {Record<string, string | null | undefined>} values
   * @param {Record<string, Blob | null>} files
   * @returns {Promise<Reply>}
   */
  message(values, files) {
    const form = new FormData();
    for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined) form.append(name, value);
    for (const [name, file] of Object.entries(files)) if (file) form.append(name, file, file instanceof File ? file.name : `${name}.png`);
    return this.#post("/api/messages", { body: form });
  }

  /**
   * A pressed button.
   *
   * @param {Record<string, unknown>} values The action's name, its target, and what else it needs.
   * @returns {Promise<Reply>}
   */
  action(values) {
    return this.#post("/api/actions", jsonBody(values));
  }

  /**
   * Open an operator's session; the refusal's code where there is none, such as "wrong-secret".
   *
   * @param {string} secret
   * @returns {Promise<string | null>}
   */
  async signIn(secret) {
    const answer = await this.#post("/api/sign-in", jsonBody({ secret }));
    return "kind" in answer ? answer.code : null;
  }

  /** Close the session. */
  signOut() {
    return this.#post("/api/sign-out", jsonBody({}));
  }

  /**
   * Let the browser save a file of this persona's.
   *
   * @param {string} path
   */
  save(path) {
    el("a", { href: `${path}?as=${encodeURIComponent(this.persona())}`, download: "" }).click();
  }

  eventStreamUrl() {
    return `/api/stream?as=${encodeURIComponent(this.persona())}`;
  }

  /**
   * @param {string} path
   * @param {RequestOptions} options
   */
  async #post(path, { body, headers = {} }) {
    let cause;
    for (const pause of RETRY_AFTER) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      try {
        return await this.#json(path, { method: "POST", body, headers });
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        cause = error; // the connection broke; the key makes a repetition harmless
      }
    }
    throw new ServerUnreachable(path, { cause });
  }

  /**
   * @param {string} path
   * @param {RequestOptions} options
   */
  async #json(path, { method = "GET", body, headers = {} }) {
    const response = await fetch(path, {
      method,
      body,
      headers: { ...headers, Accept: "application/json", "Atelier-Member": this.persona(), "Atelier-Token": this.token },
    });
    if (response.status === 401) {
      location.assign("/sign-in");
      return new Promise(() => {}); // the page is about to be left
    }
    const type = response.headers.get("Content-Type") ?? "";
    if (!type.startsWith("application/json")) throw new ServerUnreachable(`${response.status}`);
    const answer = await response.json();
    if (!response.ok && !answer.kind) throw new ServerUnreachable(answer.text ?? `${response.status}`);
    return answer;
  }
}

/**
 * @param {unknown} values
 * @returns {RequestOptions}
 */
function jsonBody(values) {
  return { body: JSON.stringify(values), headers: { "Content-Type": "application/json" } };
}

/** @param {Place} place */
function placeQuery(place) {
  const values = new URLSearchParams({ channel: place.channel });
  if (place.thread) values.set("thread", place.thread);
  return values.toString();
}

/** A new idempotency key. `crypto.randomUUID` is missing on plain-HTTP addresses other than this machine. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
