"""Doors by tier, feature and server, and automatic doors that follow the load.

Pure: the load and the time are arguments. An automatic door moves through the levels open →
degraded → waitlist → closed as the predicted wait grows, and back one level at a time. Hysteresis
keeps it from flapping: a level is left downwards only well below the wait that it was entered at,
and not before a minimum time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import IntEnum

from imaging.request import ImageRequest, Operation
from tasks.jobs.tiers import DoorState, Feature


class DoorLevel(IntEnum):
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
    DoorLevel.OPEN: DoorState.OPEN,
    DoorLevel.DEGRADED: DoorState.OPEN,
    DoorLevel.WAITLIST: DoorState.WAITLIST,
    DoorLevel.CLOSED: DoorState.CLOSED,
}


@dataclass(frozen=True, slots=True)
class DoorLimits:
    """Thresholds of automatic doors. Waits and times in seconds.

    A predicted wait above `longest_wait` puts newcomers on the waitlist. The door degrades at
    `degrade_at` of that and closes at `close_at` times that. It goes back one level below
    `return_at` of the level's threshold.
    """

    longest_wait: float = 1800.0
    degrade_at: float = 0.5
    close_at: float = 8.0
    return_at: float = 0.6
    stands: float = 60.0  # the shortest time at a level before it is left downwards
    rises: float = 5.0  # the shortest time at a level before it is left upwards

    def __post_init__(self) -> None:
        if not 0 < self.return_at < 1 or not 0 < self.degrade_at < 1 < self.close_at:
            raise ValueError("A door needs 0 < degrade_at < 1 < close_at and 0 < return_at < 1.")
        if not self.longest_wait > 0:
            raise ValueError("A door's longest wait must be above 0, or it never opens again.")

    def rises_at(self, door_level: DoorLevel) -> float:
        """The predicted wait above which `door_level` is reached."""
        factor = {DoorLevel.OPEN: 0.0, DoorLevel.DEGRADED: self.degrade_at, DoorLevel.WAITLIST: 1.0}
        return self.longest_wait * factor.get(door_level, self.close_at)


@dataclass(frozen=True, slots=True)
class AutoDoor:
    """A level, and the moment (seconds) since which it holds."""

    door_level: DoorLevel = DoorLevel.OPEN
    since: float = float("-inf")


def follow(
    door: AutoDoor, predicted_wait: float, now: float, limits: DoorLimits, waitlist: int = 0
) -> AutoDoor:
    """The door after an update: unchanged, or one level up or down.

    `predicted_wait` is that of a newcomer's job in seconds (infinite where no worker is alive).
    `waitlist` counts members never invited: while there are any, the door stays on the waitlist.
    Where `since` is in the future (a clock was set back), the level holds since now.
    """
    door = AutoDoor(door.door_level, min(door.since, now))
    if door.door_level < DoorLevel.CLOSED:
        above = DoorLevel(door.door_level + 1)
        if predicted_wait > limits.rises_at(above) and now - door.since >= limits.rises:
            return AutoDoor(above, now)
    if door.door_level is DoorLevel.OPEN or now - door.since < limits.stands:
        return door
    if door.door_level is DoorLevel.WAITLIST and waitlist:
        return door
    if predicted_wait < limits.return_at * limits.rises_at(door.door_level):
        return AutoDoor(DoorLevel(door.door_level - 1), now)
    return door


@dataclass(frozen=True, slots=True)
class Visitor:
    """The facts about a member that doors depend on."""

    known: bool  # has had a job before
    invited: bool = False  # holds an invitation from the waitlist that has not lapsed
    paid: bool = False


@dataclass(frozen=True, slots=True)
class DoorInputs:
    """The current state of every door that applies to a visitor; none of them is AUTO.

    `feature` is the strictest door of the order's features, and `which` the feature that has it.
    `by_hand`: whether a closed door was closed by a person. Doors closed by the load stay open to
    members who were invited before.
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
    """Whether the member is admitted. `code` is "" or the refusal's; `degraded`: a smaller picture.

    `feature` names the feature whose door refuses, where it is not the tier's.
    """

    code: str = ""
    degraded: bool = False
    feature: Feature | None = None

    @property
    def admitted(self) -> bool:
        """Whether the doors admit the member."""
        return not self.code


_STRICTNESS = {DoorState.OPEN: 0, DoorState.WAITLIST: 1, DoorState.CLOSED: 2}


def strictest(doors: Iterable[DoorState]) -> DoorState:
    """The strictest state. Raises KeyError for AUTO, which the caller resolves first."""
    return max(doors, key=_STRICTNESS.__getitem__, default=DoorState.OPEN)


def decide(facts: DoorInputs, visitor: Visitor) -> Decision:
    """Whether the doors admit this visitor now.

    Codes: "doors-closed", "doors-waitlist" (join and be invited), "feature-closed",
    "sign-ups-suspended" (members with earlier jobs are still admitted).
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


def current_state(set_to: DoorState, auto: AutoDoor) -> tuple[DoorState, bool]:
    """The current state of a door with this setting, and whether it degrades."""
    if set_to is DoorState.AUTO:
        return auto.door_level.state, auto.door_level is DoorLevel.DEGRADED
    return set_to, False


def degrade(request: ImageRequest, usual_steps: int, multiple: int = 64) -> ImageRequest:
    """The request as served while a door degrades: one picture, half the area, 60 % of the steps.

    Sides stay multiples of `multiple` pixels, and at least one of it. An upscale is limited to a
    factor of two; it has no steps to save.
    """
    if request.operation is Operation.UPSCALE:
        return _twice(request)
    return replace(
        request,
        count=1,
        width=_shorter(request.width, multiple),
        height=_shorter(request.height, multiple),
        steps=round((request.steps or usual_steps) * 0.6),
    )


def _twice(request: ImageRequest) -> ImageRequest:
    times = request.factor or 2
    factor = min(2, times)
    width, height = request.width * factor // times, request.height * factor // times
    return replace(request, factor=factor, width=width, height=height)


def _shorter(side: int, multiple: int) -> int:
    return min(side, max(multiple, int(side * 0.5**0.5) // multiple * multiple))
