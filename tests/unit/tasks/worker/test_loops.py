"""Worker loops continue after errors, and the watchdog ends a hung process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from threading import Event

import psycopg
import pytest
from sqlalchemy.exc import OperationalError

from imaging.engine.blank_runner import BlankRunner
from imaging.engine.engine import Engine
from imaging.profiles import profile_for
from tasks.worker.loops import Loop, end_if_hung
from tests.unit.imaging.pictures import make_request


@pytest.fixture
def stuck() -> Iterator[Engine]:
    """An engine whose step never returns."""
    engine = Engine(
        [profile_for("blank")], lambda name: b"", blank=BlankRunner(seconds_per_step=3600)
    )
    yield engine
    engine.stop(timeout=5)


@pytest.mark.parametrize("fault", [OperationalError("SELECT", {}, psycopg.Error()), ValueError()])
def test_loop_continues_after_an_exception(fault: Exception) -> None:
    turns: list[int] = []
    enough = Event()

    def work() -> None:
        turns.append(len(turns))
        if len(turns) == 3:
            enough.set()
        raise fault

    loop = Loop("test", work, every=0.01)
    loop.start()
    assert enough.wait(30)
    loop.stop()
    after = len(turns)
    time.sleep(0.05)
    assert len(turns) == after


def test_idle_engine_is_not_hung(stuck: Engine) -> None:
    ended: list[int] = []
    end_if_hung(stuck.load, 0.0, ended.append)
    assert ended == []


def test_hung_step_ends_the_process(stuck: Engine) -> None:
    ended: list[int] = []
    handle = stuck.submit(make_request())
    while not ended:
        end_if_hung(stuck.load, 0.1, ended.append)
        time.sleep(0.01)
    assert ended == [70]
    handle.cancel()
