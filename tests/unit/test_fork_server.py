"""The processes in which changed code is tested: their exit status, and their end if they hang."""

from __future__ import annotations

import os
import time
from functools import partial
from itertools import count
from pathlib import Path

import pytest

from tests.mutation import fork_server
from tests.mutation.fork_server import HUNG


def sleep_for(seconds: float, status: int) -> int:
    time.sleep(seconds)
    return status


def test_exit_status_and_output_are_told(tmp_path: Path) -> None:
    def work() -> int:
        os.write(1, b"one failed\n")
        return 3

    outcome = fork_server._fork(work, 60.0, tmp_path)
    assert (outcome.status, outcome.output) == (3, "one failed\n")


def test_process_that_hangs_is_ended(tmp_path: Path) -> None:
    outcome = fork_server._fork(partial(sleep_for, 600.0, 0), 0.05, tmp_path)
    assert outcome.status == HUNG


def test_time_in_which_all_is_stopped_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if an hour passed between two looks at the child."""
    hours = count(step=3600.0)
    monkeypatch.setattr("tests.mutation.fork_server.time.monotonic", lambda: next(hours))
    monkeypatch.setattr("tests.mutation.fork_server.POLL_SECONDS", 0.001)
    outcome = fork_server._fork(lambda: 4, 6000.0, tmp_path)
    assert outcome.status == 4
