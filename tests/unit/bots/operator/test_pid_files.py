"""Pid files: whose number it is, and that a stranger with the same number is never found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest

from bots.operator.pid_files import PidFile
from bots.operator.shutdown import alive, stop_leftovers, terminate_all
from tests.unit.bots.operator.processes import OBEDIENT, PARENT, STUBBORN, launched


def test_pid_file_holds_only_the_pid(tmp_path: Path) -> None:
    file = PidFile(tmp_path, "worker")
    file.write(os.getpid())
    assert file.path.read_text() == f"{os.getpid()}\n"
    assert file.process() == psutil.Process()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker.born", "worker.pid"]


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", "{}", '{"pid": "x", "born": 0}', '{"pid": 1, "born": 0}', '{"pid": 1}', "7"],
)
def test_broken_pid_record_matches_no_process(tmp_path: Path, record: str) -> None:
    file = PidFile(tmp_path, "worker")
    file.path.write_text(f"{os.getpid()}\n")
    file.identity_path.write_text(record)
    assert file.process() is None


def test_stale_pid_file_matches_no_unrelated_process(tmp_path: Path) -> None:
    with launched(OBEDIENT) as (stranger, _):
        file = PidFile(tmp_path, "worker")
        file.path.write_text(f"{stranger.pid}\n")
        assert stop_leftovers(tmp_path) == []
        assert alive(stranger)
        assert not file.path.exists()


def test_reused_pid_is_not_signalled(tmp_path: Path) -> None:
    with launched(OBEDIENT) as (stranger, _):
        file = PidFile(tmp_path, "worker")
        file.write(stranger.pid)
        born = json.loads(file.identity_path.read_text())["born"]
        file.identity_path.write_text(json.dumps({"pid": stranger.pid, "born": born - 60}))
        assert stop_leftovers(tmp_path) == []
        assert alive(stranger)


def test_leftovers_that_ignore_sigterm_are_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.operator.shutdown.terminate_all.__defaults__", (0.5,))
    with launched(STUBBORN) as (stubborn, _), launched(OBEDIENT) as (obedient, _):
        PidFile(tmp_path, "worker").write(stubborn.pid)
        PidFile(tmp_path, "valkey").write(obedient.pid)
        assert stop_leftovers(tmp_path) == ["valkey", "worker"]
        assert not alive(stubborn)
        assert not alive(obedient)
        assert list(tmp_path.iterdir()) == []


def test_descendants_are_stopped_too() -> None:
    with launched(PARENT) as (parent, line):
        grandchild = psutil.Process(int(line))
        terminate_all([("worker", parent)], grace=0.3)
        assert not alive(grandchild)
