"""A job's message at any moment of its life, as a platform-free `Card`. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

from bots.core.reasons import sentence
from bots.core.reply import Action, Button, Card, Style
from bots.core.sentences import Sentences
from imaging.request import Operation, Progress, Stage
from tasks.job import Job, JobState, Line, Picture

TITLE_LENGTH = 200
ALT_LENGTH = 1000


def card(job: Job, say: Sentences, progress: Progress | None = None) -> Card:
    """How the job's message looks now. `progress` is what the engine last told of a running job."""
    pictures = _shown(job)
    return Card(
        job=job,
        title=title(job, say),
        text=_text(job, say, progress),
        tier=job.tier,
        alt=shorten(say("alt-picture", prompt=job.order.request.prompt), ALT_LENGTH),
        bar=_bar(job, progress),
        pictures=pictures,
        buttons=_buttons(job, pictures, say),
    )


def title(job: Job, say: Sentences) -> str:
    """The prompt, shortened, with the word for what is done to it."""
    request = job.order.request
    prompt = shorten(request.prompt or say("title-untitled"), TITLE_LENGTH)
    match request.operation:
        case Operation.EDIT | Operation.FILL:
            return say("title-edit", prompt=prompt)
        case Operation.VARY | Operation.UPSCALE | Operation.BLEND as operation:
            return say(f"title-{operation}", prompt=prompt)
        case _:
            return prompt


def shorten(text: str, length: int) -> str:
    """At most `length` characters, cut at a word where there is one near, with an ellipsis."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    space = cut.rfind(" ")
    return (cut[:space] if space > length // 2 else cut).rstrip() + "…"


def line_text(line: Line | None, say: Sentences) -> str:
    """Place in line and estimate, in a sentence; honest where nothing is known."""
    if line is None:
        return say("state-queued-unknown")
    if line.estimate is None:
        return say("state-queued", position=line.position)
    wait, longest = line.estimate.p50, line.estimate.p90
    if say.duration(wait) == say.duration(longest):
        return say("state-queued-estimate", position=line.position, wait=wait)
    return say("state-queued-range", position=line.position, wait=wait, longest=longest)


def bar_text(share: float, width: int = 12) -> str:
    """A bar of blocks for platforms that have none of their own."""
    done = max(0, min(width, round(share * width)))
    return "▰" * done + "▱" * (width - done)


def took(job: Job) -> timedelta | None:
    """From the order to the end; None before that."""
    return job.ended_at - job.created_at if job.ended_at else None


def _shown(job: Job) -> tuple[Picture, ...]:
    if job.state not in (JobState.DELIVERING, JobState.DONE):
        return ()
    return tuple(picture for picture in job.pictures if not picture.deleted)


def _text(job: Job, say: Sentences, progress: Progress | None) -> str:
    text = _TEXTS[job.state](job, say, progress)
    if job.degraded and not job.state.ended:
        asked, _served = job.degraded.get("count", (1, 1))
        return f"{text}. {say('degraded', count=asked)}"
    return text


def _running(_job: Job, say: Sentences, progress: Progress | None) -> str:
    match progress:
        case Progress(stage=Stage.LOADING):
            return say("state-loading")
        case Progress(stage=Stage.FINISHING):
            return say("state-finishing")
        case Progress(stage=Stage.STEPS, step=step, steps=steps) if steps:
            return say("state-running-steps", step=step, steps=steps)
        case _:
            return say("state-running")


def _finished(job: Job, say: Sentences, _progress: Progress | None) -> str:
    if job.pictures and not _shown(job):
        return say("state-deleted")
    duration = took(job)
    if duration is None:
        return say("state-done-untimed")
    return say("state-done", count=len(job.pictures), took=duration)


def _failed(job: Job, say: Sentences, _progress: Progress | None) -> str:
    return _given_back(job, say("failed-prefix", why=sentence(job.reason, say)), say)


def _cancelled(job: Job, say: Sentences, _progress: Progress | None) -> str:
    return _given_back(job, say("state-cancelled"), say)


def _given_back(job: Job, text: str, say: Sentences) -> str:
    return f"{text} {say('invitation-stands')}" if job.invited else text


_TEXTS: Mapping[JobState, Callable[[Job, Sentences, Progress | None], str]] = {
    JobState.QUEUED: lambda job, say, _: line_text(job.line, say),
    JobState.RUNNING: _running,
    # By the time anyone reads a delivered message, it is finished.
    JobState.DELIVERING: _finished,
    JobState.DONE: _finished,
    JobState.FAILED: _failed,
    JobState.REFUSED: _failed,
    JobState.CANCELLED: _cancelled,
}


def _bar(job: Job, progress: Progress | None) -> float | None:
    if job.state is not JobState.RUNNING:
        return None
    return progress.share if progress else 0.0


def _buttons(job: Job, pictures: tuple[Picture, ...], say: Sentences) -> tuple[Button, ...]:
    if job.state in (JobState.QUEUED, JobState.RUNNING):
        return (Button(Action.CANCEL, say("button-cancel"), job.id, style=Style.DANGER),)
    if job.state is JobState.FAILED:
        return (Button(Action.REROLL, say("button-reroll"), job.id),)
    if not pictures:
        return ()
    return (*_picture_buttons(pictures, say), *_job_buttons(job, pictures, say))


def _picture_buttons(pictures: tuple[Picture, ...], say: Sentences) -> tuple[Button, ...]:
    alone = len(pictures) == 1

    def button(action: Action, picture: Picture, number: int) -> Button:
        if alone:
            return Button(action, say(f"button-{action}"), picture.id)
        label = say(f"button-{action}-n", index=number)
        return Button(action, label, picture.id, number)

    return tuple(
        button(action, picture, number)
        for action in (Action.VARY, Action.UPSCALE, Action.EDIT)
        for number, picture in enumerate(pictures, 1)
    )


def _job_buttons(job: Job, pictures: tuple[Picture, ...], say: Sentences) -> tuple[Button, ...]:
    undo = (
        (Button(Action.UNDO, say("button-undo"), pictures[0].id),)
        if job.order.parent is not None
        else ()
    )
    return (
        Button(Action.REROLL, say("button-reroll"), job.id, style=Style.PRIMARY),
        *undo,
        Button(Action.DETAILS, say("button-details"), job.id),
        Button(Action.REPORT, say("button-report"), job.id),
        Button(Action.DELETE, say("button-delete"), job.id, style=Style.DANGER),
    )
