"""`atelier plan`: takes a day, simulates it, searches the smallest fleet, writes the report."""

from __future__ import annotations

import argparse
import gc
import json as json_text
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from tasks.planner import demand_shapes, fleet_size, trace
from tasks.planner.charts import count, duration
from tasks.planner.report import Plan, html, promise_result
from tasks.planner.simulation import Simulation, SimulationRules, Window, fleet

OVERLOADED_DAY = 120_000
"""Requests of the day on which the orders are compared."""


class PlanError(Exception):
    """What was asked cannot be planned; the message says what to change."""


class _Arguments(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        raise PlanError(f"{message[:1].upper()}{message[1:]}. `atelier plan --help` lists all.")


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """The arguments after `atelier plan`. Raises PlanError."""
    parser = _Arguments(prog="atelier plan", description=__doc__)
    day = parser.add_mutually_exclusive_group()
    day.add_argument("--trace", type=Path, help="a recorded day: CSV or JSON of arrivals")
    day.add_argument("--shape", choices=list(demand_shapes.SHAPES), default="launch-day")
    parser.add_argument("--requests", type=int, default=100_000, help="of a drawn day")
    parser.add_argument("--seconds", type=float, default=5.0, help="GPU seconds of a drawn picture")
    parser.add_argument("--gpus", type=int, help="the fleet; without it the smallest is searched")
    parser.add_argument("--speed", type=float, default=1.0, help="of each GPU")
    parser.add_argument("--price", type=float, default=2.0, help="of one GPU for an hour")
    parser.add_argument("--promise", action="append", default=[], help='"plus:p99<=30s"')
    parser.add_argument("--compare", action="store_true", help="with other orders of jobs")
    parser.add_argument("--seed", type=int, default=1)
    read = parser.parse_args(arguments)
    for name, (least, most) in _BOUNDS.items():
        value = getattr(read, name)
        if value is not None and not least <= value <= most:
            raise PlanError(f"--{name} must be from {least:,} to {most:,}, not {value:,}.")
    return read


_BOUNDS: Mapping[str, tuple[float, float]] = {
    "requests": (1, 100_000_000),
    "seconds": (0.001, trace.MOST_SECONDS),
    "gpus": (1, 10_000_000),
    "speed": (0.001, 1000),
    "price": (0, 1_000_000),
}


def run(
    json: Path | None = None,
    html_file: Path | None = None,
    arguments: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> Plan:
    """Plan a day, say the answer, and write the files that are asked for. Raises PlanError."""
    asked = parse(arguments)
    with _no_collector():
        plan = make(asked, say)
    for line in summary(plan):
        say(line)
    if json is not None:
        json.write_text(
            json_text.dumps(plan.as_json(), indent=1, allow_nan=False), encoding="utf-8"
        )
    if html_file is not None:
        html_file.write_text(html(plan), encoding="utf-8")
    return plan


@contextmanager
def _no_collector() -> Iterator[None]:
    """Without Python's search for cycles: a day makes millions of objects and none of those."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def make(asked: argparse.Namespace, say: Callable[[str], None]) -> Plan:
    """The plan that was asked for. Raises PlanError."""
    try:
        promises = [fleet_size.read_promise(text) for text in asked.promise] or list(
            fleet_size.DEFAULT_PROMISES
        )
        day_trace = _trace(asked)
    except (ValueError, trace.TraceError) as error:
        raise PlanError(str(error)) from error
    if not len(day_trace):
        raise PlanError("This day has no requests: there is nothing to plan.")
    settings = SimulationRules()
    gpus, smallest = asked.gpus, None
    if gpus is None:
        try:
            gpus, _ = fleet_size.smallest(day_trace, promises, settings, asked.speed, say)
        except ValueError as error:
            raise PlanError(str(error)) from error
        smallest = gpus
    begun = time.process_time()
    day = Simulation(day_trace, fleet(gpus, asked.speed), settings, asked.seed).run()
    took = time.process_time() - begun
    orders = _orders(asked) if asked.compare else []
    return Plan(
        day=day,
        requests=len(day_trace),
        work=day_trace.work,
        promises=promises,
        price_an_hour=asked.price,
        smallest=smallest,
        events_a_second=day.events / max(took, 1e-9),
        orders=orders,
    )


def _trace(asked: argparse.Namespace) -> trace.Trace:
    if asked.trace is not None:
        return trace.read(asked.trace)
    return demand_shapes.draw(
        asked.shape, asked.requests, asked.seed, demand_shapes.Mix(seconds=asked.seconds)
    )


def _orders(asked: argparse.Namespace) -> list[dict[str, object]]:
    """A launch day on a fleet that has room for it over the day, not at its peak."""
    drawn = demand_shapes.draw(
        "launch-day", OVERLOADED_DAY, asked.seed, demand_shapes.Mix(seconds=asked.seconds)
    )
    overloaded, heavy = fleet_size.with_heavy_member(drawn)
    gpus = max(1, round(1.25 * overloaded.work / overloaded.seconds))
    return fleet_size.compare(overloaded, heavy, gpus, Window(*demand_shapes.LAUNCH))


def summary(plan: Plan) -> list[str]:
    """The answer as lines of text."""
    values = plan.as_json()
    whole = (
        f"{plan.day.trace}: {count(plan.requests)} requests on {count(plan.day.gpus)} GPUs; "
        f"{count(values['gpu_hours'])} GPU hours, cost {count(values['cost'])}; "
        f"{count(plan.events_a_second)} events a second of CPU time."
    )
    lines = [whole]
    if plan.smallest:
        lines.append(f"The smallest fleet that keeps the promises: {count(plan.smallest)} GPUs.")
    for promise in values["promises"]:
        kept = "kept  " if promise["kept"] else "BROKEN"
        lines.append(f"  {kept} {promise['promise']}: {promise_result(promise)}")
    lines += [
        f"  {name:8} asked {count(lane['asked']):>10}  refused {lane['refused_share']:6.1%}  "
        f"wait p50 {duration(lane['wait_p50']):>8}  p90 {duration(lane['wait_p90']):>8}  "
        f"p99 {duration(lane['wait_p99']):>8}"
        for name, lane in values["lanes"].items()
        if lane["asked"]
    ]
    if plan.orders:
        lines.append(
            "Other orders on a launch day with open doors, where one Free member sends half of "
            "all Free jobs:"
        )
    for row in plan.orders:
        lines.append(
            f"  {row['order']:22} paid p99 {duration(row['paid_p99']):>8}  "
            f"Free p50 {duration(row['free_p50']):>8}  p99 {duration(row['free_p99']):>8}  "
            f"Jain inside Free {row['jain_free']:.3f}  starved {row['starved_free']:.1%}"
        )
    return lines
