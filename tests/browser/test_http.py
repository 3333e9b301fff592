"""The playground's HTTP on a whole running studio: who is let in, how much, and what comes back."""

from __future__ import annotations

import io
import socket
import struct
import subprocess
import sys
import uuid
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.browser.visitor import Visitor, until
from tests.stack import Studio, wait_until

MEGABYTE = 1024 * 1024
Visit = Callable[..., Visitor]


@dataclass(frozen=True)
class LonePage:
    """`atelier web` by itself, on another studio's servers, so that it can be killed."""

    url: str
    process: subprocess.Popen[bytes]


@contextmanager
def lone_page(studio: Studio, port: int, folder: Path) -> Iterator[LonePage]:
    environment = {**studio.full_environment, "ATELIER_WEB_PORT": str(port)}
    command = [sys.executable, "-P", "-m", "bots.cli", "web"]
    with (folder / "web.log").open("ab") as log:
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    page = LonePage(f"http://127.0.0.1:{port}", process)
    try:
        wait_until(lambda: is_up(page.url), 60, "the page answers")
        yield page
    finally:
        process.kill()
        process.wait()


def up_to(
    events: Iterator[tuple[str, dict[str, Any]]], last: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events up to the first message of the job `last`."""
    for name, data in events:
        yield name, data
        if name == "message" and data["id"] == last:
            return


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz").status_code == 200
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def png(width: int = 64, height: int = 64) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(file, "PNG")
    return file.getvalue()


def bomb(side: int = 20_000) -> bytes:
    """A PNG of a few kilobytes that claims 400 megapixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    lines = zlib.compress(b"\0" * (side // 8 + 1) * side, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")
    )


# -- who is let in -------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", ""])
def test_a_foreign_name_that_points_here_is_refused(studio: Studio, host: str) -> None:
    for path in ("/", "/api/welcome", "/page/main.js", f"/pictures/{uuid.uuid4()}"):
        answer = httpx.get(studio.url + path, headers={"Host": host})
        assert answer.status_code in (400, 421)
        assert "token" not in answer.text


@pytest.mark.parametrize("host", ["localhost:{port}", "127.0.0.1:{port}", "[::1]:{port}"])
def test_this_machine_goes_by_its_usual_names(studio: Studio, host: str) -> None:
    port = studio.url.rpartition(":")[2]
    answer = httpx.get(studio.url, headers={"Host": host.format(port=port)})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_foreign_page_gets_nothing(visit: Visit, headers: dict[str, str]) -> None:
    ann = visit()
    for path in ("/api/welcome", "/api/quota", f"/api/stream?as={ann.who}"):
        answer = ann.http.get(path, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["code"] == "foreign-origin"
    answer = ann.http.post("/api/actions", json={}, headers=headers)
    assert answer.status_code == 403


def test_a_request_without_the_pages_token_does_nothing(visit: Visit) -> None:
    ann, other = visit(), visit()
    for token in ("", "0" * 64, other.welcome["token"]):
        answer = ann.http.post(
            "/api/actions", json={"action": "cancel"}, headers={"Atelier-Token": token}
        )
        assert (answer.status_code, answer.json()["code"]) == (403, "stale-page")


def test_the_session_is_for_this_site_and_no_script(studio: Studio) -> None:
    cookie = httpx.get(f"{studio.url}/api/welcome").headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie


def test_a_session_lives_through_another_welcome(visit: Visit) -> None:
    ann = visit()
    assert ann.http.get("/api/welcome").json()["token"] == ann.welcome["token"]


@pytest.mark.parametrize("path", ["/", "/page/main.js", "/api/welcome", "/studio", "/nothing"])
def test_every_answer_forbids_what_the_page_does_not_need(studio: Studio, path: str) -> None:
    headers = httpx.get(studio.url + path).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize("path", ["/", "/studio"])
def test_the_page_needs_nothing_from_elsewhere(studio: Studio, path: str) -> None:
    page = httpx.get(studio.url + path).text
    assert "http:" not in page
    assert "https:" not in page
    assert "style=" not in page
    assert "<style" not in page


@pytest.mark.parametrize("path", ["/page/../app.py", "/page/%2e%2e/app.py", "/page/..%2fapp.py"])
def test_the_pages_folder_is_all_that_is_served(studio: Studio, path: str) -> None:
    assert httpx.get(studio.url + path).status_code == 404


def test_nobody_is_told_to_say_who_they_are(visit: Visit) -> None:
    ann = visit()
    answer = ann.http.get("/api/quota", headers={"Atelier-Member": "nobody"})
    assert (answer.status_code, answer.json()["kind"]) == (400, "refusal")


def test_healthz_answers_under_any_name(studio: Studio) -> None:
    answer = httpx.get(f"{studio.url}/healthz", headers={"Host": "atelier-web.internal"})
    assert answer.json() == {"ready": True}


# -- how much ------------------------------------------------------------------------------------


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


# -- bad input: a clear sentence each, and nothing lost ------------------------------------------


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
        ("/explode", "unknown-command", "no “explode” here"),
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
    action = {"action": "edit"} if field == "source" else {}
    reply = ann.send("a red cat", {field: ("cat.png", data)}, **action).json()
    assert (reply["kind"], reply["code"]) == ("refusal", code)
    assert ann.messages() == []


def test_a_broken_mask_is_refused_before_anything_is_charged(visit: Visit) -> None:
    ann = visit()
    files = {"source": ("cat.png", png()), "mask": ("mask.png", b"hello")}
    reply = ann.send("make it blue", files, action="edit").json()
    assert (reply["kind"], reply["code"]) == ("refusal", "not-a-picture")
    assert ann.http.get("/api/quota").json()["left"] == pytest.approx(1800)


@pytest.mark.parametrize(
    "values", [{"key": ""}, {"key": "k" * 81}, {"channel": "No Such"}, {"action": "explode"}]
)
def test_what_the_page_never_sends(visit: Visit, values: dict[str, str]) -> None:
    assert visit().send("a cat", **values).status_code == 400


def test_a_body_that_is_no_form(visit: Visit) -> None:
    ann = visit()
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    for body in (b"", b"--x", b"--x\r\nContent-Disposition: form-data\r\n\r\n"):
        assert ann.http.post("/api/messages", content=body, headers=kind).status_code == 400
    assert ann.http.post("/api/actions", content=b"{").status_code == 400
    assert ann.http.post("/api/actions", content=b"[]").status_code == 400


def test_the_sentence_is_in_the_members_language(visit: Visit) -> None:
    reply = visit(locale="fr").send("un chat --count 99").json()
    assert "99" in reply["text"]
    assert reply["text"] != visit().send("un chat --count 99").json()["text"]


# -- one picture ---------------------------------------------------------------------------------


def test_from_a_prompt_to_a_picture_over_the_stream(visit: Visit) -> None:
    ann, ben = visit(), visit()
    ben.channel = ann.channel
    with ben.listening() as events:
        until(events, "hello")
        reply = ann.send("a red circle on a blue ground --seed 3").json()
        assert reply["kind"] == "placeholder"
        job = reply["message"]["id"]
        until(events, "progress", job=job)
        done = until(events, "message", id=job, ended=True)
    assert done["state"] == "done"
    assert not done["mine"]
    [picture] = done["pictures"]
    answer = ann.http.get(picture["url"])
    assert answer.headers["content-type"] == "image/png"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert image.size == (picture["width"], picture["height"])
    again = ann.http.get(picture["url"], headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    saved = ann.http.get(picture["url"], params={"download": "1"})
    assert saved.headers["content-disposition"].startswith("attachment")
    assert [each["id"] for each in ann.messages()] == [job]

    assert ann.press("delete", job).json()["code"] == "deleted"
    assert ann.http.get(picture["url"]).status_code == 404
    assert ann.messages()[0]["pictures"] == []


def test_asking_twice_with_one_key_is_asking_once(visit: Visit) -> None:
    ann = visit()
    first, second = (ann.send("a green tree", key="the-same").json() for _ in range(2))
    assert first["message"]["id"] == second["message"]["id"]
    assert len(ann.messages()) == 1
    ann.press("cancel", first["message"]["id"])


def test_the_same_key_of_another_person_is_another_key(visit: Visit) -> None:
    ann, ben = visit(), visit()
    one = ann.send("a green tree", key="the-same").json()
    two = ben.send("a green tree", key="the-same").json()
    assert one["message"]["id"] != two["message"]["id"]
    ann.press("cancel", one["message"]["id"])
    ben.press("cancel", two["message"]["id"])


def test_private_results_are_for_their_owners_eyes(visit: Visit) -> None:
    ann, ben, chief = visit(), visit(), visit(administrator=True)
    ben.channel = ann.channel
    chief.send("/studio settings visibility=private")
    try:
        with ben.listening() as events:
            until(events, "hello")
            mine = ann.send("a red circle").json()["message"]
            assert mine["private"]
            assert [each["id"] for each in ann.messages()] == [mine["id"]]
            assert ben.messages() == []
            assert ben.messages(thread=mine["id"]) == []
            assert ben.press("details", mine["id"]).json()["code"] == "no-such-job"
            chief.send("/studio settings visibility=public")
            shown = ben.send("a blue circle").json()["message"]["id"]
            heard = [data for name, data in up_to(events, shown) if name == "message"]
            assert mine["id"] not in {each["id"] for each in heard}
    finally:
        chief.send("/studio settings visibility=public")


def test_what_is_for_administrators_is_for_administrators(visit: Visit) -> None:
    assert visit().http.get("/api/studio").status_code == 403
    figures = visit(administrator=True).http.get("/api/studio").json()
    assert {tier["tier"] for tier in figures["tiers"]} == {"free", "plus", "team", "pro"}
    assert figures["workers"]
    assert visit().send("/studio doors free closed").json()["code"] == "only-administrators"


def test_metrics_are_there_for_prometheus(studio: Studio) -> None:
    answer = httpx.get(f"{studio.url}/metrics", headers={"Host": "atelier-web:8765"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'atelier_jobs_queued{tier="free"}' in answer.text
    assert "atelier_worker_slots{" in answer.text


def test_a_stream_survives_a_restart_of_its_server(studio: Studio, tmp_path: Path) -> None:
    port = free_port()
    with lone_page(studio, port, tmp_path) as page:
        ann = Visitor(page.url)
        with ann.listening() as events:
            until(events, "hello")
            page.process.kill()
            with pytest.raises(httpx.TransportError):
                until(events, "message")
    with lone_page(studio, port, tmp_path) as page:
        # The session and its token are as good as before.
        with ann.listening() as events:
            until(events, "hello")
            job = ann.send("a red circle").json()["message"]["id"]
            assert until(events, "message", id=job, ended=True)["state"] == "done"
            # Told to end, the server ends its streams itself.
            page.process.terminate()
            with pytest.raises(AssertionError, match="the stream ended"):
                until(events, "nothing")
        assert page.process.wait(15) == 0
