"""Web API calls: shared rate limit, no automatic retries, typed errors."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.slack.transport import OutcomeUnknown, RateLimited, Rejected, SlackError, Web
from bots.slack.workspaces import Transport
from tests.platforms.slack.conftest import GENERAL, TEAM, TOKEN
from tests.platforms.slack.faults import Fault, broken, cut, limited, refused
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Workspace


@pytest.fixture
async def web(slack: LoopbackSlack) -> AsyncIterator[Web]:
    transport = Transport(slack.api_url)
    yield transport.web(TOKEN, TEAM)
    await transport.close()


async def post(web: Web) -> None:
    await web.call("chat.postMessage", max_wait=15, channel=GENERAL, text="hello")


async def test_concurrent_calls_keep_the_rate_limit(web: Web, slack: LoopbackSlack) -> None:
    await asyncio.gather(*(post(web) for _ in range(7)))
    assert len(slack.called("chat.postMessage")) == 7
    assert slack.overruns == []


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (limited(7), RateLimited, "ratelimited"),
        (broken(502), OutcomeUnknown, "http-502"),
        (refused("internal_error"), OutcomeUnknown, "internal_error"),
        (cut(after=False), OutcomeUnknown, "ServerDisconnectedError"),
        (refused("channel_not_found"), Rejected, "channel_not_found"),
        (refused("a_new_word"), Rejected, "a_new_word"),
    ],
)
async def test_faults_raise_typed_errors_without_a_retry(
    fault: Fault, kind: type[SlackError], code: str, web: Web, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.postMessage", fault)
    with pytest.raises(kind) as error:
        await post(web)
    assert error.value.code == code
    assert len(slack.called("chat.postMessage")) == 1


async def test_lost_response_does_not_repeat_the_message(
    web: Web, slack: LoopbackSlack, team: Workspace
) -> None:
    slack.faults.plan("chat.postMessage", cut(after=True))
    with pytest.raises(OutcomeUnknown):
        await post(web)
    assert len(team.channels[GENERAL].messages) == 1


async def test_errors_contain_no_token(slack: LoopbackSlack, web: Web) -> None:
    for fault in (broken(), refused("invalid_auth"), cut(after=False), limited(1)):
        slack.faults.plan("auth.test", fault)
        with pytest.raises(SlackError) as error:
            await web.call("auth.test")
        assert TOKEN not in repr(error.value) + str(error.value.__cause__)
