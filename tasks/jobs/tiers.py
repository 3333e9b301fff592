"""Tiers: rows of policy, and how a member's roles give one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class Tier(StrEnum):
    """The four tiers, lowest first."""

    FREE = "free"
    PLUS = "plus"
    TEAM = "team"
    PRO = "pro"

    @property
    def rank(self) -> int:
        """0 for the lowest tier; the highest wins."""
        return list(Tier).index(self)

    @property
    def paid(self) -> bool:
        """Whether members of this tier pay."""
        return self is not Tier.FREE


class DoorState(StrEnum):
    """Whether a tier may enter."""

    OPEN = "open"
    WAITLIST = "waitlist"
    CLOSED = "closed"
    AUTO = "auto"


class Feature(StrEnum):
    """What a tier may do. Listed in `features`; "all" means every one."""

    IMAGINE = "imagine"
    EDIT = "edit"
    VARY = "vary"
    UPSCALE = "upscale"
    BLEND = "blend"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Quota:
    """Credits in a rolling window."""

    credits: float
    window: timedelta


@dataclass(frozen=True, slots=True)
class TierPolicy:
    """What a tier may do. One credit is one picture of up to one megapixel at the usual steps."""

    tier: Tier
    weight: float
    running: int  # jobs of one member that may run at once
    waiting: int  # jobs of one member that may wait at once
    quota: Quota
    largest_megapixels: float
    count: int
    features: frozenset[Feature]
    doors: DoorState
    relaxed: bool = False  # past the quota: go on at weight 1 instead of being refused
    pool: Quota | None = None  # shared by the whole workspace, beside each member's own


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a member may do now."""

    tier: Tier
    policy: TierPolicy
    blocked: bool = False
    denied: str = ""  # the code of the operator's refusal of this member or server


def resolve_tier(
    roles: Iterable[str], mapping: Mapping[str, Tier], default: Tier = Tier.FREE
) -> Tier:
    """The highest tier that any of the roles gives; `default` where none gives one."""
    return max((mapping[role] for role in roles if role in mapping), default=default, key=_rank)


def _rank(tier: Tier) -> int:
    return tier.rank
