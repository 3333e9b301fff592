"""A simulated day on a virtual clock: arrivals pass the doors, wait in an order, run on GPUs."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from heapq import heappop, heappush
from random import Random

from imaging.request import ImageRequest, Operation
from tasks.jobs.tiers import DoorState
from tasks.planner.queue_disciplines import WEIGHTS, JobOrder, Ticketed, fair
from tasks.planner.statistics import Day, LaneTally, Moment
from tasks.planner.trace import LANES, Trace
from tasks.policy.doors import (
    AutoDoor,
    Decision,
    DoorInputs,
    DoorLimits,
    Visitor,
    current_state,
    decide,
    degrade,
    follow,
)
from tasks.policy.waitlist import batch_size
from tasks.queue.costs import USUAL_STEPS, shape_of
from tasks.queue.demand import Arrivals, Demand
from tasks.queue.fairness import RELAXED
from tasks.queue.forecast import PLANNED_SCENARIOS, TREND_SECONDS, Forecast, forecast
from tasks.queue.load import FleetLoad, LaneLoad, Load
from tasks.queue.wait_estimate import (
    Outcome,
    correct,
    corrected,
    spare_seconds,
)

TICK = 10.0
"""Seconds between two updates of the doors."""

FORECAST_SECONDS = 60.0
"""Seconds between two forecasts: the product makes one a second, a planned day is long."""

MOMENT = 300.0
"""Seconds between two points of the charts."""

_ZERO = datetime(2026, 1, 1, tzinfo=UTC)
_LARGE = ImageRequest(Operation.IMAGINE, "", "planned", 1024, 1024, seed=0)
DEGRADED_COST = shape_of(degrade(_LARGE, USUAL_STEPS)).work / shape_of(_LARGE).work
"""The cost of a degraded picture relative to a full one."""

INVITATION_USE = 0.8
"""The share of invitations that members use, in the simulation."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """GPUs by speed (1.0 renders one GPU second of the trace per second), fastest first."""

    parts: tuple[tuple[int, float], ...]

    @property
    def gpus(self) -> int:
        """The number of GPUs."""
        return sum(count for count, _ in self.parts)

    @property
    def rate(self) -> float:
        """GPU seconds per second of all GPUs."""
        return sum(count * speed for count, speed in self.parts)


def fleet(gpus: int, speed: float = 1.0) -> Fleet:
    """A fleet of equal GPUs."""
    return Fleet(((gpus, speed),))


@dataclass(frozen=True, slots=True)
class LaneRules:
    """A lane's limits and doors."""

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
    """The window in which members' shares are compared: requests in it, service until its end."""

    begin: float
    asked_until: float
    end: float


@dataclass(frozen=True, slots=True)
class SimulationRules:
    """The settings of a simulation."""

    lanes: Mapping[str, LaneRules] = field(default_factory=usual_rules)
    limits: DoorLimits = field(default_factory=DoorLimits)
    order: Callable[[], JobOrder] = fair
    noise: float = 0.1  # of the logarithm of true over expected GPU seconds
    drain: float = 86_400.0  # seconds after the trace in which the backlog is still served
    window: Window | None = None
    apart: tuple[int, int] | None = None  # (lane, member) whose waits are counted separately
    estimates: int = 4000  # approximate number of estimates checked; 0 for none


@dataclass(slots=True)
class _Job:
    """An accepted job."""

    at: float
    lane: int
    member: int
    true: float
    speed: int = 0  # the part of the fleet it runs on
    model: float = 0.0
    p90: float = 0.0


class Simulation:
    """One day. Build it and call `run` once."""

    def __init__(self, trace: Trace, gpus: Fleet, settings: SimulationRules, seed: int = 1) -> None:
        if gpus.gpus < 1:
            raise ValueError("A fleet needs at least one GPU.")
        self.trace, self.fleet, self.settings = trace, gpus, settings
        self.queue = settings.order()
        self.chance = Random(seed)  # noqa: S311  a drawing, not a secret
        self.noise = [math.exp(self.chance.gauss(0, settings.noise)) for _ in range(1024)]
        self.tallies = [LaneTally() for _ in LANES]
        self.rules = [settings.lanes[name] for name in LANES]
        self.free = [count for count, _ in gpus.parts]
        self.idle = gpus.gpus
        self.finishes: list[tuple[float, int, Ticketed]] = []
        self.invited_arrivals: list[tuple[float, int, int, float]] = []
        self.open_invitations = [0] * len(LANES)  # of the invited_arrivals, by lane
        self.waiting = [0] * len(LANES)
        self.seconds = [0.0] * len(LANES)  # expected GPU seconds that wait
        self.arrived: dict[str, Arrivals] = {}
        self.demand = Demand()
        self.forecast = Forecast(Load(FleetLoad(0.0)), ())
        self.forecast_at = 0.0
        self.predicted: dict[str, float] = {}
        self.doors = [AutoDoor() for _ in LANES]
        self.decisions: list[dict[bool, Decision]] = []
        self.lists: list[deque[tuple[int, float]]] = [deque() for _ in LANES]  # member, cost
        self.listed: set[tuple[int, int]] = set()
        self.outcomes: list[deque[Outcome]] = [deque(maxlen=300) for _ in LANES]
        self.every = max(1, len(trace) // settings.estimates) if settings.estimates else 0
        # Doors that do not move and estimates that nobody is given need no forecast.
        self.forecasts = bool(self.every) or any(r.doors is DoorState.AUTO for r in self.rules)
        self.received: dict[tuple[int, int], list[float]] = {}
        self.moments: list[Moment] = []
        self.events = 0
        self.number = 0
        self.busy_seconds = 0.0
        self.mean = trace.work / len(trace) if len(trace) else 1.0
        self.door_moves = 0

    def run(self) -> Day:
        """Simulate the whole trace, then serve the backlog."""
        self._update(0.0)
        finishes, tick = self.finishes, TICK
        for at, lane, member, cost in self.trace:
            while tick <= at:
                self._finish_until(tick)
                self._update(tick)
                tick += TICK
            while finishes and finishes[0][0] <= at:
                self._finish()
            self._arrive(at, lane, member, cost)
        end = self.trace.seconds + self.settings.drain
        while (finishes or self.invited_arrivals) and tick <= end:
            self._finish_until(tick)
            self._update(tick)
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
            self._turn_away(lane, member, cost, decision.code)
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
        if self.every and self.number % self.every == 0:
            self._estimate(job, cost)
        self.waiting[lane] += 1
        self.seconds[lane] += cost
        before = self.arrived.get(name, Arrivals())
        self.arrived[name] = before.plus(Arrivals(1, cost))
        window = self.settings.window
        if window and window.begin <= at < window.asked_until:
            self.received.setdefault((lane, member), [0.0, 0.0])[0] += cost
        self.queue.push(name, member, cost, at, job, rules.running)
        if self.idle:
            self._start(at)

    def _turn_away(self, lane: int, member: int, cost: float, code: str) -> None:
        self.tallies[lane].refused[code] += 1
        if code == "doors-waitlist" and (lane, member) not in self.listed:
            self.listed.add((lane, member))
            self.lists[lane].append((member, cost))

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
        apart = self.settings.apart == (lane, job.member)
        (tally.apart if apart else tally.waits).add(at - job.at)
        tally.served += 1
        window = self.settings.window
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

    def _load(self) -> Load:
        rates = self.demand.rates()
        gpus = self.fleet.gpus
        stretch = gpus / self.fleet.rate
        lanes = {
            name: LaneLoad(
                WEIGHTS[name],
                self.waiting[n],
                max(0.0, self.seconds[n]),
                rates.get(name, Arrivals()).seconds,
                stretch,
            )
            for n, name in enumerate(LANES)
        }
        each = self.mean * stretch
        return Load(FleetLoad(self.fleet.rate, gpus, gpus - self.idle, each), lanes)

    def _estimate(self, job: _Job, cost: float) -> None:
        """Estimate the wait of a member without other jobs, who is last in the lane."""
        name = LANES[job.lane]
        if self.queue.jobs_of(name, job.member):
            return
        waits = self.forecast.wait(name, max(0.0, self.seconds[job.lane]), cost)
        job.model = waits.at(0.5)
        correction = correct(list(self.outcomes[job.lane]))
        shown = corrected(correction, job.model, waits.at(0.9))
        job.p90 = shown.p90.total_seconds() if shown else math.inf

    def _update(self, now: float) -> None:
        """Do what the maintenance process does: measure, move the doors, invite."""
        due = now >= self.forecast_at + FORECAST_SECONDS or not self.forecast.scenarios
        if due and self.forecasts:
            self._forecast(now)
        load, predicted = self.forecast.load, self.predicted
        for lane, name in enumerate(LANES):
            if self.rules[lane].doors is DoorState.AUTO:
                self._move(lane, predicted[name], now)
                self._invite(lane, load, now)
        self.decisions = [self._decide(lane) for lane in range(len(LANES))]
        while self.invited_arrivals and self.invited_arrivals[0][0] <= now:
            _, lane, member, cost = heappop(self.invited_arrivals)
            self.open_invitations[lane] -= 1
            self.listed.discard((lane, member))
            self._arrive(now, lane, member, cost, invited=True)
        if now % MOMENT == 0:
            self._record_moment(now, predicted)

    def _forecast(self, now: float) -> None:
        """Observe the demand and forecast the waits, as far as anybody waits."""
        self.demand = self.demand.observe(self.arrived, now)
        self.arrived, self.forecast_at = {}, now
        self.forecast = forecast(self._load(), self.demand, now, draws=PLANNED_SCENARIOS)
        self.predicted = {
            name: self.forecast.newcomer(name, self.mean, TREND_SECONDS).at(0.5) for name in LANES
        }

    def _move(self, lane: int, wait: float, now: float) -> None:
        before = self.doors[lane]
        self.doors[lane] = follow(before, wait, now, self.settings.limits, len(self.lists[lane]))
        self.door_moves += self.doors[lane].door_level is not before.door_level

    def _decide(self, lane: int) -> dict[bool, Decision]:
        set_to = self.rules[lane].doors
        state, degraded = current_state(set_to, self.doors[lane])
        facts = DoorInputs(state, degraded, by_hand=set_to is not DoorState.AUTO)
        return {invited: decide(facts, Visitor(True, invited)) for invited in (False, True)}

    def _invite(self, lane: int, load: Load, now: float) -> None:
        standing = self.lists[lane]
        if not standing:
            return
        longest = self.settings.limits.longest_wait * self.settings.limits.return_at
        spare = spare_seconds(load, LANES[lane], self.mean, longest)
        batch = batch_size(spare, self.mean, self.open_invitations[lane], INVITATION_USE)
        for _ in range(min(batch, len(standing))):
            member, cost = standing.popleft()
            self.tallies[lane].invited += 1
            if self.chance.random() < INVITATION_USE:
                soon = now + self.chance.expovariate(1 / 120)
                heappush(self.invited_arrivals, (soon, lane, member, cost))
                self.open_invitations[lane] += 1

    def _record_moment(self, now: float, predicted: Mapping[str, float]) -> None:
        autos = [n for n, rules in enumerate(self.rules) if rules.doors is DoorState.AUTO]
        self.moments.append(
            Moment(
                now,
                dict(zip(LANES, self.waiting, strict=True)),
                {name: min(wait, 1e9) for name, wait in predicted.items()},
                max((int(self.doors[n].door_level) for n in autos), default=0),
                1 - self.idle / self.fleet.gpus,
                sum(map(len, self.lists)),
            )
        )
