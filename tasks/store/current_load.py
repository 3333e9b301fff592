"""The current load: running jobs by tier, and the length of the waitlist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class StudioLoad:
    """Running jobs by tier, and uninvited members on the waitlist. Queued jobs are in `lines`."""

    running: Mapping[str, int]
    waitlist: int


_RUNNING = text("SELECT tier, count(*) AS running FROM jobs WHERE state = 'running' GROUP BY tier")

_WAITLIST = text("SELECT count(*) FROM waitlist WHERE invited_at IS NULL")


def load(connection: Connection) -> StudioLoad:
    """The load now."""
    running = {row.tier: row.running for row in connection.execute(_RUNNING)}
    return StudioLoad(running, connection.scalar(_WAITLIST) or 0)
