"""The Slack package against `emulate` (npm), a stateful stand-in for Slack's Web API."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.slack import files, home_view, placeholders, views
from bots.slack.job_messages import redraw
from bots.slack.publisher import SlackPublisher
from bots.slack.roles import MemberDirectory
from bots.slack.transport import Rejected, Web
from bots.slack.views import Origin
from bots.slack.workspaces import SingleWorkspace, Transport
from imaging.request import Progress, Stage
from tasks.jobs.states import JobState
from tests.platforms.slack.conftest import free_port
from tests.platforms.slack.delivery_builders import Record, failed, finished
from tests.stack import wait_until

TOKEN = "xoxb-peer-token"
SCOPES = [
    "channels:history", "channels:manage", "channels:read", "chat:write", "files:read",
    "files:write", "groups:history", "im:history", "im:write", "users:read",
]  # fmt: skip
SEED = {
    "slack": {
        "strict_scopes": True,
        "team": {"name": "Peer", "domain": "peer"},
        "users": [{"name": "anna", "real_name": "Anna"}],
        "channels": [{"name": "studio"}, {"name": "quiet"}],
        "bots": [{"name": "atelier"}],
        "tokens": [{"token": TOKEN, "user": "admin", "scopes": SCOPES}],
    }
}


@pytest.fixture(scope="module")
def api(peers: Path, node: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The emulator's Web API."""
    folder = tmp_path_factory.mktemp("emulate")
    seed, port = folder / "seed.json", free_port()
    seed.write_text(json.dumps(SEED))
    cli = peers / "node_modules" / "emulate" / "dist" / "index.js"
    origin = f"http://127.0.0.1:{port}"
    arguments = ["--service", "slack", "--port", str(port), "--seed", str(seed)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [*node, str(cli), "start", "--base-url", origin, *arguments],
            cwd=folder,
            stdout=log,
            stderr=log,
        )
    try:
        url = f"{origin}/api/"
        wait_until(lambda: answers(url), 30, (folder / "log").read_text())
        yield url
    finally:
        process.terminate()
        process.wait(10)


def answers(url: str) -> bool:
    try:
        return httpx.post(f"{url}auth.test", timeout=2).status_code < 500
    except httpx.HTTPError:
        return False


@pytest.fixture
async def transport(api: str) -> AsyncIterator[Transport]:
    opened = Transport(api)
    yield opened
    await opened.close()


@pytest.fixture
async def web(transport: Transport) -> Web:
    identity = await transport.web(TOKEN, "").call("auth.test")
    return transport.web(TOKEN, str(identity["team_id"]))


@pytest.fixture
async def places(web: Web, api: str) -> dict[str, str]:
    """The ids of the seeded channels and members, by name."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with httpx.AsyncClient(headers=headers) as client:
        channels = (await client.post(f"{api}conversations.list")).json()["channels"]
        users = (await client.post(f"{api}users.list")).json()["members"]
    return {each["name"]: each["id"] for each in (*channels, *users)}


async def messages(web: Web, channel: str) -> list[dict[str, Any]]:
    """The messages of a channel, newest first."""
    page = await web.call(
        "conversations.history", channel=channel, limit=50, include_all_metadata=True
    )
    return list(page["messages"])


@pytest.fixture
async def record(web: Web, places: dict[str, str]) -> Record:
    """A finished job with its placeholder posted."""
    made = finished(web.team, places["studio"], places["anna"], "", {}, count=2)
    reply_to = {"channel": places["studio"], "thread": None, "user": places["anna"]}
    made.job = replace(made.job, order=replace(made.job.order, reply_to=reply_to))
    target = placeholders.PlaceholderTarget(places["studio"], None)
    stored = await placeholders.post(web, target, made.job.id, "In line", [])
    made.job = replace(made.job, placeholder=stored)
    return made


@pytest.fixture
def publisher(transport: Transport) -> SlackPublisher:
    return SlackPublisher(transport, SingleWorkspace(transport, TOKEN))


async def test_placeholder_is_found_by_its_metadata(web: Web, record: Record) -> None:
    channel = record.job.placeholder["channel"]
    target = placeholders.PlaceholderTarget(channel, None)
    found = await placeholders.find(web, target, record.job)
    assert found == record.job.placeholder


async def test_progress_and_result_edit_one_message(
    web: Web, record: Record, publisher: SlackPublisher
) -> None:
    channel, ts = record.job.placeholder["channel"], record.job.placeholder["ts"]
    before = len(await messages(web, channel))
    localize = localizer_for("en")
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    await redraw(web, card(running, localize, Progress(Stage.STEPS, 3, 8)), localize)
    await publisher.deliver(record.delivery())
    after = await messages(web, channel)
    assert len(after) == before
    (message,) = [m for m in after if m["ts"] == ts]
    shown = [b["slack_file"]["id"] for b in message["blocks"] if b["type"] == "image"]
    assert len(shown) == len(record.pictures)
    assert [record.memory[f"file{n}"] for n in range(2)] == shown


async def test_uploaded_bytes_are_downloaded_again(web: Web, api: str) -> None:
    data = b"\x89PNG\r\n\x1a\n" + bytes(range(256))
    file = await files.upload(web, files.Upload("a.png", "A title", "alt", data))
    info = (await web.call("files.info", file=file))["file"]
    assert info["title"] == "A title"
    assert await files.download(web, info, api, 10_000) == data
    await web.call("files.delete", file=file)
    assert not await files.exists(web, file)


async def test_failed_job_edits_the_placeholder(
    web: Web, record: Record, publisher: SlackPublisher
) -> None:
    await publisher.deliver(failed(record, "out-of-memory").delivery())
    channel, ts = record.job.placeholder["channel"], record.job.placeholder["ts"]
    (message,) = [m for m in await messages(web, channel) if m["ts"] == ts]
    assert "graphics card" in json.dumps(message["blocks"])


async def test_duplicate_placeholder_is_deleted(web: Web, record: Record) -> None:
    channel, ts = record.job.placeholder["channel"], record.job.placeholder["ts"]
    await placeholders.delete_duplicate(web, record.job.placeholder)
    assert ts not in {m["ts"] for m in await messages(web, channel)}


async def test_member_is_looked_up(web: Web, places: dict[str, str]) -> None:
    member = await MemberDirectory().member(web, places["anna"])
    assert member.name == "Anna"
    assert not member.administrator


async def test_home_tab_and_modals_are_accepted(web: Web, places: dict[str, str], api: str) -> None:
    localize = localizer_for("en")
    home = home_view.unavailable(localize)
    await web.call("views.publish", user_id=places["anna"], view=home)
    for view in (
        views.compose(localize, ["a", "b"], Origin()),
        views.edit(localize, Origin("C1", "1.0", "p")),
        views.report(localize, Origin()),
        views.reroll(localize, "a red house", Origin()),
    ):
        trigger = await web.call("views.generateTriggerId")
        await web.call("views.open", trigger_id=trigger["trigger_id"], view=view)


async def test_archived_channel_rejects_a_message(web: Web, places: dict[str, str]) -> None:
    await web.call("conversations.archive", channel=places["quiet"])
    with pytest.raises(Rejected) as error:
        await web.call("chat.postMessage", channel=places["quiet"], text="hello")
    assert error.value.code == "is_archived"


async def test_concurrent_messages_stay_within_the_burst(web: Web, places: dict[str, str]) -> None:
    posts = [
        web.call("chat.postMessage", max_wait=15, channel=places["studio"], text=str(n))
        for n in range(5)
    ]
    assert all(answer["ok"] for answer in await asyncio.gather(*posts))
