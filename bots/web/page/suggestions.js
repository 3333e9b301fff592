/** What could be typed next: a pure function of the text and the caret. */

/** @typedef {{ name: string, note: string }} Word */

/**
 * @typedef {object} Vocabulary
 * @property {Word[]} commands
 * @property {string[]} studio The subcommands of /studio.
 * @property {Word[]} flags
 * @property {string[]} aspects
 * @property {string[]} models
 * @property {number} count The most pictures that may be asked for at once.
 */

/**
 * What may replace the text from `start` to `end`.
 *
 * @typedef {{ start: number, end: number, options: { text: string, label: string, note: string }[] }} Suggestions
 */

/**
 * @param {string} text
 * @param {number} caret
 * @param {Vocabulary} vocabulary
 * @returns {Suggestions | null}
 */
export function suggestionsFor(text, caret, vocabulary) {
  const before = text.slice(0, caret);
  return commandSuggestions(before, vocabulary) ?? valueSuggestions(before, vocabulary) ?? flagSuggestions(before, vocabulary);
}

/**
 * @param {string} before
 * @param {Vocabulary} vocabulary
 */
function commandSuggestions(before, { commands, studio }) {
  const [, command] = /^\s*\/(\S*)$/.exec(before) ?? [];
  if (command !== undefined) {
    const matching = commands.filter(({ name }) => name.startsWith(command.toLowerCase()));
    return suggestions(before, command.length + 1, matching.map(({ name, note }) => option(`/${name}`, note)));
  }
  const [, parent = "", typed = ""] = /^\s*\/(\w+)\s+(\S*)$/.exec(before) ?? [];
  const words = subcommands(parent, studio);
  return suggestions(before, typed.length, completions(words, typed));
}

/**
 * @param {string} command
 * @param {string[]} studio
 */
function subcommands(command, studio) {
  if (command === "privacy") return ["export", "delete"];
  if (command === "waitlist") return ["join", "leave", "status"];
  return command === "studio" ? studio : [];
}

/**
 * @param {string} before
 * @param {Vocabulary} vocabulary
 */
function valueSuggestions(before, { aspects, models, count }) {
  const [, flag = "", typed = ""] = /(?:^|\s)--(ar|aspect|count|n|model|strength)(?:=|\s+)(\S*)$/.exec(before) ?? [];
  const counts = Array.from({ length: count }, (_, index) => String(index + 1));
  /** @type {Record<string, string[]>} */
  const values = { ar: aspects, aspect: aspects, count: counts, n: counts, model: models, strength: ["0.3", "0.5", "0.7"] };
  return suggestions(before, typed.length, completions(values[flag] ?? [], typed));
}

/**
 * @param {string} before
 * @param {Vocabulary} vocabulary
 */
function flagSuggestions(before, { flags }) {
  const [, dash, letters] = /(?:^|\s)(--|—|–)([a-z]*)$/i.exec(before) ?? [];
  if (dash === undefined || letters === undefined) return null;
  const typed = `--${letters.toLowerCase()}`;
  const used = new Set([...before.matchAll(/--([a-z]+)\s/gi)].map(([, name]) => `--${name}`));
  const matching = flags.filter(({ name }) => name.startsWith(typed) && !used.has(name));
  return suggestions(before, dash.length + letters.length, matching.map(({ name, note }) => option(name, note)));
}

/**
 * @param {string[]} words
 * @param {string} typed
 */
function completions(words, typed) {
  return words.filter((word) => word.startsWith(typed) && word !== typed).map((word) => option(word, ""));
}

/**
 * @param {string} label
 * @param {string} note
 */
function option(label, note) {
  return { text: `${label} `, label, note };
}

/**
 * @param {string} before
 * @param {number} length How many characters before the caret are replaced.
 * @param {Suggestions["options"]} options
 * @returns {Suggestions | null}
 */
function suggestions(before, length, options) {
  return options.length ? { start: before.length - length, end: before.length, options } : null;
}
