"""A member's own account: queue, cancel, quota, history, privacy, waitlist; and administration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bots.core import command as commands
from bots.core.command import Ask
from bots.core.reply import Action, ReplyKind
from bots.core.studio import Studio
from tasks.client import Allowance, WaitlistPlace, WorkspaceSettings
from tasks.job import JobState, Reason
from tasks.tiers import DoorState, Tier
from tests.unit.core.conftest import a_job, a_picture, an_order

MakeAsk = Callable[..., Ask]


async def test_cancel_without_a_name_takes_the_newest(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    older, newer = a_job(), a_job()
    client.active_jobs.return_value = [older, newer]
    client.cancel.return_value = Reason("cancelled")
    reply = await studio.answer(ask(), commands.Cancel())
    assert client.cancel.await_args.args[0] == newer.id
    assert reply.text == "Cancelled. Nothing was charged."


async def test_cancel_says_when_there_is_nothing_or_it_is_not_yours(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    client.active_jobs.return_value = []
    assert (await studio.answer(ask(), commands.Cancel())).code == "nothing-to-cancel"
    client.find_job.return_value = None
    assert (await studio.answer(ask(), commands.Cancel("abcd"))).code == "no-such-job"
    client.cancel.return_value = Reason("not-yours")
    reply = await studio.answer(ask(), commands.Cancel(uuid4()))
    assert reply.kind is ReplyKind.REFUSAL


async def test_the_queue_shows_each_job_with_a_cancel_button(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    jobs = [a_job(), a_job(state=JobState.RUNNING), a_job(state=JobState.DELIVERING)]
    client.active_jobs.return_value = jobs
    reply = await studio.answer(ask(), commands.Queue())
    assert [row.name.split(":")[0] for row in reply.fields] == [job.short for job in jobs]
    assert [button.target for button in reply.buttons] == [jobs[0].id, jobs[1].id]


async def test_the_quota_says_what_is_left_and_when_it_returns(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    returns = [(datetime.now(UTC) + timedelta(hours=2), 1.0)]
    client.allowance.return_value = Allowance(
        Tier.FREE, 3.0, 2.0, 0.0, timedelta(hours=24), returns, relaxed=False
    )
    reply = await studio.answer(ask(), commands.Quota())
    assert reply.text == "You have 2 of 3 credits left."
    assert reply.private
    assert "1 in 2 h" in [row.value for row in reply.fields]


async def test_undo_shows_the_picture_before(studio: Studio, client: Any, ask: MakeAsk) -> None:
    parent_job, child_job = a_job(state=JobState.DONE), a_job(state=JobState.DONE)
    parent = a_picture(parent_job.id)
    child = a_picture(child_job.id, parent=parent.id)
    client.picture.side_effect = {parent.id: parent, child.id: child}.get
    client.job.side_effect = {parent_job.id: parent_job, child_job.id: child_job}.get
    reply = await studio.answer(ask(), commands.Undo(child.id))
    assert reply.pictures == (parent,)
    assert (await studio.answer(ask(), commands.Undo(parent.id))).code == "no-parent"


async def test_details_of_private_jobs_are_for_their_owner(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    job = a_job(order=an_order(private=True))
    client.job.return_value = job
    assert (await studio.answer(ask(id="eve"), commands.Details(job.id))).code == "no-such-job"
    reply = await studio.answer(ask(), commands.Details(job.id))
    assert "7" in [row.value for row in reply.fields]


async def test_deleting_everything_asks_first(studio: Studio, client: Any, ask: MakeAsk) -> None:
    reply = await studio.answer(ask(), commands.Privacy("delete"))
    assert reply.kind is ReplyKind.CONFIRM
    assert [button.action for button in reply.buttons] == [Action.CONFIRM_FORGET]
    client.forget.assert_not_awaited()
    client.forget.return_value = 2
    reply = await studio.answer(ask(), commands.Privacy("delete", confirmed=True))
    assert reply.text.startswith("2 pictures")


async def test_the_waitlist_is_joined_only_where_doors_are_not_open(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    client.waitlist_place.return_value = WaitlistPlace(None, None, None)
    client.kept_out.return_value = False
    reply = await studio.answer(ask(), commands.Waitlist("join"))
    assert reply.code == "waitlist-not-needed"
    client.kept_out.return_value = True
    client.join_waitlist.return_value = WaitlistPlace(12, datetime.now(UTC), None)
    reply = await studio.answer(ask(), commands.Waitlist("join"))
    assert reply.text.startswith("You are 12th on the waitlist.")


async def test_a_default_that_could_never_work_is_refused_at_once(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    reply = await studio.answer(ask(), commands.Settings({"model": "none-such"}))
    assert reply.code == "unknown-model"
    client.set_preferences.assert_not_awaited()


ADMINISTRATION = [
    commands.StudioRole("r1", Tier.PLUS),
    commands.StudioRoles(),
    commands.StudioDoors(Tier.FREE, DoorState.CLOSED),
    commands.StudioCapacity(),
    commands.StudioBlock("eve"),
    commands.StudioWords(("gun",)),
    commands.StudioSettings({"nsfw": "allow"}),
    commands.StudioAudit(),
    commands.StudioGrant("eve", 5.0),
]


@pytest.mark.parametrize("command", ADMINISTRATION, ids=lambda c: type(c).__name__)
async def test_administration_is_for_administrators(
    studio: Studio, client: Any, ask: MakeAsk, command: commands.Command
) -> None:
    client.reset_mock()
    reply = await studio.answer(ask(), command)
    assert reply.code == "only-administrators"
    asked = {call[0] for call in client.method_calls}
    assert asked <= {"workspace_settings", "preferences"}


async def test_a_servers_settings_are_changed_one_by_one(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    boss = ask(administrator=True)
    changes = {"nsfw": "spoiler", "channels": "<#1>,<#2>", "largest_megapixels": "2"}
    await studio.answer(boss, commands.StudioSettings(changes))
    _, kept = client.set_workspace_settings.await_args.args
    assert kept == replace(
        WorkspaceSettings(),
        nsfw="spoiler",
        channels=frozenset({"1", "2"}),
        largest_megapixels=2.0,
    )
    for wrong in ({"nsfw": "maybe"}, {"colour": "red"}, {"largest_megapixels": "-1"}):
        reply = await studio.answer(boss, commands.StudioSettings(wrong))
        assert reply.code == "bad-setting"


async def test_forbidden_words_can_be_tried_out(studio: Studio, client: Any, ask: MakeAsk) -> None:
    client.words.return_value = ["gun"]
    boss = ask(administrator=True)
    hit = await studio.answer(boss, commands.StudioWords(trial="a GUN on a table"))
    assert hit.text == "That would be refused because of “gun”."
    free = await studio.answer(boss, commands.StudioWords(trial="a gunboat"))
    assert free.text == "That would be allowed."
