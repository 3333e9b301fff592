/** Pictures at full size: arrow keys turn, Z zooms, Escape closes and the browser gives the focus back. */
import { button, el, fill, iconButton } from "./dom.js";

/** `pictures`: { id, url, alt, width, height, buttons }; `press(action, id, anchor)` carries a button out. */
export function openLightbox(pictures, first, words, press) {
  const before = document.activeElement;
  let at = Math.max(0, pictures.findIndex((picture) => picture.id === first));
  const says = el("p.says");
  const count = el("span", { role: "status" });
  const figure = el("figure");
  const foot = el("footer");
  const zoom = iconButton("zoom", words.say("zoom"), () => toggle());
  const close = iconButton("close", words.say("close"), () => dialog.close());
  const dialog = el("dialog.lightbox", { "aria-label": words.say("open") }, el("header", {}, says, count, zoom, close), figure, foot);

  const toggle = () => {
    const zoomed = figure.classList.toggle("zoomed");
    zoom.setAttribute("aria-pressed", String(zoomed));
  };
  const turn = (by) => {
    at = (at + by + pictures.length) % pictures.length;
    show();
  };
  const show = () => {
    const picture = pictures[at];
    const image = el("img", { src: picture.url, alt: picture.alt, width: picture.width, height: picture.height, onclick: toggle });
    figure.classList.remove("zoomed");
    // A small picture is shown larger than it is, yet never larger than it fits.
    figure.style.setProperty("--fit-width", `calc((100dvh - 130px) * ${picture.width / picture.height})`);
    fill(figure, image, ...(pictures.length > 1 ? turns(turn, words) : []));
    says.textContent = picture.alt;
    count.textContent = pictures.length > 1 ? words.say("imageOf", at + 1, pictures.length) : "";
    fill(foot, tools(picture, words, (action) => { dialog.close(); press(action, picture.id, before); }));
  };
  dialog.addEventListener("keydown", (event) => {
    if (event.key === "ArrowRight" && pictures.length > 1) turn(1);
    else if (event.key === "ArrowLeft" && pictures.length > 1) turn(-1);
    else if (event.key === "z" || event.key === "Z") toggle();
    else return;
    event.preventDefault();
  });
  figure.addEventListener("click", (event) => event.target === figure && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  show();
  document.body.append(dialog);
  dialog.showModal();
  close.focus();
}

function turns(turn, words) {
  const back = iconButton("back", words.say("previous"), () => turn(-1));
  const on = iconButton("on", words.say("next"), () => turn(1));
  back.classList.add("turn", "back");
  on.classList.add("turn", "on");
  return [back, on];
}

function tools(picture, words, press) {
  const own = (picture.buttons ?? []).map((each) => button(each.action, words.say(each.action), () => press(each.action)));
  const save = el("a.button", { href: `${picture.url}?download=1`, download: "" }, words.say("download"));
  return [...own, save];
}
