"""Repeated deliveries and crashes produce one picture and one charge."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from tests.platforms.kills import assert_posted_again, is_sent, kill_worker, newest_job
from tests.platforms.slack.conftest import PLUS_GROUP, TEAM, SlackStack
from tests.platforms.slack.deliveries import Ack, event_callback
from tests.platforms.slack.faults import Fault, broken, cut, limited, slow
from tests.platforms.slack.member import Person
from tests.platforms.slack.scenario import pictures_of, wait_for_ephemeral
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import JSON


@pytest.fixture(autouse=True)
def clean_faults(slack_stack: SlackStack) -> Iterator[None]:
    """Clear faults after each test, and fail where a call violated the published methods."""
    yield
    slack_stack.slack.faults.clear()
    slack_stack.slack.sockets.drop_acks = False
    slack_stack.slack.reset_rates()
    assert slack_stack.slack.violations == []


def quota_text(slack_stack: SlackStack, person: Person, channel: str) -> str:
    """The reply to `/atelier quota`."""
    before = len(person.ephemeral_messages())
    person.command("/atelier", "quota", channel)
    slack_stack.slack.until("a reply", lambda: len(person.ephemeral_messages()) > before)
    return person.ephemeral_text()


def undelivered_mention(person: Person, channel: str, words: str) -> JSON:
    """A mention in the channel whose event is not delivered."""
    return person.write(channel, f"<@U0BOT00000> {words}", None) | {"type": "app_mention"}


def assert_one_order(
    slack_stack: SlackStack,
    person: Person,
    channel: str,
    root: str,
    left: str = "2 of 3",
    wait: float | None = None,
) -> None:
    """One stored order, one message with one picture, one credit spent.

    Every event is acknowledged by now, so each order is stored. A bot that has stored its
    placeholder posts no other. Where the worker was faster than a restarted bot, no placeholder is
    stored, and the test waits `wait` seconds instead.
    """
    pictures_of(slack_stack, person, channel, root, 1, 1)
    if wait is None:
        slack_stack.slack.until(
            "the placeholder is stored", lambda: all(placeholders(slack_stack, person))
        )
    else:
        time.sleep(wait)
    assert len(placeholders(slack_stack, person)) == 1
    assert len(person.answers(channel, root)) == 1
    assert f"You have {left} credits left" in quota_text(slack_stack, person, channel)


def placeholders(slack_stack: SlackStack, person: Person) -> list[JSON]:
    """The stored placeholder of each of a member's orders."""
    url = slack_stack.atelier.settings.database_url
    assert url is not None
    key = f"slack:{person.workspace.id}:{person.user}"
    with psycopg.connect(url.get_secret_value()) as connection:
        query = "SELECT placeholder FROM jobs WHERE member_key = %s"
        return [row[0] for row in connection.execute(query, [key]).fetchall()]


def test_redelivery_after_a_lost_acknowledgement_creates_one_order(slack_stack: SlackStack) -> None:
    person, channel = (
        slack_stack.new_member("lostack", groups=(PLUS_GROUP,)),
        slack_stack.channel("lostack"),
    )
    event = undelivered_mention(person, channel, "a red square")
    payload = event_callback(TEAM, event, "EvLost")
    slack_stack.slack.sockets.drop_acks = True
    ack = slack_stack.slack.run(slack_stack.sender.send("events_api", payload))
    assert not ack.acked
    slack_stack.slack.sockets.drop_acks = False
    assert slack_stack.slack.run(slack_stack.sender.send("events_api", payload, 1, "timeout")).acked
    assert_one_order(slack_stack, person, channel, event["ts"], "8 of 9")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "emoji_changed", "subtype": "add", "event_ts": "1.1"},
        {"type": "something_new", "whatever": {"is": ["in", "it"]}},
        {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2"},
    ],
    ids=lambda event: str(event["type"]),
)
def test_unhandled_event_is_acknowledged(slack_stack: SlackStack, event: JSON) -> None:
    payload = event_callback(TEAM, event, slack_stack.slack.clock.id("Ev"))
    assert slack_stack.slack.run(slack_stack.sender.send("events_api", payload)).acked


def test_one_message_under_two_concurrent_event_ids_creates_one_order(
    slack_stack: SlackStack,
) -> None:
    person, channel = slack_stack.new_member("double"), slack_stack.channel("double")
    event = undelivered_mention(person, channel, "a blue square")
    payloads = [event_callback(TEAM, event, id_) for id_ in ("EvOne", "EvTwo", "EvOne")]

    async def all_at_once() -> list[Ack]:
        return await asyncio.gather(
            *(slack_stack.sender.send("events_api", each) for each in payloads)
        )

    assert all(ack.acked for ack in slack_stack.slack.run(all_at_once()))
    assert_one_order(slack_stack, person, channel, event["ts"])


@pytest.mark.parametrize(
    "fault", [cut(after=True), cut(after=False), broken(), limited(1)], ids=lambda f: f.kind
)
def test_placeholder_is_posted_once_despite_a_fault(slack_stack: SlackStack, fault: Fault) -> None:
    name = f"ph{fault.kind.replace('-', '')}"
    person, channel = slack_stack.new_member(name), slack_stack.channel(name)
    slack_stack.slack.faults.plan("chat.postMessage", fault)
    root = person.mention(channel, "a yellow moon")
    assert_one_order(slack_stack, person, channel, root)


def test_bot_killed_before_its_acknowledgement_posts_one_placeholder(
    slack_stack: SlackStack,
) -> None:
    """The bot is killed after it stored the order, while it posts the placeholder."""
    slack, atelier = slack_stack.slack, slack_stack.atelier
    person, channel = (
        slack_stack.new_member("dying", groups=(PLUS_GROUP,)),
        slack_stack.channel("dying"),
    )
    event = undelivered_mention(person, channel, "a green heart")
    payload = event_callback(TEAM, event, "EvDying")
    slack.sockets.drop_acks = True
    slack.faults.plan(
        "chat.postMessage", slow(1.0)
    )  # posted, but the bot never receives the response
    calls = len(slack.called("users.info"))
    slack.spawn(slack_stack.sender.send("events_api", payload))
    slack.until("the event is being handled", lambda: len(slack.called("users.info")) > calls)
    time.sleep(0.5)
    old = atelier.signal_child("slack")
    slack.sockets.drop_acks = False
    atelier.wait_restarted("slack", old)
    slack.until("the restarted bot is connected", lambda: slack.sockets.connected)
    assert slack.run(slack_stack.sender.send("events_api", payload, 1, "timeout")).acked
    assert_one_order(slack_stack, person, channel, event["ts"], "8 of 9", wait=2.0)


def test_bot_reconnects_after_a_refresh_or_an_abort(slack_stack: SlackStack) -> None:
    slack = slack_stack.slack
    person, channel = slack_stack.new_member("sockets"), slack_stack.channel("sockets")
    for change in (slack.sockets.refresh, slack.sockets.drop):
        before = slack.sockets.connections
        slack.run(change())
        slack.until("a new connection", partial(_more_connections, slack, before))
    root = person.mention(channel, "a red star")
    assert_one_order(slack_stack, person, channel, root)


def _more_connections(slack: LoopbackSlack, than: int) -> bool:
    return slack.sockets.connections > than


def _more_uploads(slack: LoopbackSlack, than: int) -> bool:
    return len(slack.called("files.getUploadURLExternal")) > than


def test_order_is_cancelled_where_the_app_is_not_in_the_channel(slack_stack: SlackStack) -> None:
    person, channel = slack_stack.new_member("outside"), slack_stack.channel("outside")
    slack_stack.slack.workspaces[TEAM].channels[channel].members.discard("U0BOT00000")
    person.command("/imagine", "a red boat", channel)
    wait_for_ephemeral(slack_stack, person, "/invite")
    slack_stack.slack.until(
        "it is cancelled", lambda: "3 of 3" in quota_text(slack_stack, person, channel), 20
    )


def test_channel_archived_during_rendering_notifies_the_member(slack_stack: SlackStack) -> None:
    slack = slack_stack.slack
    person, channel = slack_stack.new_member("archive"), slack_stack.channel("archive")
    uploads = len(slack.called("files.getUploadURLExternal"))
    slack.faults.plan("files.getUploadURLExternal", limited(2))  # time to archive the channel
    person.mention(channel, "a red boat")
    slack.until("the upload begins", partial(_more_uploads, slack, uploads))
    slack.workspaces[TEAM].channels[channel].archived = True
    direct = slack.workspaces[TEAM].dm(person.user)
    slack.until("the member is notified", lambda: len(direct.messages) > 0)
    (error,) = direct.messages.values()
    assert "Nothing was charged" in error.text
    other = slack_stack.channel("elsewhere")
    slack.until("quota is back", lambda: "3 of 3" in quota_text(slack_stack, person, other))


def test_worker_killed_between_upload_and_completion_shows_the_picture_once(
    slack_stack: SlackStack,
) -> None:
    """The unfinished upload is abandoned; the next worker uploads again."""
    slack, workspace = slack_stack.slack, slack_stack.slack.workspaces[TEAM]
    person, channel = slack_stack.new_member("widowed"), slack_stack.channel("widowed")
    before, old = slack.uploads, set(workspace.files)
    slack.faults.plan("files.completeUploadExternal", slow(5.0))
    root = person.mention(channel, "a green kite")
    slack.until("the picture is uploaded", lambda: slack.uploads > before)
    killed_at = kill_worker(slack_stack.atelier)
    assert_one_order(slack_stack, person, channel, root)
    job = newest_job(slack_stack.atelier, f"slack:{TEAM}:{person.user}")
    slack.until("the delivery is stored as sent", lambda: is_sent(slack_stack.atelier, job))
    assert_posted_again(slack_stack.atelier, job, killed_at)
    shown = [f for name, f in workspace.files.items() if name not in old and f.channels]
    assert len(shown) == 1
