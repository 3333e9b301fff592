"""Members who wait for doors: first come, first invited, as many at a time as there is room for.

Pure. An invitation lapses when it is not used; the member then stands again, behind everyone whose
invitation has lapsed fewer times. Nobody is taken off but by leaving or by coming in.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

INVITATION_LASTS = timedelta(hours=12)

COMES_WITHIN = 10.0
"""Minutes after which an invitation that was told has a third of its room left."""

TOLD_WITHIN = 120.0
"""The same for one that was not told, since it was given."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A member on the waitlist of a tier. `invited_until` is set while an invitation is open."""

    member: str
    joined_at: datetime
    lapses: int = 0
    invited_until: datetime | None = None

    @property
    def order(self) -> tuple[int, datetime, str]:
        """The order of inviting."""
        return (self.lapses, self.joined_at, self.member)

    def invited(self, now: datetime) -> bool:
        """Whether an invitation is open."""
        return self.invited_until is not None and now < self.invited_until


def lapse(waiting: Waiting, now: datetime) -> Waiting:
    """The same member once an invitation has run out; unchanged while it is open."""
    if waiting.invited_until is None or waiting.invited(now):
        return waiting
    return replace(waiting, lapses=waiting.lapses + 1, invited_until=None)


def invite(
    waiting: Iterable[Waiting],
    batch: int,
    now: datetime,
    lasts: timedelta = INVITATION_LASTS,
) -> list[Waiting]:
    """The first `batch` members without an invitation, now with one."""
    standing = sorted((w for w in waiting if w.invited_until is None), key=lambda w: w.order)
    return [replace(w, invited_until=now + lasts) for w in standing[: max(0, batch)]]


def position(waiting: Iterable[Waiting], member: str) -> int | None:
    """Place on the list, 1 is next; None for one who is invited or not on it."""
    standing = sorted((w for w in waiting if w.invited_until is None), key=lambda w: w.order)
    return next((n for n, w in enumerate(standing, 1) if w.member == member), None)


def batch_size(room: float, job_seconds: float, open_invitations: float, comes: float = 0.5) -> int:
    """How many members there is room for now.

    `room` is the GPU seconds that may still come in (`capacity.room`); each guest brings one job of
    `job_seconds`, and `comes` is the share of invited members who use it. Open invitations have
    their room already, each for as much as it is `awaited`.
    """
    if job_seconds <= 0 or comes <= 0 or not math.isfinite(room):
        return 0
    return max(0, int(max(0.0, room) / (job_seconds * comes) - open_invitations))


def awaited(minutes: float, lapses: int = 0, told: bool = True) -> float:
    """How far an invitation still has its room, from 1 to 0.

    Whoever comes, comes soon after being told: without that, those who never come would hold the
    room of all others until their invitations lapse. Who was not told yet is awaited for longer,
    and who let invitations lapse before, less.
    """
    return float(
        0.5**lapses * math.exp(-max(0.0, minutes) / (COMES_WITHIN if told else TOLD_WITHIN))
    )
