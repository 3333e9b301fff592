"""Every button of a picture, the mask brush, threads and the lightbox."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.browser.conftest import OpenPage
from tests.browser.page import ask, faults_of, picture_of

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


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
        white = sum(levels.histogram()[200:])
        assert 0.02 < white / (levels.width * levels.height) < 0.4
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


async def test_the_lightbox_leaves_the_focus_where_somebody_took_it(open_page: OpenPage) -> None:
    page = await open_page()
    await ask(page, "a red circle")
    await page.locator(".gallery .open").click()
    # Its closing is told one frame later than it happens: fast fingers have gone on by then.
    await page.evaluate(
        """async () => {
          document.querySelector("dialog").close();
          document.querySelector("[data-action=vary]").focus();
          for (let frame = 0; frame < 3; frame += 1) await new Promise(requestAnimationFrame);
        }"""
    )
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("[data-action=vary]")).to_be_focused()
    await page.locator(".gallery .open").click()
    await page.get_by_role("dialog").get_by_role("button", name="Edit").click()
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await expect(page.locator("#composer .mode")).to_contain_text("Editing")
    await page.keyboard.type("at night")
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("at night")
