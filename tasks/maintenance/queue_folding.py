"""Folds the queue's changes into pages, and measures what comes into each lane."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from sqlalchemy import Connection

from tasks.queue.demand import Arrivals, Lanes, read_demand
from tasks.queue.load import Meter
from tasks.queue.repricing import read_queued_work
from tasks.store import costs, flows, queue_position, workers
from tasks.store.recorded_day import usual_demand

INFLOW_MEMORY = 300.0  # seconds over which a lane's inflow is averaged
USUAL_SECONDS = 600.0
"""Seconds between two readings of the usual demand of this time of the week."""

METER_FIELDS = ("memory", "level", "weight", "at")


def record_inflow(connection: Connection, arrived: Lanes, now: float) -> None:
    """Apply cost corrections to the lanes, and record what arrived in each lane.

    `arrived` is what `queue_position.fold` returned; `now` is in seconds.
    """
    flows.apply_corrections(connection)
    level = costs.price_level(costs.read(connection))
    for lane, (stored, waiting) in queue_position.meters(connection).items():
        found = arrived.get(lane, Arrivals())
        meter = {name: stored[name] for name in METER_FIELDS if name in stored}
        values: dict[str, Any] = {}
        inflow = 0.0
        if found.jobs or meter:
            before = Meter(**meter) if meter else Meter(INFLOW_MEMORY, at=now)
            after = before.add(max(0.0, found.seconds), now)
            values, inflow = asdict(after), after.rate(now)
        work = read_queued_work(stored.get("work") or {})
        if waiting or work.parts:
            values["work"] = work.observe(max(0.0, found.seconds), waiting, level).to_json()
        if lane == queue_position.DEMAND_LANE:
            observed = _observed(connection, stored.get("demand") or {}, arrived, now, level)
            values["demand"] = observed
        if values:
            queue_position.set_inflow(connection, lane, inflow, values)


def _observed(
    connection: Connection, stored: Mapping[str, Any], arrived: Lanes, now: float, level: float
) -> dict[str, Any]:
    """The demand and the fleet after these arrivals, as plain values."""
    demand = read_demand(stored.get("arrivals") or {})
    rise = level - stored.get("price_level", level)
    if rise:
        demand = demand.repriced(math.exp(rise))
    demand = demand.observe(arrived, now)
    if not 0 <= now - demand.usual_at < USUAL_SECONDS:
        demand = replace(demand, usual=usual_demand(connection, now), usual_at=now)
    rate = float(len(workers.alive(connection)))
    fleet = dict(stored.get("fleet") or {"rate": rate, "rate_before": rate, "at": now})
    if fleet["rate"] != rate:
        fleet = {"rate": rate, "rate_before": fleet["rate"], "at": now}
    return {"arrivals": demand.to_json(), "fleet": fleet, "price_level": level}
