"""Faults between a member and the bot: a slow database, broken connections, late answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any

import discord
import psycopg
import pytest

from bots.discord import gateway_client
from tasks.jobs.members import Member
from tasks.store import queue_position
from tasks.store.database import Database
from tests.platforms.discord.conftest import BotFixture
from tests.platforms.discord.world import EPHEMERAL, LOADING, SEND, Message

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def locked_jobs(bot: BotFixture) -> AsyncIterator[None]:
    """Lock the jobs table, so that nobody can read or write a job.

    The bot runs in this loop: a lock that blocks the loop would wait for the bot's transaction.
    """
    url = bot.running.settings.database_url
    assert url is not None
    plain = url.get_secret_value().replace("postgresql+psycopg", "postgresql")
    async with await psycopg.AsyncConnection.connect(plain) as connection:
        await connection.execute("LOCK TABLE jobs IN ACCESS EXCLUSIVE MODE")
        yield


def fold_queue(bot: BotFixture) -> None:
    """Apply pending queue changes, as the maintenance process does many times a second."""
    url = bot.running.settings.database_url
    assert url is not None
    database = Database(url.get_secret_value())
    database.run(queue_position.fold)
    database.close()


def visible_to_others(bot: BotFixture) -> list[Message]:
    """The messages that another member sees in the channel."""
    return bot.person("passer-by").sees()


async def test_slow_placeholder_is_deferred_privately_then_posted_publicly(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    async with locked_jobs(bot):
        asked = await anna.slash("imagine", accept_deferred=True, prompt="a slow house")
        assert asked.answer == 5
        assert asked.shown.flags & EPHEMERAL
        assert asked.shown.flags & LOADING
        assert visible_to_others(bot) == []
    await bot.discord.until(lambda: visible_to_others(bot))
    (job,) = await bot.placed()
    (shown,) = visible_to_others(bot)
    assert job.placeholder["message"] == str(shown.id)
    assert [b["label"] for b in shown.buttons] == ["Cancel"]
    await bot.discord.until(lambda: anna.sees() == [shown])


async def test_slow_refusal_is_ephemeral(bot: BotFixture) -> None:
    free = bot.person("free")
    async with locked_jobs(bot):
        asked = await free.slash("imagine", accept_deferred=True, prompt="two houses", count=2)
        assert asked.answer == 5
    await bot.discord.until(lambda: "one picture" in asked.shown.text)
    assert asked.shown.audience is free.user
    assert visible_to_others(bot) == []


@pytest.mark.parametrize("deferred", [False, True])
async def test_button_of_a_message_that_is_deleted_meanwhile_is_answered(
    bot: BotFixture, caplog: pytest.LogCaptureFixture, deferred: bool
) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    slow = bot.discord.faults.add("POST", "/interactions/", "slow", seconds=0.5)
    async with locked_jobs(bot) if deferred else nullcontext():
        pressing = asyncio.create_task(anna.click(asked.shown, "Cancel", accept_deferred=deferred))
        await bot.discord.until(lambda: slow not in bot.discord.faults.pending)
        asked.shown.deleted = True
        pressed = await pressing
    assert pressed.answer == 6, "the member reads that the interaction failed"
    await bot.discord.until(lambda: any(one.code == 10008 for one in bot.discord.requests))
    assert (await anna.slash("quota")).shown.text
    assert [one for one in caplog.records if one.levelname == "ERROR"] == []


async def test_slow_cancel_updates_the_message(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    async with locked_jobs(bot):
        pressed = await anna.click(asked.shown, "Cancel", accept_deferred=True)
        assert pressed.answer == 6
    await bot.discord.until(lambda: "Cancelled" in asked.shown.text)
    assert asked.shown.buttons == []


async def test_cancel_is_shown_after_an_edit_in_progress(bot: BotFixture) -> None:
    """Else the message could keep the place in line of an order that is cancelled."""
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    (job,) = await bot.placed()
    async with bot.running.client.jobs.edit_fence(job.id) as queued:
        assert queued is not None
        pressed = await anna.click(asked.shown, "Cancel", accept_deferred=True)
        assert pressed.answer == 6
        assert [button["label"] for button in asked.shown.buttons] == ["Cancel"]
    await bot.discord.until(lambda: "Cancelled" in asked.shown.text)
    assert asked.shown.buttons == []


async def test_slow_modal_check_is_refused(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    asked = await anna.slash("imagine", prompt="a house")
    job = (await bot.placed())[0]
    button = {
        "type": 2,
        "style": 2,
        "label": "Again",
        "custom_id": f"atelier:reroll:{job.id.hex}:0",
    }
    asked.shown.payload["components"].append({"type": 1, "id": 9, "components": [button]})
    async with locked_jobs(bot):
        pressed = await anna.click(asked.shown, "Again", accept_deferred=True)
        assert "can’t reach the studio" in pressed.shown.text
    opened = await anna.click(asked.shown, "Again")
    assert opened.modal is not None
    again = await anna.submit(opened, prompt="a house at night")
    assert "a house at night" in again.shown.text


@pytest.mark.parametrize("kind", ["close-after", "close", "status-after", "status"])
async def test_interrupted_response_is_sent_once(bot: BotFixture, kind: str) -> None:
    anna = bot.person("anna", "pro")
    bot.discord.faults.add("POST", "/interactions/", kind)
    asked = await anna.slash("imagine", prompt="a broken line")
    (job,) = await bot.placed()
    assert visible_to_others(bot) == [asked.shown]
    assert job.placeholder["message"] == str(asked.shown.id)


async def test_server_error_is_retried(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    bot.discord.faults.add("POST", "/interactions/", "status", status=502)
    asked = await anna.slash("imagine", prompt="a second try")
    assert len(visible_to_others(bot)) == 1
    assert asked.shown.buttons


async def test_late_response_is_posted_in_the_channel(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    bot.discord.faults.add("POST", "/interactions/", "late", seconds=3.2)
    await anna.start("imagine", prompt="a late house")
    await bot.discord.until(lambda: visible_to_others(bot))
    (job,) = await bot.placed()
    (shown,) = visible_to_others(bot)
    assert job.placeholder["message"] == str(shown.id)
    assert "a late house" in shown.text


@pytest.mark.parametrize("kind", ["close-after", "status-after"])
async def test_interrupted_followup_is_found_instead_of_repeated(
    bot: BotFixture, kind: str
) -> None:
    anna = bot.person("anna", "pro")
    bot.discord.faults.add("POST", r"/webhooks/\d+/[^/]+$", kind)
    async with locked_jobs(bot):
        await anna.slash("imagine", accept_deferred=True, prompt="lost on the way")
    (job,) = await bot.placed()
    (shown,) = visible_to_others(bot)
    assert job.placeholder["message"] == str(shown.id)


async def test_rate_limited_response_is_sent_after_retry_delay(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    bot.discord.faults.add("POST", "/interactions/", "plain-429", seconds=1)
    asked = await anna.slash("imagine", prompt="patience")
    (job,) = await bot.placed()
    assert visible_to_others(bot) == [asked.shown]
    assert job.placeholder["message"] == str(asked.shown.id)
    limited = [r for r in bot.discord.requests if r.status == 429]
    assert len(limited) == 1
    bot.discord.requests.remove(limited[0])


async def test_token_answers_without_send_permission(bot: BotFixture) -> None:
    anna = bot.person("anna", "pro")
    anna.channel.lost = SEND
    async with locked_jobs(bot):
        asked = await anna.slash("imagine", accept_deferred=True, prompt="a quiet channel")
    await bot.discord.until(lambda: visible_to_others(bot))
    (job,) = await bot.placed()
    assert job.placeholder["message"] == str(visible_to_others(bot)[0].id)
    assert visible_to_others(bot)[0] in asked.followups


async def test_queue_position_is_updated_on_the_placeholder(bot: BotFixture) -> None:
    anna, bela = bot.person("anna"), bot.person("bela")
    first = await anna.slash("imagine", prompt="first")
    await asyncio.to_thread(fold_queue, bot)
    second = await bela.slash("imagine", prompt="second")
    before = second.shown.text
    versions = len(second.shown.versions)
    await bot.placed()
    await anna.click(first.shown, "Cancel")
    await asyncio.to_thread(fold_queue, bot)
    await bot.discord.until(lambda: second.shown.text != before, 30)
    assert len(second.shown.versions) == versions + 1
    assert [b["label"] for b in second.shown.buttons] == ["Cancel"]


async def test_invalidated_session_identifies_again(
    bot: BotFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def no_wait(*_: object, **__: object) -> None:
        """discord.py waits the 5 s that Discord requires; the loopback does not require it."""

    monkeypatch.setattr(discord.Client, "before_identify_hook", no_wait)
    anna, gateway = bot.person("anna", "pro"), bot.discord.gateway
    before = len(gateway.identifies)
    await gateway.invalidate()
    await bot.discord.until(lambda: len(gateway.identifies) > before)
    await bot.discord.until(lambda: any(s.connection and not s.forgotten for s in gateway.sessions))
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
async def test_malformed_event_is_skipped(
    bot: BotFixture, event: str, body: dict[str, Any]
) -> None:
    gateway = bot.discord.gateway
    before = len(gateway.identifies), gateway.resumes
    await gateway.dispatch(event, body, None)
    assert (await bot.person("anna").slash("quota")).shown.text
    assert (len(gateway.identifies), gateway.resumes) == before


async def test_bot_stops_while_reconnecting(bot: BotFixture) -> None:
    gateway = bot.discord.gateway
    gateway.hangs = True
    await gateway.drop()
    await bot.discord.until(lambda: gateway.hung_connections > 0)
    async with asyncio.timeout(60):  # fails the test instead of hanging
        await bot.running.stop()
    gateway.hangs = False
    await bot.running.start()
    assert (await bot.person("anna").slash("quota")).shown.text


async def test_bot_waits_for_unreachable_discord(
    bot: BotFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_client, "FIRST_RETRY_DELAY", 0.1)
    await bot.running.stop()
    bot.discord.faults.add("GET", "/users/@me", "status", status=503)
    bot.discord.faults.add("GET", "/users/@me", "close")
    await bot.running.start()
    assert bot.discord.faults.pending == []
    assert (await bot.person("anna").slash("quota")).shown.text


async def test_fifty_commands_in_two_seconds_are_answered(bot: BotFixture) -> None:
    people = [bot.person(f"member{n}", "pro") for n in range(20)]
    waiting = []
    for number in range(50):
        person = people[number % len(people)]
        waiting.append(asyncio.create_task(person.slash("imagine", prompt=f"house {number}")))
        await asyncio.sleep(0.04)
    asked = await asyncio.gather(*waiting)
    assert all(one.answer in {4, 5} for one in asked)
    await bot.discord.until(lambda: len(visible_to_others(bot)) == 50)
    assert len(await bot.placed()) == 50


@pytest.mark.parametrize("deferred", [False, True])
async def test_export_whose_file_is_rejected_is_reported(bot: BotFixture, deferred: bool) -> None:
    anna = bot.person("anna", "pro")
    bot.guild.size_limit = 100  # bytes; an empty export is larger
    async with locked_jobs(bot) if deferred else nullcontext():
        exported = await anna.slash("privacy export", accept_deferred=True)
        assert (exported.answer == 5) == deferred
    await bot.discord.until(lambda: "didn’t accept the file" in exported.shown.text)
    assert exported.shown.audience is anna.user


async def test_export_that_breaks_off_is_reported(bot: BotFixture) -> None:
    anna, made = bot.person("anna", "pro"), random.Random(1)
    member = Member("discord", str(bot.guild.id), anna.id)
    for _ in range(5):
        await bot.client.pictures.store_source(made.randbytes(4_000_000), member)
    bot.discord.faults.add("POST", r"/webhooks/", "status", status=400, words="File 2")
    await anna.slash("privacy export", accept_deferred=True)
    await bot.discord.until(
        lambda: any(
            "after file 1" in message.text and message.audience is anna.user
            for message in anna.sees()
        )
    )


async def test_rejected_commands_are_sent_once(bot: BotFixture) -> None:
    await bot.running.stop()
    bot.discord.world.commands.pop()  # the bot sends its commands again
    rejected = bot.discord.faults.add("PUT", "/commands", "status", status=400, times=9)
    await bot.running.start()
    assert rejected.times == 8
    bot.discord.faults.pending.remove(rejected)
    await bot.running.stop()
    await bot.running.start()
