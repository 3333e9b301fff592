/** The sign-in page. A link may carry the secret in its fragment, which browsers send to no server. */
import { ApiClient } from "./api-client.js";
import { byId, el, fill } from "./dom.js";
import { loadLocalization, rememberedLocale } from "./localization.js";

/** @import { Localization } from "./localization.js" */

/** @param {Localization} l10n */
function render(l10n) {
  const api = new ApiClient(() => "");
  const secret = el("input", { type: "password", required: true, autocomplete: "current-password", value: decodeURIComponent(location.hash.slice(1)) });
  const status = el("p", { role: "alert" });
  const submit = async (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    status.textContent = "";
    try {
      const refusal = await api.signIn(secret.value);
      if (!refusal) location.replace("/");
      else if (refusal === "too-many-attempts") status.textContent = l10n.format("page-sign-in-too-many");
      else status.textContent = l10n.format("page-sign-in-wrong");
    } catch (error) {
      status.textContent = l10n.format("page-request-failed");
      console.error(error);
    }
  };
  const form = el(
    "form",
    { onsubmit: submit },
    el("h1", {}, l10n.format("page-sign-in-title")),
    el("p", {}, l10n.format("page-sign-in-text")),
    el("label", {}, l10n.format("page-sign-in-secret"), secret),
    status,
    el("button.button.primary", { type: "submit" }, l10n.format("page-sign-in")),
  );
  fill(byId("sign-in"), form);
  history.replaceState(null, "", "/sign-in"); // a secret in the address would stay in the history
  if (secret.value) form.requestSubmit();
  else secret.focus();
}

async function start() {
  const languages = [rememberedLocale(), ...navigator.languages].map((each) => each?.split("-")[0]);
  const l10n = await loadLocalization(languages.find((each) => each === "en" || each === "fr") ?? "en");
  document.documentElement.lang = l10n.locale;
  document.title = `${l10n.format("page-sign-in-title")} · Atelier`;
  render(l10n);
}

start().catch((error) => {
  console.error(error);
  byId("load-failed").hidden = false;
});
