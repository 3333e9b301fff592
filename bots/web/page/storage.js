/** What the browser remembers of this page. Storage may be forbidden or full; the page works without it. */

/**
 * @param {string} name
 * @returns {string | null}
 */
export function recall(name) {
  try {
    return localStorage.getItem(`atelier.${name}`);
  } catch {
    return null; // storage is forbidden here
  }
}

/**
 * @param {string} name
 * @param {string | null} value Null forgets the name.
 */
export function remember(name, value) {
  try {
    if (value === null) localStorage.removeItem(`atelier.${name}`);
    else localStorage.setItem(`atelier.${name}`, value);
  } catch {
    // Storage is forbidden or full: the choice lasts as long as the page.
  }
}
