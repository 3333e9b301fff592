"""Hierarchical start-time fair queueing: tiers by weight, then members inside a tier.

Pure: `now` is an argument, in seconds, and there is no I/O. The planner runs this class; Postgres
holds the same numbers in rows and follows the same rules.

**Rules** (P. Goyal, H. M. Vin, H. Cheng, "Start-time Fair Queueing", SIGCOMM 1996; for many
servers at once: W. Jin, J. S. Chase, J. Kaur, "Interposed proportional sharing", SIGMETRICS 2004).
A *lane* is a tier, or the relaxed work of tiers that continue past their quota. A *flow* is a
member in a lane. Cost is in expected GPU seconds; virtual time is GPU seconds per unit of weight.

1. A job's start tag is `max(lane's virtual time, finish tag of the flow's previous job)`, so idle
   members accumulate no credit. The finish tag is the start tag plus the cost.
2. A flow has at most `at_once` jobs that are *ready* or running; its other jobs wait behind them.
3. The next job comes from the lane with the least virtual start that has a ready job; in it, the
   ready job with the least start tag, ties by arrival. The lane's start grows by cost / weight.
4. A lane without ready jobs at a lease resumes at the root's virtual time: the start of the lane
   that the latest lease was taken from. After an idle time, a lane is so behind by at most its last
   job.
5. When the true cost is known, the difference is charged to the flow's jobs that are not ready yet
   and to the lane, which never falls behind the root's virtual time. A ready job keeps its tag: a
   member shown as next is not moved back.
6. A lane's virtual time advances by at least `ageing` virtual seconds per second. A job submitted
   more than `(start tag - virtual time at entry) / ageing` seconds later cannot overtake.

**In Postgres** each job row has `lane`, `flow`, `start_tag`, `cost_seconds`, `ready`; each flow a
row `(lane, flow) → tail, shift, opened, behind`; each lane `→ weight, start, virtual, virtual_at`.
A lease probes the partial index `(lane, profile, start_tag, created_at)` of ready jobs once per
lane and profile, whatever the number of waiting jobs. A submit updates its flow's row only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Mapping
from heapq import heappop, heappush
from typing import Generic, TypeVar

from imaging.request import Priority
from tasks.jobs.tiers import Tier

RELAXED = "relaxed"
"""The lane of work past the fast quota."""

RELAXED_WEIGHT = 1.0

AGEING = 1 / 360
"""Virtual seconds per second: after a job of ten GPU seconds, newcomers overtake a member's next
one for an hour at most."""

T = TypeVar("T")


def lane_of(tier: Tier, relaxed: bool) -> str:
    """The lane a job waits in."""
    return RELAXED if relaxed else tier.value


def priority_of(lane: str) -> Priority:
    """The engine's priority of a lane's jobs."""
    if lane == RELAXED:
        return Priority.RELAXED
    return Priority.EXPRESS if Tier(lane).paid else Priority.NORMAL


class Flow:
    """A member in a lane."""

    __slots__ = ("behind", "key", "opened", "shift", "tail", "waiting")

    def __init__(self, key: Hashable) -> None:
        self.key = key
        self.tail = 0.0
        self.shift = 0.0  # sum of all corrections; a job applies those made since its entry
        self.opened = 0  # ready or running
        self.waiting = 0  # in `behind`, without cancelled ones
        self.behind: deque[Entry] | None = None  # created on demand: most flows never need it


class Lane:
    """A tier's queue of flows."""

    __slots__ = ("flows", "name", "ready", "start", "virtual", "virtual_at", "weight")

    def __init__(self, name: str, weight: float) -> None:
        if not weight > 0:
            raise ValueError(f"The weight of {name} must be above 0, not {weight}.")
        self.name = name
        self.weight = weight
        self.start = 0.0
        self.virtual = 0.0
        self.virtual_at = 0.0
        self.ready: list[tuple[float, int, Entry]] = []
        self.flows: dict[Hashable, Flow] = {}

    def precedes(self, other: Lane) -> bool:
        """Whether this lane wins a tie of starts."""
        return (-self.weight, self.name) < (-other.weight, other.name)

    def drop_gone(self) -> None:
        """Drop cancelled jobs from the head, so that a lane with a head has work."""
        while self.ready and self.ready[0][2].gone:
            heappop(self.ready)


class Entry:
    """A job in the queue. `item` belongs to the caller."""

    __slots__ = (
        "at_once",
        "cost",
        "entered",
        "flow",
        "gone",
        "item",
        "lane",
        "number",
        "ready",
        "shift",
        "start",
    )

    item: object
    start: float  # the start tag
    entered: float  # the lane's virtual time at entry: the least tag it can have

    def __init__(self, lane: Lane, flow: Flow, cost: float, number: int, at_once: int) -> None:
        self.lane = lane
        self.flow = flow
        self.cost = cost
        self.number = number
        self.at_once = at_once
        self.shift = flow.shift
        self.ready = False
        self.gone = False  # cancelled while waiting


class FairQueue(Generic[T]):
    """The order of all waiting jobs. A call costs O(log ready jobs)."""

    def __init__(self, weights: Mapping[str, float], ageing: float = AGEING) -> None:
        self.lanes = {name: Lane(name, weight) for name, weight in weights.items()}
        self.ageing = ageing
        self.virtual = 0.0
        self.waiting = 0
        self._number = 0

    def push(
        self, lane: str, flow: Hashable, cost: float, now: float, item: T, at_once: int = 1
    ) -> Entry:
        """Add a job of `cost` expected GPU seconds. Raises KeyError for an unknown lane."""
        into = self.lanes[lane]
        owner = into.flows.get(flow)
        if owner is None:
            owner = into.flows[flow] = Flow(flow)
        self._number += 1
        entry = Entry(into, owner, cost, self._number, at_once)
        entry.item = item
        virtual = into.virtual + self.ageing * (now - into.virtual_at)
        entry.entered = virtual
        entry.start = owner.tail if owner.tail > virtual else virtual
        owner.tail = entry.start + cost
        self.waiting += 1
        if owner.opened < at_once and not owner.waiting:
            self._make_ready(entry)
        else:
            owner.waiting += 1
            if owner.behind is None:
                owner.behind = deque()
            owner.behind.append(entry)
        return entry

    def pop(self, now: float, lanes: Iterable[str] | None = None) -> Entry | None:
        """Remove and return the next job (of the given lanes, if any); None where none is ready."""
        choice: Lane | None = None
        for lane in self.lanes.values() if lanes is None else [self.lanes[name] for name in lanes]:
            if lane.ready and (
                choice is None
                or lane.start < choice.start
                or (lane.start == choice.start and lane.precedes(choice))
            ):
                choice = lane
        if choice is None:
            return None
        entry = heappop(choice.ready)[2]
        choice.drop_gone()
        self.waiting -= 1
        self.virtual = virtual = max(self.virtual, choice.start)
        choice.start += entry.cost / choice.weight
        for lane in self.lanes.values():
            if lane.start < virtual and not lane.ready:
                lane.start = virtual
        aged = choice.virtual + self.ageing * (now - choice.virtual_at)
        choice.virtual = max(entry.start, aged)
        choice.virtual_at = now
        return entry

    def jobs_of(self, lane: str, flow: Hashable) -> int:
        """The number of a member's waiting and running jobs."""
        owner = self.lanes[lane].flows.get(flow)
        return owner.opened + owner.waiting if owner is not None else 0

    def settle(self, entry: Entry, true_cost: float) -> None:
        """Complete a popped job that took `true_cost` GPU seconds (rule 5)."""
        difference = true_cost - entry.cost
        flow = entry.flow
        self._charge(entry.lane, difference)
        flow.tail += difference
        flow.shift += difference
        self._close(entry)

    def put_back(self, entry: Entry) -> None:
        """Return a popped job that did not run (its worker died) to its old place."""
        self._charge(entry.lane, -entry.cost)
        entry.flow.opened -= 1
        self.waiting += 1
        self._make_ready(entry)

    def cancel(self, entry: Entry) -> None:
        """Cancel a waiting job; its cost is credited to its flow's next one."""
        entry.gone = True
        self.waiting -= 1
        entry.flow.tail -= entry.cost
        if entry.ready:
            entry.lane.drop_gone()
            self._close(entry)
        else:
            entry.flow.waiting -= 1

    def _charge(self, lane: Lane, seconds: float) -> None:
        lane.start = max(lane.start + seconds / lane.weight, self.virtual)

    def _make_ready(self, entry: Entry) -> None:
        entry.ready = True
        entry.flow.opened += 1
        heappush(entry.lane.ready, (entry.start, entry.number, entry))

    def _close(self, entry: Entry) -> None:
        flow = entry.flow
        flow.opened -= 1
        while flow.behind and (flow.behind[0].gone or flow.opened < flow.behind[0].at_once):
            later = flow.behind.popleft()
            if not later.gone:
                flow.waiting -= 1
                later.start = max(later.entered, later.start + flow.shift - later.shift)
                self._make_ready(later)
        lane = entry.lane
        if not flow.opened and flow.tail <= lane.virtual:
            lane.flows.pop(flow.key, None)  # the same state as a newcomer's
