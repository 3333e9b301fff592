"""The README's screenshot of the playground, with pictures of the bundled model.

Run it after the model or the page has changed:
`python -m tests.browser.screenshot docs/images/playground.png`
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from pathlib import Path

from playwright.async_api import Page, ViewportSize, async_playwright

from tests.browser.conftest import ARGUMENTS
from tests.browser.page import send_prompt
from tests.browser.test_page import paused_worker
from tests.browser.visitor import Visitor, until
from tests.stack import AtelierProcess

SCREEN = ViewportSize(width=1280, height=1130)
FIRST = "a purple balloon above a blue boat at sunset --count 2 --seed 5"
SECOND = "a big orange cat in the middle of a meadow --ar 3:2 --seed 9"
CHANNELS = ("general", "gallery", "trials")


async def take_screenshot(atelier: AtelierProcess, chromium: str, to: Path) -> None:
    """Take the screenshot: one finished message, and one in progress."""
    basil = Visitor(atelier.url, name="Basil", role="plus")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = await browser.new_page(viewport=SCREEN, locale="en-GB")
        for channel in CHANNELS:
            basil.channel = channel
            with basil.listening() as events:
                job = basil.send(FIRST).json()["message"]["id"]
                until(events, "message", id=job, ended=True)
            await page.goto(f"{atelier.url}/#/{channel}")
            await page.locator(".gallery img").first.wait_for()
            if await _shoot_preview(page, atelier, to):
                break
        else:
            raise RuntimeError("the worker finished before every screenshot")
        await browser.close()


async def _shoot_preview(page: Page, atelier: AtelierProcess, to: Path) -> bool:
    """Take it while a preview shows; false where the worker had already finished."""
    await send_prompt(page, SECOND)
    preview = page.locator(".stage img")
    await preview.wait_for()
    with paused_worker(atelier):
        await page.wait_for_timeout(600)
        if not await preview.count():
            return False
        await page.screenshot(path=to)
    return True


def main(to: Path) -> None:
    """Start a studio, take the screenshot, stop the studio."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on PATH")
    atelier = AtelierProcess(Path(tempfile.mkdtemp(prefix="atelier-screenshot")))
    try:
        asyncio.run(take_screenshot(atelier.start(), chromium, to))
    finally:
        atelier.clean_up()
        shutil.rmtree(atelier.home, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
