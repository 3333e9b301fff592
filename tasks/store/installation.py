"""The installation's id, which its blob store has too, and a generation that only grows.

Each orphan check advances the generation in the database, then in the blob store. A blob store that
is ahead of the database shows that the database was restored from an older dump. The time of an
advance is its name: the same database and its copies never advance at the same microsecond.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import Connection, text


@dataclass(frozen=True, slots=True)
class Installation:
    """The database's side of the pair."""

    id: UUID
    generation: int
    advance: str


_READ = text("""
    UPDATE installation SET id = coalesce(id, gen_random_uuid())
    RETURNING id, generation, extract(epoch FROM checked_at)::text AS advance
""")


def read(connection: Connection) -> Installation:
    """The installation of this database; chooses its id the first time."""
    row = connection.execute(_READ).one()
    return Installation(row.id, row.generation, row.advance)


_ADVANCE = text("""
    UPDATE installation SET generation = generation + 1, checked_at = now()
    WHERE checked_at <= now() - make_interval(secs => :seconds)
    RETURNING id, generation, extract(epoch FROM checked_at)::text AS advance
""")


def advance(connection: Connection, seconds: float) -> Installation | None:
    """Advance the generation, unless that happened within the last `seconds`."""
    row = connection.execute(_ADVANCE, {"seconds": seconds}).one_or_none()
    return Installation(row.id, row.generation, row.advance) if row else None


_RAISE = text("""
    UPDATE installation
    SET generation = greatest(generation, :generation), checked_at = now()
    RETURNING id, generation, extract(epoch FROM checked_at)::text AS advance
""")


def raise_generation(connection: Connection, generation: int) -> Installation:
    """Set the generation to at least this one; that counts as an advance."""
    row = connection.execute(_RAISE, {"generation": generation}).one()
    return Installation(row.id, row.generation, row.advance)


_NEWEST = text("""
    (SELECT blob FROM pictures WHERE NOT deleted ORDER BY created_at DESC LIMIT :limit)
    UNION (SELECT blob FROM sources ORDER BY stored_at DESC LIMIT :limit)
""")


def newest_blobs(connection: Connection, limit: int) -> Sequence[str]:
    """The blobs of the newest pictures, and of the newest uploads."""
    return list(connection.scalars(_NEWEST, {"limit": limit}))
