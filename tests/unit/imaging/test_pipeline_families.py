"""Other model families: real pipelines with small random weights."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from imaging.bench.tiny_models import model_folder
from imaging.engine.engine import Engine
from imaging.profiles import profile_for
from imaging.request import Operation
from tests.unit.imaging.pictures import make_request, mean_difference, open_image

FAMILIES = ("flux1", "flux2_klein", "sd15", "sdxl", "z_image")
SIDE = 64


@pytest.fixture(scope="module", params=FAMILIES)
def engine(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    stored: dict[str, bytes],
) -> Iterator[Engine]:
    folder = model_folder(request.param, tmp_path_factory.mktemp("models") / request.param)
    started = Engine([profile_for(str(folder))], stored.__getitem__)
    yield started
    assert started.stop(60)


def made(engine: Engine, operation: Operation = Operation.IMAGINE, **changes: Any) -> Any:
    (name,) = engine.load().profiles
    request = make_request(operation, profile=name, width=SIDE, height=SIDE, steps=6, **changes)
    handle = engine.submit(request)
    pictures = handle.result(120)
    assert handle.progress.step == handle.progress.steps > 0
    assert handle.progress.preview is not None
    assert max(open_image(handle.progress.preview).size) == 256
    return [open_image(picture.data) for picture in pictures]


def test_text_to_image_is_equal_alone_and_in_batch(engine: Engine) -> None:
    batch = made(engine, seed=3, count=2)
    (alone,) = made(engine, seed=4)
    assert alone.size == (SIDE, SIDE)
    assert mean_difference(alone, batch[1]) < 1
    assert mean_difference(*batch) > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": Operation.VARY, "sources": ("disc",)},
        {"operation": Operation.IMAGINE, "sources": ("disc",), "strength": 0.5},
        {"operation": Operation.BLEND, "sources": ("disc", "bars")},
    ],
)
def test_image_to_image(engine: Engine, changes: dict[str, Any]) -> None:
    batch = made(engine, seed=3, count=2, **changes)
    (alone,) = made(engine, seed=4, **changes)
    assert mean_difference(alone, batch[1]) < 1
    assert mean_difference(*batch) > 0


def test_inpainting(engine: Engine) -> None:
    batch = made(engine, Operation.FILL, seed=3, count=2, sources=("disc",), mask="mask")
    (alone,) = made(engine, Operation.FILL, seed=4, sources=("disc",), mask="mask")
    assert mean_difference(alone, batch[1]) < 1
    assert np.asarray(alone).std() > 0


@pytest.mark.parametrize("engine", ["flux2_klein"], indirect=True)
def test_native_edit_model_edits(engine: Engine) -> None:
    first, second = made(engine, Operation.EDIT, sources=("disc",), count=2)
    assert mean_difference(first, second) > 0


def test_pipeline_without_a_callback_reports_steps_and_is_cancelled_midway(
    tmp_path: Path, stored: dict[str, bytes]
) -> None:
    folder = model_folder("sdxl", tmp_path / "sdxl")
    model_folder("sdxl_instruct", folder / "edit")
    engine = Engine([profile_for(str(folder))], stored.__getitem__)
    try:
        request = make_request(
            Operation.EDIT, profile="sdxl", width=SIDE, height=SIDE, steps=6, sources=("disc",)
        )
        handle = engine.submit(request)
        seen = [progress.step for progress in handle.updates()]
        assert len(handle.result(120)) == 1
        assert seen == sorted(seen)
        assert handle.progress.step == handle.progress.steps == 6
        cancelled = engine.submit(replace(request, steps=200))
        for progress in cancelled.updates():
            if progress.step >= 2:
                cancelled.cancel()
        assert engine.submit(request).result(120)
        assert cancelled.progress.step < 200
    finally:
        assert engine.stop(60)
