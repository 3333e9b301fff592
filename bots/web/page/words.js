/** The page's own words in the chosen language, and how times are written in it. */
import en from "./words/en.js";
import fr from "./words/fr.js";

const BOOKS = { en, fr };

export class Words {
  constructor(locale) {
    this.locale = locale in BOOKS ? locale : "en";
    this.book = BOOKS[this.locale];
    // Times as the reader's own region writes them, where it speaks this language.
    const region = navigator.languages.find((each) => each.split("-")[0] === this.locale) ?? this.locale;
    this.clock = new Intl.DateTimeFormat(region, { hour: "2-digit", minute: "2-digit" });
    this.calendar = new Intl.DateTimeFormat(region, { weekday: "long", day: "numeric", month: "long" });
    this.full = new Intl.DateTimeFormat(region, { dateStyle: "long", timeStyle: "short" });
    this.numbers = new Intl.NumberFormat(this.locale, { maximumFractionDigits: 1 });
  }

  /** The words under a name; a word that takes values is a function of them. */
  say(name, ...values) {
    const words = this.book[name];
    if (words === undefined) throw new Error(`no words named ${name}`);
    return typeof words === "function" ? words(...values) : words;
  }

  /** "Today", "Yesterday", or the day's name and date. */
  day(date) {
    const start = (moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate());
    const days = Math.round((start(new Date()) - start(date)) / 86_400_000);
    if (days === 0) return this.say("today");
    if (days === 1) return this.say("yesterday");
    return this.calendar.format(date);
  }

  number(value) {
    return this.numbers.format(value);
  }
}

/** The language chosen here before; else null, and the server decides from Accept-Language. */
export function rememberedLocale() {
  return recall("locale");
}

export function recall(name) {
  try {
    return localStorage.getItem(`atelier.${name}`);
  } catch {
    return null;
  }
}

export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`atelier.${name}`);
    else localStorage.setItem(`atelier.${name}`, value);
  } catch {
    // Storage may be forbidden or full; the page works without a memory.
  }
}
