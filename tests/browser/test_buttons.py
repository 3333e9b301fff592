"""Every button of a picture, the mask editor, threads and the lightbox."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.async_api import ViewportSize, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import accessibility_faults, picture_of, send_prompt
from tests.browser.test_page import paused_worker
from tests.browser.visitor import unique_name
from tests.stack import AtelierProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_every_button_of_a_picture(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a small red house left of a green tree --seed 3")
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
    await send_prompt(page, "make the house blue")
    await expect(page.locator(".gallery img")).to_have_count(4)
    await expect(page.locator(".message").last.locator(".parent")).to_be_visible()

    await first.get_by_role("button", name="Again").click()
    box = page.get_by_role("textbox", name="Prompt")
    await expect(box).to_have_value("a small red house left of a green tree")
    await send_prompt(page, "a small red house left of an orange tree")
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
    await expect(first.locator(".ended")).to_contain_text("deleted")


async def test_edit_changes_only_inside_mask(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a red circle in the middle --seed 5")
    await page.locator(".gallery img").wait_for()
    await page.get_by_role("button", name="Edit", exact=True).click()
    await page.get_by_role("button", name="Paint a mask").click()
    canvas = page.get_by_role("application")
    await page.get_by_role("button", name="Use mask").click()
    await expect(page.get_by_role("dialog")).to_contain_text("haven’t painted anything")
    box = await canvas.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] * 0.2)
    await page.mouse.down()
    await page.mouse.move(box["x"] + box["width"] * 0.4, box["y"] + box["height"] * 0.3, steps=5)
    await page.mouse.up()
    await page.get_by_role("button", name="Use mask").click()
    await expect(page.locator("#composer .mode")).to_contain_text("Mask painted")
    await page.evaluate(
        """() => { const send = fetch; window.fetch = async (path, options) => {
          const mask = options?.body?.get?.("mask");
          if (mask) window.mask = [...new Uint8Array(await mask.arrayBuffer())];
          return send(path, options);
        }; }"""
    )
    await send_prompt(page, "a yellow star")
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
    difference = sum(abs(a - b) for a, b in zip(one, two, strict=True)) / len(one)
    assert difference < 8, "pixels outside the mask changed"


async def test_blend_of_two_pictures(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a red circle --count 2")
    await expect(page.locator(".gallery img")).to_have_count(2)
    await page.get_by_role("button", name="Blend 1").click()
    await expect(page.locator("#composer .mode")).to_contain_text("at least one more")
    await page.get_by_role("button", name="Blend 2").click()
    await expect(page.locator("#composer .mode")).to_contain_text("Blending 2 pictures")
    await send_prompt(page, "a red circle")
    await expect(page.locator(".gallery img")).to_have_count(3)
    await expect(page.locator("#composer .mode")).to_be_hidden()


async def test_text_in_thread_edits_its_picture(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a red house --seed 2")
    await page.get_by_role("button", name="Thread").click()
    thread = page.get_by_role("complementary", name="Thread")
    await expect(thread.locator(".gallery img")).to_have_count(1)
    await send_prompt(page, "make the house blue", nth=1)
    await expect(thread.locator(".gallery img")).to_have_count(2)
    await expect(page.locator("#conversation .gallery img")).to_have_count(1)
    await thread.get_by_role("button", name="Close thread").click()
    await expect(thread).to_be_hidden()


async def test_lightbox_switches_pictures_and_restores_focus(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a yellow moon --count 2 --ar 3:2")
    await expect(page.locator(".gallery img")).to_have_count(2)
    opener = page.get_by_role("button", name=re.compile("^Open picture 2"))
    await opener.click()
    box = page.get_by_role("dialog")
    await expect(box).to_contain_text("2 of 2")
    await page.keyboard.press("ArrowRight")
    await expect(box).to_contain_text("1 of 2")
    assert await accessibility_faults(page) == []
    await page.keyboard.press("Escape")
    await expect(opener).to_be_focused()


async def test_closing_lightbox_does_not_steal_focus(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a red circle")
    await page.locator(".gallery .open").click()
    # The close event fires one frame late: a fast user has moved the focus by then.
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


@pytest.mark.parametrize(
    "screen",
    [{"width": 360, "height": 740}, {"width": 390, "height": 844}, {"width": 1280, "height": 800}],
)
async def test_lightbox_fits_the_window_with_a_long_prompt(
    open_page: OpenPage, screen: ViewportSize
) -> None:
    page = await open_page(viewport=screen)
    await send_prompt(page, "a red circle " + "in the middle of a meadow " * 14)
    await page.locator(".gallery .open").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    outside = await page.evaluate(
        """() => [...document.querySelectorAll(
          ".lightbox header, .lightbox figure, .lightbox footer, .lightbox img, .lightbox .button"
        )].filter((node) => {
          const box = node.getBoundingClientRect();
          return box.left < -1 || box.right > innerWidth + 1 || box.bottom > innerHeight + 1;
        }).map((node) => node.outerHTML.slice(0, 100))"""
    )
    assert outside == []


async def test_messages_of_others_offer_neither_cancel_nor_delete(
    open_page: OpenPage, atelier: AtelierProcess
) -> None:
    channel = unique_name("channel")
    ann = await open_page(channel=channel)
    ben = await open_page(channel=channel)
    admin = await open_page(channel=channel, administrator=True)
    for page in (ann, ben, admin):
        await expect(page.locator(".welcome")).to_be_visible()
    with paused_worker(atelier):
        await send_prompt(ann, "a red circle")
        await expect(ann.locator("[data-action=cancel]")).to_be_visible()
        await expect(admin.locator("[data-action=cancel]")).to_be_visible()
        await expect(ben.locator(".progress-card")).to_be_visible()
        await expect(ben.locator("[data-action=cancel]")).to_have_count(0)
    for page, count in ((ann, 1), (admin, 1), (ben, 0)):
        await expect(page.locator(".gallery img")).to_have_count(1)
        await page.get_by_role("button", name="More").click()
        await expect(page.get_by_role("menuitem", name="Details")).to_be_visible()
        await expect(page.get_by_role("menuitem", name="Delete")).to_have_count(count)


async def test_locked_feature_names_its_tier_and_offers_to_switch_person(
    open_page: OpenPage,
) -> None:
    page = await open_page(role="free")
    await send_prompt(page, "a red circle")
    edit = page.get_by_role("button", name="Edit · Plus")
    await expect(edit).to_be_visible()
    await expect(page.get_by_role("button", name="Vary · Plus")).to_be_visible()
    assert await accessibility_faults(page) == []
    await edit.click()
    refusal = page.locator(".ephemeral-reply.refusal")
    await expect(refusal).to_contain_text("Plus")
    await refusal.get_by_role("button", name="Switch person").click()
    await expect(page.get_by_role("dialog", name="Who are you?")).to_be_visible()
    await page.get_by_role("button", name="Add a person").click()
    await page.get_by_label("Name").fill("Paula")
    await page.get_by_role("radio", name="Plus").check()
    await page.get_by_role("button", name="Save").click()
    await expect(page.locator(".gallery [data-action=edit]")).to_have_accessible_name("Edit")


async def test_spent_quota_offers_to_switch_person(open_page: OpenPage) -> None:
    page = await open_page(role="free")
    for number in range(3):
        await send_prompt(page, "a red circle")
        await expect(page.locator(".gallery img")).to_have_count(number + 1)
    await send_prompt(page, "a blue circle")
    refusal = page.locator(".ephemeral-reply.refusal")
    await expect(refusal.get_by_role("button", name="Switch person")).to_be_visible()
