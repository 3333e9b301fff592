"""Actions and checks on the page that tests share."""

from __future__ import annotations

import io
import re
from pathlib import Path

from PIL import Image
from playwright.async_api import Page

AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")


async def send_prompt(page: Page, text: str, nth: int = 0) -> None:
    box = page.get_by_role("textbox", name=re.compile("Prompt|Description")).nth(nth)
    await box.fill(text)
    await box.press("Enter")


async def picture_of(page: Page, nth: int = 0) -> Image.Image:
    shown = page.locator(".gallery .open img").nth(nth)
    await shown.wait_for()
    source = await shown.get_attribute("src")
    answer = await page.request.get(f"{page.url.partition('#')[0].rstrip('/')}{source}")
    return Image.open(io.BytesIO(await answer.body())).convert("RGB")


def dominant_share(image: Image.Image, channel: int) -> float:
    """The share of pixels in which one of red, green and blue is far above the other two."""
    data = image.tobytes()
    pixels = [data[at : at + 3] for at in range(0, len(data), 3)]
    strong = [p for p in pixels if p[channel] > 60 + max(p[:channel] + p[channel + 1 :])]
    return len(strong) / len(pixels)


async def accessibility_faults(page: Page) -> list[str]:
    found: list[str] = await page.evaluate(f"({AUDIT})()")
    return found
