"""The courier against the loopback Slack: whatever goes wrong, a picture is shown exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bots.slack import files, placeholders
from bots.slack.courier import SlackCourier
from bots.slack.workspaces import OneWorkspace, Wire
from imaging.request import Progress, Stage
from tasks.deliver import KnowsRoles, Receipt, TryLater, Undeliverable
from tasks.job import JobState
from tasks.members import Member
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import ANNA, GENERAL, TEAM, TOKEN
from tests.platforms.slack.faults import Fault, broken, cut, limited, refused, slow
from tests.platforms.slack.member import read
from tests.platforms.slack.parcels import Crash, Record, failed, finished
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Message, Workspace


@pytest.fixture
async def wire(slack: LoopbackSlack) -> AsyncIterator[Wire]:
    opened = Wire(slack.api_url)
    yield opened
    await opened.close()


@pytest.fixture
def courier(wire: Wire) -> SlackCourier:
    return SlackCourier(wire, OneWorkspace(wire, TOKEN))


@pytest.fixture
def prompt(slack: LoopbackSlack, team: Workspace) -> Message:
    """What the member wrote."""
    message = Message(slack.clock.ts(), GENERAL, ANNA, "")
    message.show("<@U0BOT00000> a red house", [])
    team.channels[GENERAL].messages[message.ts] = message
    return message


@pytest.fixture
async def record(wire: Wire, prompt: Message) -> Record:
    """A finished job with its placeholder posted."""
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {}, count=2)
    web = wire.web(TOKEN, TEAM)
    spot = placeholders.Spot(GENERAL, prompt.ts)
    stored = await placeholders.post(web, spot, made.job.id, "In line", [])
    made.job = replace(made.job, placeholder=stored)
    return made


async def until_settled(courier: SlackCourier, record: Record, tries: int = 12) -> Receipt:
    """Try as the worker does, until it is delivered; Undeliverable passes through."""
    for _ in range(tries):
        try:
            return await courier.deliver(record.parcel())
        except TryLater:
            continue
    raise AssertionError("it was never delivered")


def shown(team: Workspace, record: Record) -> list[bytes]:
    """Every picture that the thread shows, in the order a member meets them."""
    thread = team.thread(GENERAL, record.job.order.place.thread or "")
    ids = [i for m in thread for i in (*rules.shown_files(m.blocks), *m.files)]
    return [team.files[i].data for i in ids]


async def test_the_placeholder_becomes_the_pictures(
    courier: SlackCourier, record: Record, team: Workspace
) -> None:
    receipt = await courier.deliver(record.parcel())
    assert receipt.message == record.job.placeholder["ts"]
    assert shown(team, record) == record.pictures
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "a red house & <!channel>" in read(message.text, message.blocks)
    assert rules.pings(message.text, message.blocks) == []
    assert rules.pings(message.text, []) == []
    assert all(team.files[i].alt and team.files[i].title for i in rules.shown_files(message.blocks))
    assert all(b["alt_text"] for b in message.blocks if b["type"] == "image")
    assert {b["text"]["text"] for b in rules.buttons(message.blocks)} >= {"Vary 1", "Vary 2"}


async def test_a_second_delivery_changes_nothing(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    await courier.deliver(record.parcel())
    uploads = slack.uploads
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures
    assert slack.uploads == uploads


@pytest.mark.parametrize("writes", range(3))
async def test_a_crash_between_two_steps_shows_nothing_twice(
    writes: int, courier: SlackCourier, record: Record, team: Workspace
) -> None:
    record.crash_after = writes
    try:
        await courier.deliver(record.parcel())
    except Crash:
        assert shown(team, record) == []
    record.crash_after = None
    await until_settled(courier, record)
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


STEPS = (
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
    "chat.update",
)
PASSING = (limited(1), broken(), cut(after=False), cut(after=True), refused("internal_error"))
# The upload of bytes has no error codes.
TROUBLES = [(s, f) for s in STEPS for f in PASSING if not (s == "upload" and f.error)]


@pytest.mark.parametrize(("step", "fault"), TROUBLES, ids=lambda x: getattr(x, "kind", x))
async def test_every_step_survives_every_passing_fault(
    step: str,
    fault: Fault,
    courier: SlackCourier,
    record: Record,
    team: Workspace,
    slack: LoopbackSlack,
) -> None:
    minutes = iter(range(0, 10**6, 60))  # Retry-After is over whenever it is looked at
    courier.wire.pace.clock = minutes.__next__
    slack.faults.plan(step, fault)
    await until_settled(courier, record)
    assert slack.faults.take(step) is None, "the fault was never met"
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


async def test_retry_after_is_obeyed(
    courier: SlackCourier, record: Record, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.update", limited(17))
    with pytest.raises(TryLater) as told:
        await courier.deliver(record.parcel())
    assert told.value.after == 17
    calls = len(slack.called("chat.update"))
    with pytest.raises(TryLater):  # and until then Slack is not even asked
        await courier.deliver(record.parcel())
    assert len(slack.called("chat.update")) == calls


async def test_a_file_that_is_not_ready_is_waited_for(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.methods.processing_polls = 2
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures
    assert not [c for c in slack.called("chat.update") if c.error], "it was shown too early"


async def test_a_file_that_is_never_ready_is_attached(
    courier: SlackCourier,
    record: Record,
    team: Workspace,
    slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "READY_PAUSES", (0.01, 0.01))
    slack.methods.processing_polls = 1000
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures
    assert not [c for c in slack.called("chat.update") if c.error], "blocks were tried in vain"


async def test_pictures_are_attached_where_blocks_cannot_show_them(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "BLOCKS_PAUSES", (0.01,))
    slack.methods.blocks_take_files = False
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures


async def test_a_file_that_slack_does_not_know_yet_is_waited_for(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "READY_PAUSES", (0.01, 0.01, 0.01))
    slack.faults.plan("files.info", refused("file_not_found"), refused("file_not_found"))
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures
    assert slack.uploads == len(record.pictures)


async def test_blocks_that_are_refused_for_a_moment_are_tried_again(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "BLOCKS_PAUSES", (0.01, 0.01))
    slack.faults.plan("chat.update", refused("invalid_blocks"), refused("invalid_blocks"))
    await courier.deliver(record.parcel())
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == record.pictures
    assert message.files == []


async def test_a_file_that_was_deleted_meanwhile_is_uploaded_again(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.update", cut(after=False))
    with pytest.raises(TryLater):
        await courier.deliver(record.parcel())
    for file in team.files.values():
        file.deleted = True
    await until_settled(courier, record)
    assert shown(team, record) == record.pictures


@pytest.mark.parametrize(
    ("harm", "code"),
    [
        ("message deleted", "message-gone"),
        ("channel archived", "channel-gone"),
        ("channel gone", "channel-gone"),
        ("removed from the channel", "no-permission"),
    ],
)
async def test_where_nothing_can_be_posted_the_member_is_told_once(
    harm: str, code: str, courier: SlackCourier, record: Record, team: Workspace
) -> None:
    channel = team.channels[GENERAL]
    match harm:
        case "message deleted":
            channel.messages[record.job.placeholder["ts"]].deleted = True
        case "channel archived":
            channel.archived = True
        case "channel gone":
            channel.gone = True
        case _:
            channel.members.discard(team.bot_user)
    for _ in range(2):  # the worker may have died before it could write this down
        with pytest.raises(Undeliverable) as told:
            await courier.deliver(record.parcel())
        assert told.value.code == code
    (words,) = [m.text for m in team.dm(ANNA).messages.values()]
    assert "Nothing was charged" in words
    assert rules.pings(words, []) == []


@pytest.mark.parametrize("way", ["revoked", "uninstalled"])
async def test_without_a_token_it_is_given_up(
    way: str, courier: SlackCourier, record: Record, team: Workspace
) -> None:
    assert team.grant is not None
    if way == "revoked":
        team.grant.revoked = True
    else:
        team.grant = None
    with pytest.raises(Undeliverable):
        await courier.deliver(record.parcel())


async def test_a_workspace_that_lets_no_app_upload_is_told_so(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.faults.plan("files.getUploadURLExternal", refused("file_uploads_disabled"))
    with pytest.raises(Undeliverable) as told:
        await courier.deliver(record.parcel())
    assert told.value.code == "slack-no-files"
    (words,) = [m.text for m in team.dm(ANNA).messages.values()]
    assert "administrator" in words


async def test_a_failure_is_shown_in_the_same_message(
    courier: SlackCourier, record: Record, team: Workspace
) -> None:
    await courier.deliver(failed(record, "out-of-memory").parcel())
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "too large for the graphics card" in read(message.text, message.blocks)


async def test_without_a_placeholder_the_bot_is_waited_for_then_stood_in_for(
    courier: SlackCourier, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    young = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    young.job = replace(young.job, created_at=datetime.now(UTC))
    with pytest.raises(TryLater):
        await courier.deliver(young.parcel())
    assert team.thread(GENERAL, prompt.ts) == []
    old = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    slack.faults.plan("chat.postMessage", cut(after=True))  # posted, but the answer was lost
    await until_settled(courier, old)
    assert shown(team, old) == old.pictures
    assert len(team.thread(GENERAL, prompt.ts)) == 1


async def test_a_placeholder_that_nobody_wrote_down_is_found_by_its_metadata(
    courier: SlackCourier, record: Record, team: Workspace
) -> None:
    record.job = replace(record.job, placeholder={})
    await courier.deliver(record.parcel())
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


async def test_a_private_placeholder_whose_posting_was_not_answered_stands_once(
    courier: SlackCourier, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    made.job = replace(made.job, order=replace(made.job.order, private=True))
    slack.faults.plan("chat.postMessage", cut(after=True))
    await until_settled(courier, made)
    (message,) = team.dm(ANNA).messages.values()
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == made.pictures


async def test_a_private_result_goes_to_the_member_alone(
    courier: SlackCourier, prompt: Message, team: Workspace
) -> None:
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    made.job = replace(made.job, order=replace(made.job.order, private=True))
    await courier.deliver(made.parcel())
    assert team.thread(GENERAL, prompt.ts) == []
    (message,) = team.dm(ANNA).messages.values()
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == made.pictures


async def test_progress_keeps_the_rate_and_never_covers_the_result(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    seconds = iter(n / 2 for n in range(100))
    courier.clock = seconds.__next__
    for step in range(1, 9):  # one every half second
        await courier.progress(running, Progress(Stage.STEPS, step, 8))
    assert len(slack.called("chat.update")) == 1
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "▱" in read(message.text, message.blocks)
    await courier.deliver(record.parcel())
    courier.clock = lambda: 1000.0  # long after
    await courier.progress(running, Progress(Stage.STEPS, 7, 8))
    assert shown(team, record) == record.pictures
    assert "▱" not in read(message.text, message.blocks)
    assert "Cancel" not in {b["text"]["text"] for b in rules.buttons(message.blocks)}


async def test_a_result_waits_for_progress_that_is_on_its_way(
    courier: SlackCourier, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    seconds = iter(range(0, 1000, 10))
    courier.clock = seconds.__next__
    await courier.progress(running, Progress(Stage.STEPS, 1, 8))
    slack.faults.plan("chat.update", slow(0.3))
    late = asyncio.create_task(courier.progress(running, Progress(Stage.STEPS, 2, 8)))
    await asyncio.sleep(0)  # it has begun
    await courier.deliver(record.parcel())
    await late
    assert shown(team, record) == record.pictures


async def test_where_the_bot_was_refused_the_courier_does_not_wait(
    courier: SlackCourier, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, placeholders.refused("not_in_channel"))
    with pytest.raises(Undeliverable) as told:
        await courier.deliver(made.parcel())
    assert told.value.code == "no-permission"
    assert slack.called("chat.postMessage") == [], "the member was told by the bot"


async def test_the_worker_can_ask_it_for_a_members_groups(
    courier: SlackCourier, team: Workspace
) -> None:
    assert isinstance(courier, KnowsRoles)
    team.groups["S0PRO00000"] = {ANNA}
    assert await courier.roles(Member("slack", TEAM, ANNA)) == {"S0PRO00000"}
    assert await courier.roles(Member("slack", "T0ELSEWHERE", ANNA)) is None
