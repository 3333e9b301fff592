"""Simulated arrivals on a virtual clock: the step scheduler against whole calls.

Requests of mixed lengths and priorities arrive in a Poisson process. Durations come from a measured
step-time curve. Whole calls run by priority, then by arrival, each to its end. Pure; no torch.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from imaging.engine.batch_limits import BatchLimits
from imaging.engine.step_scheduler import Arrival, StepScheduler
from imaging.request import Priority

UTILISATION = 0.9
"""Share of the time that whole calls keep the device busy."""
REQUESTS = 2000
SLOWDOWN = 5.0
"""A request counts towards goodput if it takes at most so many times its duration alone."""
MIX: Sequence[tuple[float, int, int]] = ((0.7, 8, 1), (0.2, 20, 1), (0.1, 50, 4))
"""Share of the requests, their steps, their pictures."""
EXPRESS_SHARE = 0.3


@dataclass(frozen=True, slots=True)
class StepTimes:
    """Measured seconds: `steps` by pictures in one denoiser call, and both ends of a request."""

    encode: float
    decode: float  # of one picture
    steps: Mapping[int, float]

    def step(self, pictures: int) -> float:
        """Seconds of a step, interpolated between measured sizes and proportional beyond them."""
        sizes = sorted(self.steps)
        if pictures >= sizes[-1]:
            return self.steps[sizes[-1]] * pictures / sizes[-1]
        high = next(size for size in sizes if size >= pictures)
        low = max((size for size in sizes if size <= pictures), default=high)
        if low == high:
            return self.steps[high]
        share = (pictures - low) / (high - low)
        return self.steps[low] + share * (self.steps[high] - self.steps[low])


@dataclass(slots=True, eq=False)
class Simulated:
    """One request; times are virtual seconds."""

    arrival: Arrival
    priority: Priority
    steps: int
    pictures: int
    alone: float
    encoded: bool = False
    finished_at: float = 0.0

    @property
    def latency(self) -> float:
        """Seconds from arrival to the end."""
        return self.finished_at - self.arrival.seconds


def workload(times: StepTimes, count: int = REQUESTS, seed: int = 0) -> list[Simulated]:
    """Requests at the rate at which whole calls use the device for UTILISATION of the time."""
    chance = random.Random(seed)  # noqa: S311 - not for secrets
    durations = [_alone(times, steps, pictures) for _, steps, pictures in MIX]
    mean = sum(share * each for (share, _, _), each in zip(MIX, durations, strict=True))
    requests, now = [], 0.0
    for number in range(count):
        now += chance.expovariate(UTILISATION / mean)
        (kind,) = chance.choices(range(len(MIX)), [share for share, _, _ in MIX])
        priority = Priority.EXPRESS if chance.random() < EXPRESS_SHARE else Priority.NORMAL
        _, steps, pictures = MIX[kind]
        arrival = Arrival(now, number)
        requests.append(Simulated(arrival, priority, steps, pictures, durations[kind]))
    return requests


def compare(times: StepTimes, count: int = REQUESTS, seed: int = 0) -> tuple[float, float]:
    """Goodput and mean latency of the step scheduler, as ratios to whole calls."""
    whole = [replace(request) for request in workload(times, count, seed)]
    stepped = [replace(request) for request in whole]
    run_whole_calls(whole)
    run_steps(stepped, times)
    return goodput(stepped) / goodput(whole), mean_latency(stepped) / mean_latency(whole)


def goodput(requests: Sequence[Simulated]) -> float:
    """Requests per second that finish within SLOWDOWN times their duration alone."""
    good = sum(request.latency <= SLOWDOWN * request.alone for request in requests)
    return good / max(request.finished_at for request in requests)


def mean_latency(requests: Sequence[Simulated]) -> float:
    """Mean seconds from arrival to the end."""
    return sum(request.latency for request in requests) / len(requests)


def run_whole_calls(requests: Sequence[Simulated]) -> None:
    """One request after the other, by priority, then by arrival."""
    coming = list(requests)
    waiting: list[tuple[Priority, int, Simulated]] = []
    now = 0.0
    while coming or waiting:
        if not waiting:
            now = max(now, coming[0].arrival.seconds)
        while coming and coming[0].arrival.seconds <= now:
            one = coming.pop(0)
            heapq.heappush(waiting, (one.priority, one.arrival.number, one))
        _, _, request = heapq.heappop(waiting)
        now += request.alone
        request.finished_at = now


def run_steps(requests: Sequence[Simulated], times: StepTimes) -> None:
    """The engine's own scheduler and batch limits on a virtual clock."""
    coming = list(requests)
    limits = BatchLimits()
    scheduler: StepScheduler[Simulated] = StepScheduler(limits=limits)
    now = 0.0
    while coming or len(scheduler):
        if not len(scheduler):
            now = max(now, coming[0].arrival.seconds)
        while coming and coming[0].arrival.seconds <= now:
            one = coming.pop(0)
            scheduler.add(one, one.priority, one.arrival, seconds=one.alone, group=one.pictures)
        request = scheduler.select()
        if request is None:
            raise RuntimeError("the scheduler selected nothing")
        scheduler.begin(request)
        now += _unit(request, scheduler, limits, times)
        if request.steps == 0 and request not in scheduler:
            request.finished_at = now


def _unit(
    request: Simulated, scheduler: StepScheduler[Simulated], limits: BatchLimits, times: StepTimes
) -> float:
    """Run one unit of `request`, with its batch; returns its seconds."""
    if not request.encoded:
        request.encoded = True
        scheduler.charge(request, times.encode)
        scheduler.await_batch(request, request.pictures)
        return times.encode
    if request.steps == 0:
        seconds = times.decode * request.pictures
        scheduler.charge(request, seconds)
        scheduler.remove(request)
        return seconds
    batch = scheduler.take_batch(request)
    seconds = times.step(sum(member.pictures for member in batch))
    limits.record(request.pictures, len(batch), seconds)
    for member in batch:
        scheduler.charge(member, seconds / len(batch))
        scheduler.resume(member)
        member.steps -= 1
        if member.steps:
            scheduler.await_batch(member, member.pictures)
    return seconds


def _alone(times: StepTimes, steps: int, pictures: int) -> float:
    return times.encode + steps * times.step(pictures) + times.decode * pictures
