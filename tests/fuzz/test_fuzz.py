"""A short fuzz run, and that a run finds what it looks for."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz import grammar, payloads, pictures
from tests.fuzz.__main__ import LOCAL
from tests.fuzz.case import Case, Target
from tests.fuzz.http_requests import http_target
from tests.fuzz.run import Block, blocks_of, load, report, run_block, store, table
from tests.fuzz.work import RATIO, calls_of

NUMBERS = st.integers(0, 2**40)
INPUTS = 800


@pytest.mark.parametrize("target", LOCAL, ids=lambda target: target.name)
@pytest.mark.filterwarnings("ignore::UserWarning")
def test_short_run_finds_nothing(target: Target) -> None:
    row = report(target, [run_block(target, Block(target.name, 0, INPUTS))])
    assert row.failures == []
    assert row.inputs == INPUTS
    assert row.within


def test_short_run_against_the_playground_finds_nothing(tmp_path: Path) -> None:
    with http_target(tmp_path) as target:
        row = report(target, [run_block(target, Block(target.name, 0, 150))])
    assert row.failures == []


@pytest.mark.filterwarnings("ignore::UserWarning")
@settings(deadline=None)
@given(NUMBERS, st.sampled_from(LOCAL))
def test_any_input_is_handled(number: int, target: Target) -> None:
    target.case(number).run()


@given(NUMBERS)
def test_an_input_is_the_same_in_every_run(number: int) -> None:
    for target in (*grammar.TARGETS, *payloads.TARGETS, *pictures.TARGETS):
        assert target.case(number).shown == target.case(number).shown


def test_exceptions_and_excessive_work_are_found() -> None:
    def make(random: Random) -> Case:
        return Case(lambda: work(random.random()), 10, "x")

    def work(share: float) -> None:
        if share < 0.02:
            raise ZeroDivisionError
        for _ in range(2000 if share > 0.98 else 2):
            abs(1)

    target = Target("bad", 1.0, make, counted=1)
    row = report(target, [run_block(target, Block("bad", 0, 500))])
    assert row.failures
    assert row.calls is not None
    assert row.calls.ratio > RATIO
    assert not row.passed


def test_backtracking_expression_is_found() -> None:
    pattern = re.compile(r"(a+)+b")

    def make(random: Random) -> Case:
        text = "a" * 20 if random.random() < 0.01 else "b" * 20
        return Case(lambda: pattern.match(text), 20, text)

    target = Target("slow", 1.0, make, counted=10**9)
    row = report(target, [run_block(target, Block("slow", 1, 400))])
    assert row.slow
    assert not row.passed


RUNS = (
    "\n",
    "\r\n",
    " \n",
    "\t ",
    " ",
    ",",
    ", ",
    ".",
    ". ",
    "!",
    "(",
    "-",
    "- ",
    "—",
    ":",
    "x",
    "9",
)
"""What expressions repeat: each written many times over is a case of its own."""


def test_long_runs_of_separators_are_read_as_quickly_as_prose() -> None:
    def make(random: Random) -> Case:
        run = random.choice(RUNS) * 400
        typed = random.choice((run + "a fox", "a fox" + run, run, "a fox" + run + "4x"))
        prose = random.random() < 0.8
        typed = "a red fox in the wood " * (len(typed) // 22) if prose else typed
        parse = random.choice(grammar.PARSERS)
        return Case(lambda: parse(typed), len(typed), typed, "prompt")

    target = Target("runs", 1.0, make, counted=10**9)
    row = report(target, [run_block(target, Block("runs", 1, 1500))])
    assert row.failures == []
    assert row.slow == []


def test_interrupted_run_goes_on_where_it_was(tmp_path: Path) -> None:
    target = Target("all", 1.0, lambda random: Case(lambda: None, 1, "x"))
    blocks = list(blocks_of(target, 6000))
    assert [(block.first, block.count) for block in blocks] == [
        (0, 2500),
        (2500, 2500),
        (5000, 1000),
    ]
    state = tmp_path / "state.jsonl"
    store(state, run_block(target, blocks[0]))
    with state.open("a") as file:
        file.write('{"target": "all", "fir')
    (kept,) = load(state)
    assert kept == blocks[0]
    assert "| all | 2,500 | 0 |" in table([report(target, [kept])])


def test_calls_are_counted() -> None:
    assert calls_of(lambda: None) < calls_of(lambda: [abs(1) for _ in range(100)])
