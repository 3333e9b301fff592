/** Marks the words of a prompt that the model doesn't know. */

const WORD = /[\p{L}\p{N}]+/gu;
const FLAG = /\s--\w+([ =:]\s*\S+)?/g;
const MODEL = /\s--model[ =:]\s*(\S+)/;
const SHOWN = 5;

/**
 * The words that the model of a text doesn't know, each once, as typed. Capitals and accents make no difference.
 *
 * @param {string} text
 * @param {{ model: string, vocabularies: Record<string, string[]>, commands: string[] }} welcome
 * @returns {string[]} Empty for a command, and for a model that publishes no vocabulary.
 */
export function unknownWords(text, { model, vocabularies, commands }) {
  const known = vocabularies[MODEL.exec(` ${text}`)?.[1] ?? model];
  const prompt = ` ${text}`.replace(FLAG, " ").trim();
  if (!known || prompt.startsWith("/") || commands.includes(prompt.toLowerCase())) return [];
  const words = new Set(known);
  /** @type {Map<string, string>} */
  const found = new Map();
  for (const [word] of prompt.matchAll(WORD)) {
    const lower = word.toLowerCase();
    if (!words.has(plain(lower)) && !found.has(lower)) found.set(lower, word);
  }
  return [...found.values()];
}

/**
 * @param {string[]} words
 * @param {string} locale
 */
export function listed(words, locale) {
  const shown = words.slice(0, SHOWN);
  const list = words.length > SHOWN ? [...shown, "…"] : shown;
  return new Intl.ListFormat(locale, { type: "conjunction" }).format(list);
}

/** @param {string} word */
function plain(word) {
  return word.normalize("NFD").replace(/\p{M}/gu, "").replaceAll("œ", "oe");
}
