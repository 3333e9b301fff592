"""The planner: days that are drawn and read, a fleet that is found, orders that differ."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.planner.command import PlanError, run
from tasks.planner.demand_shapes import LAUNCH, SHAPES, Mix, draw
from tasks.planner.fleet_size import Promise, compare, read_promise, smallest, with_heavy_member
from tasks.planner.queue_disciplines import RankedQueue
from tasks.planner.simulation import Fleet, Simulation, SimulationRules, Window, fleet
from tasks.planner.statistics import Day, Histogram, fair_ratios, jain_index, max_min
from tasks.planner.trace import LANES, Arrival, Trace, TraceError, read

FREE, PLUS = LANES.index("free"), LANES.index("plus")


def simulate(arrivals: Iterable[Arrival], gpus: Fleet, noise: float = 0.0) -> Day:
    return Simulation(Trace("test", arrivals), gpus, SimulationRules(noise=noise)).run()


@pytest.mark.parametrize("shape", SHAPES)
def test_drawn_day_has_its_requests_in_order(shape: str) -> None:
    day = draw(shape, 5000)
    assert 4600 < len(day) < 5400
    assert list(day.at) == sorted(day.at)
    assert list(draw(shape, 5000)) == list(day)
    assert list(draw(shape, 5000, seed=2)) != list(day)


def test_thinned_day_keeps_all_requests_of_a_member() -> None:
    day = draw("launch-day", 20_000)
    thin = day.thinned(10)
    kept = {(lane, member) for _, lane, member, _ in thin}
    assert [a for a in day if (a[1], a[2]) in kept] == list(thin)
    assert 1000 < len(thin) < 3200


def test_recorded_day_is_read_from_csv_and_json(tmp_path: Path) -> None:
    rows = [
        {"at": 110.5, "tier": "plus", "member": "b", "seconds": 2},
        {"at": 100.0, "tier": "free", "member": "a", "seconds": 4},
    ]
    as_json, as_csv = tmp_path / "day.json", tmp_path / "day.csv"
    as_json.write_text(json.dumps(rows))
    as_csv.write_text("at,tier,member,seconds\n110.5,plus,b,2\n100.0,free,a,4\n")
    expected = [(0.0, FREE, 1, 4.0), (10.5, PLUS, 0, 2.0)]
    assert list(read(as_json)) == list(read(as_csv)) == expected


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.json", "{"),
        ("b.json", "[1]"),
        ("c.csv", "at,tier,member,seconds\n1,gold,m,1\n"),
        ("d.csv", "at,tier,member,seconds\n1,free,m,0\n"),
        ("e.csv", "when\n1\n"),
        ("f.csv", None),
        ("g.csv", "at;tier;member;seconds\n1;free;m;1\n"),
        ("h.csv", "at,tier,member,seconds\nnan,free,m,1\n"),
        ("i.csv", "at,tier,member,seconds\ninf,free,m,1\n"),
        ("j.csv", "at,tier,member,seconds\n0,free,m,inf\n"),
        ("k.csv", "at,tier,member,seconds\n0,free,m,1e9\n"),
        ("l.csv", "at,tier,member,seconds\n0,free,m\n"),
        ("m.csv", "at,tier,member,seconds\n0,free,m,1\n1700000000,free,m,1\n"),
        ("n.csv", f"at,tier,member,seconds\n0,free,{'m' * 200_000},1\n"),
        ("o.json", "5"),
        ("p.json", '{"at": 0}'),
        ("q.json", "[" * 100_000),
        ("r.json", f'[{{"at": 0, "tier": "free", "member": "m", "seconds": {10**400}}}]'),
        ("s.json", '[{"at": 0, "tier": ["free"], "member": "m", "seconds": 1}]'),
    ],
)
def test_invalid_trace_file_is_reported(tmp_path: Path, name: str, text: str | None) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    with pytest.raises(TraceError, match=name):
        read(tmp_path / name)


def test_trace_with_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "day.CSV"
    text = 'seconds,member,tier,note,at\r\n1,"a\nb",free,x,0\r\n2,"a\nb",free,,3\r\n'
    path.write_text("\ufeff" + text, encoding="utf-8", newline="")
    assert list(read(path)) == [(0.0, FREE, 0, 1.0), (3.0, FREE, 0, 2.0)]


def test_one_gpu_serves_one_job_at_a_time() -> None:
    day = simulate([(0.0, PLUS, n, 10.0) for n in range(3)], fleet(1))
    assert day.lanes["plus"].waits.total == pytest.approx(30.0)
    assert day.lanes["plus"].served == 3
    assert day.busy_seconds == pytest.approx(30.0)


def test_mixed_fleet_uses_the_fast_gpu_first() -> None:
    arrivals = [(100.0 * n, PLUS, n, 10.0) for n in range(5)]
    assert simulate(arrivals, Fleet(((1, 2.0), (9, 1.0)))).busy_seconds == pytest.approx(25.0)


@given(
    st.lists(
        st.tuples(
            st.floats(0, 500),
            st.integers(0, len(LANES) - 1),
            st.integers(0, 4),
            st.floats(0.5, 20),
        ),
        max_size=60,
    ),
    st.integers(1, 4),
)
def test_every_request_is_served_or_refused_with_a_reason(
    arrivals: list[Arrival], gpus: int
) -> None:
    day = simulate(sorted(arrivals), fleet(gpus), noise=0.2)
    for tally in day.lanes.values():
        assert tally.asked + tally.invited >= tally.accepted
        assert tally.accepted == tally.served
        assert tally.asked <= tally.accepted + sum(tally.refused.values())


def test_launch_closes_only_the_free_door_and_reopens_it() -> None:
    day = Simulation(draw("launch-day", 30_000), fleet(2), SimulationRules()).run()
    assert max(m.door_level for m in day.moments) >= 2
    assert day.moments[-1].door_level == 0
    assert day.lanes["free"].refused["doors-waitlist"] > 0
    assert day.lanes["free"].invited > 0
    assert not day.lanes["pro"].refused
    assert day.lanes["pro"].waits.quantile(0.99) < 60


def test_estimates_are_calibrated_in_a_simulated_day() -> None:
    day = Simulation(draw("launch-day", 30_000), fleet(4), SimulationRules()).run()
    for name in ("free", "plus"):
        share = day.lanes[name].as_json()["within_p90"]
        assert 0.85 <= share <= 0.95


def around_the_busiest_hour(day: Trace) -> Trace:
    """Five hours of a day: each further hour would cost as much to simulate."""
    hours = Counter(int(at // 3600) for at, *_ in day)
    begin = max(0, max(hours, key=hours.__getitem__) - 2) * 3600.0
    chosen = [a for a in day if begin <= a[0] < begin + 5 * 3600]
    return Trace(day.name, [(at - begin, lane, who, cost) for at, lane, who, cost in chosen])


def test_smallest_fleet_keeps_promises_and_a_smaller_one_does_not() -> None:
    day = around_the_busiest_hour(draw("viral-burst", 1_500, mix=Mix(seconds=20.0)))
    promises = [Promise("plus", 20.0), Promise("free", 900.0, 0.9), Promise("free", 0.05, None)]
    gpus, kept = smallest(day, promises, SimulationRules())
    assert all(promise.kept(kept) for promise in promises)
    assert gpus > 2
    fewer = Simulation(day, fleet(gpus - 1), SimulationRules()).run()
    assert not all(promise.kept(fewer) for promise in promises)


def test_impossible_promise_is_reported() -> None:
    never = Promise("plus", -1.0)
    with pytest.raises(ValueError, match="No number of GPUs"):
        smallest(Trace("t", [(0.0, PLUS, 1, 5.0)]), [never], SimulationRules())


def test_fleet_search_handles_a_burst_in_a_quiet_day() -> None:
    """The day's mean says nothing of it: five hundred at once, and one a day later."""
    burst = [*((0.0, PLUS, n, 5.0) for n in range(500)), (12_000.0, PLUS, 0, 5.0)]
    gpus, _ = smallest(
        Trace("burst", burst), [Promise("plus", 10.0, 0.9)], SimulationRules(noise=0.0)
    )
    assert 140 < gpus < 180  # the third picture of each begins after ten seconds


def test_fleet_search_handles_a_single_member() -> None:
    """A part of the members is then no picture of the whole."""
    lone = [(n / 10, PLUS, 0, 5.0) for n in range(130_000)]
    trace = Trace("lone", [*lone, *((13_000.0 + n, FREE, n, 1.0) for n in range(200))])
    gpus, day = smallest(trace, [Promise("free", 30.0, 0.9)], SimulationRules())
    assert 1 <= gpus <= 6
    assert day.lanes["free"].served


@pytest.mark.parametrize("text", ["plus", "gold:p99<=1s", "plus:p99<=1%", "plus:p0<=1s", "free:x"])
def test_invalid_promise_names_the_expected_form(text: str) -> None:
    with pytest.raises(ValueError, match="is written"):
        read_promise(text)


def test_promise_round_trips() -> None:
    assert str(read_promise("plus:p99<=30s")) == "plus p99 ≤ 30s"
    assert str(read_promise("free:refused<=5%")) == "free refused ≤ 5%"


def test_only_fair_queueing_serves_paid_and_free_on_an_overloaded_day() -> None:
    """Paid as quick as by strict priority, Free as even as nowhere else, and nobody starved."""
    day, heavy = with_heavy_member(draw("launch-day", 6_000, mix=Mix(seconds=20.0)))
    gpus = round(1.25 * day.work / day.seconds)
    rows = {row["order"]: row for row in compare(day, heavy, gpus, Window(*LAUNCH))}
    ours, arrival = rows["fair queueing"], rows["arrival order"]
    assert ours["paid_p99"] < arrival["paid_p99"] / 10
    assert ours["free_p99"] < arrival["free_p99"]
    assert ours["starved_free"] == 0.0
    others = [row for name, row in rows.items() if name != "fair queueing"]
    assert all(row["jain_free"] < ours["jain_free"] for row in others)
    assert all(row["starved_free"] > 0.2 for row in others)


def test_overloaded_day_has_one_heavy_free_member() -> None:
    day, heavy = with_heavy_member(draw("weekly-wave", 4_000))
    free = [a for a in day if a[1] == FREE]
    assert sum(a[2] == heavy for a in free) == pytest.approx(len(free) / 2, abs=1)


def test_ranked_orders_break_ties_by_arrival() -> None:
    queue = RankedQueue(lambda _lane, _now: 0.0)
    for name in "abc":
        queue.push("free", name, 1.0, 0.0, name)
    assert [entry.item for entry in iter(lambda: queue.pop(0.0), None)] == ["a", "b", "c"]


@given(st.lists(st.floats(0, 1e5), min_size=1, max_size=200), st.floats(0.01, 1.0))
def test_histogram_quantiles_are_accurate_to_two_percent(values: list[float], level: float) -> None:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    true = sorted(values)[max(0, math.ceil(level * len(values) - 1e-9) - 1)]
    assert histogram.quantile(level) == pytest.approx(true, rel=0.021, abs=0.03)


@given(st.lists(st.floats(0.1, 100), min_size=1, max_size=20), st.floats(0.1, 1000))
def test_max_min_gives_the_total_and_no_more_than_requested(
    asked: list[float], total: float
) -> None:
    parts = max_min(asked, total)
    assert sum(parts) == pytest.approx(min(total, sum(asked)))
    assert all(part <= wish + 1e-9 for part, wish in zip(parts, asked, strict=True))
    assert jain_index(fair_ratios(asked, parts)) == pytest.approx(1.0)


def test_report_has_no_outside_links_and_matches_the_json(tmp_path: Path) -> None:
    json_file, html_file = tmp_path / "plan.json", tmp_path / "plan.html"
    said: list[str] = []
    arguments = ["--requests", "3000", "--gpus", "2", "--promise", "plus:p99<=60s"]
    plan = run(json_file, html_file, arguments, said.append)
    values = json.loads(json_file.read_text())
    page = html_file.read_text()
    assert values["gpus"] == plan.day.gpus == 2
    assert values["promises"][0]["kept"] is True
    assert "kept   plus p99 ≤ 60s" in "\n".join(said)
    assert page.count("<svg") == 6
    assert "http" not in page
    assert "<script" not in page


@pytest.mark.parametrize(
    "arguments",
    [
        ["--gpus", "0"],
        ["--shape", "x"],
        ["--promise", "x"],
        ["--trace", "nowhere.csv"],
        ["--requests", "-1"],
        ["--what"],
        ["--seconds", "nan"],
        ["--seconds", "inf"],
        ["--speed", "inf"],
        ["--price", "-1"],
        ["--requests", "100000000000"],
    ],
)
def test_invalid_argument_is_reported(arguments: list[str]) -> None:
    with pytest.raises(PlanError):
        run(None, None, arguments, lambda _: None)
