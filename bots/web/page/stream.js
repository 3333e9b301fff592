/** Live events from the server. It comes back by itself after any loss, and says so, so that the page can catch up. */

const SLOWEST = 8000;
const HIDDEN_FOR = 60_000; // a browser allows few connections a server: a tab nobody looks at gives its own back

export class Stream {
  constructor(address, handlers) {
    this.address = address;
    this.handlers = handlers; // onhello, onmessage, onprogress, onwhisper, onlost
    this.wait = 500;
    this.source = null;
    this.timer = null;
    document.addEventListener("visibilitychange", () => this.#visibility());
    addEventListener("pagehide", () => this.stop());
    addEventListener("pageshow", (event) => event.persisted && this.start());
    addEventListener("online", () => this.start());
  }

  start() {
    this.stop();
    const source = new EventSource(this.address());
    this.source = source;
    source.addEventListener("hello", (event) => {
      this.wait = 500;
      this.handlers.onhello(JSON.parse(event.data));
    });
    source.addEventListener("message", (event) => this.handlers.onmessage(JSON.parse(event.data)));
    source.addEventListener("progress", (event) => this.handlers.onprogress(JSON.parse(event.data)));
    source.addEventListener("whisper", (event) => this.handlers.onwhisper(JSON.parse(event.data)));
    source.addEventListener("error", () => this.#lost(source));
  }

  stop() {
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  #lost(source) {
    if (source !== this.source) return;
    this.handlers.onlost();
    // A browser tries again by itself only while the state is CONNECTING, and never backs off.
    this.stop();
    this.timer = setTimeout(() => this.start(), this.wait);
    this.wait = Math.min(this.wait * 2, SLOWEST);
  }

  #visibility() {
    clearTimeout(this.hiding);
    if (document.hidden) this.hiding = setTimeout(() => this.stop(), HIDDEN_FOR);
    else if (!this.source) this.start();
  }
}
