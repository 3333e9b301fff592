"""Several models in one engine: the least used one leaves memory, one in use never does."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator, Mapping
from threading import Event
from typing import Any

import psutil
import pytest
import torch
from diffusers import UNet2DConditionModel

from imaging.bench.tiny_models import sd15
from imaging.engine import model_loading
from imaging.engine.checkpoints import weight_bytes
from imaging.engine.engine import Engine
from imaging.engine.render_handle import RenderHandle
from imaging.engine.settings import EngineSettings
from imaging.errors import OutOfMemory, RenderCancelled
from imaging.profiles import Profile, profile_for
from imaging.request import Operation, Priority
from tests.stack import wait_until
from tests.unit.imaging.pictures import make_request

PATIENCE = 120.0
NAMES = ("one", "two", "three")


@pytest.fixture(scope="module")
def profiles(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Profile]:
    """Three tiny models of one class and size with different weights."""
    made = {}
    for seed, name in enumerate(NAMES):
        folder = tmp_path_factory.mktemp("models") / name
        torch.manual_seed(seed)
        sd15().save_pretrained(str(folder))
        (folder / "atelier.json").write_text('{"checker": "off"}', encoding="utf-8")
        made[name] = profile_for(str(folder))
    return made


class Loads:
    """The models that an engine has loaded, by name, and those that are still in memory."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        self.most = 0  # the largest number in memory while one is loaded, that one included
        self._models: list[tuple[str, weakref.ref[Any]]] = []
        load = model_loading.load_model

        def counted(profile: Profile, *args: Any) -> Any:
            self.names.append(profile.name)
            self.most = max(self.most, len(self.alive) + 1)
            model = load(profile, *args)
            self._models.append((profile.name, weakref.ref(model.base.unet)))
            return model

        monkeypatch.setattr("imaging.engine.diffusers_runner.load_model", counted)

    @property
    def alive(self) -> list[str]:
        gc.collect()
        return [name for name, model in self._models if model() is not None]


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> Loads:
    return Loads(monkeypatch)


@pytest.fixture
def make_engine(profiles: Mapping[str, Profile]) -> Iterator[Callable[[float], Engine]]:
    """Engines with memory for so many of the models."""
    engines = []
    size = max(weight_bytes(profile.source) for profile in profiles.values())

    def make(models: float) -> Engine:
        share = models * size / psutil.virtual_memory().total
        settings = EngineSettings(device="cpu", strict=True, memory_share=share, slots=8)
        engines.append(Engine(profiles.values(), lambda _: b"", settings))
        return engines[-1]

    yield make
    for engine in engines:
        assert engine.stop(60)


def submit(
    engine: Engine,
    name: str,
    priority: Priority = Priority.NORMAL,
    *,
    steps: int = 3,
    operation: Operation = Operation.IMAGINE,
) -> RenderHandle:
    return engine.submit(
        make_request(
            operation, profile=name, width=32, height=32, steps=steps, seed=5, priority=priority
        ),
        previews=False,
    )


def drawn(handle: RenderHandle) -> bytes:
    (picture,) = handle.result(PATIENCE)
    return picture.data


Pictures = Mapping[tuple[str, int], bytes]


@pytest.fixture(scope="module")
def expected(profiles: Mapping[str, Profile]) -> Pictures:
    """What an engine of one model alone draws, by the model's name and the steps."""
    made = {}
    for name, profile in profiles.items():
        engine = Engine([profile], lambda _: b"", EngineSettings(device="cpu", strict=True))
        for steps in (1, 3, 6):
            made[name, steps] = drawn(submit(engine, name, steps=steps))
        assert engine.stop(60)
    assert len(set(made.values())) == len(made)
    return made


class Gate:
    """Holds the denoiser back in its calls of the given numbers, counted from 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *numbers: int) -> None:
        self.reached = {number: Event() for number in numbers}
        self.open = {number: Event() for number in numbers}
        forward, calls = UNet2DConditionModel.forward, iter(range(1, 10_000))

        def gated(network: Any, *args: Any, **more: Any) -> Any:
            number = next(calls)
            if number in self.open:
                self.reached[number].set()
                assert self.open[number].wait(PATIENCE)
            return forward(network, *args, **more)

        monkeypatch.setattr(UNet2DConditionModel, "forward", gated)

    def wait(self, number: int) -> None:
        assert self.reached[number].wait(PATIENCE)


def test_least_used_model_leaves_memory(make_engine: Any, loads: Loads, expected: Pictures) -> None:
    engine = make_engine(1.5)
    for name in ("one", "two", "one", "two", "two"):
        assert drawn(submit(engine, name)) == expected[name, 3]
        wait_until(lambda: loads.alive == [loads.names[-1]], PATIENCE, "the other is freed")
    assert loads.names == ["one", "two", "one", "two"]
    assert loads.most == 1  # the old one is gone before the new one is read


def test_models_that_fit_stay_and_the_one_used_longest_ago_leaves(
    make_engine: Any, loads: Loads, expected: Pictures
) -> None:
    engine = make_engine(2.5)
    for name in ("one", "two", "one", "three", "one", "two"):
        assert drawn(submit(engine, name)) == expected[name, 3]
    assert loads.names == ["one", "two", "three", "two"]
    wait_until(lambda: sorted(loads.alive) == ["one", "two"], PATIENCE, "the third is freed")


def test_unused_models_leave_where_the_next_one_is_faster_without_them(
    make_engine: Any, loads: Loads, expected: Pictures, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(3.5)
    drawn(submit(engine, "one"))
    drawn(submit(engine, "two"))
    monkeypatch.setattr("imaging.engine.diffusers_runner.is_crowded", lambda *_: True)
    assert drawn(submit(engine, "three")) == expected["three", 3]
    wait_until(lambda: loads.alive == ["three"], PATIENCE, "the others are freed")


def test_model_of_a_paused_request_stays(
    make_engine: Any,
    loads: Loads,
    expected: Pictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It was used longest ago of the three, and yet another one leaves."""
    engine = make_engine(2.5)
    gate = Gate(monkeypatch, 3)
    slow = submit(engine, "one", steps=6)
    gate.wait(3)
    urgent = [submit(engine, name, Priority.EXPRESS) for name in ("two", "three")]
    gate.open[3].set()
    assert [drawn(one) for one in urgent] == [expected["two", 3], expected["three", 3]]
    assert drawn(slow) == expected["one", 6]
    assert slow.paused_seconds > 0
    assert loads.names == ["one", "two", "three"]
    assert loads.most == 2
    wait_until(lambda: sorted(loads.alive) == ["one", "three"], PATIENCE, "the second is freed")


def test_model_that_does_not_fit_beside_those_in_use_waits_for_them(
    make_engine: Any,
    loads: Loads,
    expected: Pictures,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Even that of a more urgent request; and later ones wait behind it."""
    engine = make_engine(1.5)
    gate = Gate(monkeypatch, 2, 4)
    slow = submit(engine, "one", Priority.RELAXED, steps=6)
    gate.wait(2)
    urgent = submit(engine, "two")
    gate.open[2].set()
    gate.wait(4)  # the more urgent request had its turn in between
    later = submit(engine, "one", steps=1)
    assert engine.load().waiting[Priority.NORMAL] == 2
    gate.open[4].set()
    assert drawn(slow) == expected["one", 6]
    assert drawn(urgent) == expected["two", 3]
    assert drawn(later) == expected["one", 1]
    assert loads.names == ["one", "two", "one"]
    assert loads.most == 1
    assert engine.load().waiting[Priority.NORMAL] == 0


@pytest.mark.parametrize("cancelled", ["the one in use", "the one that waits"])
def test_cancelled_request_blocks_no_other(
    make_engine: Any,
    loads: Loads,
    expected: Pictures,
    monkeypatch: pytest.MonkeyPatch,
    cancelled: str,
) -> None:
    engine = make_engine(1.5)
    gate = Gate(monkeypatch, 2, 4)
    slow = submit(engine, "one", steps=6)
    gate.wait(2)
    urgent = submit(engine, "two", Priority.EXPRESS)
    gate.open[2].set()
    gate.wait(4)
    (slow if cancelled == "the one in use" else urgent).cancel()
    gate.open[4].set()
    if cancelled == "the one in use":
        assert drawn(urgent) == expected["two", 3]
        with pytest.raises(RenderCancelled):
            slow.result(PATIENCE)
    else:
        assert drawn(slow) == expected["one", 6]
        with pytest.raises(RenderCancelled):
            urgent.result(PATIENCE)
    assert drawn(submit(engine, "two")) == expected["two", 3]
    assert loads.names == ["one", "two"]


def test_picture_that_never_fits_fails_though_other_models_are_loaded(
    make_engine: Any, profiles: Mapping[str, Profile], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(2.5)
    drawn(submit(engine, "one"))
    drawn(submit(engine, "two"))

    def starved(*_args: Any, **_more: Any) -> None:
        torch.empty(2**60, dtype=torch.uint8)

    with monkeypatch.context() as context:
        context.setattr(UNet2DConditionModel, "forward", starved)
        with pytest.raises(OutOfMemory):
            submit(engine, "two").result(PATIENCE)
    drawn(submit(engine, "one"))
