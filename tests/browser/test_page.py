"""The main path in a real Chromium, on a whole running studio with the bundled model."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.async_api import Page, Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import dominant_share, picture_of, send_prompt
from tests.browser.visitor import Visit, unique_name, until
from tests.stack import AtelierProcess

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@contextmanager
def paused_worker(atelier: AtelierProcess) -> Iterator[None]:
    """Suspend the worker, so that jobs stay in the queue."""
    atelier.signal_child("worker", signal.SIGSTOP)
    try:
        yield
    finally:
        atelier.signal_child("worker", signal.SIGCONT)


async def render_in_slices(page: Page, atelier: AtelierProcess, shown: str) -> None:
    """Let the worker run for moments until the expression holds on the page, or it has a picture.

    Otherwise a whole render can pass between two updates of a page whose machine is busy.
    """
    pictures = page.locator(".gallery img")
    while not await page.evaluate(shown) and not await pictures.count():
        await asyncio.sleep(0.03)
        with paused_worker(atelier):
            await asyncio.sleep(0.15)


async def test_prompt_progress_picture(open_page: OpenPage, atelier: AtelierProcess) -> None:
    page = await open_page()
    # Everything that was ever shown is recorded.
    await page.evaluate(
        """() => { window.shown = new Set(); new MutationObserver(() => {
          for (const bar of document.querySelectorAll('[role=progressbar]'))
            window.shown.add(bar.getAttribute('aria-valuenow'));
          if (document.querySelector('.stage img')) window.shown.add('preview');
          if (document.querySelector('[data-action=cancel]')) window.shown.add('cancel');
        }).observe(document.body, { subtree: true, childList: true, attributes: true }); }"""
    )
    await send_prompt(page, "a red circle on the left --seed 4 --count 4")
    await render_in_slices(page, atelier, "window.shown.has('preview') && window.shown.size >= 5")
    await expect(page.locator(".message .prompt")).to_contain_text("a red circle on the left")
    picture = await picture_of(page)
    assert min(picture.size) >= 64
    shown = set(await page.evaluate("[...window.shown]"))
    assert {"preview", "cancel"} <= shown
    assert len(shown - {"preview", "cancel", None}) >= 2, f"the bar did not move: {shown}"
    # Done: neither a progress bar nor a cancel button is left.
    await expect(page.get_by_role("progressbar")).to_have_count(0)
    await expect(page.locator("[data-action=cancel]")).to_have_count(0)
    await expect(page.locator("#polite")).to_contain_text("a red circle on the left")
    # The page shows the database: a reload shows the same.
    await page.reload()
    await expect(page.locator(".gallery img")).to_have_count(4)


async def test_picture_has_the_prompts_colours(open_page: OpenPage) -> None:
    page = await open_page()
    await send_prompt(page, "a big red circle in the middle --seed 11")
    red = await picture_of(page, 0)
    await send_prompt(page, "a big blue circle in the middle --seed 11")
    blue = await picture_of(page, 1)
    assert dominant_share(red, 0) > dominant_share(blue, 0) + 0.05
    assert dominant_share(blue, 2) > dominant_share(red, 2) + 0.05


async def test_cancel(open_page: OpenPage, atelier: AtelierProcess) -> None:
    page = await open_page()
    with paused_worker(atelier):
        await send_prompt(page, "a green tree")
        await send_prompt(page, "a blue tree")
        cards = page.locator(".progress-card")
        await expect(cards).to_have_count(2)
        await expect(cards.last).to_contain_text("in line")
        await cards.last.get_by_role("button", name="Cancel").click()
        await expect(page.locator(".ended.cancelled")).to_be_visible()
        await expect(page.locator(".toast")).to_contain_text("Nothing was charged")
        await expect(cards).to_have_count(1)
    await expect(page.locator(".gallery img")).to_have_count(1)
    await expect(page.get_by_role("button", name=re.compile("^1,799 of 1,800"))).to_be_visible()


async def test_refusal_is_private_and_keeps_text(
    open_page: OpenPage,
) -> None:
    channel = unique_name("channel")
    page, other = await open_page(role="free", channel=channel), await open_page(channel=channel)
    await send_prompt(page, "a red house --count 3")
    note = page.locator(".ephemeral-reply.refusal")
    await expect(note).to_contain_text("one picture at a time")
    await expect(note).to_contain_text("Only you can see this")
    await expect(page.locator("#assertive")).to_contain_text("one picture at a time")
    await expect(page.get_by_role("textbox", name="Prompt")).to_have_value("a red house --count 3")
    await expect(page.get_by_role("textbox", name="Prompt")).to_be_focused()
    await expect(other.locator(".welcome")).to_be_visible()
    await expect(other.locator(".ephemeral-reply")).to_have_count(0)
    await note.get_by_role("button", name="Dismiss").click()
    await expect(note).to_have_count(0)


async def test_two_personas_share_a_conversation(open_page: OpenPage) -> None:
    channel = unique_name("channel")
    ada = await open_page(name="Ada", role="plus", channel=channel)
    ben = await open_page(name="Ben", role="free", channel=channel)
    await expect(ben.locator(".welcome")).to_be_visible()
    await send_prompt(ada, "a yellow star")
    await expect(ben.locator(".message .name")).to_have_text("Ada")
    await expect(ben.locator(".gallery img")).to_have_count(1)
    await ben.locator("[data-action=vary]").click()
    await expect(ben.locator(".ephemeral-reply.refusal")).to_contain_text("Plus")


async def test_page_catches_up_after_lost_connection(open_page: OpenPage, visit: Visit) -> None:
    channel = unique_name("channel")
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


async def test_retry_after_lost_answer_sends_once(
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
    await send_prompt(page, "a red circle")
    await expect(page.locator(".gallery img")).to_have_count(1)
    await page.reload()
    await expect(page.locator(".message")).to_have_count(1)
    assert lost == 1


async def test_late_answer_is_not_announced(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    answered = asyncio.Event()

    async def hold_the_answer(route: Route) -> None:
        answer = await route.fetch()
        await expect(page.locator(".gallery img")).to_have_count(1)
        await expect(page.locator("#polite")).to_contain_text("a red circle")
        await route.fulfill(response=answer)
        answered.set()

    await page.route("**/api/messages", hold_the_answer, times=1)
    await send_prompt(page, "a red circle")
    await answered.wait()
    await page.wait_for_timeout(500)  # announcements are set with a delay
    await expect(page.locator("#polite")).to_contain_text("a red circle")


async def test_unknown_words_are_named_while_one_types(open_page: OpenPage) -> None:
    page = await open_page()
    box = page.get_by_role("textbox", name=re.compile("Prompt|Description")).first
    status = page.locator(".unknown-words").first
    for text, named in (
        ("a red house", ""),
        ("a Samurai and a rocket --ar 16:9 --seed 7", "The model doesn’t know this word: Samurai"),
        ("deux étoiles", ""),
        ("ETOILE et dragon, wyvern", "The model doesn’t know these words: dragon and wyvern"),
        ("samurai --model blank", ""),
        ("help", ""),
    ):
        await box.fill(text)
        await expect(status).to_have_text(named)
