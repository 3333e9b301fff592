"""Models that must finish a request once begun: by their profile, or because they keep a cache."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import diffusers
import pytest

from imaging.bench.tiny_models import make_pipeline, model_folder
from imaging.engine.denoiser import keeps_state
from imaging.engine.engine import Engine
from imaging.engine.render_handle import RenderHandle
from imaging.errors import ModelUnavailable, RenderCancelled
from imaging.profiles import Profile, profile_for
from imaging.request import Priority
from tests.unit.imaging.pictures import make_request

PATIENCE = 120.0


def free(engine: Engine, postcard: Profile, calls: list[int]) -> RenderHandle:
    """A running request of two pictures and 20 steps."""
    width, height = postcard.size("1:1")
    calls.clear()
    handle = engine.submit(
        make_request(profile="postcard", width=width, height=height, count=2, steps=20)
    )
    for progress in handle.updates():
        if progress.step:
            return handle
    raise AssertionError("it ended without a step")


def paid(engine: Engine, postcard: Profile) -> RenderHandle:
    width, height = postcard.size("1:1")
    request = make_request(profile="postcard", width=width, height=height, steps=2)
    return engine.submit(replace(request, priority=Priority.EXPRESS))


@pytest.mark.parametrize("pausable", [True, False])
def test_profile_decides_whether_a_paid_request_interrupts(
    make_engine: Any, postcard: Profile, calls: list[int], pausable: bool
) -> None:
    engine = make_engine(replace(postcard, pausable=pausable))
    slow = free(engine, postcard, calls)
    paid(engine, postcard).result(PATIENCE)
    slow.result(PATIENCE)
    assert sorted(calls) == [1] * 2 + [2] * 20
    assert (calls[-1] == 2) is pausable


def test_cancel_frees_the_device_midway_although_it_cannot_be_paused(
    make_engine: Any, postcard: Profile, calls: list[int]
) -> None:
    engine = make_engine(replace(postcard, pausable=False))
    slow = free(engine, postcard, calls)
    slow.cancel()
    paid(engine, postcard).result(PATIENCE)
    with pytest.raises(RenderCancelled):
        slow.result(PATIENCE)
    assert calls.count(2) < 20


def test_network_with_a_cache_keeps_state() -> None:
    pipe = make_pipeline("flux1")
    assert not keeps_state(pipe)
    pipe.transformer.enable_cache(diffusers.FirstBlockCacheConfig(threshold=0.1))
    assert keeps_state(pipe)


def test_folder_says_whether_it_can_be_paused(tmp_path: Path) -> None:
    folder = model_folder("sd15", tmp_path)
    assert profile_for(str(folder)).pausable
    file = folder / "atelier.json"
    file.write_text(json.dumps({"checker": "off", "pausable": False, "tile_pixels": 4096}))
    profile = profile_for(str(folder))
    assert (profile.pausable, profile.tile_pixels) == (False, 4096)
    file.write_text(json.dumps({"pausable": None}))
    assert profile_for(str(folder)).pausable
    file.write_text(json.dumps({"pausable": "no way"}))
    with pytest.raises(ModelUnavailable, match="pausable"):
        profile_for(str(folder))
