"""The waitlist: first come, first invited, as many at a time as capacity allows.

Pure. An unused invitation lapses; the member then waits again, behind everyone whose invitations
have lapsed fewer times. Members are removed only by leaving or by submitting an order.
"""

from __future__ import annotations

import math
from datetime import timedelta

INVITATION_LASTS = timedelta(hours=12)

NOTIFIED_DECAY_MINUTES = 10.0
"""A notified invitation reserves a third of its capacity after so many minutes."""

UNNOTIFIED_DECAY_MINUTES = 120.0
"""The same for an invitation that the member was not notified of."""


def batch_size(
    spare_seconds: float, job_seconds: float, open_invitations: float, use_rate: float = 0.5
) -> int:
    """How many members to invite now.

    `spare_seconds` is the GPU seconds that can still be accepted (`wait_estimate.spare_seconds`).
    Each invited member submits one job of `job_seconds`; `use_rate` is the share of invitations
    that are used. Open invitations reserve capacity, each as much as `reserved_share` says.
    """
    if job_seconds <= 0 or use_rate <= 0 or not math.isfinite(spare_seconds):
        return 0
    return max(0, int(spare_seconds / (job_seconds * use_rate) - open_invitations))


def reserved_share(minutes: float, lapses: int = 0, notified: bool = True) -> float:
    """The share of an open invitation's capacity that is still reserved, from 1 to 0.

    Most members who use an invitation do so soon after the notice. Without this decay, unused
    invitations would reserve capacity until they lapse. A member who was not notified yet keeps the
    reservation for longer; each earlier lapse halves it.
    """
    decay = NOTIFIED_DECAY_MINUTES if notified else UNNOTIFIED_DECAY_MINUTES
    return float(0.5**lapses * math.exp(-max(0.0, minutes) / decay))
