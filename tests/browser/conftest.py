"""A real Chromium on the playground of the session's studio."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.visitor import Visit, Visitor, somebody
from tests.stack import Studio

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PATIENCE = 40_000  # ms; two slow cores may be drawing for somebody else

expect.set_options(timeout=PATIENCE)

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
def visit(studio: Studio) -> Visit:
    """Makes people who speak HTTP to the studio."""
    return lambda **values: Visitor(studio.url, **values)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for the session."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, studio: Studio) -> AsyncIterator[OpenPage]:
    """Opens the page as somebody, in a channel of its own; any complaint in the console fails.

    With `faults` a failed request is no complaint: the test makes them on purpose.
    """
    complaints: list[str] = []
    contexts = []

    async def open_(
        role: str = "pro",
        name: str = "",
        channel: str = "",
        administrator: bool = False,
        path: str = "",
        faults: bool = False,
        **context: Any,
    ) -> Page:
        made = await browser.new_context(**{"locale": "en-GB", **context})
        contexts.append(made)
        made.set_default_timeout(PATIENCE)
        id_ = somebody()
        person = {
            "id": id_,
            "name": name or id_,
            "role": role,
            "administrator": administrator,
        }
        people = json.dumps(json.dumps([person]))
        await made.add_init_script(
            f"localStorage.getItem('atelier.people') ?? "
            f"localStorage.setItem('atelier.people', {people})"
        )
        page = await made.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: (
                complaints.append(message.text)
                if message.type == "error" and not (faults and "load resource" in message.text)
                else None
            ),
        )
        await page.goto(path or f"{studio.url}/#/{channel or somebody('room')}")
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert complaints == []
