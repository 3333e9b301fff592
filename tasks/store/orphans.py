"""Orphans: blobs that no row refers to. They are listed, later marked, and later deleted."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

_REFERENCED = """
    (EXISTS (SELECT FROM pictures WHERE pictures.blob = {blob} AND NOT deleted)
    OR EXISTS (SELECT FROM sources WHERE sources.blob = {blob}))
"""

_LIST = text(f"""
    INSERT INTO orphans (blob)
    SELECT name FROM unnest(:names) AS name WHERE NOT {_REFERENCED.format(blob="name")}
    ON CONFLICT (blob) DO NOTHING
""").bindparams(bindparam("names", type_=ARRAY(Text)))


def list_new(connection: Connection, names: Collection[str]) -> int:
    """List those of the blobs that no row refers to and that are not listed yet; how many."""
    return connection.execute(_LIST, {"names": sorted(names)}).rowcount


_UNKNOWN = text(f"""
    SELECT count(*) FROM unnest(:names) AS name WHERE NOT {_REFERENCED.format(blob="name")}
        AND NOT EXISTS (SELECT FROM orphans WHERE orphans.blob = name)
""").bindparams(bindparam("names", type_=ARRAY(Text)))


def unknown(connection: Connection, names: Collection[str]) -> int:
    """How many of the blobs no row refers to, and are not listed either."""
    return connection.scalar(_UNKNOWN, {"names": sorted(names)}) or 0


_UNLIST = text(f"DELETE FROM orphans WHERE {_REFERENCED.format(blob='orphans.blob')}")


def unlist_referenced(connection: Connection) -> int:
    """Remove from the list what a row refers to by now; how many."""
    return connection.execute(_UNLIST).rowcount


_MARK = text("""
    UPDATE orphans SET marked_at = now()
    WHERE marked_at IS NULL AND listed_at < now() - make_interval(secs => :seconds)
""")


def mark(connection: Connection, after: timedelta) -> int:
    """Mark what has been listed for longer than `after`; how many."""
    return connection.execute(_MARK, {"seconds": after.total_seconds()}).rowcount


_TAKE_DUE = text(f"""
    DELETE FROM orphans WHERE blob IN (
        SELECT blob FROM orphans
        WHERE marked_at < now() - make_interval(secs => :seconds)
            AND NOT {_REFERENCED.format(blob="orphans.blob")}
        ORDER BY marked_at, blob LIMIT :limit FOR UPDATE SKIP LOCKED
    ) RETURNING blob
""")


def take_due(connection: Connection, after: timedelta, limit: int) -> list[str]:
    """Take off the list up to `limit` blobs that were marked longer than `after` ago.

    The caller deletes them before the transaction is committed.
    """
    values = {"seconds": after.total_seconds(), "limit": limit}
    return sorted(connection.scalars(_TAKE_DUE, values))


@dataclass(frozen=True, slots=True)
class Orphan:
    """A listed blob."""

    blob: str
    listed_at: datetime
    marked_at: datetime | None


_READ = text("SELECT blob, listed_at, marked_at FROM orphans ORDER BY listed_at, blob LIMIT :limit")


def read(connection: Connection, limit: int) -> Sequence[Orphan]:
    """The first `limit` orphans, oldest first."""
    rows = connection.execute(_READ, {"limit": limit})
    return [Orphan(row.blob, row.listed_at, row.marked_at) for row in rows]


_COUNT = text("SELECT count(*) FROM orphans")


def count(connection: Connection) -> int:
    """How many blobs are listed."""
    return connection.scalar(_COUNT) or 0
