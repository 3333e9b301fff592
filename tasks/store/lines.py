"""A queued job's place in line."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

_POSITION = text("""
    SELECT 1 + (
        SELECT count(*) FROM unnest(:lanes) WITH ORDINALITY AS lane(name, rank)
        JOIN jobs AS other ON other.lane = lane.name
            AND other.state = 'queued' AND (other.ready OR NOT mine.ready)
        WHERE (lane.rank, other.start_tag, other.created_at)
            < (array_position(:lanes, mine.lane), mine.start_tag, mine.created_at)
    ) FROM jobs AS mine WHERE mine.id = :job AND mine.state = 'queued'
""").bindparams(bindparam("lanes", type_=ARRAY(Text)))


def position(connection: Connection, job: UUID, lanes: Sequence[str]) -> int | None:
    """Place of a queued job, 1 is next; None once it is not queued. `lanes`: heaviest first."""
    found: int | None = connection.scalar(_POSITION, {"job": job, "lanes": list(lanes)})
    return found
