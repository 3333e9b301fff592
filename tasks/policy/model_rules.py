"""What the operator decides about a model for members: its price, and who may use it. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from tasks.jobs.job import Reason
from tasks.jobs.tiers import Tier


@dataclass(frozen=True, slots=True)
class ModelRule:
    """`price` multiplies the credits of an order; `tiers` may use the model."""

    price: float = 1.0
    tiers: frozenset[Tier] = frozenset(Tier)

    def refusal(self, model: str, tier: Tier) -> Reason | None:
        """Why a member of this tier may not use the model, with the lowest tier that may."""
        if tier in self.tiers:
            return None
        above = sorted((one for one in self.tiers if one.rank > tier.rank), key=lambda t: t.rank)
        if not above:
            return Reason("model-closed", {"model": model})
        return Reason("model-not-in-tier", {"model": model, "needs": above[0].value})


ANY_MODEL = ModelRule()
