"""Who may enter: doors by tier, feature and server; automatic doors that follow the load.

Pure: the load and the time are arguments. An automatic door climbs a ladder as the predicted wait
grows, open → degraded → waitlist → closed, and goes down again one rung at a time. Two things keep
it from flapping: a rung is left downwards only when the wait is well below the one that it was
entered at, and no rung is left before it has stood for a while.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from imaging.request import ImageRequest, Operation
from tasks.tiers import DoorState, Feature


class Rung(IntEnum):
    """How far an automatic door has closed."""

    OPEN = 0
    DEGRADED = 1  # smaller, fewer steps, one picture: the member is told
    WAITLIST = 2
    CLOSED = 3

    @property
    def state(self) -> DoorState:
        """The same as a door's state."""
        return _STATES[self]


_STATES = {
    Rung.OPEN: DoorState.OPEN,
    Rung.DEGRADED: DoorState.OPEN,
    Rung.WAITLIST: DoorState.WAITLIST,
    Rung.CLOSED: DoorState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """When an automatic door moves. Waits and times in seconds.

    `longest_wait` closes the tier to newcomers; it degrades at `degrade_at` of that, and closes
    even the waitlist at `close_at` times that. It comes back below `return_at` of what it rose at.
    """

    longest_wait: float = 1800.0
    degrade_at: float = 0.5
    close_at: float = 8.0
    return_at: float = 0.6
    stands: float = 60.0  # a rung is left no earlier
    rises: float = 5.0  # upwards it may go sooner: a launch does not wait

    def __post_init__(self) -> None:
        if not 0 < self.return_at < 1 or not 0 < self.degrade_at < 1 < self.close_at:
            raise ValueError("A door needs 0 < degrade_at < 1 < close_at and 0 < return_at < 1.")
        if not self.longest_wait > 0:
            raise ValueError("A door's longest wait must be above 0, or it never opens again.")

    def rises_at(self, rung: Rung) -> float:
        """The predicted wait above which `rung` is reached."""
        factor = {Rung.OPEN: 0.0, Rung.DEGRADED: self.degrade_at, Rung.WAITLIST: 1.0}
        return self.longest_wait * factor.get(rung, self.close_at)


@dataclass(frozen=True, slots=True)
class AutoDoor:
    """A rung, and the moment (seconds) since which it stands."""

    rung: Rung = Rung.OPEN
    since: float = float("-inf")


def follow(
    door: AutoDoor, predicted_wait: float, now: float, limits: DoorLimits, waitlist: int = 0
) -> AutoDoor:
    """The door after a look at the load: the same, or one rung up or down.

    `predicted_wait` is that of a newcomer's job in seconds (infinite where no worker lives);
    `waitlist` counts those never yet invited: while there are any, the door stays on the waitlist.
    A door that has stood since a moment still to come (a clock was set back) has stood since now.
    """
    if door.since > now:
        door = AutoDoor(door.rung, now)
    if door.rung < Rung.CLOSED:
        above = Rung(door.rung + 1)
        if predicted_wait > limits.rises_at(above) and now - door.since >= limits.rises:
            return AutoDoor(above, now)
    if door.rung is Rung.OPEN or now - door.since < limits.stands:
        return door
    if door.rung is Rung.WAITLIST and waitlist:
        return door
    if predicted_wait < limits.return_at * limits.rises_at(door.rung):
        return AutoDoor(Rung(door.rung - 1), now)
    return door


@dataclass(frozen=True, slots=True)
class Visitor:
    """What the doors ask of a member."""

    known: bool  # has had a job before
    invited: bool = False  # holds an invitation from the waitlist that has not lapsed
    paid: bool = False


@dataclass(frozen=True, slots=True)
class DoorFacts:
    """Every door that a visitor passes, as it stands now: none of them is AUTO any more.

    `feature` is the strictest door of those that the order's features have, and `which` has it.
    `by_hand`: whether one that is closed was set so. What the load has closed stays open to those
    who were invited before: they were promised it.
    """

    tier: DoorState
    degraded: bool = False
    feature: DoorState = DoorState.OPEN
    which: Feature = Feature.IMAGINE
    server: DoorState = DoorState.OPEN
    sign_ups: bool = True
    by_hand: bool = True


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether the member may enter. `code` is "" or why not; `degraded`: only a smaller picture.

    `feature`: it is this one's door that keeps the member out, and not their tier's.
    """

    code: str = ""
    degraded: bool = False
    feature: Feature | None = None

    @property
    def admitted(self) -> bool:
        """Whether the member is in."""
        return not self.code


_STRICTNESS = {DoorState.OPEN: 0, DoorState.WAITLIST: 1, DoorState.CLOSED: 2}


def strictest(doors: Iterable[DoorState]) -> DoorState:
    """The door that decides. Raises KeyError for AUTO: the caller settles that first."""
    return max(doors, key=_STRICTNESS.__getitem__, default=DoorState.OPEN)


def decide(facts: DoorFacts, visitor: Visitor) -> Decision:
    """Whether this visitor may enter now.

    Codes: "doors-closed", "doors-waitlist" (join and be invited), "feature-closed",
    "sign-ups-suspended" (those who were here before still come in).
    """
    promised = visitor.invited and not facts.by_hand
    if facts.feature is DoorState.CLOSED and not promised:
        return Decision("feature-closed", feature=facts.which)
    door = strictest((facts.tier, facts.feature, facts.server))
    if door is DoorState.CLOSED and not promised:
        return Decision("doors-closed")
    if door is DoorState.WAITLIST and not visitor.invited:
        of_feature = strictest((facts.tier, facts.server)) is DoorState.OPEN
        return Decision("doors-waitlist", feature=facts.which if of_feature else None)
    if not (facts.sign_ups or visitor.known or visitor.invited or visitor.paid):
        return Decision("sign-ups-suspended")
    return Decision(degraded=facts.degraded)


def now_of(set_to: DoorState, auto: AutoDoor) -> tuple[DoorState, bool]:
    """What a door set so is at this moment, and whether it degrades."""
    if set_to is DoorState.AUTO:
        return auto.rung.state, auto.rung is Rung.DEGRADED
    return set_to, False


def degrade(request: ImageRequest, usual_steps: int, multiple: int = 64) -> ImageRequest:
    """The request as it is served while a door degrades: one picture, half the area, fewer steps.

    Sides stay multiples of `multiple` pixels, and at least one of it; steps go to six in ten. What
    is made larger is made twice as large at most: of that nothing is drawn, and no step is saved.
    """
    if request.operation is Operation.UPSCALE:
        return _twice(request)
    return replace(
        request,
        count=1,
        width=_shorter(request.width, multiple),
        height=_shorter(request.height, multiple),
        steps=max(1, round((request.steps or usual_steps) * 0.6)),
    )


def _twice(request: ImageRequest) -> ImageRequest:
    times = request.factor or 2
    if times <= 2:
        return request
    width, height = request.width * 2 // times, request.height * 2 // times
    return replace(request, factor=2, width=width, height=height)


def _shorter(side: int, multiple: int) -> int:
    return max(multiple, int(side * 0.5**0.5) // multiple * multiple) if side > multiple else side
