"""Pid files: whose number it is, and that a stranger with the same number is never found."""

from __future__ import annotations

import json
import os
from pathlib import Path

import psutil
import pytest

from bots.operator.ending import alive, end_all, end_leftovers
from bots.operator.pids import PidFile
from tests.unit.operator.processes import OBEDIENT, PARENT, STUBBORN, launched


def test_file_holds_the_pid_alone(tmp_path: Path) -> None:
    file = PidFile(tmp_path, "worker")
    file.write(os.getpid())
    assert file.path.read_text() == f"{os.getpid()}\n"
    assert file.process() == psutil.Process()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["worker.born", "worker.pid"]


@pytest.mark.parametrize(
    "record",
    ["", "{", "[]", "{}", '{"pid": "x", "born": 0}', '{"pid": 1, "born": 0}', '{"pid": 1}', "7"],
)
def test_a_broken_record_is_nobody(tmp_path: Path, record: str) -> None:
    file = PidFile(tmp_path, "worker")
    file.path.write_text(f"{os.getpid()}\n")
    file.birth.write_text(record)
    assert file.process() is None


def test_a_stale_file_never_leads_to_a_stranger(tmp_path: Path) -> None:
    with launched(OBEDIENT) as (stranger, _):
        file = PidFile(tmp_path, "worker")
        file.path.write_text(f"{stranger.pid}\n")
        assert end_leftovers(tmp_path) == []
        assert alive(stranger)
        assert not file.path.exists()


def test_a_recycled_number_is_not_signalled(tmp_path: Path) -> None:
    with launched(OBEDIENT) as (stranger, _):
        file = PidFile(tmp_path, "worker")
        file.write(stranger.pid)
        born = json.loads(file.birth.read_text())["born"]
        file.birth.write_text(json.dumps({"pid": stranger.pid, "born": born - 60}))
        assert end_leftovers(tmp_path) == []
        assert alive(stranger)


def test_leftovers_are_ended_even_where_they_ignore_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bots.operator.ending.end_all.__defaults__", (0.5,))
    with launched(STUBBORN) as (stubborn, _), launched(OBEDIENT) as (obedient, _):
        PidFile(tmp_path, "worker").write(stubborn.pid)
        PidFile(tmp_path, "valkey").write(obedient.pid)
        assert end_leftovers(tmp_path) == ["valkey", "worker"]
        assert not alive(stubborn)
        assert not alive(obedient)
        assert list(tmp_path.iterdir()) == []


def test_what_a_process_started_ends_with_it() -> None:
    with launched(PARENT) as (parent, line):
        grandchild = psutil.Process(int(line))
        end_all([("worker", parent)], polite=0.3)
        assert not alive(grandchild)
