"""One worker for each GPU, by what the variable or the driver's tool names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bots.operator.gpus import CHOICE, gpus, worker_environments
from bots.operator.pid_files import NAMES, PidFile, names_in
from bots.operator.shutdown import stop_leftovers
from bots.operator.up import programs


@pytest.mark.parametrize(
    ("value", "found"),
    [("", ()), ("-1", ()), ("0", ("0",)), ("0, 2", ("0", "2")), ("1,-1,3", ("1",))],
)
def test_variable_names_the_gpus(value: str, found: tuple[str, ...]) -> None:
    assert gpus({CHOICE: value}) == found


def tool(folder: Path, script: str) -> dict[str, str]:
    """An environment whose path begins with a tool of that content."""
    file = folder / "nvidia-smi"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return {"PATH": f"{folder}:{os.environ['PATH']}"}


def test_driver_lists_the_gpus(tmp_path: Path) -> None:
    assert gpus(tool(tmp_path, "echo GPU-1; echo GPU-2")) == ("GPU-1", "GPU-2")


@pytest.mark.parametrize("script", ["exit 9", "echo"])
def test_driver_that_fails_means_no_gpu(tmp_path: Path, script: str) -> None:
    assert gpus(tool(tmp_path, script)) == ()


def test_no_driver_means_no_gpu(tmp_path: Path) -> None:
    assert gpus({"PATH": str(tmp_path)}) == ()


def test_each_of_several_gpus_has_a_worker_of_its_own() -> None:
    environment = {"A": "b"}
    assert worker_environments(environment, ()) == {"worker": environment}
    assert worker_environments(environment, ("0",)) == {"worker": environment}
    assert worker_environments(environment, ("0", "2")) == {
        "worker": {"A": "b", CHOICE: "0"},
        "worker-2": {"A": "b", CHOICE: "2"},
    }
    started = programs(["clock", "worker", "web"], {CHOICE: "0,1,2"})
    assert [one.name for one in started] == ["clock", "web", "worker", "worker-2", "worker-3"]
    assert [one.environment[CHOICE] for one in started[2:]] == ["0", "1", "2"]
    assert {one.argv[-1] for one in started[2:]} == {"worker"}


def test_leftovers_of_more_workers_are_stopped(tmp_path: Path) -> None:
    assert names_in(tmp_path) == NAMES
    PidFile(tmp_path, "worker-3").write(os.getpid())
    assert names_in(tmp_path) == (*NAMES, "worker-3")
    # A process with another creation time is not the one that was recorded.
    (tmp_path / "worker-3.born").write_text('{"pid": 1, "born": 0}')
    assert stop_leftovers(tmp_path) == []
    assert names_in(tmp_path) == NAMES
