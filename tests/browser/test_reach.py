"""Keyboard, screen reader, eyes, languages, phones: everybody can use the page."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.page import ask, faults_of
from tests.stack import Studio

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


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


HINTS: list[tuple[str, list[str]]] = [
    ("a cat", []),
    ("a cat -", []),
    ("a cat --", ["--ar", "--count", "--seed", "--no", "--model", "--strength"]),
    ("a cat —s", ["--seed", "--strength"]),
    ("a cat --ar 1:1 --", ["--count", "--seed", "--no", "--model", "--strength"]),
    ("a cat --ar ", ["1:1", "3:2", "2:3", "4:5", "16:9", "9:16"]),
    ("a cat --ar=1", ["1:1", "16:9"]),
    ("a cat --ar 16:9", []),
    ("a cat --count ", ["1", "2", "3", "4"]),
    ("a cat --model p", ["postcard"]),
    ("a cat --seed ", []),
    ("/q", ["/queue", "/quota"]),
    ("/waitlist ", ["join", "leave", "status"]),
    ("/studio d", ["doors"]),
    ("/imagine a cat --se", ["--seed"]),
    ("half/q", []),
]


async def test_what_is_offered(open_page: OpenPage) -> None:
    page = await open_page(administrator=True)
    box = page.get_by_role("textbox", name="Prompt")
    shown = page.locator("#prompt-hints:not([hidden]) .hint b")
    for text, expected in HINTS:
        await box.fill(text)
        await expect(shown, text).to_have_text(expected)


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


async def test_the_studio_page_is_for_administrators(open_page: OpenPage, studio: Studio) -> None:
    page = await open_page(administrator=True, path=f"{studio.url}/studio")
    await expect(page.get_by_role("row")).not_to_have_count(0)
    await expect(page.locator("tbody tr")).to_have_count(4 + 12 + 1)  # tiers, doors, a worker
    await expect(page.get_by_role("img", name="in the last day")).to_have_count(2)
    assert await faults_of(page) == []
    other = await open_page(path=f"{studio.url}/studio", faults=True)
    await expect(other.get_by_role("alert").first).to_contain_text("administrators")
