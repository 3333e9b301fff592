"""Two processes of the bot: Slack tells either of them, and tells again whichever it likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from bots.slack import posting
from bots.slack.app import serve
from tests.platforms.slack.conftest import ANNA, GENERAL, TEAM
from tests.platforms.slack.deliveries import SocketLine, event_callback
from tests.platforms.slack.faults import slow
from tests.platforms.slack.member import Person
from tests.platforms.slack.stage import SlackStage, open_stage
from tests.platforms.slack.world import Message
from tests.stack import Servers


@pytest.fixture
async def stage(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SlackStage]:
    """Two bots on one record, without a worker: orders stay in line."""
    async with open_stage(servers, tmp_path_factory.mktemp("two")) as opened:
        ready = asyncio.Event()
        second = asyncio.create_task(serve(opened.settings, ready.set))
        await asyncio.wait_for(ready.wait(), 60)
        yield opened
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)


async def test_of_two_placeholders_one_stays(
    stage: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first bot is so slow to post that the second, told of the same message, posts as well."""
    monkeypatch.setattr(posting, "OTHERS_TIME", (0.1,))
    slack = stage.slack
    slack.faults.plan("chat.postMessage", slow(2.5))
    anna = Person(slack, slack.workspaces[TEAM], ANNA, SocketLine(slack.sockets))
    event = anna.write(GENERAL, "<@U0BOT00000> a red kite", None) | {"type": "app_mention"}
    for through, id_ in enumerate(("EvFirst", "EvSecond")):
        payload = event_callback(TEAM, event, id_)
        slack.spawn(slack.sockets.deliver("events_api", payload, through=through))
        asked = partial(_asked, stage, through)
        await asyncio.to_thread(slack.until, "the order is being taken", asked)
    posted = await asyncio.to_thread(slack.until, "both posted", lambda: _both(anna, event["ts"]))
    await asyncio.to_thread(slack.until, "one is deleted", lambda: any(m.deleted for m in posted))
    (left,) = anna.answers(GENERAL, event["ts"])
    (job,) = await stage.client.waiting_jobs("slack")
    assert job.placeholder["ts"] == left.ts
    assert left is posted[0], "the first that stood is the one that stays"


def _asked(stage: SlackStage, before: int) -> bool:
    """Whether one more bot has gone as far as asking who wrote it."""
    return len(stage.slack.called("users.info")) > before


def _both(person: Person, root: str) -> list[Message] | None:
    messages = person.workspace.channels[GENERAL].messages.values()
    found = [m for m in messages if m.bot and m.thread_ts == root]
    return found if len(found) == 2 else None
