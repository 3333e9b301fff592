"""What goes wrong between a member and the bot: a slow record, broken connections, late answers."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import discord
import psycopg
import pytest

from bots.discord import client
from tasks.store import lines
from tasks.store.database import Database
from tests.platforms.discord.conftest import Room
from tests.platforms.discord.world import EPHEMERAL, LOADING, SEND, Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


@contextmanager
def slow_record(room: Room) -> Iterator[None]:
    """Nobody can read or write a job for as long as this lasts."""
    url = room.running.settings.database_url
    assert url is not None
    plain = url.get_secret_value().replace("postgresql+psycopg", "postgresql")
    with psycopg.connect(plain) as connection:
        connection.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        yield


def as_the_clock_does(room: Room) -> None:
    """Let the line's changes count, as the clock's process does many times a second."""
    url = room.running.settings.database_url
    assert url is not None
    record = Database(url.get_secret_value())
    record.run(lines.fold)
    record.close()


def public(room: Room) -> list[Message]:
    """What a passer-by sees in the channel."""
    return room.person("passer-by").sees()


async def test_a_slow_studio_thinks_in_private_and_then_shows_in_public(room: Room) -> None:
    anna = room.person("anna", "pro")
    with slow_record(room):
        asked = await anna.slash("imagine", hasty=True, prompt="a slow house")
        assert asked.answer == 5
        assert asked.shown.flags & EPHEMERAL
        assert asked.shown.flags & LOADING
        assert public(room) == []
    await room.discord.until(lambda: public(room))
    (job,) = await room.placed()
    (shown,) = public(room)
    assert job.placeholder["message"] == str(shown.id)
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    await room.discord.until(lambda: anna.sees() == [shown])


async def test_a_slow_refusal_is_still_private(room: Room) -> None:
    free = room.person("free")
    with slow_record(room):
        asked = await free.slash("imagine", hasty=True, prompt="two houses", count=2)
        assert asked.answer == 5
    await room.discord.until(lambda: "one picture" in asked.shown.text)
    assert asked.shown.audience is free.user
    assert public(room) == []


async def test_a_slow_cancel_ends_the_message_all_the_same(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    with slow_record(room):
        pressed = await anna.click(asked.shown, "Cancel", hasty=True)
        assert pressed.answer == 6
    await room.discord.until(lambda: "Cancelled" in asked.shown.text)
    assert asked.shown.buttons == []


async def test_a_slow_studio_opens_no_form_but_says_so(room: Room) -> None:
    anna = room.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    job = (await room.placed())[0]
    button = {
        "type": 2,
        "style": 2,
        "label": "Again",
        "custom_id": f"atelier:reroll:{job.id.hex}:0",
    }
    asked.shown.payload["components"].append({"type": 1, "id": 9, "components": [button]})
    with slow_record(room):
        pressed = await anna.click(asked.shown, "Again", hasty=True)
        assert "cannot be reached" in pressed.shown.text
    opened = await anna.click(asked.shown, "Again")
    assert opened.modal is not None
    again = await anna.submit(opened, prompt="a house at night")
    assert "a house at night" in again.shown.text


@pytest.mark.parametrize("kind", ["close-after", "close", "status-after", "status"])
async def test_an_answer_that_breaks_off_is_given_once(room: Room, kind: str) -> None:
    anna = room.person("anna", "pro")
    room.discord.faults.add("POST", "/interactions/", kind)
    asked = await anna.slash("imagine", prompt="a broken line")
    (job,) = await room.placed()
    assert public(room) == [asked.shown]
    assert job.placeholder["message"] == str(asked.shown.id)


async def test_a_server_error_of_discord_is_tried_again(room: Room) -> None:
    anna = room.person("anna", "pro")
    room.discord.faults.add("POST", "/interactions/", "status", status=502)
    asked = await anna.slash("imagine", prompt="a second try")
    assert len(public(room)) == 1
    assert asked.shown.buttons


async def test_an_answer_that_came_too_late_stands_in_the_channel(room: Room) -> None:
    anna = room.person("anna", "pro")
    room.discord.faults.add("POST", "/interactions/", "late", seconds=3.2)
    await anna.start("imagine", prompt="a late house")
    await room.discord.until(lambda: public(room))
    (job,) = await room.placed()
    (shown,) = public(room)
    assert job.placeholder["message"] == str(shown.id)
    assert "a late house" in shown.text


@pytest.mark.parametrize("kind", ["close-after", "status-after"])
async def test_a_late_placeholder_that_breaks_off_is_found_again(room: Room, kind: str) -> None:
    anna = room.person("anna", "pro")
    room.discord.faults.add("POST", r"/webhooks/\d+/[^/]+$", kind)
    with slow_record(room):
        await anna.slash("imagine", hasty=True, prompt="lost on the way")
    (job,) = await room.placed()
    (shown,) = public(room)
    assert job.placeholder["message"] == str(shown.id)


async def test_a_busy_answer_is_given_when_discord_says_so(room: Room) -> None:
    anna = room.person("anna", "pro")
    room.discord.faults.add("POST", "/interactions/", "plain-429", seconds=1)
    asked = await anna.slash("imagine", prompt="patience")
    (job,) = await room.placed()
    assert public(room) == [asked.shown]
    assert job.placeholder["message"] == str(asked.shown.id)
    due = [r for r in room.discord.requests if r.status == 429]
    assert len(due) == 1
    room.discord.requests.remove(due[0])


async def test_where_the_bot_may_not_write_the_token_still_answers(room: Room) -> None:
    anna = room.person("anna", "pro")
    anna.room.lost = SEND
    with slow_record(room):
        asked = await anna.slash("imagine", hasty=True, prompt="a quiet channel")
    await room.discord.until(lambda: public(room))
    (job,) = await room.placed()
    assert job.placeholder["message"] == str(public(room)[0].id)
    assert public(room)[0] in asked.followups


async def test_the_place_in_line_is_kept_true(room: Room) -> None:
    anna, bela = room.person("anna"), room.person("bela")
    first = await anna.slash("imagine", prompt="first")
    as_the_clock_does(room)
    second = await bela.slash("imagine", prompt="second")
    before = second.shown.text
    versions = len(second.shown.versions)
    await room.placed()
    await anna.click(first.shown, "Cancel")
    as_the_clock_does(room)
    await room.discord.until(lambda: second.shown.text != before, 30)
    assert len(second.shown.versions) == versions + 1
    assert [b["label"] for b in second.shown.buttons] == ["Cancel"]


async def test_lost_sessions_are_begun_anew(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def at_once(*_: object, **__: object) -> None:
        """The library waits 5 s, as long as Discord wants between two; ours does not care."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", at_once)
    anna, gateway = room.person("anna", "pro"), room.discord.gateway
    before = len(gateway.identifies)
    await gateway.invalidate()
    await room.discord.until(lambda: len(gateway.identifies) > before)
    await room.discord.until(lambda: any(s.line and not s.forgotten for s in gateway.sessions))
    asked = await anna.slash("quota")
    assert asked.shown.text


@pytest.mark.parametrize(
    ("event", "body"),
    [
        ("INTERACTION_CREATE", {"type": 2}),
        ("MESSAGE_CREATE", {"channel_id": "none", "id": None}),
        ("GUILD_ROLE_UPDATE", {}),
        ("CHANNEL_UPDATE", {"id": "1", "type": "x", "guild_id": []}),
        ("SOMETHING_NEW", {"n": 1}),
    ],
)
async def test_an_event_that_cannot_be_read_is_left_out(
    room: Room, event: str, body: dict[str, Any]
) -> None:
    gateway = room.discord.gateway
    before = len(gateway.identifies), gateway.resumes
    await gateway.dispatch(event, body, None)
    assert (await room.person("anna").slash("quota")).shown.text
    assert (len(gateway.identifies), gateway.resumes) == before


async def test_a_bot_that_tries_to_reconnect_ends_when_it_is_told_to(room: Room) -> None:
    gateway = room.discord.gateway
    gateway.asleep = True
    await gateway.drop()
    await room.discord.until(lambda: gateway.left_standing > 0)
    async with asyncio.timeout(60):  # a net: it would never end
        await room.running.stop()
    gateway.asleep = False
    await room.running.start()
    assert (await room.person("anna").slash("quota")).shown.text


async def test_a_discord_that_is_down_is_waited_for(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "FIRST_PAUSE", 0.1)
    await room.running.stop()
    room.discord.faults.add("GET", "/users/@me", "status", status=503)
    room.discord.faults.add("GET", "/users/@me", "close")
    await room.running.start()
    assert room.discord.faults.pending == []
    assert (await room.person("anna").slash("quota")).shown.text


async def test_fifty_commands_in_two_seconds_are_all_answered(room: Room) -> None:
    people = [room.person(f"member{n}", "pro") for n in range(20)]
    waiting = []
    for number in range(50):
        person = people[number % len(people)]
        waiting.append(asyncio.create_task(person.slash("imagine", prompt=f"house {number}")))
        await asyncio.sleep(0.04)
    asked = await asyncio.gather(*waiting)
    assert all(one.answer in {4, 5} for one in asked)
    await room.discord.until(lambda: len(public(room)) == 50)
    assert len(await room.placed()) == 50
