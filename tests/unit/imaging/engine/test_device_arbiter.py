"""Threads that share a device: passing it on, cancelling, pausing the deadline, batching."""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from threading import Event
from types import SimpleNamespace
from typing import Any

import pytest

from imaging.engine.batch_limits import BatchLimits
from imaging.engine.device_arbiter import DeviceArbiter, Turn
from imaging.engine.io_threads import run_guarded
from imaging.engine.render_handle import DenoiserCall, RenderHandle
from imaging.errors import OutOfMemory, RenderCancelled, RenderTimedOut
from imaging.request import Priority, Stage
from tests.unit.imaging.pictures import make_request

SECONDS = 30  # longer than any test waits


@dataclass
class Call:
    """A denoiser call that adds one to its value.

    `failure` breaks batches of it; there is memory for batches of `most`. Its first
    `restore_failures` returns from the host fail.
    """

    value: int
    key: Hashable | None = "key"
    failure: Exception | None = None
    most: int = 100
    restore_failures: int = 0
    on_host: bool = False
    batches: list[int] = field(default_factory=list)

    def offload(self) -> int:
        self.on_host = True
        return 8

    def restore(self) -> None:
        if self.on_host and self.restore_failures:
            self.restore_failures -= 1
            raise OutOfMemory("full")
        self.on_host = False

    def run(self) -> int:
        self.batches.append(1)
        return self.value + 1

    def run_with(self, others: tuple[DenoiserCall, ...]) -> tuple[Any, ...]:
        calls = [self, *(other for other in others if isinstance(other, Call))]
        if self.failure is not None:
            raise self.failure
        if len(calls) > self.most:
            raise OutOfMemory("full")
        self.batches.append(len(calls))
        return tuple(call.value + 1 for call in calls)


def submit(
    arbiter: DeviceArbiter,
    body: Callable[[RenderHandle], None],
    priority: Priority = Priority.NORMAL,
    deadline: float | None = None,
) -> RenderHandle:
    """Run `body` as a request."""
    turns: list[Turn] = []

    def withdraw(_: RenderHandle) -> None:
        for turn in turns:
            arbiter.withdraw(turn)

    handle = RenderHandle(make_request(priority=priority), deadline=deadline, on_settled=withdraw)

    def render() -> None:
        body(handle)
        handle.finish(())

    arrival = arbiter.next_arrival()
    turns.append(
        arbiter.submit(handle, arrival, lambda: run_guarded(handle, render), group="group")
    )
    return handle


def steps(count: int, log: list[str], name: str) -> Callable[[RenderHandle], None]:
    def body(handle: RenderHandle) -> None:
        for step in range(count):
            log.append(name)
            handle.report(Stage.STEPS, step + 1, count)
            handle.turn.yield_device()

    return body


def held(arbiter: DeviceArbiter) -> Callable[[], None]:
    """Occupy the device until the returned function is called."""
    going, begun = Event(), Event()

    def body(_: RenderHandle) -> None:
        begun.set()
        assert going.wait(SECONDS)

    submit(arbiter, body)
    assert begun.wait(SECONDS)
    return going.set


def test_urgent_request_takes_over_at_the_next_step_and_gives_back() -> None:
    arbiter = DeviceArbiter()
    log: list[str] = []
    urgent: list[RenderHandle] = []

    def body(handle: RenderHandle) -> None:
        for step in range(4):
            if step == 2:
                urgent.append(submit(arbiter, steps(3, log, "urgent"), Priority.EXPRESS))
            log.append("free")
            handle.report(Stage.STEPS, step + 1, 4)
            handle.turn.yield_device()

    free = submit(arbiter, body)
    free.result(SECONDS)
    urgent[0].result(SECONDS)
    assert log == ["free"] * 3 + ["urgent"] * 3 + ["free"]
    assert free.paused_seconds > 0
    assert arbiter.statistics().pauses == 1


def test_pause_is_published_as_progress() -> None:
    arbiter = DeviceArbiter()
    seen: list[tuple[Stage, int, int]] = []

    def look(_: RenderHandle) -> None:
        while free.progress.stage is not Stage.PAUSED:
            time.sleep(0.001)
        seen.append((free.progress.stage, free.progress.step, free.progress.steps))

    def body(handle: RenderHandle) -> None:
        handle.report(Stage.STEPS, 12, 30)
        urgent.append(submit(arbiter, look, Priority.EXPRESS))
        handle.turn.yield_device()
        seen.append((handle.progress.stage, handle.progress.step, handle.progress.steps))

    urgent: list[RenderHandle] = []
    release = held(arbiter)
    free = submit(arbiter, body)
    release()
    free.result(SECONDS)
    assert seen == [(Stage.PAUSED, 12, 30), (Stage.STEPS, 12, 30)]


def test_paused_request_is_cancelled_without_the_device() -> None:
    arbiter = DeviceArbiter()
    ended = Event()

    def body(handle: RenderHandle) -> None:
        submit(arbiter, wait, Priority.EXPRESS)
        try:
            handle.turn.yield_device()
        finally:
            ended.set()

    def wait(_: RenderHandle) -> None:
        free.cancel()
        assert ended.wait(SECONDS)  # while this request holds the device

    release = held(arbiter)
    free = submit(arbiter, body)
    release()
    with pytest.raises(RenderCancelled):
        free.result(SECONDS)
    assert arbiter.close(SECONDS)


def test_holder_that_is_cancelled_frees_the_device_at_its_next_step() -> None:
    arbiter = DeviceArbiter()
    log: list[str] = []

    def body(handle: RenderHandle) -> None:
        handle.cancel()
        submit(arbiter, steps(1, log, "next"))
        log.append("last")
        handle.turn.yield_device()
        log.append("not reached")

    cancelled = submit(arbiter, body)
    with pytest.raises(RenderCancelled):
        cancelled.result(SECONDS)
    submit(arbiter, steps(1, log, "end")).result(SECONDS)
    assert log == ["last", "next", "end"]


class Clock:
    """Seconds that pass when a request says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_seconds(self, seconds: float) -> Callable[[RenderHandle], None]:
        """A request that takes so long."""

        def body(_: RenderHandle) -> None:
            self.now += seconds

        return body


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock of deadlines."""
    clock = Clock()
    monkeypatch.setattr("imaging.engine.render_handle.time", SimpleNamespace(monotonic=clock))
    return clock


def test_paused_time_does_not_count_towards_the_deadline(clock: Clock) -> None:
    arbiter = DeviceArbiter(clock=clock)

    def body(handle: RenderHandle) -> None:
        clock.now += 3.0
        submit(arbiter, clock.pass_seconds(100.0), Priority.EXPRESS)
        handle.turn.yield_device()
        clock.now += 4.0
        handle.turn.yield_device()

    paused = submit(arbiter, body, deadline=clock.now + 7.5)
    paused.result(SECONDS)
    assert paused.paused_seconds == 100.0


def test_running_time_counts_towards_the_deadline(clock: Clock) -> None:
    def body(handle: RenderHandle) -> None:
        clock.now += 7.0
        handle.turn.yield_device()
        clock.now += 1.0
        handle.turn.yield_device()

    late = submit(DeviceArbiter(clock=clock), body, deadline=clock.now + 7.5)
    with pytest.raises(RenderTimedOut):
        late.result(SECONDS)


def test_device_seconds_exclude_pauses(clock: Clock) -> None:
    arbiter = DeviceArbiter(clock=clock)

    def body(handle: RenderHandle) -> None:
        clock.now += 3.0
        submit(arbiter, clock.pass_seconds(0.5), Priority.EXPRESS)
        handle.turn.yield_device()
        clock.now += 4.0

    free = submit(arbiter, body)
    free.result(SECONDS)
    assert arbiter.close(SECONDS)
    assert (free.seconds, free.paused_seconds) == (7.0, 0.5)
    assert arbiter.statistics().busy_seconds == 7.5


def test_closed_arbiter_begins_nothing() -> None:
    arbiter = DeviceArbiter()
    log: list[str] = []
    assert arbiter.close(SECONDS)
    submit(arbiter, steps(1, log, "late"))
    assert arbiter.holder is None
    assert log == []


# -- batches ------------------------------------------------------------------------------------


def calling(
    calls: list[Call], outputs: list[int], *, count: int = 1
) -> Callable[[RenderHandle], None]:
    def body(handle: RenderHandle) -> None:
        for call in calls[:count]:
            outputs.append(handle.turn.call(call))

    return body


def run_together(arbiter: DeviceArbiter, calls: list[list[Call]]) -> list[list[int]]:
    """The outputs of requests that make these calls, all waiting at once."""
    release = held(arbiter)
    outputs: list[list[int]] = [[] for _ in calls]
    handles = [
        submit(arbiter, calling(mine, out, count=len(mine)))
        for mine, out in zip(calls, outputs, strict=True)
    ]
    release()
    for handle in handles:
        handle.result(SECONDS)
    return outputs


def test_equal_calls_share_a_batch_and_get_their_own_outputs() -> None:
    calls = [[Call(value), Call(value + 100)] for value in (1, 2)]
    outputs = run_together(DeviceArbiter(), calls)
    assert outputs == [[2, 102], [3, 103]]
    batches = sorted(call.batches for mine in calls for call in mine)
    assert batches == [[], [], [2], [2]]  # one call for each step, with both requests in it


def test_key_is_not_computed_for_a_request_that_is_alone() -> None:
    class Alone:
        @property
        def key(self) -> Hashable:
            raise AssertionError("computed")

        def run(self) -> int:
            return 2

        def run_with(self, others: tuple[DenoiserCall, ...]) -> tuple[Any, ...]:
            raise AssertionError(others)

        def offload(self) -> int:
            return 0

        def restore(self) -> None:
            pass

    outputs: list[int] = []
    submit(DeviceArbiter(), lambda h: outputs.append(h.turn.call(Alone()))).result(SECONDS)
    assert outputs == [2]


def test_request_joins_and_leaves_at_any_step() -> None:
    calls = [[Call(1), Call(2), Call(3)], [Call(10)]]
    assert run_together(DeviceArbiter(), calls) == [[2, 3, 4], [11]]
    assert [call.batches for call in calls[0]] == [[2], [1], [1]]


def test_calls_of_different_keys_run_alone() -> None:
    calls = [[Call(1, key="a")], [Call(2, key="b")], [Call(3, key=None)]]
    assert run_together(DeviceArbiter(), calls) == [[2], [3], [4]]
    assert [mine[0].batches for mine in calls] == [[1], [1], [1]]


@pytest.mark.parametrize(
    ("failure", "limit"), [(OutOfMemory("full"), 1), (ValueError("shapes"), 1)]
)
def test_failed_batch_is_repeated_alone_and_lowers_the_limit(
    failure: Exception, limit: int
) -> None:
    limits = BatchLimits()
    calls = [[Call(1, failure=failure)], [Call(2, failure=failure)]]
    assert run_together(DeviceArbiter(limits=limits), calls) == [[2], [3]]
    assert [mine[0].batches for mine in calls] == [[1], [1]]
    assert limits["group"] == limit


def test_out_of_memory_halves_the_limit() -> None:
    """Once: the halved batch fits, and no larger one is tried again."""
    limits = BatchLimits()
    for size in (1, 2, 4):
        limits.record("group", size, 0.1)
    calls = [[Call(value, most=2), Call(value + 100, most=2)] for value in range(4)]
    assert limits["group"] == 8
    assert run_together(DeviceArbiter(limits=limits), calls) == [[v + 1, v + 101] for v in range(4)]
    assert limits["group"] == 2
    sizes = [size for mine in calls for call in mine for size in call.batches]
    assert (sum(sizes), max(sizes)) == (8, 2)


def test_memory_of_paused_requests_moves_to_the_host_and_back() -> None:
    arbiter = DeviceArbiter()
    moved: list[int] = []
    call = Call(1)

    def take(handle: RenderHandle) -> None:
        moved.append(handle.turn.free_memory())

    def body(handle: RenderHandle) -> None:
        submit(arbiter, take, Priority.EXPRESS)
        assert handle.turn.call(call) == 2

    submit(arbiter, body).result(SECONDS)
    assert moved == [8]
    assert not call.on_host


def test_call_whose_memory_cannot_be_restored_raises_out_of_memory() -> None:
    arbiter = DeviceArbiter()
    call = Call(1, restore_failures=9)

    def take(handle: RenderHandle) -> None:
        handle.turn.free_memory()

    def body(handle: RenderHandle) -> None:
        submit(arbiter, take, Priority.EXPRESS)
        handle.turn.call(call)

    with pytest.raises(OutOfMemory):
        submit(arbiter, body).result(SECONDS)
    assert call.batches == []


def test_limit_doubles_while_the_time_per_request_does_not_grow() -> None:
    limits = BatchLimits(largest=8)
    assert limits["a"] == 2
    for size, seconds, expected in [(1, 0.1, 2), (2, 0.15, 4), (4, 0.29, 8)]:
        limits.record("a", size, seconds)
        assert limits["a"] == expected


def test_limit_returns_to_the_best_measured_size() -> None:
    limits = BatchLimits(largest=8)
    for size, seconds in [(1, 0.1), (2, 0.15), (4, 0.4)]:
        limits.record("a", size, seconds)
    assert limits["a"] == 2


def test_limit_bounds_the_step_that_others_wait_for() -> None:
    limits = BatchLimits(largest=8, step_seconds=1.0)
    limits.record("a", 1, 0.6)
    assert limits["a"] == 1
