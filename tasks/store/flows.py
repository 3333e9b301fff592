"""Lanes and flows: which jobs are ready, and with which tags.

A flow has at most `at_once` jobs that are ready or running; its other jobs wait behind them. Each
change locks the flow's row, so two of its jobs never become ready for one place. The rules are
those of `tasks.queue.fairness`.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.types import Double

_LEAVE = text("SELECT atelier_leave(:lane, :flow, :difference, :shift)").bindparams(
    bindparam("difference", type_=Double), bindparam("shift", type_=Double)
)

_LEAVE_BEHIND = text("""
    UPDATE flows SET behind = behind - 1, tail = tail + :difference
    WHERE lane = :lane AND flow = :flow
""").bindparams(bindparam("difference", type_=Double))

_CORRECT = text("INSERT INTO lane_changes (lane, seconds) VALUES (:lane, :seconds)").bindparams(
    bindparam("seconds", type_=Double)
)


def settle(connection: Connection, lane: str, flow: str, difference: float = 0.0) -> None:
    """A running job has ended; the next job of its flow becomes ready.

    `difference` is its true minus its expected GPU seconds, charged to the flow and to the lane.
    """
    if difference:
        connection.execute(_CORRECT, {"lane": lane, "seconds": difference})
    _leave(connection, lane, flow, difference, difference)


def leave(connection: Connection, lane: str, flow: str, cost: float, ready: bool) -> None:
    """A queued job of `cost` expected GPU seconds leaves the queue; its flow is refunded."""
    if ready:
        _leave(connection, lane, flow, -cost, 0.0)
    else:
        connection.execute(_LEAVE_BEHIND, {"lane": lane, "flow": flow, "difference": -cost})


def _leave(connection: Connection, lane: str, flow: str, difference: float, shift: float) -> None:
    values = {"lane": lane, "flow": flow, "difference": difference, "shift": shift}
    connection.execute(_LEAVE, values)


_SET_WEIGHT = text("UPDATE lanes SET weight = :weight WHERE lane = :lane AND weight <> :weight")


def set_weights(connection: Connection, weights: Mapping[str, float]) -> None:
    """Set the lanes' weights to those of the operator's policy."""
    for lane, weight in sorted(weights.items()):
        connection.execute(_SET_WEIGHT, {"lane": lane, "weight": weight})


_CORRECTIONS = text("""
    WITH corrections AS (DELETE FROM lane_changes RETURNING lane, seconds),
    summed AS (SELECT lane, sum(seconds) AS seconds FROM corrections GROUP BY lane)
    UPDATE lanes SET start = greatest(lanes.start + summed.seconds / lanes.weight, root.start)
    FROM summed, (SELECT start FROM lanes WHERE lane = 'root') AS root
    WHERE lanes.lane = summed.lane
""")


def apply_corrections(connection: Connection) -> None:
    """Add the differences between true and expected costs to the lanes."""
    connection.execute(_CORRECTIONS)
