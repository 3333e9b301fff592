// Runs before the first paint, so that a chosen theme does not flash. It is no module on purpose.
(() => {
  try {
    const chosen = localStorage.getItem("atelier.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage may be forbidden; then the system's theme holds.
  }
})();
