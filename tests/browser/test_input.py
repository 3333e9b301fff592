"""Bad input: one clear sentence each, and nothing lost; on a whole running studio."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from tests.browser.files import bomb, png
from tests.browser.visitor import Visit
from tests.stack import Studio

MEGABYTE = 1024 * 1024


def test_an_upload_of_60_mebibytes_gets_one_clear_sentence(visit: Visit) -> None:
    ann = visit()
    answer = ann.send("a cat", {"reference": ("cat.png", b"\0" * 60 * MEGABYTE)})
    assert answer.status_code == 413
    assert answer.json()["text"].startswith("That picture is too large. Send one under 20 MB")
    assert ann.messages() == []


def test_an_upload_that_does_not_say_how_long_it_is_is_counted(visit: Visit) -> None:
    ann = visit()

    def endless() -> Iterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="source"; filename="a.png"\r\n\r\n'
        for _ in range(60):
            yield b"\0" * MEGABYTE

    kind = "multipart/form-data; boundary=x"
    answer = ann.http.post("/api/messages", content=endless(), headers={"Content-Type": kind})
    assert answer.status_code == 413
    assert "too large" in answer.json()["text"]


def test_a_single_file_may_not_use_the_room_of_two(visit: Visit) -> None:
    ann = visit()
    answer = ann.send("a cat", {"reference": ("cat.png", b"\0" * 30 * MEGABYTE)})
    assert (answer.status_code, answer.json()["code"]) == (413, "picture-too-large")


@pytest.mark.parametrize(
    ("text", "code", "says"),
    [
        ("", "prompt-empty", "Say what the picture should show"),
        ("a" * 10_000, "prompt-too-long", "10000 characters"),
        ("a cat --sneed 4", "unknown-flag", "no flag --sneed"),
        ("a cat --count 99", "bad-count", "“99” is no number of pictures"),
        ("a cat --seed soon", "bad-seed", "“soon” is no seed"),
        ("a cat --ar 7:5", "bad-aspect", "“7:5” is no aspect ratio"),
        ("a cat --model ../../etc", "unknown-model", "no model “../../etc”"),
        ("a cat --model " + "m" * 5000, "unknown-model", "no model “mmm"),
        ("a cat --no " + "tree " * 1000, "prompt-too-long", "4999 characters"),
        ("a cat --seed " + "0" * 5000 + "x", "bad-seed", "is no seed"),
        ("/explode", "unknown-command", "no “explode” here"),
        ("/cancel \0x\0", "no-such-job", "I do not know"),
        ("\0\x07", "prompt-empty", "Say what the picture should show"),
    ],
)
def test_words_that_cannot_be_understood(visit: Visit, text: str, code: str, says: str) -> None:
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
        (bomb(), "picture-too-large"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not-a-picture"),
    ],
)
@pytest.mark.parametrize("field", ["reference", "source"])
def test_files_that_are_no_good(visit: Visit, data: bytes, code: str, field: str) -> None:
    ann = visit()
    action = "edit" if field == "source" else ""
    reply = ann.send("a red cat", {field: ("cat.png", data)}, action=action).json()
    assert (reply["kind"], reply["code"]) == ("refusal", code)
    assert ann.messages() == []


def test_a_broken_mask_is_refused_before_anything_is_charged(visit: Visit) -> None:
    ann = visit()
    files = {"source": ("cat.png", png()), "mask": ("mask.png", b"hello")}
    reply = ann.send("make it blue", files, action="edit").json()
    assert (reply["kind"], reply["code"]) == ("refusal", "not-a-picture")
    assert ann.http.get("/api/quota").json()["left"] == pytest.approx(1800)


@pytest.mark.parametrize(
    "values",
    [{"key": ""}, {"key": "k" * 81}, {"key": "k\0"}, {"channel": "No Such"}, {"action": "explode"}],
)
def test_what_the_page_never_sends(visit: Visit, values: dict[str, str]) -> None:
    assert visit().send("a cat", None, **values).status_code == 400


def test_a_body_that_is_no_form(visit: Visit) -> None:
    ann = visit()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"):
        assert ann.http.post("/api/messages", content=body, headers=kind).status_code == 400
    assert ann.http.post("/api/actions", content=b"{").status_code == 400
    assert ann.http.post("/api/actions", content=b"[]").status_code == 400
    assert ann.http.post("/api/actions", content=b"[" * 100_000).status_code == 400


def test_who_leaves_in_the_middle_of_sending_is_no_defect(visit: Visit, studio: Studio) -> None:
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
    before = studio.log.count("a request failed")
    with socket.create_connection((ann.http.base_url.host, ann.http.base_url.port or 80)) as wire:
        wire.sendall(f"POST /api/messages HTTP/1.1\r\n{head}\r\n--x\r\nContent-Dis".encode())
    assert ann.send("/quota").status_code == 200
    assert studio.log.count("a request failed") == before
    assert ann.messages() == []


def test_the_sentence_is_in_the_members_language(visit: Visit) -> None:
    reply = visit(locale="fr").send("un chat --count 99").json()
    assert "99" in reply["text"]
    assert reply["text"] != visit().send("un chat --count 99").json()["text"]
