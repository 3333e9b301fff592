"""A real Chromium on the session's studio."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright, expect

from tests.browser.visitor import Visit, Visitor, unique_name
from tests.stack import AtelierProcess

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
TIMEOUT_MS = 40_000  # a slow machine may be rendering for another test

expect.set_options(timeout=TIMEOUT_MS)

OpenPage = Callable[..., Awaitable[Page]]


@pytest.fixture
def visit(atelier: AtelierProcess) -> Visit:
    """Create visitors that call the studio over HTTP."""
    return lambda **values: Visitor(atelier.url, **values)


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """One Chromium for the session."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        await launched.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, atelier: AtelierProcess) -> AsyncIterator[OpenPage]:
    """Open the page as a new persona in a channel of its own; any console error fails the test.

    With `faults`, failed requests are allowed: the test causes them on purpose.
    """
    errors: list[str] = []
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
        made.set_default_timeout(TIMEOUT_MS)
        id_ = unique_name()
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
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on(
            "console",
            lambda message: (
                errors.append(message.text)
                if message.type == "error" and not (faults and "load resource" in message.text)
                else None
            ),
        )
        await page.goto(path or f"{atelier.url}/#/{channel or unique_name('channel')}")
        return page

    yield open_
    for context in contexts:
        await context.close()
    assert errors == []
