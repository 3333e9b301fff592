"""The README's picture of the playground, drawn by the bundled model.

Run it after the model or the page has changed:
`python -m tests.browser.portrait docs/images/playground.png`
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser.conftest import ARGUMENTS
from tests.browser.page import ask
from tests.browser.test_page import held
from tests.browser.visitor import Visitor, until
from tests.stack import Studio

SCREEN = ViewportSize(width=1280, height=1130)
FIRST = "a purple balloon above a blue boat at sunset --count 2 --seed 5"
SECOND = "a big orange cat in the middle of a meadow --ar 3:2 --seed 9"
CHANNELS = ("general", "gallery", "trials")


async def portray(studio: Studio, chromium: str, to: Path) -> None:
    """One finished message, and one that is being drawn."""
    basil = Visitor(studio.url, name="Basil", role="plus")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(viewport=SCREEN, locale="en-GB")
        for channel in CHANNELS:
            basil.channel = channel
            with basil.listening() as events:
                job = basil.send(FIRST).json()["message"]["id"]
                until(events, "message", id=job, ended=True)
            await page.goto(f"{studio.url}/#/{channel}")
            await page.locator(".gallery img").first.wait_for()
            if await _caught(page, studio, to):
                break
        else:
            raise RuntimeError("the worker is too quick to be caught drawing")
        await browser.close()


async def _caught(page: Page, studio: Studio, to: Path) -> bool:
    """Stop the worker while a preview is on the page; a quick one may have finished by then."""
    await ask(page, SECOND)
    preview = page.locator(".stage img")
    await preview.wait_for()
    with held(studio):
        await page.wait_for_timeout(600)
        if not await preview.count():
            return False
        await page.screenshot(path=to)
    return True


def main(to: Path) -> None:
    """Start a studio, take the picture, end the studio."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on PATH")
    studio = Studio(Path(tempfile.mkdtemp(prefix="atelier-portrait")))
    try:
        asyncio.run(portray(studio.start(), chromium, to))
    finally:
        studio.clean_up()
        shutil.rmtree(studio.home, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
