"""Lanes and flows in Postgres: which jobs stand ready in the line, and with which tags.

A flow has at most `at_once` jobs that are ready or running; the others stand behind them. Its row
is locked by whoever changes it, so two of its jobs never both think that they are the first. The
rules are those of `tasks.fairness`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.types import Double

_LEAVE = text("""
    UPDATE flows SET opened = opened - 1, tail = tail + :difference, shift = shift + :shift
    WHERE lane = :lane AND flow = :flow
    RETURNING opened, behind
""").bindparams(bindparam("difference", type_=Double), bindparam("shift", type_=Double))

_LEAVE_BEHIND = text("""
    UPDATE flows SET behind = behind - 1, tail = tail + :difference
    WHERE lane = :lane AND flow = :flow
""").bindparams(bindparam("difference", type_=Double))

_PROMOTE = text("""
    WITH promoted AS (
        UPDATE jobs SET ready = true,
            start_tag = greatest(entered, start_tag + flows.shift - jobs.shift), shift = flows.shift
        FROM flows
        WHERE flows.lane = :lane AND flows.flow = :flow AND jobs.id = (
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

_CORRECT = text("INSERT INTO lane_changes (lane, seconds) VALUES (:lane, :seconds)").bindparams(
    bindparam("seconds", type_=Double)
)


def settle(connection: Connection, lane: str, flow: str, difference: float = 0.0) -> None:
    """A running job has ended; the next one behind it comes forward.

    `difference` is its true minus its expected GPU seconds: a debt of the flow and of the lane.
    """
    if difference:
        connection.execute(_CORRECT, {"lane": lane, "seconds": difference})
    _leave(connection, lane, flow, difference, difference)


def leave(connection: Connection, lane: str, flow: str, cost: float, ready: bool) -> None:
    """A queued job of `cost` expected GPU seconds leaves the line; its flow gets them back."""
    if ready:
        _leave(connection, lane, flow, -cost, 0.0)
    else:
        connection.execute(_LEAVE_BEHIND, {"lane": lane, "flow": flow, "difference": -cost})


def _leave(connection: Connection, lane: str, flow: str, difference: float, shift: float) -> None:
    where = {"lane": lane, "flow": flow}
    values = {**where, "difference": difference, "shift": shift}
    counts = connection.execute(_LEAVE, values).one_or_none()
    if counts is not None and counts.behind:
        connection.execute(_PROMOTE, {**where, "opened": counts.opened})


_WEIGH = text("UPDATE lanes SET weight = :weight WHERE lane = :lane AND weight <> :weight")


def weigh(connection: Connection, weights: Mapping[str, float]) -> None:
    """Set the lanes' weights, as the operator's policy has them."""
    for lane, weight in sorted(weights.items()):
        connection.execute(_WEIGH, {"lane": lane, "weight": weight})


_CORRECTIONS = text("""
    WITH corrections AS (DELETE FROM lane_changes RETURNING lane, seconds),
    summed AS (SELECT lane, sum(seconds) AS seconds FROM corrections GROUP BY lane)
    UPDATE lanes SET start = greatest(lanes.start + summed.seconds / lanes.weight, root.start)
    FROM summed, (SELECT start FROM lanes WHERE lane = 'root') AS root WHERE lanes.lane = summed.lane
""")


def correct(connection: Connection) -> None:
    """Put what is known of true costs on the lanes."""
    connection.execute(_CORRECTIONS)
