"""Account commands (queue, cancel, quota, history, privacy, waitlist) and admin commands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from bots.core import commands
from bots.core.command_handler import CommandHandler
from bots.core.command_parser import parse
from bots.core.commands import Invocation
from bots.core.reply import Action, ReplyKind
from tasks.client import Allowance, WaitlistPlace, WorkspaceSettings
from tasks.jobs.job import Reason
from tasks.jobs.members import Member, Place
from tasks.jobs.states import JobState
from tasks.jobs.tiers import DoorState, Tier
from tests.unit.bots.core.conftest import a_job, a_picture, an_order

MakeInvocation = Callable[..., Invocation]


async def test_cancel_without_a_job_cancels_the_newest(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    older, newer = a_job(), a_job()
    client.jobs.active.return_value = [older, newer]
    client.jobs.cancel.return_value = Reason("cancelled")
    reply = await handler.answer(invocation(), commands.Cancel())
    assert client.jobs.cancel.await_args.args[0] == newer.id
    assert reply.text == "Cancelled. Nothing was charged."


async def test_cancel_is_refused_without_a_job_or_the_right(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.active.return_value = []
    assert (await handler.answer(invocation(), commands.Cancel())).code == "nothing-to-cancel"
    client.jobs.find.return_value = None
    assert (await handler.answer(invocation(), commands.Cancel("abcd"))).code == "no-such-job"
    client.jobs.cancel.return_value = Reason("not-yours")
    reply = await handler.answer(invocation(), commands.Cancel(uuid4()))
    assert reply.kind is ReplyKind.REFUSAL


async def test_late_cancellation_over_the_limit_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.cancel.return_value = Reason("cancel-limited", {"limit": 20})
    reply = await handler.answer(invocation(), commands.Cancel(uuid4()))
    assert reply.kind is ReplyKind.REFUSAL
    assert "20 orders in the last hour" in reply.text


@pytest.mark.parametrize(("workspace", "seen_by"), [("studio", "moderators"), ("@me", "operates")])
async def test_who_sees_a_report_is_said_as_it_is(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    workspace: str,
    seen_by: str,
) -> None:
    member, place = Member("web", workspace, "ann"), Place("web", workspace, "c")
    client.jobs.read.return_value = a_job(order=an_order(member=member, place=place))
    reply = await handler.answer(
        replace(invocation(), member=member, place=place), commands.Report(uuid4(), "bad")
    )
    assert seen_by in reply.text


async def test_queue_lists_each_job_with_a_cancel_button(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    jobs = [a_job(), a_job(state=JobState.RUNNING), a_job(state=JobState.DELIVERING)]
    client.jobs.active.return_value = jobs
    reply = await handler.answer(invocation(), commands.Queue())
    assert [row.name.split(":")[0] for row in reply.fields] == [job.short for job in jobs]
    assert [button.target for button in reply.buttons] == [jobs[0].id, jobs[1].id]


async def test_quota_shows_remaining_and_returning_credits(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    returns = [(datetime.now(UTC) + timedelta(hours=2), 1.0)]
    client.members.allowance.return_value = Allowance(
        Tier.FREE, 3.0, 2.0, 0.0, timedelta(hours=24), returns, relaxed=False
    )
    reply = await handler.answer(invocation(), commands.Quota())
    assert reply.text == "You have 2 of 3 credits left."
    assert reply.private
    assert "1 in 2 hr" in [row.value for row in reply.fields]


async def test_quota_says_that_a_relaxed_member_can_go_on(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.members.allowance.return_value = Allowance(
        Tier.PRO, 1800.0, 0.0, 0.0, timedelta(days=30), [], relaxed=True
    )
    reply = await handler.answer(invocation(), commands.Quota())
    assert reply.text == (
        "You have 0 of 1,800 credits left. You can still make pictures, at a lower priority."
    )


async def test_granting_a_negative_amount_takes_credits(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    admin = invocation(administrator=True)
    given = await handler.answer(admin, commands.StudioGrant("eve", 1.0))
    assert given.text == "eve was granted 1 credit."
    taken = await handler.answer(admin, commands.StudioGrant("eve", -5.0))
    assert taken.text == "5 credits were taken from eve."


async def test_undo_shows_the_parent_picture(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    parent_job, child_job = a_job(state=JobState.DONE), a_job(state=JobState.DONE)
    parent = a_picture(parent_job.id)
    child = a_picture(child_job.id, parent=parent.id)
    client.pictures.read.side_effect = {parent.id: parent, child.id: child}.get
    client.jobs.read.side_effect = {parent_job.id: parent_job, child_job.id: child_job}.get
    reply = await handler.answer(invocation(), commands.Undo(child.id))
    assert reply.pictures == (parent,)
    assert (await handler.answer(invocation(), commands.Undo(parent.id))).code == "no-parent"


async def test_details_of_a_private_job_are_for_its_owner(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    job = a_job(order=an_order(private=True))
    client.jobs.read.return_value = job
    assert (
        await handler.answer(invocation(id="eve"), commands.Details(job.id))
    ).code == "no-such-job"
    reply = await handler.answer(invocation(), commands.Details(job.id))
    assert "7" in [row.value for row in reply.fields]


async def test_deleting_all_data_asks_for_confirmation(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await handler.answer(invocation(), commands.Privacy("delete"))
    assert reply.kind is ReplyKind.CONFIRM
    assert [button.action for button in reply.buttons] == [Action.CONFIRM_FORGET]
    client.members.forget.assert_not_awaited()
    client.members.forget.return_value = 2
    reply = await handler.answer(invocation(), commands.Privacy("delete", confirmed=True))
    assert reply.text.startswith("2 pictures")


async def test_waitlist_is_joined_only_when_doors_are_not_open(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.waitlist.place.return_value = WaitlistPlace(None, None, None)
    client.waitlist.is_needed.return_value = False
    reply = await handler.answer(invocation(), commands.Waitlist("join"))
    assert reply.code == "waitlist-not-needed"
    client.waitlist.is_needed.return_value = True
    client.waitlist.join.return_value = WaitlistPlace(12, datetime.now(UTC), None)
    reply = await handler.answer(invocation(), commands.Waitlist("join"))
    assert reply.text.startswith("You’re 12th on the waitlist.")


async def test_waitlist_status_shows_the_place_and_changes_nothing(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    now = datetime.now(UTC)
    for place, code in (
        (WaitlistPlace(12, now, None), "waitlist-status"),
        (WaitlistPlace(None, now, now + timedelta(hours=3)), "waitlist-invited"),
        (WaitlistPlace(None, None, None), "waitlist-not-on"),
    ):
        client.waitlist.place.return_value = place
        for typed in ("/waitlist status", "waitlist status", "/atelier waitlist status"):
            reply = await handler.answer(invocation(), parse(typed))
            assert reply.code == code, typed
    client.waitlist.join.assert_not_awaited()
    client.waitlist.leave.assert_not_awaited()


async def test_waitlist_is_left_by_command_only(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.waitlist.leave.return_value = True
    left = await handler.answer(invocation(), parse("waitlist leave"))
    client.waitlist.leave.assert_awaited_once_with(invocation().member)
    client.waitlist.leave.return_value = False
    assert (await handler.answer(invocation(), parse("waitlist leave"))).text != left.text


async def test_settings_are_saved_as_typed(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.members.preferences.return_value = {"language": "fr", "count": 3}
    reply = await handler.answer(invocation(), parse("settings language=fr count=3 aspect="))
    client.members.set_preferences.assert_awaited_once_with(
        invocation().member, {"language": "fr", "count": 3, "aspect": None}
    )
    assert [row.value for row in reply.fields][1:] == ["3", reply.fields[0].value, "fr"]
    client.members.set_preferences.reset_mock()
    await handler.answer(invocation(), parse("settings"))
    client.members.set_preferences.assert_not_awaited()


async def test_unknown_default_model_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await handler.answer(invocation(), commands.Settings({"model": "none-such"}))
    assert reply.code == "unknown-model"
    client.members.set_preferences.assert_not_awaited()


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
async def test_admin_commands_require_an_administrator(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, command: commands.Command
) -> None:
    client.reset_mock()
    reply = await handler.answer(invocation(), command)
    assert reply.code == "only-administrators"
    asked = {call[0] for call in client.method_calls}
    assert asked <= {"admin.workspace_settings", "members.preferences"}


async def test_server_settings_change_one_by_one(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    boss = invocation(administrator=True)
    changes = {"nsfw": "spoiler", "channels": "<#1>,<#2>", "largest_megapixels": "2"}
    await handler.answer(boss, commands.StudioSettings(changes))
    _, kept = client.admin.set_workspace_settings.await_args.args
    assert kept == replace(
        WorkspaceSettings(),
        nsfw="spoiler",
        channels=frozenset({"1", "2"}),
        largest_megapixels=2.0,
    )
    for wrong in ({"nsfw": "maybe"}, {"colour": "red"}, {"largest_megapixels": "-1"}):
        reply = await handler.answer(boss, commands.StudioSettings(wrong))
        assert reply.code == "bad-setting"


async def test_forbidden_words_can_be_tested_on_a_prompt(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.admin.words.return_value = ["gun"]
    boss = invocation(administrator=True)
    hit = await handler.answer(boss, commands.StudioWords(trial="a GUN on a table"))
    assert hit.text == "That prompt would be refused because of “gun”."
    free = await handler.answer(boss, commands.StudioWords(trial="a gunboat"))
    assert free.text == "That prompt would be accepted."


@pytest.mark.parametrize(
    ("trial", "word"),
    [
        ("a g.u.n", "gun"),
        ("a house --no g0re", "gore"),
        ("a house --ar 16:9 with a guuun", "gun"),
        ("a gunboat at sea", None),
        ("a house --ar potato g u n", "gun"),
    ],
)
async def test_trial_of_words_judges_prompt_and_negative(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, trial: str, word: str | None
) -> None:
    client.admin.words.return_value = ["gun", "gore"]
    admin = invocation(administrator=True)
    reply = await handler.answer(admin, commands.StudioWords(trial=trial))
    if word is None:
        assert reply.code == "studio-words-trial-pass"
    else:
        assert reply.text == f"That prompt would be refused because of “{word}”."


async def test_undo_without_a_picture_takes_the_newest(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    parent_job, child_job = a_job(state=JobState.DONE), a_job(state=JobState.DONE)
    parent = a_picture(parent_job.id)
    child = a_picture(child_job.id, parent=parent.id)
    client.pictures.history.return_value = [child]
    client.pictures.read.side_effect = {parent.id: parent}.get
    client.jobs.read.side_effect = {parent_job.id: parent_job, child_job.id: child_job}.get
    assert (await handler.answer(invocation(), commands.Undo())).pictures == (parent,)
    client.pictures.history.return_value = []
    assert (await handler.answer(invocation(), commands.Undo())).code == "unknown-picture"


@pytest.mark.parametrize(
    ("platform", "example"),
    [("discord", "/quota"), ("slack", "/atelier quota"), ("web", "queue · cancel · quota")],
)
async def test_help_is_written_in_the_platforms_own_way_of_asking(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    platform: str,
    example: str,
) -> None:
    reply = await handler.answer(invocation(platform=platform), commands.Help())
    assert example in reply.fields[-1].value


@pytest.mark.parametrize(
    "text",
    [
        "a red house",
        "a red house --ar 16:9 --count 2 --seed 7 --no trees",
        "a cat --ar 7:5 --seed 1",
        "a cat --ar 1:4 --no dogs, cars",
        "👨‍👩‍👧 at the sea --ar 4:5",
        "/imagine help",
        "a knight —tall and brave— in armour",
        "une maison, l’été --ar 3:2 --sans arbres",
    ],
)
@pytest.mark.parametrize("platform", ["discord", "slack", "web"])
async def test_details_echo_an_order_that_makes_the_same_request(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, text: str, platform: str
) -> None:
    member = invocation(platform=platform)
    ordered = (await handler.answer(member, parse(text))).job
    assert ordered is not None
    client.jobs.read.return_value = ordered
    details = await handler.answer(member, commands.Details(ordered.id))
    (echo,) = [field.value for field in details.fields if field.name == "To make it again"]
    again = (await handler.answer(member, parse(echo))).job
    assert again is not None
    assert again.order.request == ordered.order.request


async def test_a_guessed_cancelling_lists_the_orders_and_says_that_none_was_cancelled(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.active.return_value = [a_job()]
    reply = await handler.answer(invocation(), commands.Queue(cancelling=True))
    assert reply.text == "Nothing has been cancelled yet. Press the button of the one to cancel."
    assert len(reply.buttons) == 1
    client.jobs.cancel.assert_not_called()
    client.jobs.active.return_value = [a_job(state=JobState.DELIVERING)]
    reply = await handler.answer(invocation(), commands.Queue(cancelling=True))
    assert reply.text == ""
    client.jobs.active.return_value = []
    reply = await handler.answer(invocation(), commands.Queue(cancelling=True))
    assert reply.text == "You have nothing in line."
