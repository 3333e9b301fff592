"""`/studio capacity` names the models that a worker cannot serve."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bots.core.command_handler import CommandHandler
from bots.core.commands import Invocation, StudioCapacity
from tasks.client import Capacity, WorkerLoad
from tasks.jobs.model_fault import ModelFault

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
BROKEN = ModelFault("No file unet.", "model-unavailable", NOW, NOW + timedelta(minutes=3))
TRYING = ModelFault("No edit.", "model-unavailable", NOW, part="edit")


@pytest.mark.parametrize(
    ("locale", "words"),
    [
        ("en", ["sdxl on gpu-1 since 2026-01-01 12:00 UTC: No file unet.", "Next try in 3 min"]),
        ("fr", ["sdxl sur gpu-1 depuis 2026-01-01 12:00 UTC", "Prochain essai dans 3\u00a0min"]),
    ],
)
async def test_capacity_names_models_with_faults(
    handler: CommandHandler,
    client: Any,
    invocation: Callable[..., Invocation],
    locale: str,
    words: list[str],
) -> None:
    faults = {"sdxl": BROKEN, "postcard": TRYING}
    worker = WorkerLoad("gpu-1", ["postcard"], "cuda", 0, 3, {}, NOW, model_faults=faults)
    client.fleet.capacity.return_value = Capacity([], [worker], [], 0, {}, NOW)
    reply = await handler.answer(invocation(administrator=True, locale=locale), StudioCapacity())
    (row,) = [field.value for field in reply.fields if "No file" in field.value]
    for part in words:
        assert part in row
    assert "postcard (edit)" in row
