"""The processes in which changed code is tested: their exit status, and their end if they hang."""

from __future__ import annotations

import os
import subprocess
import time
from functools import partial
from itertools import count
from pathlib import Path

import psutil
import pytest

from tests.mutation import fork_server
from tests.mutation.fork_server import HUNG
from tests.stack import wait_until


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


def test_process_in_a_session_of_its_own_is_ended_too(tmp_path: Path) -> None:
    def work() -> int:
        with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
            (tmp_path / "pid").write_text(str(process.pid))
            return process.wait()

    outcome = fork_server._fork(work, 5.0, tmp_path)
    assert outcome.status == HUNG
    pid = int((tmp_path / "pid").read_text())
    wait_until(lambda: not _runs(pid), 60, "the process ended")


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_time_in_which_all_is_stopped_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if an hour passed between two looks at the child."""
    hours = count(step=3600.0)
    monkeypatch.setattr("tests.mutation.fork_server.time.monotonic", lambda: next(hours))
    monkeypatch.setattr("tests.mutation.fork_server.POLL_SECONDS", 0.001)
    outcome = fork_server._fork(lambda: 4, 6000.0, tmp_path)
    assert outcome.status == 4
