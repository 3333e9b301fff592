"""The page in a real Chromium, on a whole running studio with the bundled model."""

from __future__ import annotations

import io
import re
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import PATIENCE, OpenPage
from tests.browser.visitor import Visitor, somebody, until
from tests.stack import Studio

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")
expect.set_options(timeout=PATIENCE)


async def ask(page: Page, text: str, nth: int = 0) -> None:
    box = page.get_by_role("textbox", name=re.compile("Prompt|Description")).nth(nth)
    await box.fill(text)
    await box.press("Enter")


async def picture_of(page: Page, nth: int = 0) -> Image.Image:
    shown = page.locator(".gallery .open img").nth(nth)
    await shown.wait_for()
    source = await shown.get_attribute("src")
    answer = await page.request.get(f"{page.url.partition('#')[0].rstrip('/')}{source}")
    return Image.open(io.BytesIO(await answer.body())).convert("RGB")


def png(size: tuple[int, int] = (64, 64), colour: str = "teal") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", size, colour).save(file, "PNG")
    return file.getvalue()


def share_of(image: Image.Image, channel: int) -> float:
    """The part of the picture where one of red, green, blue is far above the other two."""
    pixels = list(image.get_flattened_data())
    strong = [p for p in pixels if p[channel] > 60 + max(p[:channel] + p[channel + 1 :])]
    return len(strong) / len(pixels)


async def faults_of(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(f"({AUDIT})()")
    return found


# -- the main job --------------------------------------------------------------------------------


async def test_from_a_prompt_over_progress_to_a_picture(open_page: OpenPage) -> None:
    page = await open_page()
    # Everything that was ever shown is noted, since a quick machine draws in a blink.
    await page.evaluate(
        """() => { window.shown = new Set(); new MutationObserver(() => {
          for (const bar of document.querySelectorAll('[role=progressbar]'))
            window.shown.add(bar.getAttribute('aria-valuenow'));
          if (document.querySelector('.stage img')) window.shown.add('preview');
          if (document.querySelector('[data-action=cancel]')) window.shown.add('cancel');
        }).observe(document.body, { subtree: true, childList: true, attributes: true }); }"""
    )
    await ask(page, "a red circle on the left --seed 4")
    await expect(page.locator(".message .prompt")).to_have_text("a red circle on the left")
    picture = await picture_of(page)
    assert min(picture.size) >= 64
    shown = set(await page.evaluate("[...window.shown]"))
    assert {"preview", "cancel"} <= shown
    assert len(shown - {"preview", "cancel", None}) >= 2, f"the bar did not move: {shown}"
    # Done: neither a bar nor a way to cancel is left.
    await expect(page.get_by_role("progressbar")).to_have_count(0)
    await expect(page.locator("[data-action=cancel]")).to_have_count(0)
    await expect(page.locator("#polite")).to_contain_text("a red circle on the left")
    # It is the record that is shown: another reading shows the same.
    await page.reload()
    await expect(page.locator(".gallery img")).to_have_count(1)


async def test_the_pictures_colours_are_the_prompts(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a big red circle in the middle --seed 11")
    red = await picture_of(page, 0)
    await ask(page, "a big blue circle in the middle --seed 11")
    blue = await picture_of(page, 1)
    assert share_of(red, 0) > share_of(blue, 0) + 0.05
    assert share_of(blue, 2) > share_of(red, 2) + 0.05


@contextmanager
def held(studio: Studio) -> Iterator[None]:
    """The worker holds its breath, so that there is time to look at the line."""
    studio.signal_child("worker", signal.SIGSTOP)
    try:
        yield
    finally:
        studio.signal_child("worker", signal.SIGCONT)


async def test_cancel(open_page: OpenPage, studio: Studio) -> None:
    page = await open_page()
    with held(studio):
        await ask(page, "a green tree")
        await ask(page, "a blue tree")
        cards = page.locator(".progress-card")
        await expect(cards).to_have_count(2)
        await expect(cards.last).to_contain_text("in line")
        await cards.last.get_by_role("button", name="Cancel").click()
        await expect(page.locator(".trouble.cancelled")).to_be_visible()
        await expect(page.locator(".toast")).to_contain_text("Nothing was charged")
        await expect(cards).to_have_count(1)
    await expect(page.locator(".gallery img")).to_have_count(1)
    await expect(page.get_by_role("button", name=re.compile("^1,799 of 1,800"))).to_be_visible()


async def test_a_refused_request_keeps_the_words_and_is_for_ones_own_eyes(
    open_page: OpenPage,
) -> None:
    channel = somebody("room")
    page, other = await open_page(role="free", channel=channel), await open_page(channel=channel)
    await ask(page, "a red house --count 3")
    note = page.locator(".aside-note.refusal")
    await expect(note).to_contain_text("one picture at a time")
    await expect(note).to_contain_text("Only you can see this")
    await expect(page.locator("#assertive")).to_contain_text("one picture at a time")
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a red house --count 3")
    await expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    await expect(other.locator(".welcome")).to_be_visible()
    await expect(other.locator(".aside-note")).to_have_count(0)
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)


async def test_two_windows_see_the_same_conversation_as_two_people(open_page: OpenPage) -> None:
    channel = somebody("room")
    ada = await open_page(name="Ada", role="plus", channel=channel)
    ben = await open_page(name="Ben", role="free", channel=channel)
    await expect(ben.locator(".welcome")).to_be_visible()
    await ask(ada, "a yellow star")
    await expect(ben.locator(".message .name")).to_have_text("Ada")
    await expect(ben.locator(".gallery img")).to_have_count(1)
    await ben.locator("[data-action=vary]").click()
    await expect(ben.locator(".aside-note.refusal")).to_contain_text("Plus")


# -- buttons -------------------------------------------------------------------------------------


async def test_every_button_of_a_picture(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a small red house left of a green tree --seed 3")
    await page.locator(".gallery img").wait_for()

    await page.get_by_role("button", name="Vary").click()
    await expect(page.locator(".gallery img")).to_have_count(2)
    first = page.locator(".message").first
    await first.get_by_role("button", name="Upscale").click()
    await page.get_by_role("menuitem", name="Upscale ×2").click()
    await expect(page.locator(".gallery img")).to_have_count(3)
    small, large = await picture_of(page, 0), await picture_of(page, 2)
    assert large.size == (2 * small.width, 2 * small.height)

    await first.get_by_role("button", name="Edit", exact=True).click()
    await ask(page, "make the house blue")
    await expect(page.locator(".gallery img")).to_have_count(4)
    await expect(page.locator(".message").last.locator(".parent")).to_be_visible()

    await first.get_by_role("button", name="Again").click()
    box = page.get_by_role("textbox", name="Prompt")
    await expect(box).to_have_value("a small red house left of a green tree")
    await ask(page, "a small red house left of an orange tree")
    await expect(page.locator(".gallery img")).to_have_count(5)

    await first.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Details").click()
    details = page.get_by_role("dialog")
    await expect(details).to_contain_text("Seed")
    await expect(details).to_contain_text("postcard")
    await page.keyboard.press("Escape")
    await expect(first.get_by_role("button", name="More")).to_be_focused()

    async with page.expect_download() as saved:
        await first.get_by_role("link", name="Download").click()
    assert (await saved.value).suggested_filename.endswith(".png")

    await first.get_by_role("button", name="More").click()
    await page.get_by_role("menuitem", name="Delete").click()
    await page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    await expect(first.locator(".trouble")).to_contain_text("deleted")


async def test_editing_inside_a_painted_mask(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a red circle in the middle --seed 5")
    await page.locator(".gallery img").wait_for()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Paint a mask").click()
    canvas = page.get_by_role("application")
    await page.get_by_role("button", name="Use the mask").click()
    await expect(page.get_by_role("dialog")).to_contain_text("Nothing is painted yet")
    box = await canvas.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3, steps=5)
    await page.mouse.up()
    await page.get_by_role("button", name="Use the mask").click()
    await expect(page.locator("#composer .mode")).to_contain_text("Mask painted")
    await page.evaluate(
        """() => { const send = fetch; window.fetch = async (path, options) => {
          const mask = options?.body?.get?.("mask");
          if (mask) window.mask = [...new Uint8Array(await mask.arrayBuffer())];
          return send(path, options);
        }; }"""
    )
    await ask(page, "a yellow star")
    await expect(page.locator(".gallery img")).to_have_count(2)
    mask = bytes(await page.evaluate("window.mask"))
    with Image.open(io.BytesIO(mask)) as painted:
        levels = painted.convert("L")
        white = sum(1 for level in levels.get_flattened_data() if level > 200) / (
            levels.width * levels.height
        )
        assert 0.02 < white < 0.4
        assert levels.getpixel((levels.width - 1, levels.height - 1)) == 0
    before, after = await picture_of(page, 0), await picture_of(page, 1)
    corner = (before.width * 3 // 4, before.height * 3 // 4, before.width, before.height)
    one, two = before.crop(corner).tobytes(), after.crop(corner).tobytes()
    apart = sum(abs(a - b) for a, b in zip(one, two, strict=True)) / len(one)
    assert apart < 8, "what was not painted over has changed"


async def test_blending_two_pictures(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a red circle --count 2")
    await expect(page.locator(".gallery img")).to_have_count(2)
    await page.get_by_role("button", name="Blend 1").click()
    await expect(page.locator("#composer .mode")).to_contain_text("at least one more")
    await page.get_by_role("button", name="Blend 2").click()
    await expect(page.locator("#composer .mode")).to_contain_text("Blending 2 pictures")
    await ask(page, "a red circle")
    await expect(page.locator(".gallery img")).to_have_count(3)
    await expect(page.locator("#composer .mode")).to_be_hidden()


async def test_a_thread_is_a_conversation_about_one_picture(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a red house --seed 2")
    await page.get_by_role("button", name="Thread").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.locator(".gallery img")).to_have_count(1)
    await ask(page, "make the house blue", nth=1)
    await expect(thread.locator(".gallery img")).to_have_count(2)
    await expect(page.locator("#conversation .gallery img")).to_have_count(1)
    await thread.get_by_role("button", name="Close the thread").click()
    await expect(thread).to_be_hidden()


async def test_the_lightbox_turns_and_gives_the_focus_back(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a yellow moon --count 2 --ar 3:2")
    await expect(page.locator(".gallery img")).to_have_count(2)
    opener = page.get_by_role("button", name=re.compile("^Open picture 2"))
    await opener.click()
    box = page.get_by_role("dialog")
    await expect(box).to_contain_text("2 of 2")
    await page.keyboard.press("ArrowRight")
    await expect(box).to_contain_text("1 of 2")
    assert await faults_of(page) == []
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()


# -- files ---------------------------------------------------------------------------------------


async def test_a_reference_by_button_and_by_paste_and_by_drop(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    file = {"name": "sea.png", "mimeType": "image/png", "buffer": png()}
    await page.locator("input[type=file]").first.set_input_files([file])  # type: ignore[list-item]
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await page.get_by_role("button", name="Remove sea.png").click()
    await expect(page.locator(".attached")).to_have_count(0)
    for kind, holder in (("paste", "clipboardData"), ("drop", "dataTransfer")):
        await page.evaluate(
            """([kind, holder]) => {
              const bytes = new Uint8Array([137, 80, 78, 71]);
              const data = new DataTransfer();
              data.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
              const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
              const event = new Kind(kind, { [holder]: data, bubbles: true, cancelable: true });
              document.getElementById("prompt").dispatchEvent(event);
            }""",
            [kind, holder],
        )
        await expect(page.locator(".attached")).to_contain_text(f"{kind}.png")
    # What was dropped has a picture's name but is none.
    await ask(page, "a red house")
    await expect(page.locator(".aside-note.refusal")).to_contain_text("not a picture")
    await page.locator("input[type=file]").first.set_input_files([file])  # type: ignore[list-item]
    await ask(page, "a blue sea --strength 0.5")
    await expect(page.locator(".gallery img")).to_have_count(1)
    await expect(page.locator(".attached")).to_have_count(0)


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    await page.evaluate(
        """() => {
          const bytes = new Uint8Array(60 * 1024 * 1024);
          const data = new DataTransfer();
          data.items.add(new File([bytes], "huge.png", { type: "image/png" }));
          const values = { clipboardData: data, bubbles: true, cancelable: true };
          document.getElementById("prompt").dispatchEvent(new ClipboardEvent("paste", values));
        }"""
    )
    await expect(page.locator(".toast")).to_contain_text("huge.png is too large")
    await expect(page.locator(".attached")).to_have_count(0)


async def test_a_request_that_is_too_large_gets_its_sentence_in_the_browser(
    open_page: OpenPage,
) -> None:
    """A browser that is cut off while it sends never reads why: the server must hear it out."""
    page = await open_page(faults=True)
    await expect(page.locator(".welcome")).to_be_visible()
    answer = await page.evaluate(
        """async () => {
          const { token } = await (await fetch("/api/welcome")).json();
          const form = new FormData();
          form.append("reference", new Blob([new Uint8Array(60 * 1024 * 1024)]), "huge.png");
          const headers = { "Atelier-Token": token, "Atelier-Member": "x" };
          const response = await fetch("/api/messages", { method: "POST", body: form, headers });
          return [response.status, (await response.json()).text];
        }"""
    )
    assert answer[0] == 413
    assert "too large" in answer[1]


# -- typing --------------------------------------------------------------------------------------


async def test_flags_and_commands_are_offered(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.get_by_role("textbox", name="Prompt")
    await box.press_sequentially("a red house --a")
    options = page.get_by_role("option")
    await expect(options).to_have_count(1)
    await box.press("Tab")
    await expect(box).to_have_value("a red house --ar ")
    await expect(options).to_have_count(6)
    await box.press_sequentially("16")
    await box.press("Enter")
    await expect(box).to_have_value("a red house --ar 16:9 ")
    await box.fill("/qu")
    await expect(options).to_have_count(2)
    await box.press("ArrowDown")
    await expect(page.locator("[aria-selected=true]")).to_contain_text("/quota")
    await box.press("Enter")
    await box.press("Enter")
    await expect(page.locator(".aside-note")).to_contain_text("credits left")


async def test_the_keyboard_alone(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    await page.keyboard.type("a red circle")
    await page.keyboard.press("Enter")
    await page.locator(".gallery img").wait_for()
    # Up brings the last prompt back, Down takes it away again.
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a red circle")
    await page.keyboard.press("ArrowDown")
    # From the box back to the message, then to its picture, and back again.
    for _ in range(20):
        await page.keyboard.press("Shift+Tab")
        if await page.evaluate("document.activeElement.matches('.open')"):
            break
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await page.keyboard.press("Tab")
    await expect(page.locator("[data-action=vary]")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.locator(".gallery img")).to_have_count(2)
    await page.locator(".message").last.focus()
    await page.keyboard.press("ArrowUp")
    await expect(page.locator(".message").first).to_be_focused()
    await page.keyboard.press("/")
    await expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    await page.get_by_role("button", name=re.compile("^You are")).focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("dialog", name="Who are you?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("button", name=re.compile("^You are"))).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()


async def test_the_brush_works_with_the_keyboard(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a red circle")
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Paint a mask").click()
    await page.get_by_role("application").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press(" ")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.get_by_role("button", name="Use the mask").press("Enter")
    await expect(page.locator("#composer .mode")).to_contain_text("Mask painted")


# -- people, language, looks ---------------------------------------------------------------------


async def test_becoming_somebody_new(open_page: OpenPage) -> None:
    page = await open_page(role="free")
    await page.get_by_role("button", name=re.compile("^You are")).click()
    await page.get_by_role("button", name="Someone new").click()
    await page.get_by_label("Name").fill("Zoë Ünal")
    await page.get_by_label("Team").check()
    await page.get_by_label("Administrator of this server").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="You are Zoë Ünal, team")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("of 100 credits left"))).to_be_visible()
    await expect(page.get_by_role("link", name="Studio")).to_be_visible()
    await ask(page, "a green tree")
    await expect(page.locator(".message .badge")).to_have_text("Team")


async def test_in_french(open_page: OpenPage) -> None:
    page = await open_page(locale="fr-FR")
    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await expect(page.locator(".welcome")).to_contain_text("Que voulez-vous voir")
    await ask(page, "un chat --count 99")
    await expect(page.locator(".aside-note.refusal")).to_contain_text("99")
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Langue").click()
    await page.get_by_role("menuitemradio", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_both_languages_say_the_same_things(open_page: OpenPage) -> None:
    page = await open_page()
    kinds = await page.evaluate(
        """async () => {
          const kind = (words) => Array.isArray(words) ? words.length
            : typeof words === "object" ? Object.keys(words).sort().join() : typeof words;
          const kinds = (book) => Object.entries(book).map(([name, words]) => [name, kind(words)]);
          const books = ["en", "fr"].map((name) => import(`/page/words/${name}.js`));
          return (await Promise.all(books)).map((book) => Object.fromEntries(kinds(book.default)));
        }"""
    )
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_it_can_be_read_and_reached(open_page: OpenPage, scheme: str) -> None:
    page = await open_page(color_scheme=scheme, administrator=True)
    await expect(page.locator(".welcome")).to_be_visible()
    assert await faults_of(page) == []
    await ask(page, "a red house --count 2 --no trees")
    await expect(page.locator(".gallery img")).to_have_count(2)
    await ask(page, "/quota")
    await ask(page, "/explode")
    await expect(page.locator(".aside-note")).to_have_count(2)
    assert await faults_of(page) == []
    await page.get_by_role("button", name=re.compile("^You are")).click()
    assert await faults_of(page) == []
    await page.get_by_role("button", name="Someone new").click()
    assert await faults_of(page) == []


async def test_the_chosen_theme_stays(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Theme").click()
    await page.get_by_role("menuitemradio", name="Dark").click()
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
async def test_a_phone_has_nothing_to_scroll_sideways(open_page: OpenPage, locale: str) -> None:
    screen = {"width": 360, "height": 740}
    page = await open_page(viewport=screen, has_touch=True, locale=locale)
    wide = "[document.documentElement, document.querySelector('#conversation')]"
    wide += ".map((node) => node.scrollWidth)"
    await expect(page.locator(".welcome")).to_be_visible()
    assert max(await page.evaluate(wide)) <= 360
    await ask(page, "a red house left of a green tree --count 4 --ar 16:9 --no " + "snow " * 20)
    await expect(page.locator(".gallery img")).to_have_count(4)
    await ask(page, "x" * 300)
    await expect(page.locator(".gallery img")).to_have_count(5)
    await ask(page, "/help")
    await expect(page.locator(".aside-note")).to_be_visible()
    assert max(await page.evaluate(wide)) <= 360
    assert await faults_of(page) == []
    await page.locator(".menu-button").click()
    await expect(page.get_by_role("navigation")).to_be_visible()
    assert await faults_of(page) == []
    await page.get_by_role("navigation").get_by_text("gallery").click()
    await expect(page.get_by_role("heading", name="# gallery")).to_be_visible()


async def test_less_motion_where_it_is_asked_for(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce")
    await ask(page, "a red house")
    longest = await page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].map((node) =>
          parseFloat(getComputedStyle(node).transitionDuration) || 0))"""
    )
    assert longest < 0.01


# -- losses --------------------------------------------------------------------------------------


async def test_the_page_catches_up_after_a_lost_connection(
    open_page: OpenPage, visit: Callable[..., Visitor]
) -> None:
    channel = somebody("room")
    page = await open_page(channel=channel, faults=True)
    await expect(page.locator(".welcome")).to_be_visible()
    await page.route("**/api/stream**", lambda route: route.abort())
    await page.evaluate("dispatchEvent(new Event('online'))")
    await expect(page.locator(".offline")).to_be_visible()
    ann = visit()
    ann.channel = channel
    with ann.listening() as events:
        job = ann.send("a red circle").json()["message"]["id"]
        until(events, "message", id=job, ended=True)
    await page.unroute("**/api/stream**")
    await expect(page.locator(".offline")).to_be_hidden()
    await expect(page.locator(".gallery img")).to_have_count(1)


async def test_a_message_that_was_sent_into_a_broken_connection_is_sent_once(
    open_page: OpenPage,
) -> None:
    page = await open_page(faults=True)
    await expect(page.locator(".welcome")).to_be_visible()
    lost = 0

    async def lose_the_answer(route: Route) -> None:
        nonlocal lost
        lost += 1
        await route.fetch()
        await route.abort()

    await page.route("**/api/messages", lose_the_answer, times=1)
    await ask(page, "a red circle")
    await expect(page.locator(".gallery img")).to_have_count(1)
    await page.reload()
    await expect(page.locator(".message")).to_have_count(1)
    assert lost == 1


async def test_the_studio_page_is_for_administrators(open_page: OpenPage, studio: Studio) -> None:
    page = await open_page(administrator=True, path=f"{studio.url}/studio")
    await expect(page.get_by_role("row")).not_to_have_count(0)
    await expect(page.locator("tbody tr")).to_have_count(5)
    assert await faults_of(page) == []
    other = await open_page(path=f"{studio.url}/studio", faults=True)
    await expect(other.get_by_role("alert").first).to_contain_text("administrators")
