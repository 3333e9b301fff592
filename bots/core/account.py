"""The use cases around a member's own jobs, pictures and data; answers for their eyes alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from bots.core.cards import card, line_text, shorten, title, took
from bots.core.command import (
    Cancel,
    Delete,
    Details,
    Help,
    History,
    Privacy,
    Queue,
    Quota,
    Report,
    Settings,
    Undo,
    Waitlist,
)
from bots.core.context import Context
from bots.core.intake import may_see
from bots.core.orders import printable
from bots.core.reasons import refusal
from bots.core.reply import Action, Attachment, Button, Field, Reply, ReplyKind, Style
from tasks.client import Allowance
from tasks.job import Job, JobState, Reason

MAX_HISTORY = 50
_REFUSING = frozenset({"not-yours", "no-such-job", "already-ended"})


async def undo(context: Context, command: Undo) -> Reply:
    """The picture that this one was made from, shown again where it was asked for."""
    picture = await context.client.picture(command.picture)
    child = await context.client.job(picture.job) if picture else None
    if picture is None or child is None or not may_see(context, child):
        return _refuse(context, "unknown-picture")
    if picture.parent is None:
        return _refuse(context, "no-parent")
    parent = await context.client.picture(picture.parent)
    job = await context.client.job(parent.job) if parent else None
    if parent is None or parent.deleted or job is None or not may_see(context, job):
        return _refuse(context, "unknown-picture")
    shown = replace(card(job, context.say), pictures=(parent,))
    return Reply(
        ReplyKind.PICTURE,
        context.say("undo-shown"),
        private=job.order.private,
        title=shown.title,
        pictures=(parent,),
        card=shown,
        buttons=shown.buttons,
    )


async def cancel(context: Context, command: Cancel) -> Reply:
    """Stop a job: the one that was named, or the newest of the member's own."""
    job = await _job_to_cancel(context, command.job)
    if job is None:
        code = "no-such-job" if command.job is not None else "nothing-to-cancel"
        return _refuse(context, code)
    reason = await context.client.cancel(job, context.ask.member, context.ask.moderator)
    return _outcome(context, reason)


async def details(context: Context, command: Details) -> Reply:
    """Everything needed to make the picture again."""
    job = await context.client.job(command.job)
    if job is None or not may_see(context, job):
        return _refuse(context, "no-such-job")
    return _answer(context, "details-title", fields=_details(context, job))


async def delete(context: Context, command: Delete) -> Reply:
    """Delete a job's pictures: the owner's right, and the moderators'."""
    job = await context.client.job(command.job)
    if job is None or not (may_see(context, job) or context.ask.moderator):
        return _refuse(context, "no-such-job")
    reason = await context.client.delete_pictures(
        command.job, context.ask.member, context.ask.moderator
    )
    return _outcome(context, reason)


async def report(context: Context, command: Report) -> Reply:
    """Tell the administrators about a picture."""
    job = await context.client.job(command.job)
    if job is None or not may_see(context, job):
        return _refuse(context, "no-such-job")
    words = printable(command.words)[:1000]
    await context.client.report(command.job, context.ask.member, words)
    return _say(context, "reported")


async def queue(context: Context, _command: Queue) -> Reply:
    """My jobs that have not ended, with their place in line."""
    jobs = await context.client.active_jobs(context.ask.member)
    if not jobs:
        return _say(context, "queue-empty")
    say = context.say
    rows = tuple(
        Field(say("queue-row", short=job.short, prompt=title(job, say)), _state(context, job))
        for job in jobs
    )
    buttons = tuple(
        Button(Action.CANCEL, f"{say('button-cancel')} {job.short}", job.id, index, Style.DANGER)
        for index, job in enumerate(jobs, 1)
        if job.state in (JobState.QUEUED, JobState.RUNNING)
    )
    return replace(_answer(context, "queue-title", fields=rows), buttons=buttons)


async def quota(context: Context, _command: Quota) -> Reply:
    """What is left, and when it returns."""
    allowance = await context.client.allowance(context.ask.member)
    summary = context.say("quota-summary", left=float(allowance.left), limit=float(allowance.limit))
    return replace(
        _answer(context, "quota-title", fields=_allowance(context, allowance)), text=summary
    )


async def history(context: Context, command: History) -> Reply:
    """My pictures, newest first."""
    limit = max(1, min(command.limit, MAX_HISTORY))
    pictures = await context.client.history(context.ask.member, limit)
    if not pictures:
        return _say(context, "history-empty")
    rows = tuple(
        Field(f"{number}", shorten(picture.instruction, 120))
        for number, picture in enumerate(pictures, 1)
    )
    answer = _answer(context, "history-title", fields=rows)
    return replace(answer, pictures=tuple(pictures))


async def settings(context: Context, command: Settings) -> Reply:
    """My defaults: shown, or changed."""
    member, say = context.ask.member, context.say
    if command.changes:
        if fault := await _fault_in(context, command):
            return fault
        await context.client.set_preferences(member, command.changes)
    now = await context.client.preferences(member)
    rows = tuple(
        Field(say(f"settings-{name}"), str(now.get(name) or say("settings-none")))
        for name in ("aspect", "count", "model", "language")
    )
    answer = _answer(context, "settings-title", fields=rows)
    return replace(answer, text=say("settings-saved")) if command.changes else answer


async def privacy(context: Context, command: Privacy) -> Reply:
    """My data, as a file or deleted."""
    member, say = context.ask.member, context.say
    if command.action == "export":
        data = await context.client.export(member)
        file = Attachment("atelier-export.zip", "application/zip", data)
        return replace(_say(context, "privacy-export"), attachment=file)
    if not command.confirmed:
        button = Button(Action.CONFIRM_FORGET, say("button-confirm-forget"), style=Style.DANGER)
        return Reply(ReplyKind.CONFIRM, say("privacy-confirm"), buttons=(button,))
    return _say(context, "privacy-deleted", count=await context.client.forget(member))


async def waitlist(context: Context, command: Waitlist) -> Reply:
    """Join, leave or look at the waitlist."""
    client, member = context.client, context.ask.member
    if command.action == "leave":
        left = await client.leave_waitlist(member)
        return _say(context, "waitlist-left" if left else "waitlist-not-on")
    if command.action == "join":
        place = await client.waitlist_place(member)
        if place.joined_at is None and not await client.kept_out(member):
            return _say(context, "waitlist-not-needed")
        place = await client.join_waitlist(member, context.ask.place)
        name = "waitlist-joined"
    else:
        place = await client.waitlist_place(member)
        name = "waitlist-status"
    if place.invited_until is not None:
        return _say(context, "waitlist-invited", left=place.invited_until - datetime.now(UTC))
    if place.position is None:
        return _say(context, "waitlist-not-on")
    return _say(context, name, position=place.position)


async def help_(context: Context, _command: Help) -> Reply:
    """What can be asked here, with examples."""
    say = context.say
    rows = tuple(
        Field(say(f"help-{name}"), say(f"help-{name}-value"))
        for name in ("imagine", "flags", "edit", "more", "account")
    )
    return replace(_answer(context, "help-title", fields=rows), text=say("help-intro"))


async def _job_to_cancel(context: Context, wanted: UUID | str | None) -> UUID | None:
    if isinstance(wanted, UUID):
        return wanted
    member = context.ask.member
    if wanted is not None:
        job = await context.client.find_job(member, printable(wanted).lower())
        return job.id if job else None
    jobs = await context.client.active_jobs(member)
    return jobs[-1].id if jobs else None


def _state(context: Context, job: Job) -> str:
    if job.state is JobState.QUEUED:
        return line_text(job.line, context.say)
    return card(job, context.say).text


def _details(context: Context, job: Job) -> tuple[Field, ...]:
    say, request = context.say, job.order.request
    seeds = ", ".join(str(picture.seed) for picture in job.pictures) or str(request.seed)
    values = [
        ("prompt", request.prompt),
        ("negative", request.negative),
        ("seed", seeds),
        ("model", request.profile),
        ("size", f"{request.width} × {request.height}"),
        ("steps", str(request.steps or say("details-default"))),
        ("strength", "" if request.strength is None else say.number(request.strength)),
        ("took", say.duration(duration) if (duration := took(job)) else ""),
        ("credits", say.number(job.cost)),
        ("short", job.short),
    ]
    return tuple(Field(say(f"details-{name}"), value) for name, value in values if value)


def _allowance(context: Context, allowance: Allowance) -> tuple[Field, ...]:
    say = context.say
    left, limit = float(allowance.left), float(allowance.limit)
    rows = [
        Field(say("quota-tier"), say(f"tier-{allowance.tier}")),
        Field(say("quota-left"), say("quota-left-value", left=left, limit=limit)),
        Field(say("quota-window"), say.duration(allowance.window)),
        Field(say("quota-returns"), _returns(context, allowance)),
    ]
    if allowance.held:
        held = say("quota-held-value", held=float(allowance.held))
        rows.append(Field(say("quota-held"), held))
    if allowance.pool_left is not None:
        pool = say("quota-pool-value", left=float(allowance.pool_left))
        rows.append(Field(say("quota-pool"), pool))
    return tuple(rows)


def _returns(context: Context, allowance: Allowance) -> str:
    say, now = context.say, datetime.now(UTC)
    if not allowance.returns:
        return say("quota-returns-none")
    parts = [
        say("quota-returns-value", credits=float(amount), wait=at - now)
        for at, amount in allowance.returns[:3]
    ]
    return " · ".join(parts)


async def _fault_in(context: Context, command: Settings) -> Reply | None:
    """A default that could never work is refused now, not at every later order."""
    model = command.changes.get("model")
    if model is not None:
        served = {context.model, *await context.client.models()}
        if model not in served:
            reason = Reason("unknown-model", {"model": model, "models": sorted(served)})
            return refusal(reason, context.say)
    return None


def _outcome(context: Context, reason: Reason) -> Reply:
    if reason.code in _REFUSING:
        return refusal(reason, context.say)
    return _say(context, reason.code)


def _answer(context: Context, name: str, fields: tuple[Field, ...] = ()) -> Reply:
    return Reply(ReplyKind.ANSWER, "", title=context.say(name), fields=fields, code=name)


def _say(context: Context, name: str, **values: object) -> Reply:
    return Reply(ReplyKind.ANSWER, context.say(name, **values), code=name)


def _refuse(context: Context, code: str) -> Reply:
    return refusal(Reason(code), context.say)
