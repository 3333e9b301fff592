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


@pytest.mark.parametrize(
    ("locale", "count", "last"),
    [("en", 5, None), ("en", 6, "and 1 more"), ("en", 8, "and 3 more"), ("fr", 8, "et 3 de plus")],
)
async def test_capacity_says_how_many_faults_are_not_listed(
    handler: CommandHandler,
    client: Any,
    invocation: Callable[..., Invocation],
    locale: str,
    count: int,
    last: str | None,
) -> None:
    """Of all workers together."""
    names = [f"model-{number}" for number in range(count)]
    loads = [
        WorkerLoad("gpu", [], "cuda", 0, 3, {}, NOW, model_faults=dict.fromkeys(part, BROKEN))
        for part in (names[:3], names[3:])
    ]
    client.fleet.capacity.return_value = Capacity([], loads, [], 0, {}, NOW)
    reply = await handler.answer(invocation(administrator=True, locale=locale), StudioCapacity())
    (row,) = [field.value for field in reply.fields if "No file" in field.value]
    lines = row.splitlines()
    assert len(lines) == 5 + (last is not None)
    assert all(name in line for name, line in zip(names[:5], lines[:5], strict=True))
    assert last is None or lines[-1] == last


async def test_longest_faults_fit_into_a_field_of_discord(
    handler: CommandHandler, client: Any, invocation: Callable[..., Invocation]
) -> None:
    fault = ModelFault("x" * 500, "model-unavailable", NOW, NOW + timedelta(minutes=3))
    faults = {f"model-{number}-{'n' * 10}": fault for number in range(100)}
    worker = WorkerLoad("gpu-1", [], "cuda", 0, 3, {}, NOW, model_faults=faults)
    client.fleet.capacity.return_value = Capacity([], [worker], [], 0, {}, NOW)
    for locale in ("en", "fr"):
        asked = invocation(administrator=True, locale=locale)
        reply = await handler.answer(asked, StudioCapacity())
        (row,) = [field.value for field in reply.fields if "xxx" in field.value]
        assert len(row) <= 1024
        shown = len(row.splitlines()) - 1
        assert str(100 - shown) in row.splitlines()[-1]
