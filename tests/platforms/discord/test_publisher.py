"""Delivery under faults: posted exactly once, or ended with a notice to the member."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.discord import message_view
from bots.discord.endpoints import use_endpoints
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.messages import MessageClient
from bots.discord.publisher import DiscordPublisher
from bots.discord.rate_limit import EditRateLimit
from imaging.request import Progress, Stage
from tasks.delivery.publisher import TryLater, Undeliverable
from tasks.jobs.job import Reason
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.store.removals import Removal
from tests.platforms.discord.job_builders import PlaceholderJob, picture_file, place_order
from tests.platforms.discord.members import Person
from tests.platforms.discord.server import LoopbackDiscord
from tests.platforms.discord.world import ATTACH, HISTORY, SEND, VIEW, Message, components_of

# One loop for all tests: a bot whose loop is suspended would lose its gateway.
pytestmark = pytest.mark.asyncio(loop_scope="session")
PNG = picture_file()


@dataclass
class PublisherFixture:
    """A publisher, its loopback Discord, and one member."""

    discord: LoopbackDiscord
    publisher: DiscordPublisher
    anna: Person
    expected: set[int] = field(
        default_factory=set
    )  # statuses of invalid requests that the test provokes

    def with_picture(self) -> list[Message]:
        """Messages with a picture that anna sees, in her server and in direct messages."""
        channels = [self.anna.channel, self.discord.world.direct(self.anna.user)]
        return [m for r in channels for m in self.anna.sees(r) if m.pictures]

    def private_text(self) -> str:
        """The text of anna's ephemeral and direct messages."""
        direct = self.discord.world.direct(self.anna.user)
        mine = [m for m in self.anna.sees() if m.audience] + self.anna.sees(direct)
        return "\n".join(m.text for m in mine)


@pytest_asyncio.fixture(loop_scope="session")
async def env() -> AsyncIterator[PublisherFixture]:
    """A publisher for each test; fails the test on an invalid request that it does not expect."""
    async with LoopbackDiscord() as discord:
        guild = await discord.add_guild()
        use_endpoints(discord.api_url)
        publisher = DiscordPublisher(discord.token, discord.clock.now)
        fixture = PublisherFixture(discord, publisher, discord.add_person(guild, "anna"))
        yield fixture
        await publisher.close()
        assert discord.violations == []
        assert {r.status for r in discord.invalid_requests} <= fixture.expected


async def test_result_replaces_the_placeholder(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, prompt="a *red* house @everyone")
    result = await env.publisher.deliver(order.delivery(PNG, PNG))
    assert result.message == str(order.message.id)
    assert env.with_picture() == [order.message]
    assert len(order.message.pictures) == 2
    assert all("a *red* house" in p["description"] for p in order.message.pictures)
    labels = [b["label"] for b in order.message.buttons]
    assert {"Vary 1", "Vary 2", "Upscale 2", "Edit 1", "Again", "Details", "Delete"} <= set(labels)
    assert "Cancel" not in labels
    sent = [r.body for r in env.discord.requests if r.method == "PATCH"]
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)


async def test_repeated_delivery_is_idempotent(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    for _ in range(3):
        await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]
    assert len(order.message.pictures) == 1


async def test_bot_token_edits_after_interaction_token_expires(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    env.discord.clock.advance(16 * 60)
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]


async def test_rejected_token_is_used_once(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    publisher = DiscordPublisher(env.discord.token, lambda: order.interaction.at)
    env.discord.clock.advance(16 * 60)  # this machine's clock is slow
    env.expected = {401}
    await publisher.deliver(order.delivery(PNG))
    await publisher.deliver(order.delivery(PNG))
    await publisher.close()
    assert len(env.discord.invalid_requests) == 1
    assert env.with_picture() == [order.message]


async def test_private_result_is_ephemeral(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, private=True)
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]
    other = env.discord.add_person(env.anna.guild, "other")
    assert other.sees() == []


async def test_late_private_result_is_sent_directly_once(env: PublisherFixture) -> None:
    """Once, also if the process crashed after posting, before or after recording it."""
    order = await place_order(env.discord, env.anna, private=True)
    env.discord.clock.advance(16 * 60)
    result = await env.publisher.deliver(order.delivery(PNG))
    (shown,) = env.with_picture()
    assert (shown.channel, str(shown.id)) == (
        env.discord.world.direct(env.anna.user),
        result.message,
    )
    assert "I’m sending this one directly" in shown.text
    assert shown.buttons == []
    await env.publisher.deliver(order.delivery(PNG))
    order.memory.clear()
    env.discord.clock.advance(60 * 60)  # longer than Discord remembers a nonce
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [shown]
    assert len(shown.pictures) == 1


async def test_late_private_failure_is_sent_directly(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, private=True)
    env.discord.clock.advance(16 * 60)
    await env.publisher.deliver(order.delivery(reason=Reason("out-of-memory")))
    assert "Nothing was charged" in env.private_text()


async def test_deleted_placeholder_ends_delivery_and_notifies_member(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    await env.discord.delete_message(order.message)
    with pytest.raises(Undeliverable) as failed:
        await env.publisher.deliver(order.delivery(PNG))
    assert failed.value.code == "message-gone"
    assert "Nothing was charged" in env.private_text()


@pytest.mark.parametrize("late", [False, True])
async def test_deleted_channel_ends_delivery_and_notifies_member(
    env: PublisherFixture, late: bool
) -> None:
    order = await place_order(env.discord, env.anna)
    await env.discord.delete_channel(order.message.channel)
    order.message.deleted = True
    if late:
        env.discord.clock.advance(16 * 60)
    with pytest.raises(Undeliverable):
        await env.publisher.deliver(order.delivery(PNG))
    assert "Nothing was charged" in env.private_text() or not late
    assert env.with_picture() == []


@pytest.mark.parametrize("right", [VIEW, ATTACH])
async def test_lost_permission_ends_delivery_and_notifies_member(
    env: PublisherFixture, right: int
) -> None:
    order = await place_order(env.discord, env.anna)
    order.message.channel.lost = right
    env.discord.clock.advance(16 * 60)
    env.expected = {403}
    with pytest.raises(Undeliverable) as failed:
        await env.publisher.deliver(order.delivery(PNG))
    assert failed.value.code == "no-permission"
    assert "Nothing was charged" in env.private_text()
    assert len(env.discord.invalid_requests) == 1


async def test_valid_token_needs_no_permission(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    order.message.channel.lost = VIEW | SEND | ATTACH
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]


async def test_closed_direct_messages_end_delivery_without_retry(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, private=True)
    env.anna.user.dms_closed = True
    env.discord.clock.advance(16 * 60)
    env.expected = {403}
    with pytest.raises(Undeliverable) as failed:
        await env.publisher.deliver(order.delivery(PNG))
    assert failed.value.code == "token-expired"
    assert len(env.discord.invalid_requests) == 1


async def test_server_error_is_retried_and_posted_once(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    env.discord.faults.add("PATCH", "/webhooks/", "status", status=503)
    env.discord.faults.add("PATCH", "/webhooks/", "close")
    with pytest.raises(TryLater):
        await _until_refused(env, order)
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]


async def _until_refused(env: PublisherFixture, order: PlaceholderJob) -> None:
    for _ in range(3):
        await env.publisher.deliver(order.delivery(PNG))


async def test_connection_closed_after_commit_posts_once(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    env.discord.faults.add("PATCH", "/webhooks/", "close-after")
    with pytest.raises(TryLater):
        await env.publisher.deliver(order.delivery(PNG))
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]
    assert len(order.message.pictures) == 1


async def test_rate_limit_is_obeyed(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    env.discord.faults.add("PATCH", "/webhooks/", "status", status=429, seconds=0.1)
    env.expected = {429}
    await env.publisher.deliver(order.delivery(PNG))
    assert env.with_picture() == [order.message]


async def test_unrecorded_placeholder_is_edited_by_token(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, recorded=False)
    with pytest.raises(TryLater):
        await env.publisher.deliver(order.delivery(PNG))
    old = replace(order, job=replace(order.job, created_at=_ago(order, 31)))
    await env.publisher.deliver(old.delivery(PNG))
    assert env.with_picture() == [order.message]


async def test_result_without_placeholder_is_posted_once(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, answered=False)
    old = replace(order, job=replace(order.job, created_at=_ago(order, 31)))
    env.discord.faults.add("POST", "/channels/", "close-after", times=3)
    with pytest.raises(TryLater):
        await env.publisher.deliver(old.delivery(PNG))
    first = await env.publisher.deliver(old.delivery(PNG))
    again = await env.publisher.deliver(old.delivery(PNG))
    assert first == again
    assert len(env.with_picture()) == 1


@pytest.mark.parametrize("lost", [0, HISTORY])
async def test_unrecorded_placeholder_becomes_the_result(env: PublisherFixture, lost: int) -> None:
    order = await place_order(env.discord, env.anna, answered=False)
    waiting = message_view.card_view(
        card(replace(order.job, state=JobState.QUEUED), localizer_for("en"))
    )
    await env.publisher.roles(order.job.order.member)  # logs in
    client = MessageClient(env.publisher._client)  # type: ignore[arg-type]  # it has logged in
    placeholder = await client.post(
        MessageReference.of(order.job), waiting, (), nonce_of(order.job)
    )
    env.anna.channel.lost = lost  # without the history, only the nonce finds it
    env.expected = {403} if lost else set()
    old = replace(order, job=replace(order.job, created_at=_ago(order, 31)))
    old.interaction.answer = None
    result = await env.publisher.deliver(old.delivery(PNG))
    (shown,) = env.with_picture()
    assert result.message == str(shown.id) == str(placeholder.message)
    assert env.anna.sees() == [shown]


async def test_oversized_picture_is_reduced(env: PublisherFixture) -> None:
    guild = env.anna.guild
    assert guild is not None
    guild.size_limit = 20_000
    order = await place_order(env.discord, env.anna)
    big = picture_file(160, noisy=True)
    assert len(big) > guild.size_limit
    await env.publisher.deliver(order.delivery(big))
    assert order.message.pictures[0]["size"] <= guild.size_limit
    assert order.message.pictures[0]["content_type"] == "image/webp"


async def test_lowered_size_limit_is_found(env: PublisherFixture) -> None:
    guild = env.anna.guild
    assert guild is not None
    order = await place_order(env.discord, env.anna)
    env.discord.clock.advance(16 * 60)
    guild.size_limit = 300_000
    await env.publisher.deliver(order.delivery(picture_file(400, noisy=True)))
    assert order.message.pictures[0]["size"] <= guild.size_limit


@pytest.mark.parametrize(
    ("settings", "covered"),
    [({"spoiler": True}, [False, True]), ({"spoiler": False}, [False, False]), ({}, [False, True])],
)
async def test_flagged_pictures_are_covered_unless_server_shows_them(
    env: PublisherFixture, settings: dict[str, bool], covered: list[bool]
) -> None:
    order = await place_order(env.discord, env.anna)
    placeholder = {**order.job.placeholder, **settings}
    ruled = replace(order, job=replace(order.job, placeholder=placeholder))
    await env.publisher.deliver(ruled.delivery(PNG, PNG, flagged={1}))
    assert _covered(order) == covered


async def test_unchecked_preview_is_covered_where_server_covers(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    job = replace(order.job, placeholder={**order.job.placeholder, "spoiler": True})
    await env.publisher.progress(job, Progress(Stage.STEPS, 1, 8, picture_file(16)))
    assert _covered(order) == [True]


def _covered(order: PlaceholderJob) -> list[bool]:
    gallery = [c for c in components_of(order.message.payload["components"]) if c["type"] == 12]
    return [bool(item.get("spoiler")) for item in gallery[0]["items"]]


async def test_failure_replaces_the_placeholder(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    await env.publisher.deliver(order.delivery(reason=Reason("out-of-memory")))
    assert "Nothing was charged" in order.message.text
    assert not order.message.pictures
    assert [b["label"] for b in order.message.buttons] == ["Again"]


async def test_progress_shows_bar_and_preview_within_rate_limit(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    preview = picture_file(16)
    for step in range(1, 9):
        progress = Progress(Stage.STEPS, step, 8, preview if step == 1 else None)
        await env.publisher.progress(order.job, progress)
    edits = [r for r in env.discord.requests if r.method == "PATCH"]
    assert len(edits) == 1
    assert "1 of 8" in order.message.text
    assert "▱" in order.message.text
    assert [b["label"] for b in order.message.buttons] == ["Cancel"]
    await env.publisher.deliver(order.delivery(PNG))
    await env.publisher.progress(order.job, Progress(Stage.STEPS, 8, 8))
    assert "▱" not in order.message.text
    assert "Cancel" not in [b["label"] for b in order.message.buttons]
    assert len(order.message.pictures) == 1


async def test_progress_stops_after_permanent_failure(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    await env.discord.delete_message(order.message)
    moments = itertools.count(0, 10)
    env.publisher._rate_limit = EditRateLimit(lambda: float(next(moments)))
    for step in range(5):
        await env.publisher.progress(order.job, Progress(Stage.STEPS, step, 8))
    assert len([r for r in env.discord.requests if r.method == "PATCH"]) == 1


async def test_slow_progress_edit_never_overwrites_the_result(env: PublisherFixture) -> None:
    other, order = (
        await place_order(env.discord, env.anna),
        await place_order(env.discord, env.anna),
    )
    env.discord.clock.advance(16 * 60)
    # discord.py sends one request at a time until it knows the route's rate limit.
    await env.publisher.deliver(other.delivery(PNG))
    env.discord.faults.add("PATCH", "/channels/", "slow", seconds=0.5)
    slow = asyncio.create_task(env.publisher.progress(order.job, Progress(Stage.STEPS, 1, 8)))
    await asyncio.sleep(0.1)
    await env.publisher.deliver(order.delivery(PNG))
    await slow
    assert len(order.message.pictures) == 1
    assert "▱" not in order.message.text


async def test_rejected_bot_token_is_retried_after_a_minute(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    publisher = DiscordPublisher("wrong", env.discord.clock.now)
    env.expected = {401}
    with pytest.raises(TryLater) as later:
        await publisher.deliver(order.delivery(PNG))
    assert later.value.after >= 30
    await publisher.close()


def _ago(order: PlaceholderJob, seconds: float) -> datetime:
    return order.job.created_at - timedelta(seconds=seconds)


async def test_roles_are_current(env: PublisherFixture) -> None:
    guild = env.anna.guild
    assert guild is not None
    role = env.discord.add_role(guild, "Patrons")
    member = Member("discord", str(guild.id), env.anna.id, roles=frozenset({"sku:1", "9"}))
    assert await env.publisher.roles(member) == frozenset({str(guild.id), "sku:1"})
    guild.members[env.anna.user.id].add(role)
    assert await env.publisher.roles(member) == frozenset({str(guild.id), "sku:1", str(role)})
    del guild.members[env.anna.user.id]
    assert await env.publisher.roles(member) == frozenset({str(guild.id), "sku:1"})
    guild.has_bot = False
    assert await env.publisher.roles(member) is None
    assert await env.publisher.roles(Member("discord", "@me", env.anna.id)) is None


async def test_archived_thread_is_named_as_such(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna)
    order.message.channel.archived = True
    env.discord.clock.advance(16 * 60)
    with pytest.raises(Undeliverable) as failed:
        await env.publisher.deliver(order.delivery(PNG))
    assert failed.value.code == "channel-archived"
    assert "archived" in env.private_text()


async def test_removal_deletes_the_message_and_can_be_repeated(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, prompt="a red house")
    result = await env.publisher.deliver(order.delivery(PNG))
    removal = _removal(order, result.message)
    assert env.with_picture() == [order.message]
    await env.publisher.remove(removal)
    assert env.with_picture() == []
    env.expected.add(404)
    await env.publisher.remove(removal)


async def test_removal_of_an_ephemeral_message_is_refused_by_name(env: PublisherFixture) -> None:
    order = await place_order(env.discord, env.anna, prompt="a red house")
    removal = replace(_removal(order, "1"), memory={"private": True})
    with pytest.raises(Undeliverable) as never:
        await env.publisher.remove(removal)
    assert never.value.code == "ephemeral"


def _removal(order: PlaceholderJob, message: str) -> Removal:
    job = order.job
    return Removal(job.id, job.order.place, message, job.placeholder, {})
