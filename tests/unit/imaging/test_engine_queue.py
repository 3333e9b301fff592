"""The engine around its models: order, cancel, deadlines, stop, faults. With the runner `blank`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from imaging.engine.blank import BlankRunner
from imaging.engine.engine import Engine
from imaging.engine.rendering import Rendering
from imaging.errors import (
    EngineStopped,
    ImagingError,
    NotAPicture,
    OutOfMemory,
    PictureTooLarge,
    RenderCancelled,
    RenderTimedOut,
    UnknownProfile,
    Unsupported,
)
from imaging.formats import encode_png
from imaging.profiles import profile_for
from imaging.provenance import Provenance, SourceType, read_provenance
from imaging.request import Operation, Priority, Stage
from tests.unit.imaging.pictures import disc, file_of, noise, opened, order

FOREVER = 10_000  # steps, or seconds: longer than any test
Files = dict[str, bytes]


@pytest.fixture
def files() -> Files:
    return {"disc": file_of(disc()), "mask": file_of(Image.new("L", (64, 64), 255))}


@pytest.fixture
def make_engine(files: Files) -> Iterator[Callable[[float], Engine]]:
    engines: list[Engine] = []

    def read(name: str) -> bytes:
        if name not in files:
            raise FileNotFoundError(name)
        return files[name]

    def make(seconds_per_step: float = 0.0) -> Engine:
        blank = BlankRunner(seconds_per_step)
        engines.append(Engine([profile_for("blank")], read, blank=blank))
        return engines[-1]

    yield make
    for engine in engines:
        assert engine.stop()


def until(rendering: Rendering, stage: Stage) -> None:
    """Wait until it is in this stage."""
    for progress in rendering.updates():
        if progress.stage is stage:
            return
    pytest.fail(f"it ended before {stage}")


def occupied(engine: Engine) -> Rendering:
    """A request that holds the device until it is cancelled."""
    rendering = engine.submit(order(steps=200))
    until(rendering, Stage.STEPS)
    return rendering


def test_pictures_come_back_with_size_seed_and_origin(make_engine: Any) -> None:
    pictures = make_engine().submit(order(count=3, width=80, height=48, seed=2**32 - 2)).result(30)
    assert [picture.seed for picture in pictures] == [2**32 - 2, 2**32 - 1, 0]
    assert len({picture.data for picture in pictures}) == 3
    for picture in pictures:
        assert opened(picture.data).size == (picture.width, picture.height) == (80, 48)
        origin = read_provenance(picture.data)
        assert origin is not None
        assert (origin.prompt, origin.seed, origin.steps) == ("a red house", picture.seed, 4)
        assert origin.source_type is SourceType.MADE


def test_blank_is_served_only_where_it_was_asked_for() -> None:
    with pytest.raises(UnknownProfile):
        Engine([profile_for("blank")], lambda _: b"")


def test_those_who_wait_show_it_and_go_by_priority_then_arrival(make_engine: Any) -> None:
    engine = make_engine(0.05)
    first = occupied(engine)
    ranks = [Priority.RELAXED, Priority.NORMAL, Priority.EXPRESS] * 3
    waiting = [engine.submit(order(steps=1, priority=rank)) for rank in ranks]
    assert {rendering.progress.stage for rendering in waiting} == {Stage.WAITING}
    load = engine.load()
    assert load.waiting == dict.fromkeys(Priority, 3)
    assert (load.running, load.room) == (1, 0)
    first.cancel()
    for rendering in waiting:
        rendering.result(30)
    began = [rendering.steps_began_at for rendering in waiting]
    by_beginning = sorted(range(len(waiting)), key=lambda place: began[place] or 0)
    assert by_beginning == sorted(range(len(waiting)), key=lambda place: (ranks[place], place))


def test_a_slow_source_costs_nobody_their_place(make_engine: Any, files: Files) -> None:
    engine = make_engine(0.05)
    first = occupied(engine)
    early = engine.submit(order(Operation.VARY, sources=("disc",), steps=1))
    late = engine.submit(order(steps=1))
    while sum(engine.load().waiting.values()) < 2:
        pass
    first.cancel()
    early.result(30)
    late.result(30)
    assert (early.steps_began_at or 0) < (late.steps_began_at or 0)


def test_a_running_request_is_cancelled_and_the_next_is_served(make_engine: Any) -> None:
    engine = make_engine(0.05)
    running = occupied(engine)
    following = engine.submit(order())
    running.cancel("by the member")
    with pytest.raises(RenderCancelled):
        running.result()
    assert len(following.result(30)) == 1
    assert running.progress.step < 200


def test_a_waiting_request_is_cancelled_without_ever_running(make_engine: Any) -> None:
    engine = make_engine(0.05)
    running = occupied(engine)
    waiting = engine.submit(order())
    waiting.cancel()
    with pytest.raises(RenderCancelled):
        waiting.result()
    assert sum(engine.load().waiting.values()) == 0
    running.cancel()
    engine.submit(order()).result(30)
    assert waiting.steps_began_at is None


def test_a_deadline_counts_while_running_and_while_waiting(make_engine: Any) -> None:
    engine = make_engine(0.02)
    running = engine.submit(order(steps=200), seconds=0.2)
    waiting = engine.submit(order(), seconds=0.05)
    for rendering in (waiting, running):
        with pytest.raises(RenderTimedOut):
            rendering.result(30)
    assert len(engine.submit(order()).result(30)) == 1


def test_stopping_ends_all_with_a_reason_to_try_elsewhere(make_engine: Any) -> None:
    engine = make_engine(0.05)
    renderings = [occupied(engine), engine.submit(order())]
    assert engine.stop()
    renderings.append(engine.submit(order()))
    for rendering in renderings:
        with pytest.raises(EngineStopped) as caught:
            rendering.result(30)
        assert not caught.value.lasting
    assert engine.load().room == 0


def test_rates_and_load_tell_of_the_work(make_engine: Any) -> None:
    engine = make_engine(0.01)
    assert engine.load().room == 2
    rendering = engine.submit(order(count=2, steps=5))
    rendering.result(30)
    (rate,) = engine.rates()
    assert (rate.profile, rate.operation, rate.width, rate.steps) == (
        "blank",
        Operation.IMAGINE,
        64,
        5,
    )
    assert rate.seconds >= 0.025  # five pauses of 0.01 s, shared by two pictures
    assert rendering.seconds >= 0.05
    assert engine.load().running == 0
    while engine.load().quiet_seconds:  # until the thread has looked up
        pass


def test_a_silent_device_is_seen(make_engine: Any) -> None:
    engine = make_engine(FOREVER)
    rendering = engine.submit(order())
    until(rendering, Stage.STEPS)
    quiet = engine.load().quiet_seconds
    while engine.load().quiet_seconds <= quiet:
        pass
    rendering.cancel()


def test_a_warm_up_gives_no_picture_but_a_rate(make_engine: Any) -> None:
    engine = make_engine()
    assert engine.warm_up("blank").result(30) == ()
    assert len(engine.rates()) == 1
    with pytest.raises(UnknownProfile):
        engine.warm_up("sdxl").result(30)


@pytest.mark.parametrize("factor", [2, 4, None])
def test_an_enlargement_is_larger_and_labelled_as_such(
    make_engine: Any, factor: int | None
) -> None:
    request = order(Operation.UPSCALE, sources=("disc",), factor=factor)
    (picture,) = make_engine().submit(request).result(30)
    side = 64 * (factor or 2)
    assert opened(picture.data).size == (picture.width, picture.height) == (side, side)
    origin = read_provenance(picture.data)
    assert origin is not None
    assert (origin.method, origin.steps, origin.source_type) == (
        "lanczos",
        None,
        SourceType.ENLARGED,
    )


def test_an_enlarged_picture_of_ai_stays_labelled_as_made_by_ai(
    make_engine: Any, files: Files
) -> None:
    made = Provenance(
        Operation.IMAGINE, "x", "", "postcard", 1, 8, 3.0, None, 64, 64, SourceType.MADE
    )
    files["made"] = encode_png(disc(), made.png_info())
    request = order(Operation.UPSCALE, sources=("made",), factor=2)
    (picture,) = make_engine().submit(request).result(30)
    origin = read_provenance(picture.data)
    assert origin is not None
    assert (origin.method, origin.source_type) == ("lanczos", SourceType.MADE)


def test_too_large_an_enlargement_is_refused(make_engine: Any, files: Files) -> None:
    files["large"] = file_of(Image.new("RGB", (3000, 2000)))
    request = order(Operation.UPSCALE, sources=("large",), factor=4)
    with pytest.raises(PictureTooLarge):
        make_engine().submit(request).result(30)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"profile": "sdxl"}, UnknownProfile),
        ({"count": 0}, Unsupported),
        ({"count": 5}, Unsupported),
        ({"steps": 0}, Unsupported),
        ({"strength": 1.5}, Unsupported),
        ({"seed": -1}, Unsupported),
        ({"seed": 2**32}, Unsupported),
        ({"width": 0}, Unsupported),
        ({"width": 9000, "height": 9000}, Unsupported),
        ({"operation": Operation.VARY}, Unsupported),
        ({"operation": Operation.BLEND, "sources": ("disc",)}, Unsupported),
        ({"operation": Operation.FILL, "sources": ("disc",)}, Unsupported),
        ({"operation": Operation.UPSCALE, "sources": ("disc",), "factor": 3}, Unsupported),
        ({"sources": ("disc", "disc")}, Unsupported),
        ({"operation": Operation.VARY, "sources": ("gone",)}, NotAPicture),
        ({"operation": Operation.VARY, "sources": ("text",)}, NotAPicture),
        ({"operation": Operation.VARY, "sources": ("cut",)}, NotAPicture),
        ({"operation": Operation.FILL, "sources": ("disc",), "mask": "black"}, Unsupported),
    ],
)
def test_what_cannot_be_done_fails_that_request_alone(
    make_engine: Any, files: Files, changes: dict[str, Any], error: type[ImagingError]
) -> None:
    files["text"] = b"hello"
    files["cut"] = file_of(noise((64, 64)))[:5000]
    files["black"] = file_of(Image.new("L", (64, 64), 0))
    engine = make_engine()
    with pytest.raises(error) as caught:
        engine.submit(order(**changes)).result(30)
    assert type(caught.value) is error
    assert str(caught.value)
    assert len(engine.submit(order()).result(30)) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [(MemoryError("no room"), OutOfMemory), (ZeroDivisionError("a bug"), ImagingError)],
)
def test_the_thread_outlives_any_fault(
    make_engine: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception, error: type[ImagingError]
) -> None:
    engine = make_engine()

    def failing(*_: object) -> None:
        raise fault

    with monkeypatch.context() as broken:
        broken.setattr(BlankRunner, "render", failing)
        with pytest.raises(error):
            engine.submit(order()).result(30)
    assert len(engine.submit(order()).result(30)) == 1


def test_a_reader_that_breaks_fails_that_request_alone(make_engine: Any, files: Files) -> None:
    engine = make_engine()
    files["disc"] = None  # type: ignore[assignment]
    with pytest.raises(ImagingError):
        engine.submit(order(Operation.VARY, sources=("disc",))).result(30)
    assert len(engine.submit(order()).result(30)) == 1


def test_storage_that_hangs_holds_nobody_else_up() -> None:
    gone_on = threading.Event()

    def read(_: str) -> bytes:
        assert gone_on.wait(60)
        return file_of(disc())

    engine = Engine([profile_for("blank")], read, blank=BlankRunner())
    try:
        stuck = [engine.submit(order(Operation.VARY, sources=("x",))) for _ in range(8)]
        assert len(engine.submit(order()).result(30)) == 1
        gone_on.set()
        assert all(len(rendering.result(30)) == 1 for rendering in stuck)
    finally:
        gone_on.set()
        assert engine.stop()


def test_a_long_loading_is_not_taken_for_a_hang(
    make_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()

    def loading(_: object, __: object, rendering: Rendering, ___: object) -> list[Any]:
        rendering.report(Stage.LOADING)
        rendering.pause(FOREVER)
        return []

    monkeypatch.setattr(BlankRunner, "render", loading)
    rendering = engine.submit(order())
    until(rendering, Stage.LOADING)
    assert engine.load().quiet_seconds == 0
    rendering.cancel()


def test_many_threads_can_ask_at_once(make_engine: Any) -> None:
    engine = make_engine()
    got: list[int] = []

    def ask(seed: int) -> None:
        (picture,) = engine.submit(order(seed=seed)).result(60)
        got.append(picture.seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(got) == list(range(24))
    assert engine.load().running == 0
