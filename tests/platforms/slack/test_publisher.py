"""The publisher against the loopback Slack: every fault still shows a picture exactly once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bots.slack import files, placeholders
from bots.slack import publisher as publishing
from bots.slack.app_spec import OPTIONAL_SCOPES
from bots.slack.publisher import SlackPublisher
from bots.slack.workspaces import SingleWorkspace, Transport
from imaging.request import Progress, Stage
from tasks.delivery.publisher import DeliveryResult, RoleLookup, TryLater, Undeliverable
from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.store.removals import Removal
from tests.platforms.slack import blocks as rules
from tests.platforms.slack.conftest import ANNA, GENERAL, TEAM, TOKEN
from tests.platforms.slack.delivery_builders import Crash, Record, failed, finished
from tests.platforms.slack.faults import Fault, broken, cut, limited, refused, slow
from tests.platforms.slack.member import read
from tests.platforms.slack.server import LoopbackSlack
from tests.platforms.slack.world import Message, Workspace


@pytest.fixture
async def transport(slack: LoopbackSlack) -> AsyncIterator[Transport]:
    opened = Transport(slack.api_url)
    yield opened
    await opened.close()


@pytest.fixture
def publisher(transport: Transport) -> SlackPublisher:
    return SlackPublisher(transport, SingleWorkspace(transport, TOKEN))


@pytest.fixture
def prompt(slack: LoopbackSlack, team: Workspace) -> Message:
    """The member's message."""
    message = Message(slack.clock.ts(), GENERAL, ANNA, "")
    message.show("<@U0BOT00000> a red house", [])
    team.channels[GENERAL].messages[message.ts] = message
    return message


@pytest.fixture
async def record(transport: Transport, prompt: Message) -> Record:
    """A finished job with its placeholder posted."""
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {}, count=2)
    web = transport.web(TOKEN, TEAM)
    target = placeholders.PlaceholderTarget(GENERAL, prompt.ts)
    stored = await placeholders.post(web, target, made.job.id, "In line", [])
    made.job = replace(made.job, placeholder=stored)
    return made


async def deliver_with_retries(
    publisher: SlackPublisher, record: Record, attempts: int = 12
) -> DeliveryResult:
    """Attempt delivery as the worker does until it succeeds. Raises Undeliverable."""
    for _ in range(attempts):
        try:
            return await publisher.deliver(record.delivery())
        except TryLater:
            continue
    raise AssertionError("the result was not delivered")


def shown(team: Workspace, record: Record) -> list[bytes]:
    """Every picture in the thread, in order."""
    thread = team.thread(GENERAL, record.job.order.place.thread or "")
    ids = [i for m in thread for i in (*rules.shown_files(m.blocks), *m.files)]
    return [team.files[i].data for i in ids]


async def test_placeholder_is_edited_into_the_pictures(
    publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    result = await publisher.deliver(record.delivery())
    assert result.message == record.job.placeholder["ts"]
    assert shown(team, record) == record.pictures
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "a red house & <!channel>" in read(message.text, message.blocks)
    assert rules.pings(message.text, message.blocks) == []
    assert rules.pings(message.text, []) == []
    assert all(team.files[i].alt and team.files[i].title for i in rules.shown_files(message.blocks))
    assert all(b["alt_text"] for b in message.blocks if b["type"] == "image")
    assert {b["text"]["text"] for b in rules.buttons(message.blocks)} >= {"Vary 1", "Vary 2"}


async def test_second_delivery_changes_nothing(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    await publisher.deliver(record.delivery())
    uploads = slack.uploads
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert slack.uploads == uploads


@pytest.mark.parametrize("writes", range(3))
async def test_crash_between_two_steps_shows_nothing_twice(
    writes: int, publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    record.crash_after = writes
    try:
        await publisher.deliver(record.delivery())
    except Crash:
        assert shown(team, record) == []
    record.crash_after = None
    await deliver_with_retries(publisher, record)
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


STEPS = (
    "files.getUploadURLExternal",
    "upload",
    "files.completeUploadExternal",
    "files.info",
    "chat.update",
)
TRANSIENT = (limited(1), broken(), cut(after=False), cut(after=True), refused("internal_error"))
# The upload of bytes has no error codes.
STEP_FAULTS = [(s, f) for s in STEPS for f in TRANSIENT if not (s == "upload" and f.error)]


@pytest.mark.parametrize(("step", "fault"), STEP_FAULTS, ids=lambda x: getattr(x, "kind", x))
async def test_every_step_recovers_from_every_transient_fault(
    step: str,
    fault: Fault,
    publisher: SlackPublisher,
    record: Record,
    team: Workspace,
    slack: LoopbackSlack,
) -> None:
    minutes = iter(range(0, 10**6, 60))  # Retry-After has always elapsed
    publisher.transport.limiter.clock = minutes.__next__
    slack.faults.plan(step, fault)
    await deliver_with_retries(publisher, record)
    assert slack.faults.take(step) is None, "the fault did not occur"
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


async def test_retry_after_is_respected(
    publisher: SlackPublisher, record: Record, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.update", limited(17))
    with pytest.raises(TryLater) as error:
        await publisher.deliver(record.delivery())
    assert error.value.after == 17
    calls = len(slack.called("chat.update"))
    with pytest.raises(TryLater):  # and until then Slack is not called
        await publisher.deliver(record.delivery())
    assert len(slack.called("chat.update")) == calls


async def test_unprocessed_file_is_waited_for(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.methods.processing_polls = 2
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert not [c for c in slack.called("chat.update") if c.error], (
        "blocks were sent before the file was processed"
    )


async def test_file_that_is_never_processed_is_attached(
    publisher: SlackPublisher,
    record: Record,
    team: Workspace,
    slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(files, "READY_PAUSES", (0.01, 0.01))
    slack.methods.processing_polls = 1000
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert not [c for c in slack.called("chat.update") if c.error], (
        "blocks were sent for an unprocessed file"
    )


async def test_pictures_are_attached_where_blocks_are_rejected(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "BLOCKS_PAUSES", (0.01,))
    slack.methods.blocks_accept_files = False
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures


async def test_file_that_is_not_visible_yet_is_waited_for(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "READY_PAUSES", (0.01, 0.01, 0.01))
    slack.faults.plan("files.info", refused("file_not_found"), refused("file_not_found"))
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert slack.uploads == len(record.pictures)


async def test_blocks_rejected_briefly_are_retried(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(files, "BLOCKS_PAUSES", (0.01, 0.01))
    slack.faults.plan("chat.update", refused("invalid_blocks"), refused("invalid_blocks"))
    await publisher.deliver(record.delivery())
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == record.pictures
    assert message.files == []


async def test_deleted_file_is_uploaded_again(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.faults.plan("chat.update", cut(after=False))
    with pytest.raises(TryLater):
        await publisher.deliver(record.delivery())
    for file in team.files.values():
        file.deleted = True
    await deliver_with_retries(publisher, record)
    assert shown(team, record) == record.pictures


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("message deleted", "message-gone"),
        ("channel archived", "channel-archived"),
        ("channel gone", "channel-gone"),
        ("removed from the channel", "no-permission"),
    ],
)
async def test_member_is_notified_once_where_nothing_can_be_posted(
    change: str, code: str, publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    channel = team.channels[GENERAL]
    match change:
        case "message deleted":
            channel.messages[record.job.placeholder["ts"]].deleted = True
        case "channel archived":
            channel.archived = True
        case "channel gone":
            channel.gone = True
        case _:
            channel.members.discard(team.bot_user)
    for _ in range(2):  # the worker may have crashed before it stored the failure
        with pytest.raises(Undeliverable) as error:
            await publisher.deliver(record.delivery())
        assert error.value.code == code
    (words,) = [m.text for m in team.dm(ANNA).messages.values()]
    assert "Nothing was charged" in words
    assert ("archived" in words) is (code == "channel-archived")
    assert rules.pings(words, []) == []


@pytest.mark.parametrize("way", ["revoked", "uninstalled"])
async def test_delivery_without_a_valid_token_is_undeliverable(
    way: str, publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    assert team.grant is not None
    if way == "revoked":
        team.grant.revoked = True
    else:
        team.grant = None
    with pytest.raises(Undeliverable):
        await publisher.deliver(record.delivery())


async def test_member_is_notified_where_uploads_are_disabled(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    slack.faults.plan("files.getUploadURLExternal", refused("file_uploads_disabled"))
    with pytest.raises(Undeliverable) as error:
        await publisher.deliver(record.delivery())
    assert error.value.code == "slack-no-files"
    (words,) = [m.text for m in team.dm(ANNA).messages.values()]
    assert "administrator" in words


async def test_failure_is_shown_in_the_same_message(
    publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    await publisher.deliver(failed(record, "out-of-memory").delivery())
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "too large for the graphics card" in read(message.text, message.blocks)


async def test_missing_placeholder_is_waited_for_then_posted_by_the_publisher(
    publisher: SlackPublisher, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    young = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    young.job = replace(young.job, created_at=datetime.now(UTC))
    with pytest.raises(TryLater):
        await publisher.deliver(young.delivery())
    assert team.thread(GENERAL, prompt.ts) == []
    old = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    slack.faults.plan("chat.postMessage", cut(after=True))  # posted, but the response was lost
    await deliver_with_retries(publisher, old)
    assert shown(team, old) == old.pictures
    assert len(team.thread(GENERAL, prompt.ts)) == 1


async def test_unrecorded_placeholder_is_found_by_its_metadata(
    publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    record.job = replace(record.job, placeholder={})
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert len(team.thread(GENERAL, record.job.order.place.thread or "")) == 1


async def test_private_placeholder_without_a_response_is_posted_once(
    publisher: SlackPublisher, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    made.job = replace(made.job, order=replace(made.job.order, private=True))
    slack.faults.plan("chat.postMessage", cut(after=True))
    await deliver_with_retries(publisher, made)
    (message,) = team.dm(ANNA).messages.values()
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == made.pictures


async def test_private_result_goes_to_direct_messages(
    publisher: SlackPublisher, prompt: Message, team: Workspace
) -> None:
    made = finished(TEAM, GENERAL, ANNA, prompt.ts, {})
    made.job = replace(made.job, order=replace(made.job.order, private=True))
    await publisher.deliver(made.delivery())
    assert team.thread(GENERAL, prompt.ts) == []
    (message,) = team.dm(ANNA).messages.values()
    assert [team.files[i].data for i in rules.shown_files(message.blocks)] == made.pictures


async def test_progress_keeps_the_rate_limit_and_never_overwrites_the_result(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    seconds = iter(n / 2 for n in range(100))
    publisher.clock = seconds.__next__
    for step in range(1, 9):  # two per second
        await publisher.progress(running, Progress(Stage.STEPS, step, 8))
    assert len(slack.called("chat.update")) == 1
    (message,) = team.thread(GENERAL, record.job.order.place.thread or "")
    assert "▱" in read(message.text, message.blocks)
    await publisher.deliver(record.delivery())
    publisher.clock = lambda: 1000.0  # long after
    await publisher.progress(running, Progress(Stage.STEPS, 7, 8))
    assert shown(team, record) == record.pictures
    assert "▱" not in read(message.text, message.blocks)
    assert "Cancel" not in {b["text"]["text"] for b in rules.buttons(message.blocks)}


async def test_result_waits_for_a_progress_edit_in_flight(
    publisher: SlackPublisher, record: Record, team: Workspace, slack: LoopbackSlack
) -> None:
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    seconds = iter(range(0, 1000, 10))
    publisher.clock = seconds.__next__
    await publisher.progress(running, Progress(Stage.STEPS, 1, 8))
    slack.faults.plan("chat.update", slow(0.3))
    late = asyncio.create_task(publisher.progress(running, Progress(Stage.STEPS, 2, 8)))
    await asyncio.sleep(0)  # the edit is in flight
    await publisher.deliver(record.delivery())
    await late
    assert shown(team, record) == record.pictures


async def test_edit_in_flight_keeps_its_lock_while_many_jobs_are_delivered(
    transport: Transport,
    record: Record,
    prompt: Message,
    team: Workspace,
    slack: LoopbackSlack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(publishing, "CACHE_SIZE", 4)
    publisher = SlackPublisher(transport, SingleWorkspace(transport, TOKEN))
    running = replace(record.job, state=JobState.RUNNING, pictures=())
    seconds = iter(range(0, 1000, 10))
    publisher.clock = seconds.__next__
    await publisher.progress(running, Progress(Stage.STEPS, 1, 8))
    slack.faults.plan("chat.update", slow(0.5))
    late = asyncio.create_task(publisher.progress(running, Progress(Stage.STEPS, 2, 8)))
    await asyncio.sleep(0)  # the edit is in flight
    for _ in range(5):
        elsewhere = finished("T0ELSEWHERE", GENERAL, ANNA, prompt.ts, {})
        with pytest.raises(Undeliverable):
            await publisher.deliver(elsewhere.delivery())
    await publisher.deliver(record.delivery())
    await late
    assert shown(team, record) == record.pictures


async def test_rejected_placeholder_is_not_waited_for(
    publisher: SlackPublisher, prompt: Message, team: Workspace, slack: LoopbackSlack
) -> None:
    made = finished(
        TEAM, GENERAL, ANNA, prompt.ts, placeholders.rejected_placeholder("not_in_channel")
    )
    with pytest.raises(Undeliverable) as error:
        await publisher.deliver(made.delivery())
    assert error.value.code == "no-permission"
    assert slack.called("chat.postMessage") == [], "the bot had already notified the member"


@pytest.mark.parametrize("placed", [True, False])
async def test_results_are_delivered_without_the_optional_scopes(
    placed: bool, publisher: SlackPublisher, record: Record, team: Workspace
) -> None:
    assert team.grant is not None
    team.grant.scopes -= OPTIONAL_SCOPES
    if not placed:
        record.job = replace(record.job, placeholder={})
    await publisher.deliver(record.delivery())
    assert shown(team, record) == record.pictures
    assert await publisher.roles(Member("slack", TEAM, ANNA)) == frozenset()


async def test_publisher_looks_up_a_members_groups(
    publisher: SlackPublisher, team: Workspace
) -> None:
    assert isinstance(publisher, RoleLookup)
    team.groups["S0PRO00000"] = {ANNA}
    assert await publisher.roles(Member("slack", TEAM, ANNA)) == frozenset({"S0PRO00000"})
    assert await publisher.roles(Member("slack", "T0ELSEWHERE", ANNA)) is None


async def test_removal_deletes_message_and_files(
    publisher: SlackPublisher, slack: LoopbackSlack, team: Workspace, record: Record
) -> None:
    await publisher.deliver(record.delivery())
    removal = _removal(record)
    await publisher.remove(removal)
    deleted = [call for call in slack.called("files.delete") if not call.error]
    assert len(deleted) == 2
    assert team.channels[GENERAL].messages[record.job.placeholder["ts"]].deleted
    await publisher.remove(removal)  # repeated, as after a lost answer


async def test_removal_waits_for_the_rate_limit(
    publisher: SlackPublisher, slack: LoopbackSlack, record: Record
) -> None:
    slack.faults.plan("chat.delete", limited(17))
    with pytest.raises(TryLater) as later:
        await publisher.remove(_removal(record))
    assert later.value.after == 17


async def test_refused_removal_has_slacks_error_code(
    publisher: SlackPublisher, slack: LoopbackSlack, record: Record
) -> None:
    slack.faults.plan("chat.delete", refused("cant_delete_message"))
    with pytest.raises(Undeliverable) as never:
        await publisher.remove(_removal(record))
    assert never.value.code == "cant_delete_message"


async def test_message_is_deleted_where_a_file_cannot_be(
    publisher: SlackPublisher, slack: LoopbackSlack, team: Workspace, record: Record
) -> None:
    await publisher.deliver(record.delivery())
    slack.faults.plan("files.delete", refused("cant_delete_file"))
    with pytest.raises(Undeliverable) as never:
        await publisher.remove(_removal(record))
    assert never.value.code == "cant_delete_file"
    deleted = [call for call in slack.called("files.delete") if not call.error]
    assert len(deleted) == 1
    assert team.channels[GENERAL].messages[record.job.placeholder["ts"]].deleted


def _removal(record: Record) -> Removal:
    return Removal(
        record.job.id, record.job.order.place, None, record.job.placeholder, record.memory
    )
