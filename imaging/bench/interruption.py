"""Measures how an urgent request interrupts a long one on the real engine and the bundled model."""

from __future__ import annotations

import random
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median

from imaging.engine.engine import Engine
from imaging.engine.render_handle import RenderHandle
from imaging.errors import RenderCancelled
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation, Priority

PROMPT = "a small red house left of a green tree, at night"
FREE_STEPS, FREE_PICTURES = 50, 4
PAUSE_AT = 20  # steps
UNIT_STEPS = 4
"""Steps of the requests whose units are measured: units do not depend on their number."""


@dataclass(slots=True)
class Interruptions:
    """Measurements by round, in seconds."""

    paid_first_step: list[float] = field(default_factory=list)
    paid_first_step_alone: list[float] = field(default_factory=list)
    units: list[Sequence[float]] = field(default_factory=list)  # of a free request, in order
    cancel: list[float] = field(default_factory=list)

    @property
    def longest_unit(self) -> float:
        """The longest of the units' medians over the rounds: the encoding with the first step, a
        step, or a decode."""
        return max(medians(self.units))

    def figures(self) -> dict[str, float]:
        """Medians over the rounds."""
        return {
            "paid_first_step_ms": median(self.paid_first_step) * 1000,
            "paid_first_step_alone_ms": median(self.paid_first_step_alone) * 1000,
            "longest_unit_ms": self.longest_unit * 1000,
            "cancel_ms": median(self.cancel) * 1000,
        }


def order(
    profile: Profile, seed: int, *, priority: Priority, steps: int = 0, count: int = 1
) -> ImageRequest:
    """A request of the profile's default size; with 0 `steps`, of its default steps."""
    width, height = profile.size("1:1")
    return ImageRequest(
        Operation.IMAGINE,
        PROMPT,
        profile.name,
        width,
        height,
        seed,
        count=count,
        steps=steps or None,
        priority=priority,
    )


def measure(engine: Engine, profile: Profile, rounds: int) -> Interruptions:
    """Each round: a free request's units, a paid request alone, then a free request that a paid one
    interrupts and that is cancelled later."""
    found = Interruptions()
    chance = random.Random(0)  # noqa: S311 - not for secrets
    for number in range(rounds):
        found.units.append(_units(engine, profile, number, steps=UNIT_STEPS))
        paid = _paid(engine, profile, number)
        found.paid_first_step_alone.append(_first_step(paid))
        paid.result()
        at = chance.randrange(2, FREE_STEPS - 20)
        free = _free(engine, profile, number)
        _reach(free, at)
        paid = _paid(engine, profile, number)
        found.paid_first_step.append(_first_step(paid))
        paid.result()
        _reach(free, at + 5)
        found.cancel.append(_cancel(engine, profile, free))
    return found


def free_overhead(engine: Engine, profile: Profile, rounds: int) -> float:
    """Device time of a free request with a pause, over one without.

    `engine` measures device time on its own clock. Runs alternate as without, with, with, without,
    so that a drift of the machine's speed cancels out. The device time is the sum of the units'
    medians over the runs. The pause is always at the same unit, so that its cost is in the medians.
    """
    alone, paused = [], []
    for number in range(rounds):
        alone.append(_units(engine, profile, number))
        paused += [_units(engine, profile, number, PAUSE_AT) for _ in range(2)]
        alone.append(_units(engine, profile, number))
    return sum(medians(paused)) / sum(medians(alone))


def medians(runs: Sequence[Sequence[float]]) -> list[float]:
    """The median of each unit over runs of equally many units."""
    return [median(unit) for unit in zip(*runs, strict=True)]


def _units(
    engine: Engine, profile: Profile, seed: int, pause_at: int = 0, steps: int = FREE_STEPS
) -> Sequence[float]:
    """Durations of a free request's units; with `pause_at`, it is interrupted after that step."""
    free = _free(engine, profile, seed, steps)
    if pause_at:
        _reach(free, pause_at)
        _paid(engine, profile, seed).result()
    free.result()
    return tuple(free.unit_seconds)


def _free(engine: Engine, profile: Profile, seed: int, steps: int = FREE_STEPS) -> RenderHandle:
    request = order(profile, seed, priority=Priority.NORMAL, steps=steps, count=FREE_PICTURES)
    return engine.submit(request, previews=False)


def _paid(engine: Engine, profile: Profile, seed: int) -> RenderHandle:
    return engine.submit(order(profile, seed, priority=Priority.EXPRESS), previews=False)


def _first_step(handle: RenderHandle) -> float:
    """Seconds from now until its first step is done."""
    began = time.monotonic()
    _reach(handle, 1)
    return time.monotonic() - began


def _reach(handle: RenderHandle, step: int) -> None:
    for progress in handle.updates():
        if progress.step >= step:
            return


def _cancel(engine: Engine, profile: Profile, free: RenderHandle) -> float:
    """Seconds from cancelling a request until the next one has done its first step."""
    cancelled_at = time.monotonic()
    free.cancel()
    following = engine.submit(order(profile, 0, priority=Priority.NORMAL), previews=False)
    _reach(following, 1)
    seconds = time.monotonic() - cancelled_at
    following.result()
    with suppress(RenderCancelled):
        free.result()
    return seconds
