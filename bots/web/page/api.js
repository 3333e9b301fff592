/** The page's calls to its server. Every answer that people should read comes back as a reply. */

export class Trouble extends Error {
  /** The studio could not be reached, or answered something that is no reply. */
}

export class Api {
  constructor(who) {
    this.who = who; // gives the person of this window, as the server reads it
    this.token = "";
  }

  /** What the page needs to begin; also gives the session its token. */
  async welcome(locale) {
    const query = locale ? `?locale=${encodeURIComponent(locale)}` : "";
    const answer = await this.#json(`/api/welcome${query}`, {});
    this.token = answer.token;
    return answer;
  }

  conversation(place) {
    return this.#json(`/api/conversation?${search(place)}`, {});
  }

  studio() {
    return this.#json("/api/studio", {});
  }

  /** The studio's last day, ten minutes at a time. */
  studioDay() {
    return this.#json("/api/studio/day", {});
  }

  /** Every door as it stands in a server, and the servers whose doors may be set from here. */
  doors(server) {
    return this.#json(`/api/studio/doors?${new URLSearchParams({ server })}`, {});
  }

  /** Set a door; answers as `doors` does. */
  setDoor(values) {
    return this.#reply("/api/studio/doors", { body: JSON.stringify(values), headers: { "Content-Type": "application/json" } });
  }

  quota() {
    return this.#json("/api/quota", {});
  }

  /** A message from a prompt box: text, and perhaps pictures. The key makes sending twice harmless. */
  message(values, files) {
    const form = new FormData();
    for (const [name, value] of Object.entries(values)) if (value !== null && value !== undefined) form.append(name, value);
    for (const [name, file] of Object.entries(files)) if (file) form.append(name, file, file.name ?? `${name}.png`);
    return this.#reply("/api/messages", { body: form });
  }

  /** A button: the action's name, its target, and what else it needs. */
  action(values) {
    return this.#reply("/api/actions", { body: JSON.stringify(values), headers: { "Content-Type": "application/json" } });
  }

  streamAddress() {
    return `/api/stream?as=${encodeURIComponent(this.who())}`;
  }

  async #reply(path, { body, headers = {} }) {
    let lost;
    for (const wait of [0, 700, 2000]) {
      await new Promise((done) => setTimeout(done, wait));
      try {
        return await this.#json(path, { method: "POST", body, headers });
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        lost = error; // the connection broke; the key makes another try harmless
      }
    }
    throw new Trouble(lost.message);
  }

  async #json(path, { method = "GET", body, headers = {} }) {
    const response = await fetch(path, {
      method,
      body,
      headers: { ...headers, Accept: "application/json", "Atelier-Member": this.who(), "Atelier-Token": this.token },
    });
    const kind = response.headers.get("Content-Type") ?? "";
    if (!kind.startsWith("application/json")) throw new Trouble(`${response.status}`);
    const answer = await response.json();
    if (!response.ok && !answer.kind) throw new Trouble(answer.text ?? `${response.status}`);
    return answer;
  }
}

export function search(place) {
  const values = new URLSearchParams({ channel: place.channel });
  if (place.thread) values.set("thread", place.thread);
  return values.toString();
}

/** A new key for one thing asked. `crypto.randomUUID` is missing on plain-HTTP addresses other than this machine. */
export function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
