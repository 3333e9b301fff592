// Runs before the first paint, so that a chosen theme does not flash. It is a classic script for that reason.
(() => {
  try {
    const chosen = localStorage.getItem("atelier.theme");
    if (chosen === "light" || chosen === "dark") document.documentElement.dataset.theme = chosen;
  } catch {
    // Storage is forbidden here: the system's theme applies.
  }
})();
