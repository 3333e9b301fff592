"""Pictures over HTTP and live events, through repeats, secrets and a killed server."""

from __future__ import annotations

import io
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.browser.visitor import Visit, Visitor, until
from tests.stack import Studio, wait_until


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


def test_from_a_prompt_to_a_picture_over_the_stream(visit: Visit) -> None:
    ann, ben = visit(), visit()
    ben.channel = ann.channel
    with ben.listening() as events:
        until(events, "hello")
        reply = ann.send("a red circle on a blue ground --seed 3").json()
        assert reply["kind"] == "placeholder"
        job = reply["message"]["id"]
        told = until(events, "message", id=job)
        # The page keeps the newest reading: a reply must not pass for newer than what came after.
        assert reply["message"]["read_at"] < told["read_at"]
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
    # Words in its thread were about that picture: they are no prompt for another.
    assert ann.send("make it blue", thread=job).json()["code"] == "unknown-picture"


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
    assert visit().http.get("/api/studio/day").status_code == 403
    figures = visit(administrator=True).http.get("/api/studio").json()
    assert {tier["tier"] for tier in figures["tiers"]} == {"free", "plus", "team", "pro"}
    assert figures["workers"]
    day = visit(administrator=True).http.get("/api/studio/day").json()["day"]
    assert len(day) == 144
    assert set(day[-1]["queued"]) == {"free", "plus", "team", "pro"}
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
