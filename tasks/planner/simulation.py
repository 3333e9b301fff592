"""A day on a virtual clock: arrivals pass the doors, wait in an order, run on a fleet's GPUs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from heapq import heappop, heappush
from itertools import islice
from random import Random

from imaging.request import ImageRequest, Operation
from tasks.capacity import Outcome, calibrate, newcomer_wait, room, wait_seconds
from tasks.costs import USUAL_STEPS, shape_of
from tasks.doors import (
    AutoDoor,
    Decision,
    DoorFacts,
    DoorLimits,
    Visitor,
    decide,
    degrade,
    follow,
    now_of,
)
from tasks.fairness import RELAXED
from tasks.load import FleetLoad, LaneLoad, Load, Meter
from tasks.planner.orders import WEIGHTS, JobOrder, Ticketed, fair
from tasks.planner.tally import Day, LaneTally, Moment
from tasks.planner.trace import LANES, Trace
from tasks.tiers import DoorState
from tasks.waitlist import Waiting, batch_size, invite

TICK = 10.0
"""Seconds between two looks at the doors."""

MOMENT = 300.0
"""Seconds between two points of the charts."""

_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
_LARGE = ImageRequest(Operation.IMAGINE, "", "planned", 1024, 1024, seed=0)
DEGRADED_COST = shape_of(degrade(_LARGE, USUAL_STEPS)).work / shape_of(_LARGE).work
"""What a degraded picture costs of a whole one."""

COMES = 0.8
"""The share of invited members who come, in the simulation."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """GPUs by speed (1.0 makes the trace's GPU seconds in as many seconds), fastest first."""

    parts: tuple[tuple[int, float], ...]

    @property
    def gpus(self) -> int:
        """How many there are."""
        return sum(count for count, _ in self.parts)

    @property
    def rate(self) -> float:
        """GPU seconds a second, all together."""
        return sum(count * speed for count, speed in self.parts)


def fleet(gpus: int, speed: float = 1.0) -> Fleet:
    """So many equal GPUs."""
    return Fleet(((gpus, speed),))


@dataclass(frozen=True, slots=True)
class LaneRules:
    """A lane's part of the tiers' policy."""

    running: int
    waiting: int
    doors: DoorState = DoorState.OPEN


def usual_rules() -> dict[str, LaneRules]:
    """The default policy of the tiers."""
    return {
        "free": LaneRules(1, 1, DoorState.AUTO),
        "plus": LaneRules(3, 10),
        "team": LaneRules(3, 10),
        "pro": LaneRules(12, 10),
        RELAXED: LaneRules(12, 10),
    }


@dataclass(frozen=True, slots=True)
class Window:
    """Where members' shares are compared: of what is asked in it, what is given until its end."""

    begin: float
    asked_until: float
    end: float


@dataclass(frozen=True, slots=True)
class House:
    """The rules of the simulated studio."""

    lanes: Mapping[str, LaneRules] = field(default_factory=usual_rules)
    limits: DoorLimits = field(default_factory=DoorLimits)
    order: Callable[[], JobOrder] = fair
    noise: float = 0.1  # of the logarithm of true over expected GPU seconds
    drain: float = 86_400.0  # seconds after the trace in which what waits is still served
    window: Window | None = None
    apart: tuple[int, int] | None = None  # (lane, member) whose waits are counted apart
    estimates: int = 4000  # about so many are given and checked


@dataclass(slots=True)
class _Job:
    """What the simulation remembers of an accepted job."""

    at: float
    lane: int
    member: int
    true: float
    speed: int = 0  # the part of the fleet it runs on
    model: float = 0.0
    p90: float = 0.0


class Simulation:
    """One day. Build it and call `run` once."""

    def __init__(self, trace: Trace, gpus: Fleet, house: House, seed: int = 1) -> None:
        if gpus.gpus < 1:
            raise ValueError("A fleet needs at least one GPU.")
        self.trace, self.fleet, self.house = trace, gpus, house
        self.queue = house.order()
        self.chance = Random(seed)  # noqa: S311  a drawing, not a secret
        self.noise = [math.exp(self.chance.gauss(0, house.noise)) for _ in range(1024)]
        self.tallies = [LaneTally() for _ in LANES]
        self.rules = [house.lanes[name] for name in LANES]
        self.free = [count for count, _ in gpus.parts]
        self.idle = gpus.gpus
        self.finishes: list[tuple[float, int, Ticketed]] = []
        self.guests: list[tuple[float, int, int, float]] = []
        self.coming = [0] * len(LANES)  # of the guests, by lane
        self.waiting = [0] * len(LANES)
        self.seconds = [0.0] * len(LANES)  # expected GPU seconds that wait
        self.came = [0.0] * len(LANES)
        self.inflow = [Meter(600.0) for _ in LANES]
        self.doors = [AutoDoor() for _ in LANES]
        self.decisions: list[dict[bool, Decision]] = []
        self.lists: list[deque[Waiting]] = [deque() for _ in LANES]
        self.listed: set[tuple[int, int]] = set()
        self.asked_cost: dict[str, tuple[int, int, float]] = {}
        self.outcomes: list[deque[Outcome]] = [deque(maxlen=300) for _ in LANES]
        self.every = max(1, len(trace) // max(1, house.estimates))
        self.received: dict[tuple[int, int], list[float]] = {}
        self.moments: list[Moment] = []
        self.events = 0
        self.number = 0
        self.busy_seconds = 0.0
        self.mean = trace.work / len(trace) if len(trace) else 1.0
        self.door_moves = 0

    def run(self) -> Day:
        """Play the whole trace, then serve what still waits."""
        self._look(0.0)
        finishes, tick = self.finishes, TICK
        for at, lane, member, cost in self.trace:
            while tick <= at:
                self._finish_until(tick)
                self._look(tick)
                tick += TICK
            while finishes and finishes[0][0] <= at:
                self._finish()
            self._arrive(at, lane, member, cost)
        end = self.trace.seconds + self.house.drain
        while (finishes or self.guests) and tick <= end:
            self._finish_until(tick)
            self._look(tick)
            tick += TICK
        return Day(
            self.trace.name,
            self.fleet.gpus,
            self.trace.seconds,
            self.events,
            self.busy_seconds,
            dict(zip(LANES, self.tallies, strict=True)),
            self.moments,
            self.received,
            self.door_moves,
        )

    # -- arrivals -------------------------------------------------------------------------------

    def _arrive(
        self, at: float, lane: int, member: int, cost: float, invited: bool = False
    ) -> None:
        self.events += 1
        tally = self.tallies[lane]
        if not invited:
            tally.asked += 1
        decision = self.decisions[lane][invited]
        if decision.code:
            self._turn_away(at, lane, member, cost, decision.code)
            return
        rules, name = self.rules[lane], LANES[lane]
        if self.queue.jobs_of(name, member) >= rules.running + rules.waiting:
            tally.refused["waiting-limit"] += 1
            return
        if decision.degraded:
            cost *= DEGRADED_COST
            tally.degraded += 1
        self.number += 1
        tally.accepted += 1
        job = _Job(at, lane, member, cost * self.noise[self.number & 1023])
        if self.number % self.every == 0:
            self._tell(job, cost)
        self.waiting[lane] += 1
        self.seconds[lane] += cost
        self.came[lane] += cost
        window = self.house.window
        if window and window.begin <= at < window.asked_until:
            self.received.setdefault((lane, member), [0.0, 0.0])[0] += cost
        self.queue.push(name, member, cost, at, job, rules.running)
        if self.idle:
            self._start(at)

    def _turn_away(self, at: float, lane: int, member: int, cost: float, code: str) -> None:
        self.tallies[lane].refused[code] += 1
        if code == "doors-waitlist" and (lane, member) not in self.listed:
            self.listed.add((lane, member))
            key = f"{lane}:{member}"
            self.asked_cost[key] = (lane, member, cost)
            self.lists[lane].append(Waiting(key, _ZERO + timedelta(seconds=at)))

    # -- the fleet ------------------------------------------------------------------------------

    def _start(self, at: float) -> None:
        entry = self.queue.pop(at)
        if entry is None:
            return
        job: _Job = entry.item  # type: ignore[assignment]
        part = 0
        while not self.free[part]:
            part += 1
        self.free[part] -= 1
        self.idle -= 1
        job.speed = part
        lasts = job.true / self.fleet.parts[part][1]
        self.busy_seconds += lasts
        lane = job.lane
        self.waiting[lane] -= 1
        self.seconds[lane] -= entry.cost
        tally = self.tallies[lane]
        apart = self.house.apart == (lane, job.member)
        (tally.apart if apart else tally.waits).add(at - job.at)
        tally.served += 1
        window = self.house.window
        if window and at < window.end and window.begin <= job.at < window.asked_until:
            self.received[lane, job.member][1] += entry.cost
        self.events += 1
        heappush(self.finishes, (at + lasts, self.events, entry))

    def _finish(self) -> None:
        at, _, entry = heappop(self.finishes)
        self.events += 1
        job: _Job = entry.item  # type: ignore[assignment]
        self.free[job.speed] += 1
        self.idle += 1
        self.queue.settle(entry, job.true)
        if job.model:
            outcome = Outcome(job.model, job.p90, at - job.at)
            self.outcomes[job.lane].append(outcome)
            self.tallies[job.lane].told += 1
            self.tallies[job.lane].kept += outcome.kept
        if self.queue.waiting:
            self._start(at)

    def _finish_until(self, at: float) -> None:
        while self.finishes and self.finishes[0][0] <= at:
            self._finish()

    # -- estimates, doors, waitlist -------------------------------------------------------------

    def _load(self, now: float) -> Load:
        lanes = {
            name: LaneLoad(
                WEIGHTS[name],
                self.waiting[n],
                max(0.0, self.seconds[n]),
                self.inflow[n].rate(now),
            )
            for n, name in enumerate(LANES)
        }
        gpus = self.fleet.gpus
        each = self.mean * gpus / self.fleet.rate
        return Load(FleetLoad(self.fleet.rate, gpus, gpus - self.idle, each), lanes)

    def _tell(self, job: _Job, cost: float) -> None:
        """Give an estimate to a member with nothing else in line, who so comes last in the lane."""
        name = LANES[job.lane]
        if self.queue.jobs_of(name, job.member):
            return
        job.model = wait_seconds(self._load(job.at), name, max(0.0, self.seconds[job.lane]), cost)
        told = calibrate(list(self.outcomes[job.lane])).estimate(job.model)
        job.p90 = told.p90.total_seconds() if told else math.inf

    def _look(self, now: float) -> None:
        """What the clock process does: measure, move the doors, invite."""
        for lane, came in enumerate(self.came):
            self.inflow[lane] = self.inflow[lane].add(came, now)
            self.came[lane] = 0.0
        load = self._load(now)
        predicted = {name: newcomer_wait(load, name, self.mean) for name in LANES}
        for lane, name in enumerate(LANES):
            if self.rules[lane].doors is DoorState.AUTO:
                self._move(lane, predicted[name], now)
                self._invite(lane, load, now)
        self.decisions = [self._decide(lane) for lane in range(len(LANES))]
        while self.guests and self.guests[0][0] <= now:
            _, lane, member, cost = heappop(self.guests)
            self.coming[lane] -= 1
            self.listed.discard((lane, member))
            self._arrive(now, lane, member, cost, invited=True)
        if now % MOMENT == 0:
            self._note(now, predicted)

    def _move(self, lane: int, wait: float, now: float) -> None:
        before = self.doors[lane]
        self.doors[lane] = follow(before, wait, now, self.house.limits, len(self.lists[lane]))
        self.door_moves += self.doors[lane].rung is not before.rung

    def _decide(self, lane: int) -> dict[bool, Decision]:
        set_to = self.rules[lane].doors
        state, degraded = now_of(set_to, self.doors[lane])
        facts = DoorFacts(state, degraded, by_hand=set_to is not DoorState.AUTO)
        return {invited: decide(facts, Visitor(True, invited)) for invited in (False, True)}

    def _invite(self, lane: int, load: Load, now: float) -> None:
        standing = self.lists[lane]
        if not standing:
            return
        longest = self.house.limits.longest_wait * self.house.limits.return_at
        spare = room(load, LANES[lane], self.mean, longest)
        batch = batch_size(spare, self.mean, self.coming[lane], COMES)
        moment = _ZERO + timedelta(seconds=now)
        for guest in invite(islice(standing, batch), batch, moment):
            standing.popleft()
            self.tallies[lane].invited += 1
            key_lane, member, cost = self.asked_cost.pop(guest.member)
            if self.chance.random() < COMES:
                soon = now + self.chance.expovariate(1 / 120)
                heappush(self.guests, (soon, key_lane, member, cost))
                self.coming[lane] += 1

    def _note(self, now: float, predicted: Mapping[str, float]) -> None:
        autos = [n for n, rules in enumerate(self.rules) if rules.doors is DoorState.AUTO]
        self.moments.append(
            Moment(
                now,
                dict(zip(LANES, self.waiting, strict=True)),
                {name: min(wait, 1e9) for name, wait in predicted.items()},
                max((int(self.doors[n].rung) for n in autos), default=0),
                1 - self.idle / self.fleet.gpus,
                sum(map(len, self.lists)),
            )
        )
