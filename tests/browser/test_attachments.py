"""Files of the prompt box: by picker, paste and drop, and too large ones."""

from __future__ import annotations

import pytest
from playwright.async_api import FilePayload, expect

from tests.browser.conftest import OpenPage
from tests.browser.files import png
from tests.browser.page import send_prompt

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_reference_by_picker_paste_and_drop(open_page: OpenPage) -> None:
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
    # The dropped file has a picture's name but is not a picture.
    await send_prompt(page, "a red house")
    await expect(page.locator(".ephemeral-reply.refusal")).to_contain_text("as a picture")
    await page.locator("input[type=file]").first.set_input_files([file])
    await send_prompt(page, "a blue sea --strength 0.5")
    await expect(page.locator(".gallery img")).to_have_count(1)
    await expect(page.locator(".attached")).to_have_count(0)


async def test_second_dropped_file_is_not_passed_over_in_silence(open_page: OpenPage) -> None:
    page = await open_page()
    await expect(page.locator(".welcome")).to_be_visible()
    await page.evaluate(
        """() => {
          const data = new DataTransfer();
          for (const name of ["photo.heic", "second.png"]) {
            const type = name.endsWith("heic") ? "image/heic" : "image/png";
            data.items.add(new File([new Uint8Array([1, 2, 3])], name, { type }));
          }
          const values = { dataTransfer: data, bubbles: true, cancelable: true };
          document.getElementById("prompt").dispatchEvent(new DragEvent("drop", values));
        }"""
    )
    await expect(page.locator(".attached")).to_contain_text("photo.heic")
    await expect(page.locator(".attached img")).to_have_count(0)  # Chromium shows no HEIC
    await expect(page.locator(".toast")).to_contain_text("Only “photo.heic” was attached")


async def test_too_large_file_is_refused_before_upload(open_page: OpenPage) -> None:
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
    await expect(page.locator(".toast")).to_contain_text("“huge.png” is too large")
    await expect(page.locator(".attached")).to_have_count(0)


async def test_browser_reads_refusal_of_too_large_request(
    open_page: OpenPage,
) -> None:
    """A browser that is cut off while sending never reads the response."""
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
