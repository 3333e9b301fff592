/** What could be typed next: pure, from the text and the caret to a list of suggestions. */

/** `{ start, end, options: [{ text, label, note }] }`, or null where there is nothing to suggest. */
export function hintsFor(text, caret, knows) {
  const before = text.slice(0, caret);
  return commandHints(before, text, knows) ?? valueHints(before, knows) ?? flagHints(before, knows);
}

function commandHints(before, text, { commands, studio }) {
  const match = /^\s*\/(\S*)$/.exec(before);
  if (match) {
    const options = commands.filter((each) => each.name.startsWith(match[1].toLowerCase())).map((each) => ({ text: `/${each.name} `, label: `/${each.name}`, note: each.note }));
    return found(before.length - match[1].length - 1, before.length, options);
  }
  const second = /^\s*\/(\w+)\s+(\S*)$/.exec(before);
  const words = second && ({ privacy: ["export", "delete"], waitlist: ["join", "leave", "status"], studio }[second[1]] ?? null);
  if (!words) return null;
  const options = words.filter((word) => word.startsWith(second[2]) && word !== second[2]).map((word) => ({ text: `${word} `, label: word, note: "" }));
  return found(before.length - second[2].length, before.length, options);
}

function valueHints(before, { aspects, models, count }) {
  const match = /(?:^|\s)--(ar|aspect|count|n|model|strength)(?:=|\s+)(\S*)$/.exec(before);
  if (!match) return null;
  const values = {
    ar: aspects,
    aspect: aspects,
    count: Array.from({ length: count }, (_, at) => String(at + 1)),
    n: Array.from({ length: count }, (_, at) => String(at + 1)),
    model: models,
    strength: ["0.3", "0.5", "0.7"],
  }[match[1]];
  const options = values.filter((value) => value.startsWith(match[2]) && value !== match[2]).map((value) => ({ text: `${value} `, label: value, note: "" }));
  return found(before.length - match[2].length, before.length, options);
}

function flagHints(before, { flags }) {
  const match = /(?:^|\s)(--|—|–)([a-z]*)$/i.exec(before);
  if (!match) return null;
  const typed = `--${match[2].toLowerCase()}`;
  const used = new Set([...before.matchAll(/--([a-z]+)\s/gi)].map((each) => `--${each[1]}`));
  const options = flags.filter((flag) => flag.name.startsWith(typed) && !used.has(flag.name)).map((flag) => ({ text: `${flag.name} `, label: flag.name, note: flag.note }));
  return found(before.length - match[1].length - match[2].length, before.length, options);
}

function found(start, end, options) {
  return options.length ? { start, end, options } : null;
}
