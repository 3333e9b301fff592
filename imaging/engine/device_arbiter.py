"""Passes the device between requests at step boundaries. Thread-safe; imports no torch.

Each request renders on a thread of its own, and only the holder of the device runs. The holder
passes the device on when it yields and the `StepScheduler` selects another request. A denoiser call
of the holder can include the pending calls of other requests with an equal key; their threads then
continue with the outputs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass
from threading import Condition, Lock
from typing import Any

import structlog

from imaging.engine.batch_limits import BatchLimits
from imaging.engine.daemon_threads import DaemonThreads
from imaging.engine.error_summary import error_fields
from imaging.engine.render_handle import DenoiserCall, ExclusiveTurn, RenderHandle
from imaging.engine.step_scheduler import WEIGHTS, Arrival, StepScheduler
from imaging.errors import OutOfMemory
from imaging.request import Priority

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class DeviceStatistics:
    """Counters since the engine started.

    `busy_seconds` is the time during which a request held the device, `pauses` the number of times
    that a request in progress waited for a more urgent one. `steps` counts denoiser calls,
    `step_seconds` their total duration, `batched` the requests in them.
    """

    busy_seconds: float = 0.0
    pauses: int = 0
    steps: int = 0
    step_seconds: float = 0.0
    batched: int = 0


@dataclass(eq=False, slots=True)
class Turn:
    """One request's access to the device: the `DeviceTurn` of its handle."""

    arbiter: DeviceArbiter
    handle: RenderHandle
    priority: Priority
    group: Hashable | None
    render: Callable[[], None]
    wake: Condition
    unit_began_at: float = 0.0
    accounted_at: float = 0.0
    pending: DenoiserCall | None = None
    output: Any = None

    def yield_device(self) -> None:
        """Let more urgent requests use the device. Raises the error that settled the request."""
        self.arbiter.yield_device(self)

    def call(self, denoiser_call: DenoiserCall) -> Any:
        """Yield, then run the call, possibly in a batch."""
        return self.arbiter.call(self, denoiser_call)

    def account(self) -> None:
        """Add the device time of the current unit to the handle's `seconds` now."""
        self.arbiter.account(self)

    def free_memory(self) -> int:
        """Move the tensors of paused requests to the host; returns the bytes."""
        return self.arbiter.free_memory(self)


class DeviceArbiter:
    """Decides which request's thread runs on the device."""

    def __init__(
        self,
        *,
        weights: Mapping[Priority, float] = WEIGHTS,
        limits: BatchLimits | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limits = BatchLimits() if limits is None else limits
        self._clock = clock
        self._lock = Lock()
        self._released = Condition(self._lock)
        self._scheduler: StepScheduler[Turn] = StepScheduler(weights, self.limits)
        self._holder: Turn | None = None
        self._threads = DaemonThreads("engine-render")
        self._closed = False
        self._statistics = DeviceStatistics()
        self._arrivals = 0

    # -- for the engine -------------------------------------------------------------------------

    def next_arrival(self) -> Arrival:
        """The arrival of a new request, later than all before."""
        with self._lock:
            self._arrivals += 1
            return Arrival(self._clock(), self._arrivals)

    def submit(
        self,
        handle: RenderHandle,
        arrival: Arrival,
        render: Callable[[], None],
        *,
        seconds: float | None = None,
        group: Hashable | None = None,
    ) -> Turn:
        """Schedule a request; `render` runs on its thread once it has the device.

        `seconds` estimates its device time. `render` must not raise. Requests of one `group` are
        expected to make denoiser calls of equal keys.
        """
        turn = Turn(self, handle, handle.request.priority, group, render, Condition(self._lock))
        with self._lock:
            handle.turn = turn
            self._scheduler.add(turn, turn.priority, arrival, seconds=seconds, group=group)
            self._dispatch()
        return turn

    def withdraw(self, turn: Turn) -> None:
        """The request is settled: a paused or waiting one ends now, the holder at its next step."""
        with self._lock:
            if turn is not self._holder and self._scheduler.remove(turn):
                turn.wake.notify_all()

    def waiting(self, priority: Priority) -> int:
        """The number of requests of a class that have not begun."""
        with self._lock:
            return self._scheduler.waiting(priority)

    def batch_limit(self) -> int:
        """How many requests of the kinds that are scheduled usefully share a denoiser call."""
        with self._lock:
            groups = {turn.group for turn in self._scheduler if turn.group is not None}
            return max((self.limits[group] for group in groups), default=1)

    @property
    def holder(self) -> RenderHandle | None:
        """The request that has the device."""
        with self._lock:
            return self._holder.handle if self._holder else None

    def statistics(self) -> DeviceStatistics:
        """Counters since the start."""
        with self._lock:
            return self._statistics

    def close(self, timeout: float) -> bool:
        """Begin no further request; whether the device was released within `timeout` seconds."""
        with self._lock:
            self._closed = True
            released = self._released.wait_for(lambda: self._holder is None, timeout)
        self._threads.close()
        return released

    # -- on a request's thread ------------------------------------------------------------------

    def yield_device(self, turn: Turn) -> None:
        """Implements `Turn.yield_device`."""
        turn.handle.check()
        with self._lock:
            self._end_unit(turn)
            waits = self._pass_on(turn)
        if waits:
            self._wait(turn)

    def call(self, turn: Turn, denoiser_call: DenoiserCall) -> Any:
        """Implements `Turn.call`."""
        turn.handle.check()
        with self._lock:
            self._end_unit(turn)
            shared = self._scheduler.has_peers(turn)
        key = denoiser_call.key if shared else None  # not needed while the request is alone
        with self._lock:
            turn.pending = denoiser_call
            if key is not None:
                self._scheduler.await_batch(turn, key)
            waits = self._pass_on(turn)
        try:
            if waits:
                self._wait(turn)
            if turn.pending is None:  # computed in another request's batch
                return turn.output
            return self._run_batch(turn, denoiser_call)
        finally:
            turn.pending = turn.output = None

    def account(self, turn: Turn) -> None:
        """Implements `Turn.account`."""
        with self._lock:
            self._end_unit(turn)

    def free_memory(self, turn: Turn) -> int:
        """Implements `Turn.free_memory`. Only the holder touches the tensors of paused requests."""
        with self._lock:
            others = [other for other in self._scheduler if other is not turn]
            calls = [other.pending for other in others if other.pending is not None]
        moved = sum(call.offload() for call in calls)
        if moved:
            log.info("paused-requests-offloaded", requests=len(calls), bytes=moved)
        return moved

    def _run_batch(self, turn: Turn, denoiser_call: DenoiserCall) -> Any:
        with self._lock:
            members = self._scheduler.take_batch(turn)
        peers = tuple((peer, peer.pending) for peer in members[1:] if peer.pending is not None)
        began = self._clock()
        output = self._try_batch(turn, denoiser_call, peers) if peers else None
        if output is None:
            peers = ()
            began = self._clock()
            self._restore(turn, denoiser_call)
            output = denoiser_call.run()
        self._account_batch(turn, [peer for peer, _ in peers], self._clock() - began)
        return output

    def _restore(self, turn: Turn, denoiser_call: DenoiserCall) -> None:
        """Move the call's tensors back to the device. Raises OutOfMemory."""
        try:
            denoiser_call.restore()
        except OutOfMemory:
            if not self.free_memory(turn):
                raise
            denoiser_call.restore()

    def _try_batch(
        self,
        turn: Turn,
        denoiser_call: DenoiserCall,
        peers: tuple[tuple[Turn, DenoiserCall], ...],
    ) -> Any:
        """The output for `turn`; None if the batch failed, and the peers then wait again."""
        try:
            for call in (denoiser_call, *(call for _, call in peers)):
                call.restore()
            outputs = denoiser_call.run_with(tuple(call for _, call in peers))
        except Exception as error:  # noqa: BLE001 - a batch must not fail the requests in it
            size = len(peers) + 1
            limit = size // 2 if isinstance(error, OutOfMemory) else 1
            log.warning("batch-failed", size=size, limit=limit, **error_fields(error))
            with self._lock:
                self.limits.restrict(turn.group, limit)
                for peer, call in peers:
                    if peer in self._scheduler:
                        self._scheduler.await_batch(peer, call.key)
            return None
        with self._lock:
            for (peer, _), output in zip(peers, outputs[1:], strict=True):
                peer.output, peer.pending = output, None
        return outputs[0]

    def _account_batch(self, turn: Turn, peers: list[Turn], seconds: float) -> None:
        size = len(peers) + 1
        with self._lock:
            for member in (turn, *peers):
                self._scheduler.charge(member, seconds / size)
                member.handle.seconds += seconds / size
            turn.accounted_at = self._clock()
            self.limits.record(turn.group, size, seconds)
            one = self._statistics
            self._statistics = DeviceStatistics(
                one.busy_seconds + seconds,
                one.pauses,
                one.steps + 1,
                one.step_seconds + seconds,
                one.batched + size,
            )

    # -- passing the device on ------------------------------------------------------------------

    def _end_unit(self, turn: Turn) -> None:
        """Account the unit that `turn` has run. Called with the lock held by the holder."""
        self._account(turn)
        turn.handle.unit_seconds.append(turn.accounted_at - turn.unit_began_at)
        turn.unit_began_at = turn.accounted_at

    def _account(self, turn: Turn) -> None:
        """Account the time since the last call. Called with the lock held by the holder."""
        now = self._clock()
        seconds = now - turn.accounted_at
        turn.accounted_at = now
        turn.handle.seconds += seconds
        self._scheduler.charge(turn, seconds)
        self._add_statistics(busy_seconds=seconds)

    def _add_statistics(self, busy_seconds: float = 0.0, pauses: int = 0) -> None:
        one = self._statistics
        self._statistics = DeviceStatistics(
            one.busy_seconds + busy_seconds,
            one.pauses + pauses,
            one.steps,
            one.step_seconds,
            one.batched,
        )

    def _pass_on(self, turn: Turn) -> bool:
        """Release the device to a more urgent request; whether `turn` must wait."""
        if self._scheduler.select() is turn:
            return False
        self._holder = None
        self._dispatch()
        return True

    def _dispatch(self) -> None:
        """Give a free device to the selected request. Called with the lock held."""
        if self._holder is not None or self._closed:
            return
        turn = self._scheduler.select()
        if turn is None:
            return
        self._holder = turn
        turn.unit_began_at = turn.accounted_at = self._clock()
        if self._scheduler.begin(turn):
            self._threads.start(lambda: self._render(turn))
        else:
            turn.wake.notify_all()

    def _render(self, turn: Turn) -> None:
        try:
            turn.render()
        finally:
            with self._lock:
                if turn.handle.turn is turn:  # it has no new turn yet
                    turn.handle.turn = ExclusiveTurn()  # drops the references to its inputs
                self._leave(turn)

    def _leave(self, turn: Turn) -> None:
        """The request's thread ends; it has the device unless it was settled while it waited."""
        if self._holder is turn:
            self._account(turn)
            self._scheduler.remove(turn)
            self._holder = None
            self._released.notify_all()
            self._dispatch()

    def _wait(self, turn: Turn) -> None:
        """Wait for the device. Raises the error that settled the request."""
        with self._lock:
            holder = self._holder
            urgent = holder is not None and holder.priority < turn.priority
            self._add_statistics(pauses=int(urgent))
        turn.handle.pause(publish=urgent)
        with self._lock:
            turn.wake.wait_for(lambda: self._holder is turn or turn.handle.done)
            if self._holder is turn:
                turn.unit_began_at = turn.accounted_at = self._clock()
                self._scheduler.resume(turn)
            else:
                self._scheduler.remove(turn)
        turn.handle.resume()
        turn.handle.check()
