"""Every pipeline class: paused, moved to the host and resumed, it draws what the stock one draws.

Bitwise, before the values are rounded to bytes. The reference is a call of the stock pipeline with
the engine's arguments. `test_step_parity` compares the calls themselves, for fewer classes; here
these run in `make soak` only.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from imaging.bench.tiny_models import MAKERS
from imaging.engine import diffusers_runner
from imaging.engine.denoiser import Denoiser
from imaging.engine.devices import open_device
from imaging.engine.engine import Engine
from imaging.engine.model_loading import load_model
from imaging.engine.pipeline_call import build_call
from imaging.engine.render_handle import RenderHandle
from imaging.engine.settings import EngineSettings
from imaging.engine.types import RenderInputs
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation, Priority
from tests.unit.imaging.pictures import bars, disc, encode_image, make_request
from tests.unit.imaging.tiny_families import FAMILY_MAKERS, family_folder, small_references

Pixels = npt.NDArray[np.float32]
PATIENCE = 240.0
STEPS = 6
PAUSES = (2, 4)  # calls of the denoiser before which a more urgent request comes
COARSE = {"sana", "sana_sprint", "glm_image", "flux2", "flux2_klein"}
SOURCES = {"disc": disc(), "bars": bars()}


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(name, marks=[pytest.mark.soak] if name in MAKERS else [])
        for name in sorted(FAMILY_MAKERS)
    ],
)
def profile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Profile]:
    name = request.param
    folder = tmp_path_factory.getbasetemp() / "families" / name
    with small_references():
        side = 128 if name in COARSE else 64
        yield profile_for(str(family_folder(name, folder, side=side, steps=2)))


def wanted(profile: Profile, seed: int, steps: int) -> ImageRequest:
    """The plainest request of a model."""
    operation = next(one for one in Operation if one in profile.operations)
    width, height = profile.size("1:1")
    return make_request(
        operation,
        profile=profile.name,
        width=width,
        height=height,
        seed=seed,
        steps=steps,
        sources=() if operation is Operation.IMAGINE else ("disc",),
        mask="bars" if operation is Operation.FILL else None,
        priority=Priority.NORMAL if steps == STEPS else Priority.EXPRESS,
    )


def stock(profile: Profile, requests: list[ImageRequest]) -> list[Pixels]:
    """What the stock pipeline draws, `(h, w, 3)` in 0…1 each."""
    model, drawn = load_model(profile, profile.source, open_device("cpu", None)), []
    for one in requests:
        mask = SOURCES["bars"].convert("L") if one.mask else None
        inputs = RenderInputs(tuple(SOURCES[name] for name in one.sources), mask)
        result = build_call(model, profile, one, inputs)([one.seed])
        drawn.append(result.images[0] if hasattr(result, "images") else result.image[0])
    return drawn


class Interruptions:
    """Submits more urgent requests while the first one draws, and moves its tensors away."""

    def __init__(self, engine: Engine, urgent: list[ImageRequest]) -> None:
        self.engine, self.urgent = engine, list(urgent)
        self.handles: list[RenderHandle] = []
        self.moved = 0
        self._slow: RenderHandle | None = None
        self._calls = 0

    def before(self, handle: RenderHandle) -> None:
        """Called on a request's thread, before each call of its denoiser."""
        self._slow = self._slow or handle
        if handle is not self._slow:
            self.moved += handle.turn.free_memory()
            return
        self._calls += 1
        if self._calls in PAUSES:
            one = self.urgent[PAUSES.index(self._calls)]
            self.handles.append(self.engine.submit(one, previews=False))


def test_paused_and_resumed_request_draws_what_the_stock_pipeline_draws(
    profile: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [wanted(profile, 3, STEPS), wanted(profile, 4, 3), wanted(profile, 5, 2)]
    expected = stock(profile, requests)
    files = {name: encode_image(image) for name, image in SOURCES.items()}
    settings = EngineSettings(device="cpu", strict=True)
    engine = Engine([profile], files.__getitem__, settings)
    interruptions = Interruptions(engine, requests[1:])
    drawn: list[Pixels] = []
    call, convert = Denoiser.__call__, diffusers_runner._image

    def interrupted(denoiser: Denoiser, *args: Any, **more: Any) -> Any:
        interruptions.before(denoiser._handle)
        return call(denoiser, *args, **more)

    def recorded(values: Pixels, profile: Profile) -> Any:
        drawn.append(values)
        return convert(values, profile)

    monkeypatch.setattr(Denoiser, "__call__", interrupted)
    monkeypatch.setattr(diffusers_runner, "_image", recorded)
    try:
        slow = engine.submit(requests[0], previews=False)
        slow.result(PATIENCE)
        for handle in interruptions.handles:
            handle.result(PATIENCE)
        # How many depends on how long each unit takes: the classes share the device by time.
        assert engine.device_statistics().pauses >= 1
    finally:
        assert engine.stop(60)
    assert len({one.tobytes() for one in expected}) == len(expected)
    assert sorted(map(values, drawn)) == sorted(map(values, expected))
    assert interruptions.moved > 0


def values(pixels: Pixels) -> tuple[tuple[int, ...], str, bytes]:
    """All that must agree."""
    return pixels.shape, str(pixels.dtype), pixels.tobytes()
