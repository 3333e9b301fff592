"""Calls of the Web API: paced together, never repeated blindly, and faults told apart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.web import Limited, Lost, Refused, SlackFault, Web
from bots.slack.workspaces import Wire
from tests.platforms.slack.conftest import GENERAL, TEAM, TOKEN
from tests.platforms.slack.faults import Fault, broken, cut, limited, refused
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Workspace


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    wire = Wire(slack.api_url)
    yield wire.web(TOKEN, TEAM)
    await wire.close()


async def post(web: Web) -> None:
    await web.call("chat.postMessage", patience=15, channel=GENERAL, text="hello")


async def test_calls_that_wait_together_do_not_go_together(web: Web, slack: LoopbackSlack) -> None:
    await asyncio.gather(*(post(web) for _ in range(7)))
    assert len(slack.called("chat.postMessage")) == 7
    assert slack.overruns == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (limited(7), Limited, "ratelimited"),
        (broken(502), Lost, "http-502"),
        (refused("internal_error"), Lost, "internal_error"),
        (cut(after=False), Lost, "ServerDisconnectedError"),
        (refused("channel_not_found"), Refused, "channel_not_found"),
        (refused("a_new_word"), Refused, "a_new_word"),
    ],
)
async def test_what_went_wrong_is_told_apart_and_asked_once(
    fault: Fault, kind: type[SlackFault], code: str, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.postMessage", fault)
    with pytest.raises(kind) as told:
        await post(web)
    assert told.value.code == code
    assert len(slack.called("chat.postMessage")) == 1


async def test_an_answer_that_is_lost_is_not_a_second_message(
    web: Web, slack: LoopbackSlack, team: Workspace
) -> None:
    slack.faults.plan("chat.postMessage", cut(after=True))
    with pytest.raises(Lost):
        await post(web)
    assert len(team.channels[GENERAL].messages) == 1


async def test_no_secret_is_in_an_error(slack: LoopbackSlack, web: Web) -> None:
    for fault in (broken(), refused("invalid_auth"), cut(after=False), limited(1)):
        slack.faults.plan("auth.test", fault)
        with pytest.raises(SlackFault) as told:
            await web.call("auth.test")
        assert TOKEN not in repr(told.value) + str(told.value.__cause__)
