"""The export of a large account: bounded memory, and other requests go on meanwhile."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import httpx

from tasks.client import connect
from tasks.jobs.members import Member
from tests.browser.test_hostile_uploads import reset_peak, resident_peak
from tests.browser.visitor import Visit, persona, unique_name
from tests.browser.web_process import free_port, web_process
from tests.stack import AtelierProcess

FILES, FILE_BYTES = 60, 5_000_000
MOST_EXTRA = 120_000_000  # bytes; the whole export has 300 MB


async def store_uploads(atelier: AtelierProcess, who: str) -> int:
    """Store 300 MB of a persona's uploads; the bytes."""
    client, made = await connect(atelier.settings), random.Random(7)
    for _ in range(FILES):
        member = Member("web", "playground", who)
        await client.pictures.store_source(made.randbytes(FILE_BYTES), member)
    await client.close()
    return FILES * FILE_BYTES


async def test_export_of_a_large_account_needs_little_memory(
    atelier: AtelierProcess, tmp_path: Path
) -> None:
    name = unique_name("hoarder")
    stored = await store_uploads(atelier, name)
    with web_process(atelier, free_port(), tmp_path) as page:
        pid = page.process.pid
        headers = {"Atelier-Member": persona(unique_name("ann"))}
        async with httpx.AsyncClient(base_url=page.url, headers=headers, timeout=120) as client:
            assert (await client.get("/api/quota")).status_code == 200
            reset_peak(pid)
            before, received, answered = resident_peak(pid), 0, 0
            saved = tmp_path / "export.zip"
            query = {"as": persona(name)}
            who = {"Atelier-Member": persona(name)}
            with saved.open("wb") as file:
                async with client.stream("GET", "/api/export", headers=who) as response:
                    assert response.status_code == 200
                    async for chunk in response.aiter_bytes():
                        file.write(chunk)
                        received += len(chunk)
                        if received > (answered + 1) * stored / 20:  # while the export is going on
                            assert (await client.get("/api/quota")).status_code == 200
                            again = await client.get("/api/export", headers=who, params=query)
                            assert again.json()["code"] in ("export-running", "rate-limited")
                            answered += 1
            extra = resident_peak(pid) - before
        print(f"web: {extra / 1e6:.0f} MB more during an export of {received / 1e6:.0f} MB")
    with zipfile.ZipFile(saved) as archive:
        assert len(archive.namelist()) == FILES + 1
        assert archive.testzip() is None
    assert answered >= 19
    assert extra < MOST_EXTRA


def test_export_is_offered_as_a_download(visit: Visit) -> None:
    ann = visit()
    reply = ann.send("/privacy export").json()
    assert (reply["kind"], reply["download"]) == ("answer", "/api/export")
    saved = ann.http.get(reply["download"], params={"as": ann.who})
    assert saved.headers["content-disposition"] == 'attachment; filename="atelier-export.zip"'
    assert saved.content.startswith(b"PK")
    assert ann.http.get("/api/export", headers={"Atelier-Member": ""}).status_code == 400
