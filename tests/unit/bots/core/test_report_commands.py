"""Reports as commands: who may see and decide them, and what the list shows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import ANY
from uuid import uuid4

import pytest

from bots.core import report_commands
from bots.core.command_handler import CommandHandler
from bots.core.commands import (
    Command,
    Invocation,
    StudioDecideReport,
    StudioReports,
    StudioShowReported,
)
from bots.core.locales import localizer_for
from bots.core.reply import Action, Card, Reply, ReplyKind
from bots.core.report_notifier import ReportNotifier
from bots.web.translate import command_of_button
from tasks.client import OpenReport, Outcome, PostedReport, WorkspaceSettings
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Place
from tasks.jobs.states import JobState
from tests.client_double import client_double
from tests.unit.bots.core.conftest import a_job, a_picture

Invoke = Callable[..., Invocation]
DECISIONS = [Action.REPORT_KEEP, Action.REPORT_REMOVE, Action.REPORT_BLOCK]


def a_report(*reasons: str) -> OpenReport:
    job = a_job(state=JobState.DONE)
    job = replace(job, pictures=(a_picture(job.id),))
    return OpenReport(job, reasons, datetime.now(UTC) - timedelta(hours=2))


@pytest.mark.parametrize(
    "command",
    [StudioReports(), StudioDecideReport(uuid4(), Outcome.REMOVED), StudioShowReported(uuid4())],
)
async def test_only_moderators_see_and_decide_reports(
    handler: CommandHandler, invocation: Invoke, command: Command
) -> None:
    reply = await handler.answer(invocation(), command)
    assert reply.code == "only-moderators"
    assert reply.private
    handler.client.reports.decide.assert_not_awaited()  # type: ignore[attr-defined]


async def test_moderator_who_is_no_administrator_sees_reports(
    handler: CommandHandler, invocation: Invoke
) -> None:
    report = a_report("rude")
    handler.client.reports.open.return_value = [report]  # type: ignore[attr-defined]
    moderator = replace(invocation(), moderator=True, covers=True)
    reply = await handler.answer(moderator, StudioReports())
    (row,) = reply.fields
    assert "a red house" in row.name
    assert "2 h" in row.name
    assert row.value == "rude"
    assert [picture.flagged for picture in reply.pictures] == [True]
    assert [(button.action, button.target) for button in reply.buttons] == [
        (action, report.job.id) for action in DECISIONS
    ]


def test_platform_without_covers_gets_a_button_instead_of_the_picture() -> None:
    reply = report_commands.reports_reply([a_report("")], localizer_for("en"), covers=False)
    assert reply.pictures == ()
    assert [button.action for button in reply.buttons] == [*DECISIONS, Action.REPORT_SHOW]
    assert reply.fields[0].value == "No reason was given."


def test_report_whose_pictures_are_deleted_has_none() -> None:
    report = a_report("late")
    job = replace(report.job, pictures=(replace(report.job.pictures[0], deleted=True),))
    reply = report_commands.reports_reply([replace(report, job=job)], localizer_for("en"), True)
    assert reply.pictures == ()


@pytest.mark.parametrize("reported", [True, False])
async def test_only_a_reported_picture_is_shown(
    handler: CommandHandler, invocation: Invoke, reported: bool
) -> None:
    job = a_report("rude").job
    job = replace(job, order=replace(job.order, private=True))
    client: Any = handler.client
    client.jobs.read.return_value = job
    client.reports.is_open.return_value = reported
    moderator = replace(invocation(), moderator=True)
    reply = await handler.answer(moderator, StudioShowReported(job.id))
    assert reply.code == ("" if reported else "no-such-report")
    assert len(reply.pictures) == reported
    assert reply.private


@pytest.mark.parametrize("outcome", list(Outcome))
async def test_decision_is_made_once(
    handler: CommandHandler, invocation: Invoke, outcome: Outcome
) -> None:
    decide: Any = handler.client.reports.decide
    decide.side_effect = [
        Reason(f"report-{outcome}", {"member": "ann"}),
        Reason("no-such-report"),
    ]
    moderator, job = replace(invocation(), moderator=True), uuid4()
    reply = await handler.answer(moderator, StudioDecideReport(job, outcome))
    assert (reply.kind, reply.code) == (ReplyKind.ANSWER, f"report-{outcome}")
    decide.assert_awaited_with(job, outcome, moderator.member)
    again = await handler.answer(moderator, StudioDecideReport(job, outcome))
    assert again.kind is ReplyKind.REFUSAL


@pytest.mark.parametrize(
    ("action", "command"),
    [
        ("report-keep", lambda job: StudioDecideReport(job, Outcome.KEPT)),
        ("report-block", lambda job: StudioDecideReport(job, Outcome.BLOCKED)),
        ("report-show", StudioShowReported),
    ],
)
def test_page_button_is_a_report_command(action: str, command: Callable[..., Command]) -> None:
    job = uuid4()
    assert command_of_button({"action": action, "target": str(job)}) == command(job)


class RecordingPublisher:
    """A platform whose calls fail for the first `failures` times."""

    covers = True

    def __init__(self, failures: int = 0) -> None:
        self.failures = failures
        self.posted: list[tuple[str, str]] = []
        self.cleared: list[str] = []
        self.notices: list[str] = []

    async def post(self, channel: Place, report: PostedReport, reply: Reply) -> None:
        self._fail()
        self.posted.append((channel.channel, reply.fields[0].value))

    async def notify_owner(self, job: Job, text: str) -> None:
        self.notices.append(text)

    async def clear(self, card: Card) -> None:
        self._fail()
        self.cleared.append(card.text)

    def _fail(self) -> None:
        if self.failures:
            self.failures -= 1
            raise ConnectionError("on purpose")


@pytest.mark.parametrize("failures", [0, 1])
async def test_report_is_posted_once_or_released(failures: int) -> None:
    client, report = client_double(), a_report("rude")
    client.reports.claim_unposted.return_value = [PostedReport(report, "77")]
    client.admin.workspace_settings.return_value = WorkspaceSettings()
    publisher = RecordingPublisher(failures)
    posted = await ReportNotifier(client, "web", publisher)._post_reports()
    assert posted == (failures == 0)
    assert publisher.posted == ([] if failures else [("77", "rude")])
    assert client.reports.release_unposted.await_count == failures


@pytest.mark.parametrize("failures", [0, 1])
async def test_owner_is_notified_after_the_picture_is_cleared(failures: int) -> None:
    client, job = client_double(), a_report().job
    client.reports.claim_removed.return_value = [job]
    publisher = RecordingPublisher(failures)
    assert await ReportNotifier(client, "web", publisher)._notify_owners() == (failures == 0)
    assert len(publisher.cleared) == len(publisher.notices) == 1 - failures
    assert client.reports.release_removed.await_count == failures
    if not failures:
        assert publisher.notices == [ANY]
        assert "“a red house”" in publisher.notices[0]
