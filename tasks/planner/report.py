"""The planner's answer as JSON and as one HTML page that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from tasks.planner.charts import TEMPLATES, count, duration, line_chart
from tasks.planner.fleet_size import Promise
from tasks.planner.statistics import Day

DOOR_LEVELS = ("open", "degraded", "waitlist", "closed")


@dataclass(frozen=True, slots=True)
class Plan:
    """One run of the planner."""

    day: Day
    requests: int
    work: float  # GPU seconds asked for
    promises: Sequence[Promise]
    price_an_hour: float
    smallest: int | None  # GPUs that keep the promises, where they were searched
    events_a_second: float  # of CPU time
    orders: Sequence[Mapping[str, Any]]  # the comparison, where it was made

    def as_json(self) -> dict[str, Any]:
        """Plain values. Times in seconds."""
        day = self.day
        # What is asked at the end of a short trace is still made after it.
        paid_for = max(day.gpus * day.seconds, day.busy_seconds) / 3600
        return {
            "trace": day.trace,
            "requests": self.requests,
            "seconds": day.seconds,
            "asked_gpu_hours": self.work / 3600,
            "gpus": day.gpus,
            "gpu_hours": paid_for,
            "busy_gpu_hours": day.busy_seconds / 3600,
            "cost": paid_for * self.price_an_hour,
            "smallest_fleet": self.smallest,
            "events": day.events,
            "events_a_second": self.events_a_second,
            "door_moves": day.door_moves,
            "lanes": {name: tally.as_json() for name, tally in day.lanes.items()},
            "promises": [
                {
                    "promise": str(promise),
                    "asked": day.lanes[promise.lane].asked,
                    "reached": _finite(promise.reached(day)),
                    "kept": promise.kept(day),
                }
                for promise in self.promises
            ],
            "orders": list(self.orders),
            "moments": [
                {
                    "at": moment.at,
                    "waiting": moment.waiting,
                    "predicted": moment.predicted,
                    "door": DOOR_LEVELS[moment.door_level],
                    "busy": round(moment.busy, 4),
                    "waitlist": moment.waitlist,
                }
                for moment in day.moments
            ],
        }


def _finite(value: float) -> float | None:
    return value if value != float("inf") else None


def html(plan: Plan) -> str:
    """The report as one page, with no link to anything outside it."""
    day, values = plan.day, plan.as_json()
    names = [name for name, tally in day.lanes.items() if tally.asked]
    return TEMPLATES.get_template("report.html").render(
        title=f"Capacity plan: {day.trace}",
        plan=values,
        promises=[_promise_row(promise) for promise in values["promises"]],
        lanes=[_lane_row(name, values["lanes"][name]) for name in names],
        charts=_charts(day, names),
        orders=[_order_row(row) for row in plan.orders],
    )


def _charts(day: Day, lanes: Sequence[str]) -> list[Markup]:
    paid = [name for name in lanes if name not in ("free", "relaxed")]
    levels = [(m.at, float(m.door_level)) for m in day.moments]
    waitlist = [(m.at, float(m.waitlist)) for m in day.moments]
    busy = [(m.at, m.busy) for m in day.moments]
    return [
        line_chart("Jobs waiting", _series(day, "waiting", lanes), count),
        line_chart("Predicted wait, paid", _series(day, "predicted", paid), duration),
        line_chart("Predicted wait, Free", _series(day, "predicted", ["free"]), duration),
        line_chart("Automatic doors", {"free": levels}, _level_name),
        line_chart("Waitlist", {"free": waitlist}, count),
        line_chart("Busy GPUs", {"all": busy}, lambda share: f"{share:.0%}"),
    ]


def _level_name(level: float) -> str:
    return DOOR_LEVELS[round(level)] if level in (0, 1, 2, 3) else ""


def _series(day: Day, field: str, lanes: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    return {name: [(m.at, float(getattr(m, field)[name])) for m in day.moments] for name in lanes}


def promise_result(promise: Mapping[str, Any]) -> str:
    """What a promise came to, in words."""
    if not promise["asked"]:
        return "no requests"
    if "refused" in promise["promise"]:
        return f"{promise['reached']:.1%}"
    return "never" if promise["reached"] is None else duration(promise["reached"])


def _promise_row(promise: Mapping[str, Any]) -> list[str]:
    kept = "kept" if promise["kept"] else "broken"
    return [promise["promise"], promise_result(promise), kept]


def _lane_row(name: str, lane: Mapping[str, Any]) -> list[str]:
    waits = [duration(lane[f"wait_{level}"]) for level in ("p50", "p90", "p99", "longest")]
    within = lane["within_p90"]
    return [
        name,
        count(lane["asked"]),
        f"{lane['refused_share']:.1%}",
        *waits,
        count(lane["degraded"]),
        count(lane["invited"]),
        f"{within:.0%}" if within is not None else "",
    ]


def _order_row(row: Mapping[str, Any]) -> list[str]:
    return [
        str(row["order"]),
        duration(row["paid_p99"]),
        duration(row["free_p50"]),
        duration(row["free_p99"]),
        f"{row['jain_free']:.3f}",
        f"{row['starved_free']:.2%}",
    ]
