"""Keyboard, screen readers, contrast, languages and phones."""

from __future__ import annotations

import re

import pytest
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.page import accessibility_faults, send_prompt
from tests.stack import AtelierProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_flags_and_commands_are_suggested(open_page: OpenPage) -> None:
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
    await expect(page.locator(".ephemeral-reply")).to_contain_text("credits left")


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


async def test_suggestions_for_typed_text(open_page: OpenPage) -> None:
    page = await open_page(administrator=True)
    box = page.get_by_role("textbox", name="Prompt")
    shown = page.locator("#prompt-suggestions:not([hidden]) .suggestion b")
    for text, expected in HINTS:
        await box.fill(text)
        await expect(shown, text).to_have_text(expected)


async def test_page_works_with_keyboard_alone(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    await page.keyboard.type("a red circle")
    await page.keyboard.press("Enter")
    await page.locator(".gallery img").wait_for()
    # Up recalls the last prompt, Down clears it again.
    await page.keyboard.press("ArrowUp")
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a red circle")
    await page.keyboard.press("ArrowDown")
    # From the box to the message, to its picture, and back again.
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


async def test_mask_editor_works_with_keyboard(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a red circle")
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Paint a mask").click()
    await page.get_by_role("application").focus()
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press(" ")
    await page.keyboard.press("Shift+ArrowLeft")
    await page.get_by_role("button", name="Use mask").press("Enter")
    await expect(page.locator("#composer .mode")).to_contain_text("Mask painted")


async def test_adding_a_persona(open_page: OpenPage) -> None:
    page = await open_page(role="free")
    await page.get_by_role("button", name=re.compile("^You are")).click()
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("Name").fill("Zoë Ünal")
    await page.get_by_label("Team").check()
    await page.get_by_label("Administrator of this server").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("button", name="You are Zoë Ünal, Team")).to_be_visible()
    await expect(page.get_by_role("button", name=re.compile("of 100 credits left"))).to_be_visible()
    await expect(page.get_by_role("link", name="Studio")).to_be_visible()
    await send_prompt(page, "a green tree")
    await expect(page.locator(".message .badge")).to_have_text("Team")


async def test_page_in_french(open_page: OpenPage) -> None:
    page = await open_page(locale="fr-FR")
    await expect(page.locator("html")).to_have_attribute("lang", "fr")
    await expect(page.locator(".welcome")).to_contain_text("Que voulez-vous voir")
    await send_prompt(page, "un chat --count 99")
    await expect(page.locator(".ephemeral-reply.refusal")).to_contain_text("99")
    assert await accessibility_faults(page) == []
    await page.get_by_role("button", name="Langue").click()
    await page.get_by_role("menuitemradio", name="English").click()
    await expect(page.locator("html")).to_have_attribute("lang", "en")


async def test_both_languages_have_every_message(open_page: OpenPage) -> None:
    """Each message formats in the browser, in both languages, with every variable given."""
    page = await open_page()
    messages = await page.evaluate(
        """async () => {
          const { loadLocalization } = await import("/page/localization.js");
          const formatted = async (locale) => {
            const l10n = await loadLocalization(locale);
            const all = new Proxy({}, {
              get: (_, name) => name === "feature" ? "edit" : 2,
              has: () => true,
              getOwnPropertyDescriptor: () => ({ configurable: true, enumerable: true, value: 2 }),
            });
            const ids = [...l10n.bundle._messages.keys()].filter((id) => id.startsWith("page-"));
            return Object.fromEntries(ids.map((id) => [id, l10n.format(id, all)]));
          };
          return [await formatted("en"), await formatted("fr")];
        }"""
    )
    english, french = messages
    assert set(english) == set(french)
    assert len(english) > 150
    assert english["page-waitlist-position"] == "Waitlist: 2nd"
    assert french["page-waitlist-position"] == "Liste d’attente\u00a0: 2e"


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_page_passes_accessibility_audit(open_page: OpenPage, scheme: str) -> None:
    page = await open_page(color_scheme=scheme, administrator=True)
    await expect(page.locator(".welcome")).to_be_visible()
    assert await accessibility_faults(page) == []
    await send_prompt(page, "a red house --count 2 --no trees")
    await expect(page.locator(".gallery img")).to_have_count(2)
    await send_prompt(page, "/quota")
    await send_prompt(page, "/explode")
    await expect(page.locator(".ephemeral-reply")).to_have_count(2)
    assert await accessibility_faults(page) == []
    await page.get_by_role("button", name=re.compile("^You are")).click()
    assert await accessibility_faults(page) == []
    await page.get_by_role("button", name="Add a person").click()
    assert await accessibility_faults(page) == []


async def test_theme_choice_persists(open_page: OpenPage) -> None:
    page = await open_page(color_scheme="light")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    await page.get_by_role("button", name="Theme").click()
    await page.get_by_role("menuitemradio", name="Dark").click()
    await page.reload()
    assert await page.evaluate("getComputedStyle(document.body).backgroundColor") != light


@pytest.mark.parametrize("locale", ["en-GB", "fr-FR"])
async def test_phone_has_no_horizontal_scroll(open_page: OpenPage, locale: str) -> None:
    screen = {"width": 360, "height": 740}
    page = await open_page(viewport=screen, has_touch=True, locale=locale)
    wide = "[document.documentElement, document.querySelector('#conversation')]"
    wide += ".map((node) => node.scrollWidth)"
    await expect(page.locator(".welcome")).to_be_visible()
    assert max(await page.evaluate(wide)) <= 360
    await send_prompt(
        page, "a red house left of a green tree --count 4 --ar 16:9 --no " + "snow " * 20
    )
    await expect(page.locator(".gallery img")).to_have_count(4)
    await send_prompt(page, "x" * 300)
    await expect(page.locator(".gallery img")).to_have_count(5)
    await send_prompt(page, "/help")
    await expect(page.locator(".ephemeral-reply")).to_be_visible()
    assert max(await page.evaluate(wide)) <= 360
    assert await accessibility_faults(page) == []
    await page.locator(".menu-button").click()
    await expect(page.get_by_role("navigation")).to_be_visible()
    assert await accessibility_faults(page) == []
    await page.get_by_role("navigation").get_by_text("gallery").click()
    await expect(page.get_by_role("heading", name="# gallery")).to_be_visible()


async def test_reduced_motion_is_respected(open_page: OpenPage) -> None:
    page = await open_page(reduced_motion="reduce")
    await send_prompt(page, "a red house")
    longest = await page.evaluate(
        """() => Math.max(...[...document.querySelectorAll("*")].map((node) =>
          parseFloat(getComputedStyle(node).transitionDuration) || 0))"""
    )
    assert longest < 0.01


async def test_admin_dashboard_is_for_administrators(
    open_page: OpenPage, atelier: AtelierProcess
) -> None:
    page = await open_page(administrator=True, path=f"{atelier.url}/studio")
    await expect(page.get_by_role("row")).not_to_have_count(0)
    tables = page.locator("tbody")
    await expect(tables.nth(0).locator("tr")).to_have_count(4)  # tiers
    await expect(tables.nth(1).locator("tr")).not_to_have_count(0)  # accuracy, by what was ordered
    await expect(tables.nth(2).locator("tr")).to_have_count(12)  # doors
    await expect(tables.last.locator("tr")).to_have_count(1)  # a worker
    await expect(page.get_by_role("img", name="over the last day")).to_have_count(2)
    assert await accessibility_faults(page) == []
    other = await open_page(path=f"{atelier.url}/studio", faults=True)
    await expect(other.get_by_role("alert").first).to_contain_text("administrators")
