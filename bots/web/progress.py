"""A step of a running job, as the page shows it."""

from __future__ import annotations

import base64
from typing import Any

from bots.core.reply import Card
from imaging.request import Progress, Stage
from tasks.job import JobEvent


def progress_of(event: JobEvent) -> Progress:
    """The event as the engine told it; a stage of a newer worker counts as steps."""
    stage = Stage(event.stage) if event.stage in set(Stage) else Stage.STEPS
    return Progress(stage, event.step, event.steps, event.preview)


def progress_json(event: JobEvent, card: Card) -> dict[str, Any]:
    """`share` is None while no steps are counted (the model is being read)."""
    return {
        "job": str(event.job),
        "text": card.text,
        "share": card.bar if event.steps else None,
        "preview": base64.b64encode(event.preview).decode() if event.preview else None,
    }
