"""Lanes and flows in Postgres: which jobs stand ready in the line.

A flow has at most `at_once` jobs that are ready or running; the others stand behind them. Its row
is locked by whoever changes it, so two of its jobs never both think that they are the first.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

_LEAVE = text("""
    UPDATE flows SET opened = opened - 1 WHERE lane = :lane AND flow = :flow
    RETURNING opened, behind
""")

_LEAVE_BEHIND = text("""
    UPDATE flows SET behind = behind - 1 WHERE lane = :lane AND flow = :flow
""")

_PROMOTE = text("""
    WITH promoted AS (
        UPDATE jobs SET ready = true WHERE id = (
            SELECT id FROM jobs
            WHERE lane = :lane AND flow = :flow AND state = 'queued' AND NOT ready
            ORDER BY created_at LIMIT 1
        ) AND at_once > :opened
        RETURNING id
    ), counted AS (
        UPDATE flows SET opened = opened + 1, behind = behind - 1
        WHERE lane = :lane AND flow = :flow AND EXISTS (SELECT FROM promoted)
    ), ticket AS (
        INSERT INTO outbox (created_at) SELECT now() FROM promoted
    )
    SELECT pg_notify('atelier_outbox', '') FROM promoted
""")


def leave(connection: Connection, lane: str, flow: str, ready: bool = True) -> None:
    """A job of the flow has ended or left the line; the next one behind it comes forward."""
    where = {"lane": lane, "flow": flow}
    if not ready:
        connection.execute(_LEAVE_BEHIND, where)
        return
    counts = connection.execute(_LEAVE, where).one_or_none()
    if counts is not None and counts.behind:
        connection.execute(_PROMOTE, {**where, "opened": counts.opened})
