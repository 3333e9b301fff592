/** The dialog "Who are you?": choose a person of the list, change one, or make a new one. */
import { avatar, button, el, fill, iconButton } from "./dom.js";
import { openDialog } from "./dialogs.js";
import { ROLES } from "./people.js";

export function tierBadge(tier) {
  return el(`span.badge.${tier}`, {}, tier[0].toUpperCase() + tier.slice(1));
}

export function openWho(people, words) {
  return openDialog(words.say("whoTitle"), (close) => {
    const body = el("div");
    const list = () => fill(body, ...listOf(people, words, close, form));
    const form = (person) => fill(body, formFor(person, people, words, close, list));
    list();
    return body;
  });
}

function listOf(people, words, close, form) {
  const choose = (person) => {
    people.choose(person);
    close();
  };
  return [
    el("p", {}, words.say("whoText")),
    el("div.people", {}, people.all.map((person) => row(person, people, words, choose, form))),
    el(
      "div.actions",
      {},
      button("plus", words.say("newPerson"), () => form(null)),
      button(null, words.say("close"), () => close()),
    ),
  ];
}

function row(person, people, words, choose, form) {
  const chosen = person === people.current;
  return el(
    "div.row",
    {},
    el(
      "button.option",
      { type: "button", "aria-pressed": String(chosen), autofocus: chosen, onclick: () => choose(person) },
      avatar(person, true),
      el("span.who", {}, person.name, " ", person.administrator ? el("span.is-admin", {}, words.say("isAdmin")) : null),
      tierBadge(person.role),
    ),
    iconButton("edit", words.say("editPerson", person.name), () => form(person)),
  );
}

function formFor(person, people, words, close, list) {
  const name = el("input", { type: "text", value: person?.name ?? "", required: true, maxLength: 40, autocomplete: "off" });
  const administrator = el("input", { type: "checkbox", checked: person?.administrator ?? false });
  const roles = ROLES.map((role) => el("input", { type: "radio", name: "role", value: role, checked: role === (person?.role ?? "free") }));
  const save = (event) => {
    event.preventDefault();
    const kept = name.value.trim();
    if (!kept) return name.focus();
    const role = roles.find((radio) => radio.checked).value;
    people.save({ id: person?.id, name: kept, role, administrator: administrator.checked });
    return close();
  };
  const removable = person && people.all.length > 1;
  queueMicrotask(() => name.focus());
  return el(
    "form",
    { onsubmit: save },
    el("label.line", {}, words.say("name"), name),
    el("fieldset", {}, el("legend", {}, words.say("tier")), el("div.roles", {}, roles.map((radio) => el("label", {}, radio, el("span", {}, radio.value[0].toUpperCase() + radio.value.slice(1)))))),
    el("label.tick", {}, administrator, words.say("administrator")),
    el(
      "div.actions",
      {},
      removable ? button("delete", words.say("removePerson"), () => { people.remove(person); list(); }) : null,
      button(null, words.say("back"), list),
      el("button.button.primary", { type: "submit" }, words.say("save")),
    ),
  );
}
