/** The page's sentences, from the same Fluent catalogue as the server's, and dates and numbers in its language. */
import { recall } from "./storage.js";
import { FluentBundle, FluentNumber, FluentResource } from "./vendor/fluent-bundle/index.js";

/** @typedef {Record<string, string | number>} Arguments */

/** @type {Record<string, Partial<Record<Intl.LDMLPluralRule, string>>>} */
const ORDINAL_SUFFIXES = {
  en: { one: "st", two: "nd", few: "rd", other: "th" },
  fr: { one: "er", other: "e" },
};

export class Localization {
  /**
   * @param {string} locale
   * @param {string} source Fluent source: the messages of this language.
   */
  constructor(locale, source) {
    this.locale = locale;
    this.bundle = new FluentBundle(locale, { useIsolating: false, functions: { ORDINAL: ordinal(locale) } });
    const errors = this.bundle.addResource(new FluentResource(source));
    if (errors.length) throw new AggregateError(errors, `the ${locale} catalogue cannot be used`);
    // Times are written as in the reader's own region, where it has this language.
    const region = navigator.languages.find((each) => each.split("-")[0] === locale) ?? locale;
    this.time = new Intl.DateTimeFormat(region, { hour: "2-digit", minute: "2-digit" });
    this.date = new Intl.DateTimeFormat(region, { weekday: "long", day: "numeric", month: "long" });
    this.dateTime = new Intl.DateTimeFormat(region, { dateStyle: "long", timeStyle: "short" });
    this.numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  }

  /**
   * The message `id` with its variables. Throws for an unknown message or a missing variable: both are defects.
   *
   * @param {string} id
   * @param {Arguments} [values]
   */
  format(id, values = {}) {
    const pattern = this.bundle.getMessage(id)?.value;
    if (!pattern) throw new Error(`no message ${id}`);
    /** @type {Error[]} */
    const errors = [];
    const text = this.bundle.formatPattern(pattern, values, errors);
    if (errors.length) throw new AggregateError(errors, `the message ${id} cannot be formatted`);
    return text;
  }

  /**
   * The message `id`, or null where there is none.
   *
   * @param {string} id
   */
  find(id) {
    return this.bundle.hasMessage(id) ? this.format(id) : null;
  }

  /**
   * "Today", "Yesterday", or the weekday and date.
   *
   * @param {Date} date
   */
  day(date) {
    const midnight = (/** @type {Date} */ moment) => new Date(moment.getFullYear(), moment.getMonth(), moment.getDate()).getTime();
    const days = Math.round((midnight(new Date()) - midnight(date)) / 86_400_000);
    if (days === 0) return this.format("page-today");
    if (days === 1) return this.format("page-yesterday");
    return this.date.format(date);
  }

  /** @param {number} value */
  number(value) {
    return this.numbers.format(value);
  }
}

/**
 * @param {string} locale
 * @returns {import("./vendor/fluent-bundle/index.js").FluentFunction}
 */
function ordinal(locale) {
  const rules = new Intl.PluralRules(locale, { type: "ordinal" });
  const suffixes = ORDINAL_SUFFIXES[locale] ?? {};
  return ([value]) => {
    const number = value instanceof FluentNumber ? value.value : Number(value);
    return `${number}${suffixes[rules.select(number)] ?? ""}`;
  };
}

/**
 * Load the catalogue of a language.
 *
 * @param {string} locale
 */
export async function loadLocalization(locale) {
  const response = await fetch(`/page/locales/${locale}.ftl`);
  if (!response.ok) throw new Error(`the ${locale} catalogue was not served: ${response.status}`);
  return new Localization(locale, await response.text());
}

/** The language chosen here before; null lets the server decide from Accept-Language. */
export function rememberedLocale() {
  return recall("locale");
}
