"""Redelivered, doubled and half-dead: one picture, one charge, whatever Slack or we repeat."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from functools import partial

import psycopg
import pytest

from tests.platforms.kills import assert_posted_again, is_sent, kill_worker, newest_job
from tests.platforms.slack.conftest import PLUS_GROUP, TEAM, Town
from tests.platforms.slack.deliveries import Taken, event_callback
from tests.platforms.slack.evening import pictures_of, whisper
from tests.platforms.slack.faults import Fault, broken, cut, limited, slow
from tests.platforms.slack.member import Person
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import JSON


@pytest.fixture(autouse=True)
def calm(town: Town) -> Iterator[None]:
    """No fault of one test reaches the next, and no call was one that Slack forbids."""
    yield
    town.slack.faults.clear()
    town.slack.sockets.deaf = False
    town.slack.reset_rates()
    assert town.slack.violations == []


def spent(town: Town, person: Person, channel: str) -> str:
    """What the member is told of their quota: three credits a day on Free."""
    before = len(person.whispers())
    person.command("/atelier", "quota", channel)
    town.slack.until("an answer", lambda: len(person.whispers()) > before, 20)
    return person.whispered()


def said(person: Person, channel: str, words: str) -> JSON:
    """A mention that stands in the channel and has not been delivered."""
    return person.write(channel, f"<@U0BOT00000> {words}", None) | {"type": "app_mention"}


def once(
    town: Town,
    person: Person,
    channel: str,
    root: str,
    left: str = "2 of 3",
    settle: float | None = None,
) -> None:
    """One order in the record, one message with one picture, one credit gone.

    Every event was acknowledged by now, so each order that it made is in the record; and once the
    bot has written down where its placeholder stands, it posts no other. Where the worker was
    quicker than a bot that came back, nothing is written down: then `settle` seconds tell.
    """
    pictures_of(town, person, channel, root, 1, 1)
    if settle is None:
        town.slack.until("the bot knows its message", lambda: all(placeholders(town, person)))
    else:
        time.sleep(settle)
    assert len(placeholders(town, person)) == 1
    assert len(person.answers(channel, root)) == 1
    assert f"You have {left} credits left" in spent(town, person, channel)


def placeholders(town: Town, person: Person) -> list[JSON]:
    """Where the message of each of a member's orders stands, as the record knows."""
    url = town.studio.settings.database_url
    assert url is not None
    key = f"slack:{person.workspace.id}:{person.user}"
    with psycopg.connect(url.get_secret_value()) as connection:
        query = "SELECT placeholder FROM jobs WHERE member_key = %s"
        return [row[0] for row in connection.execute(query, [key]).fetchall()]


def test_an_acknowledgement_that_is_lost_and_the_redelivery(town: Town) -> None:
    person, channel = town.newcomer("lostack", groups=(PLUS_GROUP,)), town.channel("lostack")
    event = said(person, channel, "a red square")
    payload = event_callback(TEAM, event, "EvLost")
    town.slack.sockets.deaf = True
    taken = town.slack.run(town.line.send("events_api", payload))
    assert not taken.acked
    town.slack.sockets.deaf = False
    assert town.slack.run(town.line.send("events_api", payload, 1, "timeout")).acked
    once(town, person, channel, event["ts"], "8 of 9")


@pytest.mark.parametrize(
    "event",
    [
        {"type": "emoji_changed", "subtype": "add", "event_ts": "1.1"},
        {"type": "something_new", "whatever": {"is": ["in", "it"]}},
        {"type": "message", "subtype": "message_changed", "channel": "C1", "ts": "1.2"},
    ],
    ids=lambda event: str(event["type"]),
)
def test_what_the_app_has_no_use_for_is_acknowledged_all_the_same(town: Town, event: JSON) -> None:
    payload = event_callback(TEAM, event, town.slack.clock.id("Ev"))
    assert town.slack.run(town.line.send("events_api", payload)).acked


def test_one_message_under_two_event_ids_at_the_same_moment(town: Town) -> None:
    person, channel = town.newcomer("double"), town.channel("double")
    event = said(person, channel, "a blue square")
    payloads = [event_callback(TEAM, event, id_) for id_ in ("EvOne", "EvTwo", "EvOne")]

    async def all_at_once() -> list[Taken]:
        return await asyncio.gather(*(town.line.send("events_api", each) for each in payloads))

    assert all(taken.acked for taken in town.slack.run(all_at_once()))
    once(town, person, channel, event["ts"])


@pytest.mark.parametrize(
    "fault", [cut(after=True), cut(after=False), broken(), limited(1)], ids=lambda f: f.kind
)
def test_a_placeholder_whose_posting_goes_wrong(town: Town, fault: Fault) -> None:
    name = f"ph{fault.kind.replace('-', '')}"
    person, channel = town.newcomer(name), town.channel(name)
    town.slack.faults.plan("chat.postMessage", fault)
    root = person.mention(channel, "a yellow moon")
    once(town, person, channel, root)


def test_a_bot_that_dies_before_it_acknowledged(town: Town) -> None:
    """It has submitted the order and is posting the placeholder when it is killed."""
    slack, studio = town.slack, town.studio
    person, channel = town.newcomer("dying", groups=(PLUS_GROUP,)), town.channel("dying")
    event = said(person, channel, "a green heart")
    payload = event_callback(TEAM, event, "EvDying")
    slack.sockets.deaf = True
    slack.faults.plan("chat.postMessage", slow(1.0))  # it will be posted, but nobody hears of it
    calls = len(slack.called("users.info"))
    slack.spawn(town.line.send("events_api", payload))
    slack.until("the event is being worked on", lambda: len(slack.called("users.info")) > calls)
    time.sleep(0.5)
    old = studio.signal_child("slack")
    slack.sockets.deaf = False
    studio.wait_restarted("slack", old)
    slack.until("the next life listens", lambda: slack.sockets.connected)
    assert slack.run(town.line.send("events_api", payload, 1, "timeout")).acked
    once(town, person, channel, event["ts"], "8 of 9", settle=2.0)


def test_the_socket_may_be_refreshed_or_cut(town: Town) -> None:
    slack = town.slack
    person, channel = town.newcomer("sockets"), town.channel("sockets")
    for harm in (slack.sockets.refresh, slack.sockets.drop):
        before = slack.sockets.connections
        slack.run(harm())
        slack.until("a new connection", partial(_more_connections, slack, before), 60)
    root = person.mention(channel, "a red star")
    once(town, person, channel, root)


def _more_connections(slack: LoopbackSlack, than: int) -> bool:
    return slack.sockets.connections > than


def _more_uploads(slack: LoopbackSlack, than: int) -> bool:
    return len(slack.called("files.getUploadURLExternal")) > than


def test_where_the_app_may_not_write_nothing_is_charged(town: Town) -> None:
    person, channel = town.newcomer("outside"), town.channel("outside")
    town.slack.workspaces[TEAM].channels[channel].members.discard("U0BOT00000")
    person.command("/imagine", "a red boat", channel)
    whisper(town, person, "/invite")
    town.slack.until("it is cancelled", lambda: "3 of 3" in spent(town, person, channel), 20)


def test_a_channel_that_is_archived_while_the_picture_is_made(town: Town) -> None:
    slack = town.slack
    person, channel = town.newcomer("archive"), town.channel("archive")
    uploads = len(slack.called("files.getUploadURLExternal"))
    slack.faults.plan("files.getUploadURLExternal", limited(2))  # time to archive the channel
    person.mention(channel, "a red boat")
    slack.until("the upload begins", partial(_more_uploads, slack, uploads))
    slack.workspaces[TEAM].channels[channel].archived = True
    direct = slack.workspaces[TEAM].dm(person.user)
    slack.until("the member is told", lambda: len(direct.messages) > 0, 40)
    (told,) = direct.messages.values()
    assert "Nothing was charged" in told.text
    other = town.channel("elsewhere")
    slack.until("quota is back", lambda: "3 of 3" in spent(town, person, other), 20)


def test_a_worker_killed_between_upload_and_completion_shows_the_picture_once(town: Town) -> None:
    """Its own upload is completed by nobody who lives; the next worker uploads anew."""
    slack, workspace = town.slack, town.slack.workspaces[TEAM]
    person, channel = town.newcomer("widowed"), town.channel("widowed")
    before, old = slack.uploads, set(workspace.files)
    slack.faults.plan("files.completeUploadExternal", slow(1.0))
    root = person.mention(channel, "a green kite")
    slack.until("the picture is up", lambda: slack.uploads > before, 90)
    kill_worker(town.studio)
    once(town, person, channel, root)
    job = newest_job(town.studio, f"slack:{TEAM}:{person.user}")
    slack.until("the record knows", lambda: is_sent(town.studio, job))
    assert_posted_again(town.studio, job)
    shown = [f for name, f in workspace.files.items() if name not in old and f.channels]
    assert len(shown) == 1
