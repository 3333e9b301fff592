"""Commands about a member's own jobs, pictures and data. Their replies are private."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from bots.core.cards import card, line_text, shorten, title, took
from bots.core.commands import (
    ASPECTS,
    Cancel,
    Delete,
    Details,
    Help,
    History,
    Imagine,
    Privacy,
    Queue,
    Quota,
    Report,
    Settings,
    Undo,
    Waitlist,
)
from bots.core.context import Context
from bots.core.flag_values import aspect_of
from bots.core.order_text import order_text
from bots.core.refusals import refusal
from bots.core.reply import Action, Button, Field, Reply, ReplyKind, Style
from bots.core.typed_text import clean_text
from imaging.errors import ImagingError
from imaging.request import Operation
from tasks.client import Allowance
from tasks.jobs.job import Job, Picture, Reason
from tasks.jobs.states import JobState

MAX_HISTORY = 50
MAX_REPORT = 1000  # characters
NO_SERVER = "@me"  # a direct message, which has no moderators
_REFUSALS = frozenset({"not-yours", "no-such-job", "already-ended", "cancel-limited"})


async def undo(context: Context, command: Undo) -> Reply:
    """Show the picture that this one was made from."""
    picture = await _picture_to_undo(context, command.picture)
    child = await context.client.jobs.read(picture.job) if picture else None
    if picture is None or child is None or not child.visible_to(context.invocation.member):
        return _refusal(context, "unknown-picture")
    if picture.parent is None:
        return _refusal(context, "no-parent")
    parent = await context.client.pictures.read(picture.parent)
    job = await context.client.jobs.read(parent.job) if parent else None
    if (
        parent is None
        or parent.deleted
        or job is None
        or not job.visible_to(context.invocation.member)
    ):
        return _refusal(context, "unknown-picture")
    shown = replace(card(job, context.localize), pictures=(parent,))
    return Reply(
        ReplyKind.PICTURE,
        context.localize("undo-shown"),
        private=job.order.private,
        title=shown.title,
        pictures=(parent,),
        card=shown,
        buttons=shown.buttons,
    )


async def _picture_to_undo(context: Context, id_: UUID | None) -> Picture | None:
    """The named picture, else the thread's newest one, else the member's newest one."""
    if id_ is not None:
        return await context.client.pictures.read(id_)
    if context.invocation.place.thread is not None:
        return await context.client.pictures.last(context.invocation.place)
    newest = await context.client.pictures.history(context.invocation.member, 1)
    return newest[0] if newest else None


async def cancel(context: Context, command: Cancel) -> Reply:
    """Stop the named job, or the member's newest one."""
    job = await _job_to_cancel(context, command.job)
    if job is None:
        code = "no-such-job" if command.job is not None else "nothing-to-cancel"
        return _refusal(context, code)
    reason = await context.client.jobs.cancel(
        job, context.invocation.member, context.invocation.moderator
    )
    return _outcome(context, reason)


async def details(context: Context, command: Details) -> Reply:
    """List everything needed to make the picture again."""
    job = await context.client.jobs.read(command.job)
    if job is None or not job.visible_to(context.invocation.member):
        return _refusal(context, "no-such-job")
    return _titled_reply(context, "details-title", fields=await _details(context, job))


async def delete(context: Context, command: Delete) -> Reply:
    """Delete a job's pictures, for their owner or a moderator."""
    job = await context.client.jobs.read(command.job)
    if job is None or not (
        job.visible_to(context.invocation.member) or context.invocation.moderator
    ):
        return _refusal(context, "no-such-job")
    reason = await context.client.pictures.delete(
        command.job, context.invocation.member, context.invocation.moderator
    )
    return _outcome(context, reason)


async def report(context: Context, command: Report) -> Reply:
    """Record a report about a picture."""
    job = await context.client.jobs.read(command.job)
    if job is None or not job.visible_to(context.invocation.member):
        return _refusal(context, "no-such-job")
    text = clean_text(command.words)[:MAX_REPORT]
    await context.client.reports.submit(command.job, context.invocation.member, text)
    if context.invocation.place.workspace == NO_SERVER:
        return _message_reply(context, "reported-to-operator")
    return _message_reply(context, "reported")


async def queue(context: Context, command: Queue) -> Reply:
    """List the member's active jobs with their place in line, each with a Cancel button."""
    jobs = await context.client.jobs.active(context.invocation.member)
    if not jobs:
        return _message_reply(context, "queue-empty")
    localize = context.localize
    rows = tuple(
        Field(
            localize("queue-row", short=job.short, prompt=title(job, localize)),
            _state(context, job),
        )
        for job in jobs
    )
    buttons = tuple(
        Button(
            Action.CANCEL,
            localize("button-cancel-job", short=job.short),
            job.id,
            index,
            Style.DANGER,
        )
        for index, job in enumerate(jobs, 1)
        if job.state in (JobState.QUEUED, JobState.RUNNING)
    )
    listed = replace(_titled_reply(context, "queue-title", fields=rows), buttons=buttons)
    asks = command.cancelling and buttons
    return replace(listed, text=localize("queue-cancelling")) if asks else listed


async def quota(context: Context, _command: Quota) -> Reply:
    """Show the remaining credits and when more return."""
    allowance = await context.client.members.allowance(context.invocation.member)
    summary = context.localize(
        "quota-summary", left=float(allowance.left), limit=float(allowance.limit)
    )
    text = f"{summary} {context.localize('quota-relaxed')}" if allowance.relaxed else summary
    return replace(
        _titled_reply(context, "quota-title", fields=_allowance(context, allowance)), text=text
    )


async def history(context: Context, command: History) -> Reply:
    """List the member's pictures, newest first."""
    limit = max(1, min(command.limit, MAX_HISTORY))
    pictures = await context.client.pictures.history(context.invocation.member, limit)
    if not pictures:
        return _message_reply(context, "history-empty")
    rows = tuple(
        Field(f"{number}", shorten(picture.instruction, 120))
        for number, picture in enumerate(pictures, 1)
    )
    answer = _titled_reply(context, "history-title", fields=rows)
    return replace(answer, pictures=tuple(pictures))


async def settings(context: Context, command: Settings) -> Reply:
    """Show the member's defaults, or change them."""
    member, localize = context.invocation.member, context.localize
    if command.changes:
        if refused := await _invalid_default(context, command):
            return refused
        await context.client.members.set_preferences(member, command.changes)
    preferences = await context.client.members.preferences(member)
    rows = tuple(
        Field(localize(f"settings-{name}"), str(preferences.get(name) or localize("settings-none")))
        for name in ("aspect", "count", "model", "language")
    )
    answer = _titled_reply(context, "settings-title", fields=rows)
    return replace(answer, text=localize("settings-saved")) if command.changes else answer


async def privacy(context: Context, command: Privacy) -> Reply:
    """Export the member's data as files, or delete it once confirmed."""
    member, localize = context.invocation.member, context.localize
    if command.action == "export":
        exports = context.client.exports
        if exports.is_running(member):
            return _refusal(context, "export-running")
        return replace(
            _message_reply(context, "privacy-export"), export=partial(exports.archives, member)
        )
    if not command.confirmed:
        button = Button(
            Action.CONFIRM_FORGET, localize("button-confirm-forget"), style=Style.DANGER
        )
        return Reply(ReplyKind.CONFIRM, localize("privacy-confirm"), buttons=(button,))
    return _message_reply(
        context, "privacy-deleted", count=await context.client.members.forget(member)
    )


async def waitlist(context: Context, command: Waitlist) -> Reply:
    """Join or leave the waitlist, or show the place on it."""
    client, member = context.client, context.invocation.member
    if command.action == "leave":
        was_on = await client.waitlist.leave(member)
        return _message_reply(context, "waitlist-left" if was_on else "waitlist-not-on")
    if command.action == "join":
        place = await client.waitlist.place(member)
        if place.joined_at is None and not await client.waitlist.is_needed(member):
            return _message_reply(context, "waitlist-not-needed")
        place = await client.waitlist.join(member, context.invocation.place)
        name = "waitlist-joined"
    else:
        place = await client.waitlist.place(member)
        name = "waitlist-status"
    if place.invited_until is not None:
        return _message_reply(
            context, "waitlist-invited", left=place.invited_until - datetime.now(UTC)
        )
    if place.position is None:
        return _message_reply(context, "waitlist-not-on")
    return _message_reply(context, name, position=place.position)


async def help_(context: Context, _command: Help) -> Reply:
    """List the commands, with examples."""
    localize, platform = context.localize, context.invocation.member.platform

    def example(name: str) -> str:
        """The example in the platform's own way of asking, where it has one."""
        own = f"help-{name}-value-{platform}"
        return localize(own if localize.has_message(own) else f"help-{name}-value")

    rows = tuple(
        Field(localize(f"help-{name}"), example(name))
        for name in ("imagine", "flags", "edit", "more", "account")
    )
    return replace(_titled_reply(context, "help-title", fields=rows), text=localize("help-intro"))


async def _job_to_cancel(context: Context, wanted: UUID | str | None) -> UUID | None:
    if isinstance(wanted, UUID):
        return wanted
    member = context.invocation.member
    if wanted is not None:
        job = await context.client.jobs.find(member, clean_text(wanted).lower())
        return job.id if job else None
    jobs = await context.client.jobs.active(member)
    return jobs[-1].id if jobs else None


def _state(context: Context, job: Job) -> str:
    if job.state is JobState.QUEUED:
        return line_text(job.line, context.localize)
    return card(job, context.localize).text


async def _details(context: Context, job: Job) -> tuple[Field, ...]:
    localize, request = context.localize, job.order.request
    seeds = ", ".join(str(picture.seed) for picture in job.pictures) or str(request.seed)
    values = [
        ("prompt", request.prompt),
        ("negative", request.negative),
        ("seed", seeds),
        ("model", request.profile),
        ("size", f"{request.width} × {request.height}"),
        ("steps", str(request.steps or localize("details-steps-default"))),
        ("strength", "" if request.strength is None else localize.number(request.strength)),
        ("took", localize.duration(duration) if (duration := took(job)) else ""),
        ("credits", localize.number(job.cost)),
        ("short", job.short),
        ("order", await _order_text(context, job)),
    ]
    return tuple(Field(localize(f"details-{name}"), value) for name, value in values if value)


async def _order_text(context: Context, job: Job) -> str:
    """A typed message that orders the same pictures; empty where none can."""
    request = job.order.request
    if request.operation is not Operation.IMAGINE or request.sources:
        return ""
    try:
        profile = await context.served_profile(request.profile)
    except ImagingError:
        return ""  # the model is no longer configured
    size = (request.width, request.height)
    aspect = next((name for name in ASPECTS if profile.size(name) == size), None)
    return order_text(
        Imagine(
            request.prompt,
            aspect=aspect or aspect_of(f"{request.width}:{request.height}"),
            count=request.count,
            model=request.profile if request.profile != context.model else None,
            seed=request.seed,
            negative=request.negative,
        )
    )


def _allowance(context: Context, allowance: Allowance) -> tuple[Field, ...]:
    localize = context.localize
    left, limit = float(allowance.left), float(allowance.limit)
    rows = [
        Field(localize("quota-tier"), localize(f"tier-{allowance.tier}")),
        Field(localize("quota-left"), localize("quota-left-value", left=left, limit=limit)),
        Field(localize("quota-window"), localize.duration(allowance.window)),
        Field(localize("quota-returns"), _returns(context, allowance)),
    ]
    if allowance.held:
        held = localize("quota-held-value", held=float(allowance.held))
        rows.append(Field(localize("quota-held"), held))
    if allowance.pool_left is not None:
        pool = localize("quota-pool-value", left=float(allowance.pool_left))
        rows.append(Field(localize("quota-pool"), pool))
    return tuple(rows)


def _returns(context: Context, allowance: Allowance) -> str:
    localize, now = context.localize, datetime.now(UTC)
    if not allowance.returns:
        return localize("quota-returns-none")
    parts = [
        localize("quota-returns-value", credits=float(amount), wait=at - now)
        for at, amount in allowance.returns[:3]
    ]
    return " · ".join(parts)


async def _invalid_default(context: Context, command: Settings) -> Reply | None:
    """The refusal of a default that no order could use; None where every one is valid."""
    model = command.changes.get("model")
    if model is not None:
        served = {context.model, *await context.client.fleet.orderable_models()}
        if model not in served:
            reason = Reason("unknown-model", {"model": model, "models": sorted(served)})
            return refusal(reason, context.localize)
    return None


def _outcome(context: Context, reason: Reason) -> Reply:
    if reason.code in _REFUSALS:
        return refusal(reason, context.localize)
    return _message_reply(context, reason.code)


def _titled_reply(context: Context, name: str, fields: tuple[Field, ...] = ()) -> Reply:
    return Reply(ReplyKind.ANSWER, "", title=context.localize(name), fields=fields, code=name)


def _message_reply(context: Context, name: str, **values: object) -> Reply:
    return Reply(ReplyKind.ANSWER, context.localize(name, **values), code=name)


def _refusal(context: Context, code: str) -> Reply:
    return refusal(Reason(code), context.localize)
