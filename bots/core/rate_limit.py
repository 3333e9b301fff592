"""Limits how much one member may ask for in a short time, whatever they ask for and where."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bots.core.commands import BadCommand, Cancel, Command, Privacy, Report
from bots.core.token_buckets import TokenBuckets
from tasks.jobs.members import Member

CAPACITY = 120.0  # what a member may spend at once
REFILL = 2.0  # a second

EXPORT_COST = 40.0
_COSTS: dict[type, float] = {Report: 12.0, Privacy: 20.0, Cancel: 4.0}
"""What weighs more than a prompt or a question, which cost 1."""


@dataclass(frozen=True, slots=True)
class MemberRateLimiter:
    """A token bucket for each member, in this process. `clock` is monotonic, in seconds."""

    clock: Callable[[], float] = time.monotonic
    _buckets: TokenBuckets = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_buckets", TokenBuckets(CAPACITY, REFILL, self.clock))

    def wait(self, member: Member, command: Command | BadCommand) -> int:
        """Charge a command: 0, or the seconds until the bucket has enough for it."""
        return self._buckets.wait(member.key, cost_of(command))


def cost_of(command: Command | BadCommand) -> float:
    """What a command takes from its member's bucket."""
    if isinstance(command, Privacy) and command.action == "export":
        return EXPORT_COST
    return _COSTS.get(type(command), 1.0)
