"""Learns what jobs cost, and how accurate the estimates were."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection

from imaging.request import Priority
from tasks.queue import wait_estimate
from tasks.store import costs, estimates, queue_position
from tasks.store.load_snapshot import LoadSnapshot


def learn_costs(connection: Connection, snapshot: LoadSnapshot) -> None:
    """Add the newest renders to the learnt costs."""
    profiles = {name for worker in snapshot.workers for name in worker.card.profiles}
    steps = {name: snapshot.usual_steps(name) for name in profiles}
    known = {name: number for name, number in steps.items() if number}
    costs.learn(connection, known, {one: snapshot.crowding(one) for one in Priority})


def calibrate_estimates(connection: Connection, snapshot: LoadSnapshot) -> None:
    """Calibrate each lane's estimates by its last outcomes."""
    for lane in snapshot.lanes:
        outcomes = estimates.outcomes(connection, lane.lane)
        if outcomes:
            calibration = wait_estimate.correct(outcomes)
            queue_position.set_calibration(connection, lane.lane, asdict(calibration))
