"""What the bot stores of a message, also while Slack hangs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from tests.platforms.slack.conftest import BORIS, GENERAL, TEAM
from tests.platforms.slack.deliveries import SocketSender, event_callback
from tests.platforms.slack.faults import slow
from tests.platforms.slack.harness import SlackHarness, open_stage
from tests.stack import Servers


@pytest.fixture
async def harness(
    servers: Servers, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[SlackHarness]:
    """The bot without a worker: orders stay queued."""
    async with open_stage(servers, tmp_path_factory.mktemp("slow")) as opened:
        yield opened


@pytest.mark.parametrize("method", ["usergroups.list", "users.info"])
async def test_orders_are_stored_before_their_acknowledgement_while_slack_hangs(
    method: str, harness: SlackHarness
) -> None:
    slack = harness.slack
    actors = [await harness.actor(f"member{n}") for n in range(5)]
    slack.faults.plan(method, *[slow(8)] * 5)
    sender = SocketSender(slack.sockets)
    for number, actor in enumerate(actors, 1):
        event = actor.person.write(GENERAL, "<@U0BOT00000> a red kite", None)
        payload = event_callback(TEAM, event | {"type": "app_mention"}, f"Ev{number}")
        sent = asyncio.to_thread(slack.run, sender.send("events_api", payload))
        assert (await sent).acked
        assert len(await harness.client.jobs.waiting("slack")) == number
    assert slack.sockets.late == 0
    assert len(slack.called("usergroups.list")) <= 1


async def test_mentions_in_a_prompt_are_stored_as_names(harness: SlackHarness) -> None:
    slack = harness.slack
    actor = await harness.actor("writer")
    text = f"<@U0BOT00000> a portrait of <@{BORIS}> in <#{GENERAL}|general>"
    event = actor.person.write(GENERAL, text, None) | {"type": "app_mention"}
    sent = SocketSender(slack.sockets).send("events_api", event_callback(TEAM, event, "EvNames"))
    assert (await asyncio.to_thread(slack.run, sent)).acked
    (job,) = await harness.client.jobs.waiting("slack")
    assert job.order.request.prompt == "a portrait of @Boris in #general"
