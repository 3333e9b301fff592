/** Checks the page against what screen readers, keyboards and low vision need. Returns the faults. */
() => {
  const faults = [];
  const seen = (node) => {
    const style = getComputedStyle(node);
    const box = node.getBoundingClientRect();
    return style.visibility !== "hidden" && style.display !== "none" && box.width > 0 && box.height > 0 && !node.closest("[hidden], [aria-hidden=true]");
  };
  const where = (node) => node.outerHTML.slice(0, 140);
  const text = (id) => document.getElementById(id)?.textContent ?? "";
  const named = (node) =>
    (node.getAttribute("aria-label") ?? "").trim() ||
    (node.getAttribute("aria-labelledby") ?? "").split(" ").map(text).join(" ").trim() ||
    [...(node.labels ?? [])].map((label) => label.textContent).join(" ").trim() ||
    (["BUTTON", "A", "SUMMARY"].includes(node.tagName) || node.hasAttribute("role") ? node.textContent.trim() || node.querySelector("img")?.alt : "") ||
    (node.title ?? "").trim();

  if (!document.documentElement.lang) faults.push("the page has no language");
  if (!document.title) faults.push("the page has no title");
  const shown = [...document.querySelectorAll("*")].filter(seen);
  const headings = shown.filter((node) => node.tagName === "H1");
  if (headings.length !== 1) faults.push(`${headings.length} h1 headings`);
  if (!document.querySelector("main")) faults.push("no main element");

  const ids = [...document.querySelectorAll("[id]")].map((node) => node.id);
  for (const id of new Set(ids)) if (ids.filter((each) => each === id).length > 1) faults.push(`id ${id} twice`);
  for (const name of ["aria-labelledby", "aria-controls", "aria-activedescendant", "aria-describedby"]) {
    for (const node of document.querySelectorAll(`[${name}]`)) {
      for (const id of node.getAttribute(name).split(" ")) if (!document.getElementById(id)) faults.push(`${name} has no target: ${where(node)}`);
    }
  }
  for (const image of document.querySelectorAll("img")) if (!image.hasAttribute("alt")) faults.push(`no alt: ${where(image)}`);
  for (const node of shown.filter((each) => each.matches("button, a[href], input, select, textarea, [role=progressbar], [role=listbox], [role=menu], dialog, nav, aside, canvas"))) {
    if (!named(node)) faults.push(`no name: ${where(node)}`);
  }
  for (const node of shown.filter((each) => each.tabIndex > 0)) faults.push(`tabindex above 0: ${where(node)}`);
  for (const node of shown.filter((each) => each.matches("button, a[href], select, input:not([type=radio]):not([type=checkbox])"))) {
    const box = node.getBoundingClientRect();
    if (box.width < 24 || box.height < 22) faults.push(`too small to hit, ${box.width} × ${box.height}: ${where(node)}`);
    if (node.querySelector("button, a[href]")) faults.push(`a control inside a control: ${where(node)}`);
  }
  for (const list of document.querySelectorAll("ol, ul")) for (const child of list.children) if (child.tagName !== "LI") faults.push(`not a list item: ${where(child)}`);

  // Contrast (WCAG 2.2, 1.4.3): every text against its background.
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const colour = (value) => {
    canvas.clearRect(0, 0, 1, 1);
    canvas.fillStyle = value;
    canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const over = (top, below) => [0, 1, 2].map((at) => top[at] * top[3] + below[at] * (1 - top[3]));
  const ground = (node) => {
    const layers = [];
    for (let at = node; at; at = at.parentElement) {
      const style = getComputedStyle(at);
      if (style.backgroundImage !== "none") return null;
      const layer = colour(style.backgroundColor);
      layers.push(layer);
      if (layer[3] === 1) break;
    }
    return layers.reverse().reduce((below, layer) => over(layer, below), [1, 1, 1]);
  };
  for (const node of shown) {
    const own = [...node.childNodes].some((child) => child.nodeType === 3 && child.textContent.trim());
    if (!own || node.closest("svg, option, :disabled, .visually-hidden, .skip")) continue;
    const below = ground(node);
    if (!below) continue;
    const style = getComputedStyle(node);
    const [one, two] = [light(over(colour(style.color), below)), light(below)].sort((a, b) => b - a);
    const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && Number(style.fontWeight) >= 700);
    const ratio = (one + 0.05) / (two + 0.05);
    if (ratio < (large ? 3 : 4.5)) faults.push(`contrast ${ratio.toFixed(2)}: ${where(node)}`);
  }
  return faults;
}
