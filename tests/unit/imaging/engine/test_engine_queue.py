"""Queueing, cancellation, deadlines, shutdown and faults, with the blank runner."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PIL import Image

from imaging.engine.blank_runner import BlankRunner
from imaging.engine.engine import Engine
from imaging.engine.render_handle import RenderHandle
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
from tests.unit.imaging.pictures import disc, encode_image, make_request, noise, open_image

FOREVER = 10_000  # steps, or seconds: longer than any test
Files = dict[str, bytes]


@pytest.fixture
def files() -> Files:
    return {"disc": encode_image(disc()), "mask": encode_image(Image.new("L", (64, 64), 255))}


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


def until(handle: RenderHandle, stage: Stage) -> None:
    """Wait until the request reaches `stage`."""
    for progress in handle.updates():
        if progress.stage is stage:
            return
    pytest.fail(f"it ended before {stage}")


def running_request(engine: Engine) -> RenderHandle:
    """A running request that lasts until it is cancelled."""
    handle = engine.submit(make_request(steps=200))
    until(handle, Stage.STEPS)
    return handle


def test_pictures_have_requested_size_seed_and_provenance(make_engine: Any) -> None:
    pictures = (
        make_engine().submit(make_request(count=3, width=80, height=48, seed=2**32 - 2)).result(30)
    )
    assert [picture.seed for picture in pictures] == [2**32 - 2, 2**32 - 1, 0]
    assert len({picture.data for picture in pictures}) == 3
    for picture in pictures:
        assert open_image(picture.data).size == (picture.width, picture.height) == (80, 48)
        origin = read_provenance(picture.data)
        assert origin is not None
        assert (origin.prompt, origin.seed, origin.steps) == ("a red house", picture.seed, 4)
        assert origin.source_type is SourceType.MADE


def test_blank_profile_needs_a_blank_runner() -> None:
    with pytest.raises(UnknownProfile):
        Engine([profile_for("blank")], lambda _: b"")


def test_waiting_requests_are_served_by_priority_then_arrival(make_engine: Any) -> None:
    engine = make_engine(0.05)
    first = running_request(engine)
    ranks = [Priority.RELAXED, Priority.NORMAL, Priority.EXPRESS] * 3
    waiting = [engine.submit(make_request(steps=1, priority=rank)) for rank in ranks]
    assert {handle.progress.stage for handle in waiting} == {Stage.WAITING}
    load = engine.load()
    assert load.waiting == dict.fromkeys(Priority, 3)
    assert (load.running, load.free_slots) == (1, 0)
    first.cancel()
    for handle in waiting:
        handle.result(30)
    began = [handle.steps_began_at for handle in waiting]
    by_beginning = sorted(range(len(waiting)), key=lambda place: began[place] or 0)
    assert by_beginning == sorted(range(len(waiting)), key=lambda place: (ranks[place], place))


def test_slow_source_download_keeps_arrival_order(make_engine: Any, files: Files) -> None:
    engine = make_engine(0.05)
    first = running_request(engine)
    early = engine.submit(make_request(Operation.VARY, sources=("disc",), steps=1))
    late = engine.submit(make_request(steps=1))
    while sum(engine.load().waiting.values()) < 2:
        pass
    first.cancel()
    early.result(30)
    late.result(30)
    assert (early.steps_began_at or 0) < (late.steps_began_at or 0)


def test_cancelling_running_request_serves_the_next(make_engine: Any) -> None:
    engine = make_engine(0.05)
    running = running_request(engine)
    following = engine.submit(make_request())
    running.cancel("by the member")
    with pytest.raises(RenderCancelled):
        running.result()
    assert len(following.result(30)) == 1
    assert running.progress.step < 200


def test_cancelled_waiting_request_never_runs(make_engine: Any) -> None:
    engine = make_engine(0.05)
    running = running_request(engine)
    waiting = engine.submit(make_request())
    waiting.cancel()
    with pytest.raises(RenderCancelled):
        waiting.result()
    assert sum(engine.load().waiting.values()) == 0
    running.cancel()
    engine.submit(make_request()).result(30)
    assert waiting.steps_began_at is None


def test_deadline_applies_while_running_and_while_waiting(make_engine: Any) -> None:
    engine = make_engine(0.02)
    running = engine.submit(make_request(steps=200), seconds=0.2)
    waiting = engine.submit(make_request(), seconds=0.05)
    for handle in (waiting, running):
        with pytest.raises(RenderTimedOut):
            handle.result(30)
    assert len(engine.submit(make_request()).result(30)) == 1


def test_stop_fails_all_requests_with_retryable_error(make_engine: Any) -> None:
    engine = make_engine(0.05)
    handles = [running_request(engine), engine.submit(make_request())]
    assert engine.stop()
    handles.append(engine.submit(make_request()))
    for handle in handles:
        with pytest.raises(EngineStopped) as caught:
            handle.result(30)
        assert not caught.value.permanent
    assert engine.load().free_slots == 0


def test_render_times_and_load_reflect_work(make_engine: Any) -> None:
    engine = make_engine(0.01)
    assert engine.load().free_slots == 2
    handle = engine.submit(make_request(count=2, steps=5))
    handle.result(30)
    (rate,) = engine.render_times()
    assert (rate.profile, rate.operation, rate.width, rate.steps) == (
        "blank",
        Operation.IMAGINE,
        64,
        5,
    )
    assert rate.seconds >= 0.025  # five pauses of 0.01 s, shared by two pictures
    assert handle.seconds >= 0.05
    assert engine.load().running == 0
    while engine.load().stalled_seconds:  # until the thread is idle
        pass


def test_stalled_device_is_reported(make_engine: Any) -> None:
    engine = make_engine(FOREVER)
    handle = engine.submit(make_request())
    until(handle, Stage.STEPS)
    quiet = engine.load().stalled_seconds
    while engine.load().stalled_seconds <= quiet:
        pass
    handle.cancel()


def test_warm_up_records_render_time_without_pictures(make_engine: Any) -> None:
    engine = make_engine()
    assert engine.warm_up("blank").result(30) == ()
    assert len(engine.render_times()) == 1
    with pytest.raises(UnknownProfile):
        engine.warm_up("sdxl").result(30)


@pytest.mark.parametrize("factor", [2, 4, None])
def test_upscale_is_larger_and_labelled(make_engine: Any, factor: int | None) -> None:
    request = make_request(Operation.UPSCALE, sources=("disc",), factor=factor)
    (picture,) = make_engine().submit(request).result(30)
    side = 64 * (factor or 2)
    assert open_image(picture.data).size == (picture.width, picture.height) == (side, side)
    origin = read_provenance(picture.data)
    assert origin is not None
    assert (origin.method, origin.steps, origin.source_type) == (
        "lanczos",
        None,
        SourceType.ENLARGED,
    )


def test_upscaled_ai_picture_keeps_ai_source_type(make_engine: Any, files: Files) -> None:
    made = Provenance(
        Operation.IMAGINE, "x", "", "postcard", 1, 8, 3.0, None, 64, 64, SourceType.MADE
    )
    files["made"] = encode_png(disc(), made.png_info())
    request = make_request(Operation.UPSCALE, sources=("made",), factor=2)
    (picture,) = make_engine().submit(request).result(30)
    origin = read_provenance(picture.data)
    assert origin is not None
    assert (origin.method, origin.source_type) == ("lanczos", SourceType.MADE)


def test_too_large_upscale_is_rejected(make_engine: Any, files: Files) -> None:
    files["large"] = encode_image(Image.new("RGB", (3000, 2000)))
    request = make_request(Operation.UPSCALE, sources=("large",), factor=4)
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
def test_invalid_request_fails_alone(
    make_engine: Any, files: Files, changes: dict[str, Any], error: type[ImagingError]
) -> None:
    files["text"] = b"hello"
    files["cut"] = encode_image(noise((64, 64)))[:5000]
    files["black"] = encode_image(Image.new("L", (64, 64), 0))
    engine = make_engine()
    with pytest.raises(error) as caught:
        engine.submit(make_request(**changes)).result(30)
    assert type(caught.value) is error
    assert str(caught.value)
    assert len(engine.submit(make_request()).result(30)) == 1


@pytest.mark.parametrize(
    ("fault", "error"),
    [(MemoryError("no room"), OutOfMemory), (ZeroDivisionError("a bug"), ImagingError)],
)
def test_engine_thread_survives_runner_faults(
    make_engine: Any, monkeypatch: pytest.MonkeyPatch, fault: Exception, error: type[ImagingError]
) -> None:
    engine = make_engine()

    def failing(*_: object) -> None:
        raise fault

    with monkeypatch.context() as broken:
        broken.setattr(BlankRunner, "render", failing)
        with pytest.raises(error):
            engine.submit(make_request()).result(30)
    assert len(engine.submit(make_request()).result(30)) == 1


def test_failing_source_reader_fails_only_that_request(make_engine: Any, files: Files) -> None:
    engine = make_engine()
    files["disc"] = None  # type: ignore[assignment]
    with pytest.raises(ImagingError):
        engine.submit(make_request(Operation.VARY, sources=("disc",))).result(30)
    assert len(engine.submit(make_request()).result(30)) == 1


def test_hanging_storage_does_not_block_other_requests() -> None:
    gone_on = threading.Event()

    def read(_: str) -> bytes:
        assert gone_on.wait(60)
        return encode_image(disc())

    engine = Engine([profile_for("blank")], read, blank=BlankRunner())
    try:
        stuck = [engine.submit(make_request(Operation.VARY, sources=("x",))) for _ in range(8)]
        assert len(engine.submit(make_request()).result(30)) == 1
        gone_on.set()
        assert all(len(handle.result(30)) == 1 for handle in stuck)
    finally:
        gone_on.set()
        assert engine.stop()


def test_long_model_loading_is_not_a_stall(
    make_engine: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()

    def loading(_: object, __: object, handle: RenderHandle, ___: object) -> list[Any]:
        handle.report(Stage.LOADING)
        handle.sleep(FOREVER)
        return []

    monkeypatch.setattr(BlankRunner, "render", loading)
    handle = engine.submit(make_request())
    until(handle, Stage.LOADING)
    assert engine.load().stalled_seconds == 0
    handle.cancel()


def test_submit_is_thread_safe(make_engine: Any) -> None:
    engine = make_engine()
    got: list[int] = []

    def ask(seed: int) -> None:
        (picture,) = engine.submit(make_request(seed=seed)).result(60)
        got.append(picture.seed)

    threads = [threading.Thread(target=ask, args=(seed,)) for seed in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(got) == list(range(24))
    assert engine.load().running == 0


def test_paid_request_overtakes_a_running_free_one(make_engine: Any) -> None:
    engine = make_engine(0.02)
    free = running_request(engine)
    paid = engine.submit(make_request(steps=5, priority=Priority.EXPRESS))
    paid.result(30)
    assert not free.done
    assert free.progress.step < 200
    steps = free.progress.step
    while free.progress.step <= steps + 1:  # it continues where it was
        assert not free.done
    free.cancel()
    assert engine.device_statistics().pauses >= 1


def test_pause_is_shown_with_the_steps_done(make_engine: Any) -> None:
    engine = make_engine(0.05)
    free = running_request(engine)
    paid = engine.submit(make_request(steps=100, priority=Priority.EXPRESS))
    until(free, Stage.PAUSED)
    progress = free.progress
    assert (progress.stage, progress.steps) == (Stage.PAUSED, 200)
    assert progress.step >= 1
    paid.cancel()
    until(free, Stage.STEPS)
    free.cancel()


def test_flood_of_paid_requests_does_not_starve_free_ones(make_engine: Any) -> None:
    engine = make_engine(0.01)
    free = engine.submit(make_request(steps=3))
    flood = [engine.submit(make_request(steps=20, priority=Priority.EXPRESS)) for _ in range(20)]
    free.result(60)
    assert sum(handle.done for handle in flood) < len(flood)
    for handle in flood:
        handle.cancel()


def test_paused_request_is_cancelled_at_once(make_engine: Any) -> None:
    engine = make_engine(0.05)
    free = running_request(engine)
    paid = engine.submit(make_request(steps=200, priority=Priority.EXPRESS))
    until(free, Stage.PAUSED)
    free.cancel()
    with pytest.raises(RenderCancelled):
        free.result(0)
    assert engine.load().running == 1
    paid.cancel()


def test_stop_ends_running_and_paused_requests(make_engine: Any) -> None:
    engine = make_engine(0.05)
    free = running_request(engine)
    paid = engine.submit(make_request(steps=200, priority=Priority.EXPRESS))
    until(free, Stage.PAUSED)
    assert engine.stop()
    for handle in (free, paid):
        with pytest.raises(EngineStopped):
            handle.result(0)


def test_render_time_does_not_include_pauses(make_engine: Any) -> None:
    engine = make_engine(0.02)
    free = engine.submit(make_request(steps=10))
    until(free, Stage.STEPS)
    engine.submit(make_request(steps=40, priority=Priority.EXPRESS)).result(60)
    free.result(60)
    times = {entry.steps: entry.seconds for entry in engine.render_times()}
    assert free.paused_seconds > 0
    assert times[10] < times[40]
