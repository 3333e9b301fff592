"""Pictures over HTTP and live events: repetition, privacy, and a killed server."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.browser.visitor import Visit, Visitor, until
from tests.browser.web_process import free_port, web_process
from tests.stack import AtelierProcess


def events_until_job(
    events: Iterator[tuple[str, dict[str, Any]]], last: str
) -> Iterator[tuple[str, dict[str, Any]]]:
    """The events up to the first message of the job `last`."""
    for name, data in events:
        yield name, data
        if name == "message" and data["id"] == last:
            return


def test_prompt_to_picture_over_stream(visit: Visit) -> None:
    ann, ben = visit(), visit()
    ben.channel = ann.channel
    with ben.listening() as events:
        until(events, "hello")
        reply = ann.send("a red circle on a blue ground --seed 3").json()
        assert reply["kind"] == "placeholder"
        job = reply["message"]["id"]
        update = until(events, "message", id=job)
        # The page keeps the later reading: a reply must not count as later than what followed it.
        assert reply["message"]["read_at"] < update["read_at"]
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
    # Text in its thread is about the deleted picture, so it does not make a new one.
    assert ann.send("make it blue", thread=job).json()["code"] == "unknown-picture"


def test_repeated_key_creates_one_job(visit: Visit) -> None:
    ann = visit()
    first, second = (ann.send("a green tree", key="the-same").json() for _ in range(2))
    assert first["message"]["id"] == second["message"]["id"]
    assert len(ann.messages()) == 1
    ann.press("cancel", first["message"]["id"])


def test_keys_are_scoped_to_member(visit: Visit) -> None:
    ann, ben = visit(), visit()
    one = ann.send("a green tree", key="the-same").json()
    two = ben.send("a green tree", key="the-same").json()
    assert one["message"]["id"] != two["message"]["id"]
    ann.press("cancel", one["message"]["id"])
    ben.press("cancel", two["message"]["id"])


def test_private_results_are_visible_to_owner_only(visit: Visit) -> None:
    ann, ben, admin = visit(), visit(), visit(administrator=True)
    ben.channel = ann.channel
    admin.send("/studio settings visibility=private")
    try:
        with ben.listening() as events:
            until(events, "hello")
            mine = ann.send("a red circle").json()["message"]
            assert mine["private"]
            assert [each["id"] for each in ann.messages()] == [mine["id"]]
            assert ben.messages() == []
            assert ben.messages(thread=mine["id"]) == []
            assert ben.press("details", mine["id"]).json()["code"] == "no-such-job"
            admin.send("/studio settings visibility=public")
            shown = ben.send("a blue circle").json()["message"]["id"]
            received = [data for name, data in events_until_job(events, shown) if name == "message"]
            assert mine["id"] not in {each["id"] for each in received}
    finally:
        admin.send("/studio settings visibility=public")


def test_capacity_needs_administrator(visit: Visit) -> None:
    assert visit().http.get("/api/studio").status_code == 403
    assert visit().http.get("/api/studio/day").status_code == 403
    figures = visit(administrator=True).http.get("/api/studio").json()
    assert {tier["tier"] for tier in figures["tiers"]} == {"free", "plus", "team", "pro"}
    assert figures["workers"]
    day = visit(administrator=True).http.get("/api/studio/day").json()["day"]
    assert len(day) == 144
    assert set(day[-1]["queued"]) == {"free", "plus", "team", "pro"}
    assert visit().send("/studio doors free closed").json()["code"] == "only-administrators"


def test_metrics_are_served(atelier: AtelierProcess) -> None:
    assert httpx.get(f"{atelier.url}/metrics").status_code == 404
    answer = httpx.get(f"{atelier.monitoring_url}/metrics", headers={"Host": "atelier-web:8767"})
    assert answer.headers["content-type"].startswith("text/plain")
    assert 'atelier_jobs_queued{tier="free"}' in answer.text
    assert "atelier_worker_slots{" in answer.text


def test_stream_reconnects_after_server_restart(atelier: AtelierProcess, tmp_path: Path) -> None:
    port = free_port()
    with web_process(atelier, port, tmp_path) as page:
        ann = Visitor(page.url)
        with ann.listening() as events:
            until(events, "hello")
            page.process.kill()
            with pytest.raises(httpx.TransportError):
                until(events, "message")
    with web_process(atelier, port, tmp_path) as page:
        # The session and its token survive the restart.
        with ann.listening() as events:
            until(events, "hello")
            job = ann.send("a red circle").json()["message"]["id"]
            assert until(events, "message", id=job, ended=True)["state"] == "done"
            # On SIGTERM the server ends its streams itself.
            page.process.terminate()
            with pytest.raises(AssertionError, match="the stream ended"):
                until(events, "nothing")
        assert page.process.wait(15) == 0
