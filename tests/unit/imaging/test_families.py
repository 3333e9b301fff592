"""Other families of models go through the same code: real pipelines, small random weights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from imaging.engine.engine import Engine
from imaging.profiles import profile_for
from imaging.request import Operation
from tests.unit.imaging.models import MAKERS, model_folder
from tests.unit.imaging.pictures import difference, opened, order

SIDE = 64


@pytest.fixture(scope="module", params=sorted(MAKERS))
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
    request = order(operation, profile=name, width=SIDE, height=SIDE, steps=6, **changes)
    rendering = engine.submit(request)
    pictures = rendering.result(120)
    assert rendering.progress.step == rendering.progress.steps > 0
    assert rendering.progress.preview is not None
    assert max(opened(rendering.progress.preview).size) == 256
    return [opened(picture.data) for picture in pictures]


def test_pictures_from_words_are_the_same_alone_and_in_a_batch(engine: Engine) -> None:
    batch = made(engine, seed=3, count=2)
    (alone,) = made(engine, seed=4)
    assert alone.size == (SIDE, SIDE)
    assert difference(alone, batch[1]) < 1
    assert difference(*batch) > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"operation": Operation.VARY, "sources": ("disc",)},
        {"operation": Operation.IMAGINE, "sources": ("disc",), "strength": 0.5},
        {"operation": Operation.BLEND, "sources": ("disc", "bars")},
    ],
)
def test_pictures_from_pictures(engine: Engine, changes: dict[str, Any]) -> None:
    batch = made(engine, seed=3, count=2, **changes)
    (alone,) = made(engine, seed=4, **changes)
    assert difference(alone, batch[1]) < 1
    assert difference(*batch) > 0


def test_a_mask_is_filled(engine: Engine) -> None:
    batch = made(engine, Operation.FILL, seed=3, count=2, sources=("disc",), mask="mask")
    (alone,) = made(engine, Operation.FILL, seed=4, sources=("disc",), mask="mask")
    assert difference(alone, batch[1]) < 1
    assert np.asarray(alone).std() > 0


@pytest.mark.parametrize("engine", ["flux2_klein"], indirect=True)
def test_a_model_that_edits_itself_is_asked_to(engine: Engine) -> None:
    first, second = made(engine, Operation.EDIT, sources=("disc",), count=2)
    assert difference(first, second) > 0
