"""Invalid input gets one clear refusal, and loses nothing; against a running studio."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import bots
from bots.web.upload_limits import form_limit
from imaging.formats import LIMITS
from tasks.policy.config import MOST_UPLOAD_MEGABYTES, Limits
from tests.browser.files import decompression_bomb, png
from tests.browser.visitor import Visit, Visitor
from tests.browser.web_process import free_port, web_process
from tests.stack import AtelierProcess

ROOT = Path(bots.__file__).parent.parent
MEGABYTE = 1024 * 1024


def test_upload_of_60_mebibytes_is_refused(visit: Visit) -> None:
    ann = visit()
    answer = ann.send("a cat", {"reference": ("cat.png", b"\0" * 60 * MEGABYTE)})
    assert answer.status_code == 413
    assert answer.json()["text"].startswith(
        "That picture is too large. Files can have up to 25 MiB"
    )
    assert ann.messages() == []


def test_upload_without_content_length_is_limited(visit: Visit) -> None:
    ann = visit()

    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="source"; filename="a.png"\r\n\r\n'
        for _ in range(60):
            yield b"\0" * MEGABYTE

    kind = "multipart/form-data; boundary=x"
    answer = ann.http.post("/api/messages", content=endless(), headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert "too large" in answer.json()["text"]


def test_single_file_has_its_own_limit(visit: Visit) -> None:
    ann = visit()
    answer = ann.send("a cat", {"reference": ("cat.png", b"\0" * 30 * MEGABYTE)})
    assert (answer.status_code, answer.json()["code"]) == (413, "picture-too-large")


def test_operators_upload_limit_is_the_pages(atelier: AtelierProcess, tmp_path: Path) -> None:
    policy = tmp_path / "atelier.toml"
    policy.write_text("[limits]\nupload_megabytes = 1\n")
    with web_process(atelier, free_port(), tmp_path, ATELIER_CONFIG=str(policy)) as page:
        ann = Visitor(page.url)
        assert ann.welcome["limits"]["upload"] == MEGABYTE
        for size in (MEGABYTE + 1, 3 * MEGABYTE):
            answer = ann.send("a cat", {"reference": ("cat.png", b"\0" * size)})
            assert (answer.status_code, answer.json()["code"]) == (413, "picture-too-large")
            assert "1 MiB" in answer.json()["text"]
        small = ann.send("a cat", {"reference": ("cat.png", b"\0" * MEGABYTE)})
        assert small.json()["code"] == "not-a-picture"


def test_documented_proxy_limit_fits_the_default_upload_limit() -> None:
    guide = (ROOT / "docs" / "how-to" / "reverse-proxy.md").read_text()
    [megabytes] = re.findall(r"client_max_body_size (\d+)m;", guide)
    assert int(megabytes) * MEGABYTE >= form_limit(Limits().upload_bytes)
    assert f"({Limits().upload_megabytes} unless set, at most {MOST_UPLOAD_MEGABYTES})" in guide
    assert LIMITS.bytes == MOST_UPLOAD_MEGABYTES * MEGABYTE


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "prompt-empty", "Describe the picture you want"),
        ("a" * 10_000, "prompt-too-long", "10000 characters"),
        ("a cat --sneed 4", "near-flag", "--seed"),
        ("a cat --zoom 4", "unknown-flag", "don’t recognize --zoom"),
        ("a cat --count 99", "bad-count", "“99” isn’t a valid number of pictures"),
        ("a cat --seed soon", "bad-seed", "“soon” isn’t a valid seed"),
        ("a cat --ar 9:1", "bad-aspect", "“9:1” isn’t a valid aspect ratio"),
        ("a cat --model ../../etc", "unknown-model", "no model called “../../etc”"),
        ("a cat --model " + "m" * 5000, "unknown-model", "no model called “mmm"),
        ("a cat --no " + "tree " * 1000, "prompt-too-long", "4999 characters"),
        ("a cat --seed " + "0" * 5000 + "x", "bad-seed", "isn’t a valid seed"),
        ("/explode", "unknown-command", "don’t know the command “explode”"),
        ("/cancel \0x\0", "no-such-job", "I can’t find that order"),
        ("\0\x07", "prompt-empty", "Describe the picture you want"),
    ],
)
def test_invalid_text_is_refused(visit: Visit, text: str, code: str, says: str) -> None:
    ann = visit()
    reply = ann.send(text).json()
    assert (reply["kind"], reply["code"], reply["private"]) == ("refusal", code, True)
    assert says in reply["text"].replace(",", "").replace("\u202f", "")
    assert ann.messages() == []


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"hello", "not-a-picture"),
        (b"", "not-a-picture"),
        (png()[:60], "not-a-picture"),
        (decompression_bomb(), "picture-too-large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
    ],
)
@pytest.mark.parametrize("field", ["reference", "source"])
def test_invalid_file_is_refused(visit: Visit, data: bytes, code: str, field: str) -> None:
    ann = visit()
    action = "edit" if field == "source" else ""
    reply = ann.send("a red cat", {field: ("cat.png", data)}, action=action).json()
    assert (reply["kind"], reply["code"]) == ("refusal", code)
    assert ann.messages() == []


def test_broken_mask_is_refused_without_charge(visit: Visit) -> None:
    ann = visit()
    files = {"source": ("cat.png", png()), "mask": ("mask.png", b"hello")}
    reply = ann.send("make it blue", files, action="edit").json()
    assert (reply["kind"], reply["code"]) == ("refusal", "not-a-picture")
    assert ann.http.get("/api/quota").json()["left"] == pytest.approx(1800)


@pytest.mark.parametrize(
    "values",
    [{"key": ""}, {"key": "k" * 81}, {"key": "k\0"}, {"channel": "No Such"}, {"action": "explode"}],
)
def test_invalid_form_values_are_refused(visit: Visit, values: dict[str, str]) -> None:
    assert visit().send("a cat", None, **values).status_code == 400


def test_malformed_body_is_refused(visit: Visit) -> None:
    ann = visit()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"):
        assert ann.http.post("/api/messages", content=body, headers=kind).status_code == 400
    assert ann.http.post("/api/actions", content=b"{").status_code == 400
    assert ann.http.post("/api/actions", content=b"[]").status_code == 400
    assert ann.http.post("/api/actions", content=b"[" * 100_000).status_code == 400


def test_disconnect_during_upload_is_not_logged_as_error(
    visit: Visit, atelier: AtelierProcess
) -> None:
    ann = visit()
    head = "".join(
        f"{name}: {value}\r\n"
        for name, value in {
            "Host": ann.http.base_url.netloc.decode(),
            "Atelier-Member": ann.who,
            "Atelier-Token": ann.welcome["token"],
            "Cookie": "; ".join(f"{name}={value}" for name, value in ann.http.cookies.items()),
            "Content-Type": "multipart/form-data; boundary=x",
            "Content-Length": "100000",
        }.items()
    )
    before = atelier.log.count("request-failed")
    with socket.create_connection((ann.http.base_url.host, ann.http.base_url.port or 80)) as wire:
        wire.sendall(f"POST /api/messages HTTP/1.1\r\n{head}\r\n--x\r\nContent-Dis".encode())
    assert ann.send("/quota").status_code == 200
    assert atelier.log.count("request-failed") == before
    assert ann.messages() == []


def test_refusal_is_in_members_language(visit: Visit) -> None:
    reply = visit(locale="fr").send("un chat --count 99").json()
    assert "99" in reply["text"]
    assert reply["text"] != visit().send("un chat --count 99").json()["text"]
