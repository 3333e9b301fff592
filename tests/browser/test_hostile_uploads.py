"""Two hundred hostile uploads at once: the web process stays small, and answers meanwhile."""

from __future__ import annotations

import asyncio
import struct
import uuid
import zlib
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from tests.browser.files import decompression_bomb
from tests.browser.visitor import Visitor, persona, unique_name
from tests.stack import AtelierProcess

LIMIT = 600_000_000  # bytes
UPLOADS = 200
MEGABYTE = 1024 * 1024


def webp_bomb() -> bytes:
    """40 bytes that claim 268 megapixels."""
    bits = struct.pack("<I", 16_382 | 16_382 << 14)
    body = b"WEBPVP8L" + struct.pack("<I", 20) + b"\x2f" + bits + b"\0" * 15
    return b"RIFF" + struct.pack("<I", len(body)) + body


def largest(kind: str, **options: object) -> bytes:
    """A small file that decodes to as many pixels as are read."""
    file = BytesIO()
    Image.new("RGB", (4096, 4096)).save(file, kind, **options)
    return file.getvalue()


def text_bomb() -> bytes:
    packed = zlib.compress(b"a" * 60_000_000)
    body = b"Comment\0\0" + packed
    chunk = struct.pack(">I", len(body)) + b"zTXt" + body
    chunk += struct.pack(">I", zlib.crc32(b"zTXt" + body))
    file = BytesIO()
    Image.new("RGB", (8, 8)).save(file, "PNG")
    data = file.getvalue()
    return data[:33] + chunk + data[33:]


def photo_bomb() -> bytes:
    """A progressive JPEG whose header claims 196 megapixels."""
    file = BytesIO()
    Image.new("RGB", (64, 64)).save(file, "JPEG", progressive=True)
    data = bytearray(file.getvalue())
    start = data.index(b"\xff\xc2") + 5
    data[start : start + 4] = struct.pack(">HH", 14_000, 14_000)
    return bytes(data)


def resident_peak(pid: int) -> int:
    """The most memory that a process had resident since `reset_peak`, in bytes."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def reset_peak(pid: int) -> None:
    Path(f"/proc/{pid}/clear_refs").write_text("5")


async def test_hostile_uploads_leave_the_process_small_and_answering(
    atelier: AtelierProcess,
) -> None:
    files = [
        webp_bomb(),
        decompression_bomb(),
        text_bomb(),
        photo_bomb(),
        largest("PNG"),
        largest("WEBP", lossless=True),
        largest("GIF"),
        largest("JPEG", progressive=True),
        b"\0" * (19 * MEGABYTE),
        b"\x89PNG\r\n\x1a\n" + b"\xff" * (15 * MEGABYTE),
    ]
    pid = atelier.pid("web")
    reset_peak(pid)
    token = Visitor(atelier.url)
    headers = {
        "Atelier-Token": token.welcome["token"],
        "Cookie": "; ".join(f"{name}={value}" for name, value in token.http.cookies.items()),
    }
    limits = httpx.Limits(max_connections=UPLOADS + 10)
    async with httpx.AsyncClient(
        base_url=atelier.url, headers=headers, timeout=240, limits=limits
    ) as client:

        async def upload(number: int) -> int:
            who = {"Atelier-Member": persona(unique_name("mallory"), role="free")}
            fields = {"key": uuid.uuid4().hex, "channel": "hostile", "text": "a cat"}
            file = {"reference": ("cat.png", files[number % len(files)])}
            form = {name: (None, value) for name, value in fields.items()}
            answer = await client.post("/api/messages", files={**form, **file}, headers=who)
            return answer.status_code

        uploads = [asyncio.create_task(upload(number)) for number in range(UPLOADS)]
        answered = 0
        while not all(task.done() for task in uploads):
            who = {"Atelier-Member": persona(unique_name("ann"))}
            assert (await client.get("/")).status_code == 200
            quota = await client.get("/api/quota", headers=who)
            assert quota.status_code == 200
            form = {"key": uuid.uuid4().hex, "channel": "hostile", "text": "/quota"}
            fields = {name: (None, value) for name, value in form.items()}
            reply = await client.post("/api/messages", files=fields, headers=who)
            assert reply.json()["kind"] == "answer"
            answered += 1
            await asyncio.sleep(0.2)
        statuses = [task.result() for task in uploads]
    peak = resident_peak(pid)
    print(f"web: {peak / 1e6:.0f} MB at most during {UPLOADS} uploads; {answered} rounds answered")
    assert set(statuses) <= {200, 413, 429}
    assert peak < LIMIT
    assert answered > 1
    assert atelier.pid("web") == pid


@pytest.mark.parametrize("data", [webp_bomb(), decompression_bomb()])
def test_hostile_upload_is_refused(atelier: AtelierProcess, data: bytes) -> None:
    reply = Visitor(atelier.url).send("a cat", {"reference": ("cat.png", data)}).json()
    assert reply["kind"] == "refusal"
    assert reply["code"] in ("not-a-picture", "picture-too-large")


def test_files_of_a_blocked_member_are_not_decoded(atelier: AtelierProcess) -> None:
    ann, admin = Visitor(atelier.url), Visitor(atelier.url, administrator=True)
    assert admin.send(f"/studio block {ann.name}").json()["kind"] == "answer"
    reply = ann.send("a cat", {"reference": ("cat.png", b"not even a picture")}).json()
    assert reply["code"] == "blocked"


def test_files_for_a_feature_that_the_tier_lacks_are_not_decoded(atelier: AtelierProcess) -> None:
    ann = Visitor(atelier.url, role="free")
    files = {"source": ("cat.png", b"not even a picture")}
    assert ann.send("make it blue", files, action="edit").json()["code"] == "feature-not-in-tier"


def test_long_text_inside_a_picture_is_skipped(atelier: AtelierProcess) -> None:
    pid = atelier.pid("web")
    reset_peak(pid)
    reply = Visitor(atelier.url).send("a cat", {"reference": ("cat.png", text_bomb())}).json()
    assert reply["kind"] == "placeholder"
    assert resident_peak(pid) < LIMIT
