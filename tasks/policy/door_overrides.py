"""Door overrides: doors that people set, of a tier, a feature, everything, or new members.

Pure. The operator sets doors for all servers, a server's administrators for theirs. Overrides win
over the file; where both have set a door, the stricter one holds, so that no server stays open
against the operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.jobs.tiers import DoorState, Feature, Tier
from tasks.policy.doors import AutoDoor, DoorInputs, current_state, strictest


class GlobalDoor(StrEnum):
    """Doors that belong to no tier and no feature."""

    EVERYTHING = "everything"  # the whole of a server, or of the studio
    SIGN_UPS = "sign-ups"  # new members of unpaid tiers


Subject = Tier | Feature | GlobalDoor
"""What has a door. All values are distinct, so one word names it."""

SUBJECTS: tuple[Subject, ...] = (*Tier, *Feature, *GlobalDoor)


def read_subject(word: str) -> Subject:
    """The subject of a word. Raises ValueError with a sentence that names them all."""
    for subject in SUBJECTS:
        if subject.value == word.lower():
            return subject
    known = ", ".join(subject.value for subject in SUBJECTS)
    raise ValueError(f"“{word}” has no doors. Choose one of {known}.")


EVERYWHERE = "*"
"""The platform and workspace of doors for all servers: the operator's and the automatic ones."""

_PLATFORMS = ("discord", "slack", "web", "terminal")


def read_server(text: str) -> tuple[str, str]:
    """Platform and workspace of "platform:workspace"; of "*", all of them. Raises ValueError."""
    if text == EVERYWHERE:
        return EVERYWHERE, EVERYWHERE
    platform, _, workspace = text.partition(":")
    if platform not in _PLATFORMS or workspace in ("", EVERYWHERE):
        raise ValueError(f'A server is written "discord:GUILD" or "slack:WORKSPACE", not "{text}".')
    return platform, workspace


def states_of(subject: Subject) -> list[DoorState]:
    """Every state that this door can have."""
    states = []
    for state in DoorState:
        with suppress(ValueError):
            check_state(subject, state)
            states.append(state)
    return states


def check_state(subject: Subject, state: DoorState) -> None:
    """Raise ValueError for a state that this door cannot have."""
    if state is DoorState.AUTO and isinstance(subject, GlobalDoor):
        raise ValueError(f"The doors of {subject} follow no load: they are open or closed.")
    if state is DoorState.WAITLIST and subject is GlobalDoor.SIGN_UPS:
        raise ValueError("New members join the waitlist where sign-ups are closed: set it closed.")


@dataclass(frozen=True, slots=True)
class DoorOverrides:
    """The overrides that apply to one server: the operator's and its administrators'."""

    everywhere: Mapping[Subject, DoorState] = field(default_factory=dict)
    here: Mapping[Subject, DoorState] = field(default_factory=dict)

    def of(self, subject: Subject, usual: DoorState) -> list[DoorState]:
        """A door's settings: the operator's and the server's, else the file's."""
        by_hand = (self.everywhere.get(subject), self.here.get(subject))
        return [state for state in by_hand if state is not None] or [usual]

    def set_to(self, subject: Subject, usual: DoorState) -> DoorState:
        """The setting to display: the stricter; AUTO counts between open and waitlist."""
        return max(self.of(subject, usual), key=_SHOWN.__getitem__)

    def now(self, subject: Subject, usual: DoorState, auto: AutoDoor) -> tuple[DoorState, bool]:
        """The door's current state, and whether it degrades."""
        found = [current_state(state, auto) for state in self.of(subject, usual)]
        return strictest(state for state, _ in found), any(degraded for _, degraded in found)


_SHOWN = {DoorState.OPEN: 0, DoorState.AUTO: 1, DoorState.WAITLIST: 2, DoorState.CLOSED: 3}


@dataclass(frozen=True, slots=True)
class UsualDoors:
    """The doors of the operator's file."""

    tiers: Mapping[Tier, DoorState]
    features: Mapping[Feature, DoorState] = field(default_factory=dict)
    sign_ups: bool = True

    def of(self, subject: Subject) -> DoorState:
        """The file's state of one door."""
        if isinstance(subject, Tier):
            return self.tiers[subject]
        if isinstance(subject, Feature):
            return self.features.get(subject, DoorState.OPEN)
        shut = subject is GlobalDoor.SIGN_UPS and not self.sign_ups
        return DoorState.CLOSED if shut else DoorState.OPEN


def door_inputs(
    tier: Tier,
    wanted: Iterable[Feature],
    usual: UsualDoors,
    by_hand: DoorOverrides,
    autos: Mapping[Subject, AutoDoor],
) -> DoorInputs:
    """The current state of every door that applies to an order of this tier with these features."""

    def now(subject: Subject) -> tuple[DoorState, bool]:
        return by_hand.now(subject, usual.of(subject), autos.get(subject, AutoDoor()))

    features = list(wanted)
    passed: list[Subject] = [tier, *features, GlobalDoor.EVERYTHING]
    set_so = (state for subject in passed for state in by_hand.of(subject, usual.of(subject)))
    of_tier, degraded = now(tier)
    of_features = [now(feature) for feature in features]
    feature = strictest(state for state, _ in of_features)
    which = (one for one, (state, _) in zip(features, of_features, strict=True) if state is feature)
    return DoorInputs(
        tier=of_tier,
        degraded=degraded or any(less for _, less in of_features),
        feature=feature,
        which=next(which, Feature.IMAGINE),
        server=now(GlobalDoor.EVERYTHING)[0],
        sign_ups=now(GlobalDoor.SIGN_UPS)[0] is DoorState.OPEN,
        by_hand=DoorState.CLOSED in set_so,
    )
