"""The main job in a real Chromium, on a whole running studio with the bundled model."""

from __future__ import annotations

import asyncio
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.async_api import Route, expect

from tests.browser.conftest import OpenPage
from tests.browser.page import ask, picture_of, share_of
from tests.browser.visitor import Visit, somebody, until
from tests.stack import Studio

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


@contextmanager
def held(studio: Studio) -> Iterator[None]:
    """The worker holds its breath, so that there is time to look at the line."""
    studio.signal_child("worker", signal.SIGSTOP)
    try:
        yield
    finally:
        studio.signal_child("worker", signal.SIGCONT)


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


async def test_the_page_catches_up_after_a_lost_connection(
    open_page: OpenPage, visit: Visit
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


async def test_an_answer_that_a_picture_overtakes_is_not_read_out(open_page: OpenPage) -> None:
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
    await ask(page, "a red circle")
    await answered.wait()
    await page.wait_for_timeout(500)  # words are set a moment after they are said
    await expect(page.locator("#polite")).to_contain_text("a red circle")
