"""Two bot processes: Slack delivers to either of them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bots.slack import placeholder_poster
from bots.slack.app import serve
from tests.platforms.slack.conftest import ANNA, GENERAL, TEAM
from tests.platforms.slack.deliveries import SocketSender, event_callback
from tests.platforms.slack.faults import slow
from tests.platforms.slack.harness import SlackHarness, open_stage
from tests.platforms.slack.member import Person
from tests.platforms.slack.world import Message
from tests.stack import Servers


@pytest.fixture
async def harness(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SlackHarness]:
    """Two bots on one database, without a worker: orders stay queued."""
    async with open_stage(servers, tmp_path_factory.mktemp("two")) as opened:
        ready = asyncio.Event()
        second = asyncio.create_task(serve(opened.settings, ready.set))
        async with asyncio.timeout(60):
            await ready.wait()
        yield opened
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_second_placeholder_is_deleted(
    harness: SlackHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bot posts so slowly that the second bot posts a placeholder too."""
    monkeypatch.setattr(placeholder_poster, "CONCURRENT_POST_PAUSES", (0.1,))
    slack = harness.slack
    slack.faults.plan("chat.postMessage", slow(2.5))
    anna = Person(slack, slack.workspaces[TEAM], ANNA, SocketSender(slack.sockets))
    event = anna.write(GENERAL, "<@U0BOT00000> a red kite", None) | {"type": "app_mention"}
    for through, id_ in enumerate(("EvFirst", "EvSecond")):
        payload = event_callback(TEAM, event, id_)
        slack.spawn(slack.sockets.deliver("events_api", payload, through=through))
        asked = partial(_asked, harness, through)
        await asyncio.to_thread(slack.until, "the event is being handled", asked)
    posted = await asyncio.to_thread(slack.until, "both posted", lambda: _both(anna, event["ts"]))
    await asyncio.to_thread(slack.until, "one is deleted", lambda: any(m.deleted for m in posted))
    (left,) = anna.answers(GENERAL, event["ts"])
    (job,) = await harness.client.jobs.waiting("slack")
    assert job.placeholder["ts"] == left.ts
    assert left is posted[0], "the first placeholder was deleted"


def _asked(harness: SlackHarness, before: int) -> bool:
    """Whether one more bot has looked up the author."""
    return len(harness.slack.called("users.info")) > before


def _both(person: Person, root: str) -> list[Message] | None:
    messages = person.workspace.channels[GENERAL].messages.values()
    found = [m for m in messages if m.bot and m.thread_ts == root]
    return found if len(found) == 2 else None
