/** Live events from the server. It reconnects after any loss and reports it, so that the page can catch up. */

/** @import { Message, ProgressEvent } from "./api-types.js" */

/**
 * @typedef {object} Handlers
 * @property {() => void} onconnect
 * @property {(message: Message) => void} onmessage
 * @property {(event: ProgressEvent) => void} onprogress
 * @property {(notice: { text: string }) => void} onnotice
 * @property {() => void} onlost
 */

const FIRST_DELAY = 500; // milliseconds
const LONGEST_DELAY = 8000; // milliseconds
// A browser allows few connections to a server: a tab that nobody looks at closes its own after a minute.
const HIDDEN_FOR = 60_000;

export class EventStream {
  /**
   * @param {() => string} url
   * @param {Handlers} handlers
   */
  constructor(url, handlers) {
    this.url = url;
    this.handlers = handlers;
    this.delay = FIRST_DELAY;
    /** @type {EventSource | null} */
    this.source = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.reconnecting = undefined;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.hiding = undefined;
    document.addEventListener("visibilitychange", () => this.#visibilityChanged());
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.start());
    addEventListener("online", () => this.start());
  }

  start() {
    this.stop();
    const { handlers } = this;
    const source = new EventSource(this.url());
    this.source = source;
    source.addEventListener("hello", () => {
      this.delay = FIRST_DELAY;
      handlers.onconnect();
    });
    source.addEventListener("message", (event) => handlers.onmessage(JSON.parse(event.data)));
    source.addEventListener("progress", (event) => handlers.onprogress(JSON.parse(event.data)));
    source.addEventListener("notice", (event) => handlers.onnotice(JSON.parse(event.data)));
    source.addEventListener("error", () => this.#lost(source));
  }

  stop() {
    clearTimeout(this.reconnecting);
    this.source?.close();
    this.source = null;
  }

  /** @param {EventSource} source */
  #lost(source) {
    if (source !== this.source) return;
    this.handlers.onlost();
    // A browser reconnects by itself only while the state is CONNECTING, and never backs off.
    this.stop();
    this.reconnecting = setTimeout(() => this.start(), this.delay);
    this.delay = Math.min(this.delay * 2, LONGEST_DELAY);
  }

  #visibilityChanged() {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.stop(), HIDDEN_FOR);
    else if (!this.source) this.start();
  }
}
