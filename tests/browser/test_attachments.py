"""Files given to the prompt box: by button, by paste, by drop, and too large ones."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import OpenPage
from tests.browser.files import png
from tests.browser.page import ask

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_a_reference_by_button_and_by_paste_and_by_drop(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    file = FilePayload(name="sea.png", mimeType="image/png", buffer=png())
    await page.locator("input[type=file]").first.set_input_files([file])
    await expect(page.locator(".attached")).to_contain_text("sea.png")
    await page.get_by_role("button", name="Remove sea.png").click()
    await expect(page.locator(".attached")).to_have_count(0)
    for kind, holder in (("paste", "clipboardData"), ("drop", "dataTransfer")):
        await page.evaluate(
            """([kind, holder]) => {
              const bytes = new Uint8Array([137, 80, 78, 71]);
              const data = new DataTransfer();
              data.items.add(new File([bytes], `${kind}.png`, { type: "image/png" }));
              const Kind = kind === "paste" ? ClipboardEvent : DragEvent;
              const event = new Kind(kind, { [holder]: data, bubbles: true, cancelable: true });
              document.getElementById("prompt").dispatchEvent(event);
            }""",
            [kind, holder],
        )
        await expect(page.locator(".attached")).to_contain_text(f"{kind}.png")
    # What was dropped has a picture's name but is none.
    await ask(page, "a red house")
    await expect(page.locator(".aside-note.refusal")).to_contain_text("not a picture")
    await page.locator("input[type=file]").first.set_input_files([file])
    await ask(page, "a blue sea --strength 0.5")
    await expect(page.locator(".gallery img")).to_have_count(1)
    await expect(page.locator(".attached")).to_have_count(0)


async def test_a_file_that_is_too_large_is_refused_before_it_is_sent(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    await page.evaluate(
        """() => {
          const bytes = new Uint8Array(60 * 1024 * 1024);
          const data = new DataTransfer();
          data.items.add(new File([bytes], "huge.png", { type: "image/png" }));
          const values = { clipboardData: data, bubbles: true, cancelable: true };
          document.getElementById("prompt").dispatchEvent(new ClipboardEvent("paste", values));
        }"""
    )
    await expect(page.locator(".toast")).to_contain_text("huge.png is too large")
    await expect(page.locator(".attached")).to_have_count(0)


async def test_a_request_that_is_too_large_gets_its_sentence_in_the_browser(
    open_page: OpenPage,
) -> None:
    """A browser that is cut off while it sends never reads why: the server must hear it out."""
    page = await open_page(faults=True)
    await expect(page.locator(".welcome")).to_be_visible()
    answer = await page.evaluate(
        """async () => {
          const { token } = await (await fetch("/api/welcome")).json();
          const form = new FormData();
          form.append("reference", new Blob([new Uint8Array(60 * 1024 * 1024)]), "huge.png");
          const headers = { "Atelier-Token": token, "Atelier-Member": "x" };
          const response = await fetch("/api/messages", { method: "POST", body: form, headers });
          return [response.status, (await response.json()).text];
        }"""
    )
    assert answer[0] == 413
    assert "too large" in answer[1]
