"""Delivery under every fault: posted exactly once, or the member told and the hold void."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import pytest
import pytest_asyncio

from bots.core.cards import card
from bots.core.sentences import speak
from bots.discord import layout
from bots.discord.address import point_at
from bots.discord.courier import DiscordCourier
from bots.discord.pace import Pace
from bots.discord.posts import Posts, Spot, nonce_of
from imaging.request import Progress, Stage
from tasks.deliver import TryLater, Undeliverable
from tasks.job import JobState, Reason
from tasks.members import Member
from tests.platforms.discord.parcels import Asked, ask, picture_file
from tests.platforms.discord.people import Person
from tests.platforms.discord.server import LoopbackDiscord
from tests.platforms.discord.world import ATTACH, HISTORY, SEND, VIEW, Message, components_of

# One loop for all: a bot whose loop stands still while others run would lose its gateway.
pytestmark = pytest.mark.asyncio(loop_scope="session")
PNG = picture_file()


@dataclass
class Post:
    """A courier, its Discord, and one member."""

    discord: LoopbackDiscord
    courier: DiscordCourier
    anna: Person
    expected: set[int] = field(default_factory=set)  # statuses of invalid requests that are due

    def with_picture(self) -> list[Message]:
        """Messages that anna sees in her server or in direct messages and that hold a picture."""
        rooms = [self.anna.room, self.discord.world.direct(self.anna.user)]
        return [m for r in rooms for m in self.anna.sees(r) if m.pictures]

    def told(self) -> str:
        """What anna was told in private: ephemeral messages and direct ones."""
        direct = self.discord.world.direct(self.anna.user)
        mine = [m for m in self.anna.sees() if m.audience] + self.anna.sees(direct)
        return "\n".join(m.text for m in mine)


@pytest_asyncio.fixture(loop_scope="session")
async def post() -> AsyncIterator[Post]:
    """A courier of its own for each test; well-formed requests only."""
    async with LoopbackDiscord() as discord:
        guild = await discord.add_guild()
        point_at(discord.api_url)
        courier = DiscordCourier(discord.token, discord.clock.now)
        one = Post(discord, courier, discord.add_person(guild, "anna"))
        yield one
        await courier.close()
        assert discord.violations == []
        assert {r.status for r in discord.invalid_requests} <= one.expected


async def test_a_result_takes_the_placeholders_place(post: Post) -> None:
    asked = await ask(post.discord, post.anna, prompt="a *red* house @everyone")
    receipt = await post.courier.deliver(asked.parcel(PNG, PNG))
    assert receipt.message == str(asked.message.id)
    assert post.with_picture() == [asked.message]
    assert len(asked.message.pictures) == 2
    assert all("a *red* house" in p["description"] for p in asked.message.pictures)
    labels = [b["label"] for b in asked.message.buttons]
    assert {"Vary 1", "Vary 2", "Upscale 2", "Edit 1", "Again", "Details", "Delete"} <= set(labels)
    assert "Cancel" not in labels
    sent = [r.body for r in post.discord.requests if r.method == "PATCH"]
    assert all(body["allowed_mentions"] == {"parse": []} for body in sent)


async def test_delivering_again_changes_nothing(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    for _ in range(3):
        await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]
    assert len(asked.message.pictures) == 1


async def test_after_the_tokens_death_the_bots_own_edits(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    post.discord.clock.advance(16 * 60)
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]


async def test_a_token_that_dies_early_costs_one_refused_request(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    courier = DiscordCourier(post.discord.token, lambda: asked.interaction.at)
    post.discord.clock.advance(16 * 60)  # our own clock is slow
    post.expected = {401}
    await courier.deliver(asked.parcel(PNG))
    await courier.deliver(asked.parcel(PNG))
    await courier.close()
    assert len(post.discord.invalid_requests) == 1
    assert post.with_picture() == [asked.message]


async def test_a_private_result_is_seen_by_its_member_alone(post: Post) -> None:
    asked = await ask(post.discord, post.anna, private=True)
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]
    other = post.discord.add_person(post.anna.guild, "other")
    assert other.sees() == []


async def test_a_private_result_too_late_comes_directly(post: Post) -> None:
    """Once, also where whoever posted it died before it was noted, or noted it and died then."""
    asked = await ask(post.discord, post.anna, private=True)
    post.discord.clock.advance(16 * 60)
    receipt = await post.courier.deliver(asked.parcel(PNG))
    (shown,) = post.with_picture()
    assert (shown.channel, str(shown.id)) == (
        post.discord.world.direct(post.anna.user),
        receipt.message,
    )
    assert "comes to you directly" in shown.text
    assert shown.buttons == []
    await post.courier.deliver(asked.parcel(PNG))
    asked.memory.clear()
    post.discord.clock.advance(60 * 60)  # no nonce is remembered for so long
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [shown]
    assert len(shown.pictures) == 1


async def test_why_a_private_job_failed_comes_directly_too(post: Post) -> None:
    asked = await ask(post.discord, post.anna, private=True)
    post.discord.clock.advance(16 * 60)
    await post.courier.deliver(asked.parcel(reason=Reason("out-of-memory")))
    assert "Nothing was charged" in post.told()


async def test_a_deleted_message_is_told_and_void(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    await post.discord.delete_message(asked.message)
    with pytest.raises(Undeliverable) as failed:
        await post.courier.deliver(asked.parcel(PNG))
    assert failed.value.code == "message-gone"
    assert "Nothing was charged" in post.told()


@pytest.mark.parametrize("late", [False, True])
async def test_a_vanished_channel_is_told_and_void(post: Post, late: bool) -> None:
    asked = await ask(post.discord, post.anna)
    await post.discord.delete_channel(asked.message.channel)
    asked.message.deleted = True
    if late:
        post.discord.clock.advance(16 * 60)
    with pytest.raises(Undeliverable):
        await post.courier.deliver(asked.parcel(PNG))
    assert "Nothing was charged" in post.told() or not late
    assert post.with_picture() == []


@pytest.mark.parametrize("right", [VIEW, ATTACH])
async def test_a_lost_permission_is_told_and_void(post: Post, right: int) -> None:
    asked = await ask(post.discord, post.anna)
    asked.message.channel.lost = right
    post.discord.clock.advance(16 * 60)
    post.expected = {403}
    with pytest.raises(Undeliverable) as failed:
        await post.courier.deliver(asked.parcel(PNG))
    assert failed.value.code == "no-permission"
    assert "Nothing was charged" in post.told()
    assert len(post.discord.invalid_requests) == 1


async def test_while_the_token_lives_no_permission_is_needed(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    asked.message.channel.lost = VIEW | SEND | ATTACH
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]


async def test_closed_direct_messages_end_in_void_without_more_tries(post: Post) -> None:
    asked = await ask(post.discord, post.anna, private=True)
    post.anna.user.dms_closed = True
    post.discord.clock.advance(16 * 60)
    post.expected = {403}
    with pytest.raises(Undeliverable) as failed:
        await post.courier.deliver(asked.parcel(PNG))
    assert failed.value.code == "token-expired"
    assert len(post.discord.invalid_requests) == 1


async def test_a_server_error_is_tried_again_later_and_posted_once(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    post.discord.faults.add("PATCH", "/webhooks/", "status", status=503)
    post.discord.faults.add("PATCH", "/webhooks/", "close")
    with pytest.raises(TryLater):
        await _until_refused(post, asked)
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]


async def _until_refused(post: Post, asked: Asked) -> None:
    for _ in range(3):
        await post.courier.deliver(asked.parcel(PNG))


async def test_a_connection_closed_after_the_commit_posts_once(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    post.discord.faults.add("PATCH", "/webhooks/", "close-after")
    with pytest.raises(TryLater):
        await post.courier.deliver(asked.parcel(PNG))
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]
    assert len(asked.message.pictures) == 1


async def test_a_rate_limit_is_waited_for(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    post.discord.faults.add("PATCH", "/webhooks/", "status", status=429, seconds=0.1)
    post.expected = {429}
    await post.courier.deliver(asked.parcel(PNG))
    assert post.with_picture() == [asked.message]


async def test_a_placeholder_that_was_not_noted_is_found_by_the_token(post: Post) -> None:
    asked = await ask(post.discord, post.anna, noted=False)
    with pytest.raises(TryLater):
        await post.courier.deliver(asked.parcel(PNG))
    old = replace(asked, job=replace(asked.job, created_at=_ago(asked, 31)))
    await post.courier.deliver(old.parcel(PNG))
    assert post.with_picture() == [asked.message]


async def test_without_any_placeholder_it_is_posted_once(post: Post) -> None:
    asked = await ask(post.discord, post.anna, answered=False)
    old = replace(asked, job=replace(asked.job, created_at=_ago(asked, 31)))
    post.discord.faults.add("POST", "/channels/", "close-after", times=3)
    with pytest.raises(TryLater):
        await post.courier.deliver(old.parcel(PNG))
    first = await post.courier.deliver(old.parcel(PNG))
    again = await post.courier.deliver(old.parcel(PNG))
    assert first == again
    assert len(post.with_picture()) == 1


@pytest.mark.parametrize("lost", [0, HISTORY])
async def test_a_placeholder_that_was_posted_but_not_noted_becomes_the_result(
    post: Post, lost: int
) -> None:
    asked = await ask(post.discord, post.anna, answered=False)
    waiting = layout.card_view(card(replace(asked.job, state=JobState.QUEUED), speak("en")))
    await post.courier.roles(asked.job.order.member)  # logs in
    posts = Posts(post.courier._client)  # type: ignore[arg-type]  # it has logged in
    stands = await posts.post(Spot.of(asked.job), waiting, (), nonce_of(asked.job))
    post.anna.room.lost = lost  # the nonce alone finds it where the bot may not read
    post.expected = {403} if lost else set()
    old = replace(asked, job=replace(asked.job, created_at=_ago(asked, 31)))
    old.interaction.answer = None
    receipt = await post.courier.deliver(old.parcel(PNG))
    (shown,) = post.with_picture()
    assert receipt.message == str(shown.id) == str(stands.message)
    assert post.anna.sees() == [shown]


async def test_too_large_a_picture_is_made_to_fit(post: Post) -> None:
    guild = post.anna.guild
    assert guild is not None
    guild.size_limit = 20_000
    asked = await ask(post.discord, post.anna)
    big = picture_file(160, noisy=True)
    assert len(big) > guild.size_limit
    await post.courier.deliver(asked.parcel(big))
    assert asked.message.pictures[0]["size"] <= guild.size_limit
    assert asked.message.pictures[0]["content_type"] == "image/webp"


async def test_a_limit_that_shrank_meanwhile_is_found(post: Post) -> None:
    guild = post.anna.guild
    assert guild is not None
    asked = await ask(post.discord, post.anna)
    post.discord.clock.advance(16 * 60)
    guild.size_limit = 300_000
    await post.courier.deliver(asked.parcel(picture_file(400, noisy=True)))
    assert asked.message.pictures[0]["size"] <= guild.size_limit


@pytest.mark.parametrize(
    ("noted", "covered"),
    [({"spoiler": True}, [False, True]), ({"spoiler": False}, [False, False]), ({}, [False, True])],
)
async def test_pictures_that_may_be_unfit_are_covered_unless_the_server_wants_them_open(
    post: Post, noted: dict[str, bool], covered: list[bool]
) -> None:
    asked = await ask(post.discord, post.anna)
    placeholder = {**asked.job.placeholder, **noted}
    ruled = replace(asked, job=replace(asked.job, placeholder=placeholder))
    await post.courier.deliver(ruled.parcel(PNG, PNG, flagged={1}))
    assert _covered(asked) == covered


async def test_a_preview_that_nobody_checked_is_covered_where_the_server_covers(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    job = replace(asked.job, placeholder={**asked.job.placeholder, "spoiler": True})
    await post.courier.progress(job, Progress(Stage.STEPS, 1, 8, picture_file(16)))
    assert _covered(asked) == [True]


def _covered(asked: Asked) -> list[bool]:
    gallery = [c for c in components_of(asked.message.payload["components"]) if c["type"] == 12]
    return [bool(item.get("spoiler")) for item in gallery[0]["items"]]


async def test_a_failure_takes_the_placeholders_place(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    await post.courier.deliver(asked.parcel(reason=Reason("out-of-memory")))
    assert "Nothing was charged" in asked.message.text
    assert not asked.message.pictures
    assert [b["label"] for b in asked.message.buttons] == ["Again"]


async def test_progress_has_a_bar_and_a_preview_and_keeps_its_pace(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    preview = picture_file(16)
    for step in range(1, 9):
        shown = Progress(Stage.STEPS, step, 8, preview if step == 1 else None)
        await post.courier.progress(asked.job, shown)
    edits = [r for r in post.discord.requests if r.method == "PATCH"]
    assert len(edits) == 1
    assert "1 of 8" in asked.message.text
    assert "▱" in asked.message.text
    assert [b["label"] for b in asked.message.buttons] == ["Cancel"]
    await post.courier.deliver(asked.parcel(PNG))
    await post.courier.progress(asked.job, Progress(Stage.STEPS, 8, 8))
    assert "▱" not in asked.message.text
    assert "Cancel" not in [b["label"] for b in asked.message.buttons]
    assert len(asked.message.pictures) == 1


async def test_progress_that_cannot_be_shown_is_tried_once(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    await post.discord.delete_message(asked.message)
    moments = itertools.count(0, 10)
    post.courier._pace = Pace(lambda: float(next(moments)))
    for step in range(5):
        await post.courier.progress(asked.job, Progress(Stage.STEPS, step, 8))
    assert len([r for r in post.discord.requests if r.method == "PATCH"]) == 1


async def test_a_slow_progress_edit_never_comes_after_the_result(post: Post) -> None:
    other, asked = await ask(post.discord, post.anna), await ask(post.discord, post.anna)
    post.discord.clock.advance(16 * 60)
    # discord.py sends one request at a time until it knows that a route takes more.
    await post.courier.deliver(other.parcel(PNG))
    post.discord.faults.add("PATCH", "/channels/", "slow", seconds=0.5)
    slow = asyncio.create_task(post.courier.progress(asked.job, Progress(Stage.STEPS, 1, 8)))
    await asyncio.sleep(0.1)
    await post.courier.deliver(asked.parcel(PNG))
    await slow
    assert len(asked.message.pictures) == 1
    assert "▱" not in asked.message.text


async def test_a_wrong_token_is_tried_again_much_later(post: Post) -> None:
    asked = await ask(post.discord, post.anna)
    courier = DiscordCourier("wrong", post.discord.clock.now)
    post.expected = {401}
    with pytest.raises(TryLater) as later:
        await courier.deliver(asked.parcel(PNG))
    assert later.value.after >= 30
    await courier.close()


def _ago(asked: Asked, seconds: float) -> datetime:
    return asked.job.created_at - timedelta(seconds=seconds)


async def test_roles_are_those_of_this_moment(post: Post) -> None:
    guild = post.anna.guild
    assert guild is not None
    role = post.discord.add_role(guild, "Patrons")
    member = Member("discord", str(guild.id), post.anna.id, roles=frozenset({"sku:1", "9"}))
    assert await post.courier.roles(member) == {str(guild.id), "sku:1"}
    guild.members[post.anna.user.id].add(role)
    assert await post.courier.roles(member) == {str(guild.id), "sku:1", str(role)}
    del guild.members[post.anna.user.id]
    assert await post.courier.roles(member) == {str(guild.id), "sku:1"}
    guild.has_bot = False
    assert await post.courier.roles(member) is None
    assert await post.courier.roles(Member("discord", "@me", post.anna.id)) is None
