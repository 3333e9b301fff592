"""Engines of one profile, and what their denoiser is called with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel

from imaging.engine.engine import Engine
from imaging.profiles import Profile

PATIENCE = 120.0


@pytest.fixture
def make_engine() -> Iterator[Callable[[Profile], Engine]]:
    """Makes warm engines, which are stopped after the test."""
    engines: list[Engine] = []

    def make(profile: Profile) -> Engine:
        engines.append(Engine([profile], lambda _: b""))
        engines[-1].warm_up(profile.name).result(PATIENCE)
        return engines[-1]

    yield make
    for engine in engines:
        assert engine.stop(60)


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The pictures in each call of the denoiser; with guidance, each is there twice."""
    forward = UNet2DConditionModel.forward
    seen: list[int] = []

    def counted(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        seen.append(len(sample) // 2)
        return forward(self, sample, *args, **more)

    monkeypatch.setattr(UNet2DConditionModel, "forward", counted)
    return seen
