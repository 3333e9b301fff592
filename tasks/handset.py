"""Doors as people have set them: of a tier, a feature, everything, or new members.

Pure. The operator sets doors for all servers, a server's administrators for theirs. What is set by
hand wins over the file; where both have set a door, the stricter holds, so that no server stays
open past the operator.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.doors import AutoDoor, DoorFacts, now_of, strictest
from tasks.tiers import DoorState, Feature, Tier


class Whole(StrEnum):
    """Doors that are no tier's and no feature's."""

    EVERYTHING = "everything"  # the whole of a server, or of the studio
    SIGN_UPS = "sign-ups"  # new members of unpaid tiers


Subject = Tier | Feature | Whole
"""What has a door. Its words are all different, so one word names it."""

SUBJECTS: tuple[Subject, ...] = (*Tier, *Feature, *Whole)


def read_subject(word: str) -> Subject:
    """The subject of a word. Raises ValueError with a sentence that names them all."""
    for subject in SUBJECTS:
        if subject.value == word.lower():
            return subject
    known = ", ".join(subject.value for subject in SUBJECTS)
    raise ValueError(f"“{word}” has no doors. Choose one of {known}.")


EVERYWHERE = "*"
"""The platform and workspace of what holds for all servers: the operator's doors, and the memory of
the automatic ones."""

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
    """Every state that these doors can have."""
    states = []
    for state in DoorState:
        with suppress(ValueError):
            check_state(subject, state)
            states.append(state)
    return states


def check_state(subject: Subject, state: DoorState) -> None:
    """Raise ValueError where these doors cannot stand so."""
    if state is DoorState.AUTO and isinstance(subject, Whole):
        raise ValueError(f"The doors of {subject} follow no load: they are open or closed.")
    if state is DoorState.WAITLIST and subject is Whole.SIGN_UPS:
        raise ValueError("New members join the waitlist where sign-ups are closed: set it closed.")


@dataclass(frozen=True, slots=True)
class HandSet:
    """The doors that hold for one server: those of the operator and those of its own."""

    everywhere: Mapping[Subject, DoorState] = field(default_factory=dict)
    here: Mapping[Subject, DoorState] = field(default_factory=dict)

    def of(self, subject: Subject, usual: DoorState) -> list[DoorState]:
        """What a door is set to: by the operator, by the server, or as the file has it."""
        by_hand = (self.everywhere.get(subject), self.here.get(subject))
        return [state for state in by_hand if state is not None] or [usual]

    def set_to(self, subject: Subject, usual: DoorState) -> DoorState:
        """The one of these that is shown: the stricter; an automatic one where both may be open."""
        return max(self.of(subject, usual), key=_SHOWN.__getitem__)

    def now(self, subject: Subject, usual: DoorState, auto: AutoDoor) -> tuple[DoorState, bool]:
        """What the door is at this moment, and whether it degrades."""
        found = [now_of(state, auto) for state in self.of(subject, usual)]
        return strictest(state for state, _ in found), any(degraded for _, degraded in found)


_SHOWN = {DoorState.OPEN: 0, DoorState.AUTO: 1, DoorState.WAITLIST: 2, DoorState.CLOSED: 3}


@dataclass(frozen=True, slots=True)
class UsualDoors:
    """The doors as the operator's file has them."""

    tiers: Mapping[Tier, DoorState]
    features: Mapping[Feature, DoorState] = field(default_factory=dict)
    sign_ups: bool = True

    def of(self, subject: Subject) -> DoorState:
        """One of them."""
        if isinstance(subject, Tier):
            return self.tiers[subject]
        if isinstance(subject, Feature):
            return self.features.get(subject, DoorState.OPEN)
        shut = subject is Whole.SIGN_UPS and not self.sign_ups
        return DoorState.CLOSED if shut else DoorState.OPEN


def facts_for(
    tier: Tier,
    wanted: Iterable[Feature],
    usual: UsualDoors,
    by_hand: HandSet,
    autos: Mapping[Subject, AutoDoor],
) -> DoorFacts:
    """Every door that an order of this tier with these features passes, as it stands now."""

    def now(subject: Subject) -> tuple[DoorState, bool]:
        return by_hand.now(subject, usual.of(subject), autos.get(subject, AutoDoor()))

    features = list(wanted)
    passed: list[Subject] = [tier, *features, Whole.EVERYTHING]
    set_so = (state for subject in passed for state in by_hand.of(subject, usual.of(subject)))
    of_tier, degraded = now(tier)
    of_features = [now(feature) for feature in features]
    feature = strictest(state for state, _ in of_features)
    which = (one for one, (state, _) in zip(features, of_features, strict=True) if state is feature)
    return DoorFacts(
        tier=of_tier,
        degraded=degraded or any(less for _, less in of_features),
        feature=feature,
        which=next(which, Feature.IMAGINE),
        server=now(Whole.EVERYTHING)[0],
        sign_ups=now(Whole.SIGN_UPS)[0] is DoorState.OPEN,
        by_hand=DoorState.CLOSED in set_so,
    )
