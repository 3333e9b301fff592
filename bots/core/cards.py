"""Renders a job in any state as a platform-free `Card`. Pure."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from bots.core.locales import Localizer
from bots.core.model_notes import notes
from bots.core.refusals import sentence
from bots.core.reply import Action, Button, Card, Style
from imaging.request import Operation, Progress, Stage
from tasks.jobs.job import Job, Picture, QueuePosition
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier

TITLE_LENGTH = 200
ALT_LENGTH = 1000
_WITHOUT_PICTURE = frozenset({JobState.FAILED, JobState.REFUSED, JobState.CANCELLED})


def card(job: Job, localize: Localizer, progress: Progress | None = None) -> Card:
    """The job's message now; `progress` is the engine's latest report on a running job."""
    pictures = _visible_pictures(job)
    return Card(
        job=job,
        title=title(job, localize),
        text=_text(job, localize, progress),
        tier=job.tier,
        alt=shorten(localize("alt-picture", prompt=job.order.request.prompt), ALT_LENGTH),
        bar=_bar(job, progress),
        pictures=pictures,
        buttons=_buttons(job, pictures, localize),
    )


def title(job: Job, localize: Localizer) -> str:
    """The prompt, shortened, with the operation where it is not a plain picture."""
    request = job.order.request
    prompt = shorten(request.prompt or localize("title-untitled"), TITLE_LENGTH)
    match request.operation:
        case Operation.EDIT | Operation.FILL:
            return localize("title-edit", prompt=prompt)
        case Operation.VARY | Operation.UPSCALE | Operation.BLEND as operation:
            return localize(f"title-{operation}", prompt=prompt)
        case _:
            return prompt


def shorten(text: str, length: int) -> str:
    """At most `length` characters: cut at the last space of the second half, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > length // 2 else cut).rstrip() + "…"


def line_text(line: QueuePosition | None, localize: Localizer) -> str:
    """The place in line and the estimated wait, as far as they are known."""
    if line is None:
        return localize("state-queued-unknown")
    if line.estimate is None:
        return localize("state-queued", position=line.position)
    wait, longest = line.estimate.p50, line.estimate.p90
    if line.among is not None:
        return _behind_text(line, line.among, localize)
    if localize.duration(wait) == localize.duration(longest):
        return localize("state-queued-estimate", position=line.position, wait=wait)
    return localize("state-queued-range", position=line.position, wait=wait, longest=longest)


def _behind_text(line: QueuePosition, tier: Tier, localize: Localizer) -> str:
    """The place among the member's own tier, where heavier tiers are served first."""
    estimate = line.estimate
    if estimate is None:
        return localize("state-queued", position=line.position)
    values = {
        "place": line.tier_position,
        "name": localize(f"tier-{tier}"),
        "tier": tier.value,
        "wait": estimate.p50,
    }
    if localize.duration(estimate.p50) == localize.duration(estimate.p90):
        return localize("state-queued-behind", **values)
    return localize("state-queued-behind-range", **values, longest=estimate.p90)


def grew_text(line: QueuePosition, before: timedelta, localize: Localizer) -> str:
    """Why the wait grew, with the wait before."""
    wait = line.estimate.p50 if line.estimate else before
    cause = line.pressure.value if line.pressure else "other"
    return localize("state-queued-grew", cause=cause, wait=wait, before=before)


def bar_text(share: float, width: int = 12) -> str:
    """A progress bar of block characters for platforms without one of their own."""
    done = max(0, min(width, round(share * width)))
    return "▰" * done + "▱" * (width - done)


def took(job: Job) -> timedelta | None:
    """The time from the order to the end of the job; None before the end."""
    return job.ended_at - job.created_at if job.ended_at else None


def _visible_pictures(job: Job) -> tuple[Picture, ...]:
    if job.state not in (JobState.DELIVERING, JobState.DONE):
        return ()
    return tuple(picture for picture in job.pictures if not picture.deleted)


def _text(job: Job, localize: Localizer, progress: Progress | None) -> str:
    text = _progress_text(job, localize, progress)
    if job.state in _WITHOUT_PICTURE:
        return text
    return "\n".join((text, *notes(job, localize)))


def _progress_text(job: Job, localize: Localizer, progress: Progress | None) -> str:
    text = _state_text(job, localize, progress)
    if job.degraded and not job.state.ended:
        requested, _served = job.degraded.get("count", (1, 1))
        return f"{text}. {localize('state-queued-degraded', count=requested)}"
    return text


def _state_text(job: Job, localize: Localizer, progress: Progress | None) -> str:
    match job.state:
        case JobState.QUEUED:
            return line_text(job.line, localize)
        case JobState.RUNNING:
            return _running(job, localize, progress)
        case JobState.DELIVERING | JobState.DONE:
            # A card of a delivering job is posted as its result: whoever reads it sees a done job.
            return _finished(job, localize)
        case JobState.FAILED | JobState.REFUSED:
            why = sentence(job.reason, localize)
            return _with_invitation(job, localize("failed-prefix", why=why), localize)
        case JobState.CANCELLED:
            return _with_invitation(job, localize("state-cancelled"), localize)
        case _:
            assert_never(job.state)


def _running(job: Job, localize: Localizer, progress: Progress | None) -> str:
    match progress:
        case Progress(stage=Stage.LOADING):
            return localize("state-loading")
        case Progress(stage=Stage.FINISHING):
            return localize("state-finishing")
        case Progress(stage=Stage.PAUSED, step=step, steps=steps):
            key = "state-paused-relaxed" if job.tier.paid else "state-paused"
            return localize(key, step=step, steps=steps)
        case Progress(stage=Stage.STEPS, step=step, steps=steps) if steps:
            return localize("state-running-steps", step=step, steps=steps)
        case Progress(stage=Stage.STEPS):
            return localize("state-running")
        case _:  # leased, while the device may still be drawing another order
            return localize("state-starting")


def _finished(job: Job, localize: Localizer) -> str:
    if job.pictures and not _visible_pictures(job):
        return localize("state-deleted")
    duration = took(job)
    if duration is None:
        return localize("state-done-untimed")
    return localize("state-done", count=len(job.pictures), took=duration)


def _with_invitation(job: Job, text: str, localize: Localizer) -> str:
    return f"{text} {localize('state-invitation-valid')}" if job.invited else text


def _bar(job: Job, progress: Progress | None) -> float | None:
    if job.state is not JobState.RUNNING:
        return None
    return progress.share if progress else 0.0


def _buttons(job: Job, pictures: tuple[Picture, ...], localize: Localizer) -> tuple[Button, ...]:
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return (Button(Action.CANCEL, localize("button-cancel"), job.id, style=Style.DANGER),)
    if job.state is JobState.FAILED:
        return (Button(Action.REROLL, localize("button-reroll"), job.id),)
    if not pictures:
        return ()
    return (*_picture_buttons(pictures, localize), *_job_buttons(job, pictures, localize))


def _picture_buttons(pictures: tuple[Picture, ...], localize: Localizer) -> tuple[Button, ...]:
    alone = len(pictures) == 1

    def button(action: Action, picture: Picture, number: int) -> Button:
        if alone:
            return Button(action, localize(f"button-{action}"), picture.id)
        label = localize(f"button-{action}-n", index=number)
        return Button(action, label, picture.id, number)

    return tuple(
        button(action, picture, number)
        for action in (Action.VARY, Action.UPSCALE, Action.EDIT)
        for number, picture in enumerate(pictures, 1)
    )


def _job_buttons(
    job: Job, pictures: tuple[Picture, ...], localize: Localizer
) -> tuple[Button, ...]:
    undo = (
        (Button(Action.UNDO, localize("button-undo"), pictures[0].id),)
        if job.order.parent is not None
        else ()
    )
    return (
        Button(Action.REROLL, localize("button-reroll"), job.id, style=Style.PRIMARY),
        *undo,
        Button(Action.DETAILS, localize("button-details"), job.id),
        Button(Action.REPORT, localize("button-report"), job.id),
        Button(Action.DELETE, localize("button-delete"), job.id, style=Style.DANGER),
    )
