"""The planner's answer as JSON and as one HTML page that opens offline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from tasks.planner.charts import count, duration, line_chart
from tasks.planner.fleets import Promise
from tasks.planner.tally import Day

RUNGS = ("open", "degraded", "waitlist", "closed")


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
                    "door": RUNGS[moment.rung],
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
    lanes = [name for name, tally in day.lanes.items() if tally.asked]
    paid = [name for name in lanes if name not in ("free", "relaxed")]
    sections = [
        f"<h1>Capacity plan: {escape(day.trace)}</h1>",
        f"<p>{_summary(values)}</p>",
        _promises(values["promises"]),
        _lanes(values["lanes"], lanes),
        line_chart("Jobs that wait", _series(day, "waiting", lanes), count),
        line_chart("Predicted wait, paid", _series(day, "predicted", paid), duration),
        line_chart("Predicted wait, Free", _series(day, "predicted", ["free"]), duration),
        line_chart(
            "Automatic doors",
            {"free": [(m.at, float(m.rung)) for m in day.moments]},
            lambda rung: RUNGS[round(rung)] if rung in (0, 1, 2, 3) else "",
        ),
        line_chart("Waitlist", {"free": [(m.at, float(m.waitlist)) for m in day.moments]}, count),
        line_chart(
            "GPUs at work", {"all": [(m.at, m.busy) for m in day.moments]}, lambda v: f"{v:.0%}"
        ),
        _orders(plan.orders),
    ]
    return _PAGE.format(title=escape(f"Capacity plan: {day.trace}"), body="\n".join(sections))


def _series(day: Day, field: str, lanes: Sequence[str]) -> dict[str, list[tuple[float, float]]]:
    return {name: [(m.at, float(getattr(m, field)[name])) for m in day.moments] for name in lanes}


def _summary(values: Mapping[str, Any]) -> str:
    smallest = values["smallest_fleet"]
    found = f" The smallest fleet that keeps the promises: <b>{count(smallest or 0)} GPUs</b>."
    return (
        f"{count(values['requests'])} requests, {count(values['asked_gpu_hours'])} GPU hours asked "
        f"for, on <b>{count(values['gpus'])} GPUs</b>: {count(values['gpu_hours'])} GPU hours, "
        f"{count(values['busy_gpu_hours'])} of them at work, at a cost of "
        f"{count(values['cost'])}.{found if smallest else ''} "
        f"Simulated at {count(values['events_a_second'])} events a second of CPU time."
    )


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in heads)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _promises(promises: Sequence[Mapping[str, Any]]) -> str:
    rows = []
    for promise in promises:
        reached = promise["reached"]
        words = duration(reached) if reached is not None else "never"
        if "refused" in promise["promise"]:
            words = f"{reached:.1%}"
        if not promise["asked"]:
            words = "nobody asked"
        rows.append([promise["promise"], words, "kept" if promise["kept"] else "broken"])
    return "<h2>Promises</h2>" + _table(["promise", "reached", ""], rows)


def _lanes(lanes: Mapping[str, Mapping[str, Any]], names: Sequence[str]) -> str:
    rows = [
        [
            name,
            count(lane["asked"]),
            f"{lane['refused_share']:.1%}",
            *(duration(lane[key]) for key in ("wait_p50", "wait_p90", "wait_p99", "wait_longest")),
            count(lane["degraded"]),
            count(lane["invited"]),
            f"{lane['within_p90']:.0%}" if lane["within_p90"] is not None else "",
        ]
        for name in names
        for lane in (lanes[name],)
    ]
    heads = ["tier", "asked", "refused", "p50", "p90", "p99", "longest", "degraded", "invited"]
    return "<h2>Waits until the render begins</h2>" + _table([*heads, "within p90"], rows)


def _orders(orders: Sequence[Mapping[str, Any]]) -> str:
    if not orders:
        return ""
    rows = [
        [
            str(row["order"]),
            duration(row["paid_p99"]),
            duration(row["free_p50"]),
            duration(row["free_p99"]),
            f"{row['jain_free']:.3f}",
            f"{row['starved_free']:.2%}",
        ]
        for row in orders
    ]
    heads = ["order", "paid p99", "Free p50", "Free p99", "Jain inside Free", "Free starved"]
    return (
        "<h2>The same bad day in other orders</h2><p>Doors open, nobody refused, and one Free "
        "member sends half of all Free jobs.</p>" + _table(heads, rows)
    )


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width">
<style>
:root {{ color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }}
body {{ max-width: 900px; margin: 2rem auto; padding: 0 1rem; }}
table {{ border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }}
th, td {{ text-align: right; padding: .25rem .5rem; border-bottom: 1px solid #8884; }}
th:first-child, td:first-child {{ text-align: left; }}
figure {{ margin: 1.5rem 0; }}
figcaption {{ font-weight: 600; }}
figcaption i {{ display: inline-block; width: .7em; height: .7em; margin: 0 .3em 0 1em; }}
svg {{ width: 100%; height: auto; }}
svg text {{ font-size: 11px; fill: currentColor; }}
.grid {{ stroke: #8884; }}
</style></head><body>
{body}
</body></html>
"""
