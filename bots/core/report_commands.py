"""Commands about reports: a server's moderators list and decide them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from bots.core.cards import card, shorten, title
from bots.core.commands import StudioDecideReport, StudioReports, StudioShowReported
from bots.core.context import Context
from bots.core.locales import Localizer
from bots.core.refusals import refusal
from bots.core.reply import Action, Button, Field, Reply, ReplyKind, Style
from tasks.client import OpenReport, Outcome
from tasks.jobs.job import Picture, Reason

MAX_REPORTS = 5  # in one list: each has up to four buttons
MAX_REASON = 300  # characters
_DECISIONS = (Action.REPORT_KEEP, Action.REPORT_REMOVE, Action.REPORT_BLOCK)


async def reports(context: Context, _command: StudioReports) -> Reply:
    """List the server's open reports with picture, reason and age."""
    if refused := _moderator_refusal(context):
        return refused
    member = context.invocation.member
    found = await context.client.reports.open(member.platform, member.workspace)
    return reports_reply(found[:MAX_REPORTS], context.localize, context.invocation.covers)


async def decide(context: Context, command: StudioDecideReport) -> Reply:
    """Keep a reported picture, or remove it."""
    if refused := _moderator_refusal(context):
        return refused
    member = context.invocation.member
    reason = await context.client.reports.decide(command.job, command.outcome, member)
    if reason.code == "no-such-report":
        return refusal(reason, context.localize)
    text = context.localize(reason.code, **reason.details)
    return Reply(ReplyKind.ANSWER, text, code=reason.code)


async def show(context: Context, command: StudioShowReported) -> Reply:
    """Show a reported picture to a moderator, where the platform cannot cover it in the list.

    Only while a report is open: a private picture that nobody reported is its owner's alone.
    """
    if refused := _moderator_refusal(context):
        return refused
    job = await context.client.jobs.read(command.job)
    if (
        job is None
        or not job.in_workspace_of(context.invocation.member)
        or not await context.client.reports.is_open(job.id)
    ):
        return refusal(Reason("no-such-report"), context.localize)
    rendered = replace(card(job, context.localize), buttons=())
    return Reply(
        ReplyKind.PICTURE,
        rendered.text,
        title=rendered.title,
        pictures=rendered.pictures,
        card=rendered,
    )


def command_of_action(action: Action, job: UUID) -> StudioDecideReport | StudioShowReported | None:
    """The command of a report's button; None for another button."""
    match action:
        case Action.REPORT_KEEP:
            return StudioDecideReport(job, Outcome.KEPT)
        case Action.REPORT_REMOVE:
            return StudioDecideReport(job, Outcome.REMOVED)
        case Action.REPORT_BLOCK:
            return StudioDecideReport(job, Outcome.BLOCKED)
        case Action.REPORT_SHOW:
            return StudioShowReported(job)
        case _:
            return None


def reports_reply(found: Sequence[OpenReport], localize: Localizer, covers: bool) -> Reply:
    """Reports with their pictures covered; where the platform has no covers, with a button."""
    if not found:
        return Reply(ReplyKind.ANSWER, localize("reports-empty"), code="reports-empty")
    actions = _DECISIONS if covers else (*_DECISIONS, Action.REPORT_SHOW)
    numbered = list(enumerate(found, 1))
    return Reply(
        ReplyKind.ANSWER,
        "",
        title=localize("reports-title"),
        fields=tuple(
            Field(_heading(report, number, localize), _reasons(report, localize))
            for number, report in numbered
        ),
        buttons=tuple(
            _button(action, report, number if len(found) > 1 else None, localize)
            for action in actions
            for number, report in numbered
        ),
        pictures=tuple(_covered(report) for _, report in numbered if covers and _kept(report)),
        code="reports-title",
    )


def _heading(report: OpenReport, number: int, localize: Localizer) -> str:
    job = report.job
    return localize(
        "report-heading",
        number=number,
        prompt=shorten(title(job, localize), MAX_REASON),
        member=job.order.member.name or job.order.member.id,
        age=datetime.now(UTC) - report.reported_at,
    )


def _reasons(report: OpenReport, localize: Localizer) -> str:
    given = [reason for reason in report.reasons if reason.strip()]
    return shorten(" · ".join(given), MAX_REASON) if given else localize("report-no-reason")


def _kept(report: OpenReport) -> list[Picture]:
    return [picture for picture in report.job.pictures if not picture.deleted]


def _covered(report: OpenReport) -> Picture:
    """The first picture; platforms cover a flagged one."""
    return replace(_kept(report)[0], flagged=True)


def _button(action: Action, report: OpenReport, number: int | None, localize: Localizer) -> Button:
    name = f"button-{action}"
    label = localize(name) if number is None else localize(f"{name}-n", index=number)
    style = Style.PLAIN if action in (Action.REPORT_KEEP, Action.REPORT_SHOW) else Style.DANGER
    return Button(action, label, report.job.id, number, style)


def _moderator_refusal(context: Context) -> Reply | None:
    invocation = context.invocation
    if invocation.member.administrator or invocation.moderator:
        return None
    return refusal(Reason("only-moderators"), context.localize)
