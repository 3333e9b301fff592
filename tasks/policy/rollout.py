"""Staged rollout of features: by tier, on a day, or for a share of the members.

Pure. In `atelier.toml`: `stages.edit = { free = "2026-12-15" }`, `{ free = "25%", plus = "open" }`.
A stage for the tier wins over the tier's own `features`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tasks.jobs.tiers import Feature, Tier, TierPolicy

Stages = Mapping[Feature, Mapping[Tier, "Stage"]]


@dataclass(frozen=True, slots=True)
class Stage:
    """From `opens` on (None: at once), for `percent` of the members."""

    opens: date | None = None
    percent: float = 100.0

    def open_to(self, feature: Feature, member_key: str, today: date) -> bool:
        """Whether this member is included; they stay included as the percentage grows."""
        if self.opens is not None and today < self.opens:
            return False
        return share_of(feature.value, member_key) < self.percent


def share_of(feature: str, member_key: str) -> float:
    """A member's fixed number from 0 to 100 for a feature, the same in every process."""
    digest = hashlib.blake2b(f"{feature}\0{member_key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") / 2**64 * 100


def read_stage(text: str) -> Stage:
    """A stage as it is written: "open", "closed", a day, a percentage, or a day and a percentage.

    Raises ValueError with a sentence that says what is expected.
    """
    words = text.split()
    if words == ["open"]:
        return Stage()
    if words == ["closed"]:
        return Stage(percent=0.0)
    days: list[date] = []
    shares: list[float] = []
    try:
        for word in words:
            if number := re.fullmatch(r"(\d+(?:\.\d+)?)%", word):
                shares.append(float(number[1]))
            else:
                days.append(date.fromisoformat(word))
    except ValueError:
        words = []
    if not words or len(days) > 1 or len(shares) > 1 or max(shares, default=0) > 100:
        raise ValueError(
            f'A stage is "open", "closed", a day such as "2026-12-15", a share such as "25%", '
            f'or both ("2026-12-15 25%"); not "{text}".'
        )
    return Stage(days[0] if days else None, *shares)


def feature_open(
    feature: Feature, policy: TierPolicy, member_key: str, today: date, stages: Stages
) -> bool:
    """Whether a member of this tier may use the feature today."""
    stage = stages.get(feature, {}).get(policy.tier)
    if stage is None:
        return feature in policy.features
    return stage.open_to(feature, member_key, today)


def opening_day(
    feature: Feature, tier: Tier, member_key: str, today: date, stages: Stages
) -> date | None:
    """The announced day on which the feature opens to this member; None where there is none.

    A member outside the share that it opens for gets no day.
    """
    stage = stages.get(feature, {}).get(tier)
    if stage is None or stage.opens is None or stage.opens <= today:
        return None
    return stage.opens if stage.open_to(feature, member_key, stage.opens) else None
