"""Requests of bare denoiser calls on the engine's arbiter, for measuring interruptions."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event

from imaging.engine.device_arbiter import DeviceArbiter, Turn
from imaging.engine.io_threads import run_guarded
from imaging.engine.render_handle import RenderHandle
from imaging.request import ImageRequest, Operation, Priority

STEPS = 20
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Requests:
    """`long` and `short` each run one step, of a batch of four and of one picture."""

    long: Callable[[], None]
    short: Callable[[], None]

    def paid_first_step(self) -> float:
        """Seconds from submitting an urgent request until its first step is done."""
        arbiter, running, stepped = DeviceArbiter(), Event(), Event()
        free = _submit(arbiter, self.long, Priority.NORMAL, running)
        running.wait(PATIENCE)
        began = time.monotonic()
        paid = _submit(arbiter, self.short, Priority.EXPRESS, stepped)
        stepped.wait(PATIENCE)
        seconds = time.monotonic() - began
        paid.cancel()
        free.cancel()
        arbiter.close(PATIENCE)
        return seconds

    def cancel(self) -> float:
        """Seconds from cancelling a request until the device is free."""
        arbiter, running = DeviceArbiter(), Event()
        free = _submit(arbiter, self.long, Priority.NORMAL, running)
        running.wait(PATIENCE)
        began = time.monotonic()
        free.cancel()
        arbiter.close(PATIENCE)
        return time.monotonic() - began


def _submit(
    arbiter: DeviceArbiter, step: Callable[[], None], priority: Priority, stepped: Event
) -> RenderHandle:
    """A request of STEPS steps; `stepped` is set after the first."""
    request = ImageRequest(Operation.IMAGINE, "", "gpu", 8, 8, 0, priority=priority)
    turns: list[Turn] = []

    def withdraw(_: RenderHandle) -> None:
        for turn in turns:
            arbiter.withdraw(turn)

    handle = RenderHandle(request, on_settled=withdraw)

    def render() -> None:
        for _ in range(STEPS):
            step()
            stepped.set()
            handle.turn.yield_device()
        handle.finish(())

    arrival = arbiter.next_arrival()
    turns.append(arbiter.submit(handle, arrival, lambda: run_guarded(handle, render)))
    return handle
