"""Stops processes: SIGTERM to all, then SIGKILL after a grace period."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bots.operator.pid_files import PidFile, names_in, pid_files

SERVERS = frozenset({"postgres", "valkey"})
KILL_SECONDS = 1.0
# Together below the 15 s that `up` promises. A worker returns unfinished jobs after 8 s.
TERMINATE_SECONDS = 9.0
SERVER_SECONDS = 3.0


def termination_signal(name: str) -> signal.Signals:
    """The signal that stops a process now: on SIGTERM Postgres waits for its clients."""
    return signal.SIGINT if name == "postgres" else signal.SIGTERM


def terminate_all(
    processes: Sequence[tuple[str, psutil.Process]], grace: float = TERMINATE_SECONDS
) -> None:
    """Stop each process and its descendants; kill what still runs after `grace` seconds.

    Never reaps: the exit status of a child belongs to its parent.
    """
    family = [child for _, process in processes for child in _children(process)]
    everybody = [*(process for _, process in processes), *family]
    for name, process in processes:
        _send(process, termination_signal(name))
    _wait(everybody, grace)
    for process in everybody:
        if alive(process):
            _send(process, signal.SIGKILL)
    _wait(everybody, KILL_SECONDS)


def alive(process: psutil.Process) -> bool:
    """Whether the process runs; a zombie does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def stop_leftovers(run: Path, only: Sequence[str] | None = None) -> list[str]:
    """Stop processes that an earlier tree left and remove its pid files.

    Returns the names that were still running.

    Servers stop last, so that their clients can finish.
    """
    names = names_in(run) if only is None else only
    found = [(file.name, process) for file in pid_files(run, names) if (process := file.process())]
    terminate_all([(name, process) for name, process in found if name not in SERVERS])
    terminate_all([(name, process) for name, process in found if name in SERVERS], SERVER_SECONDS)
    for name in names:
        PidFile(run, name).remove()
    return [name for name, _ in found]


def _send(process: psutil.Process, number: signal.Signals) -> None:
    with contextlib.suppress(psutil.NoSuchProcess):
        process.send_signal(number)


def _wait(processes: Sequence[psutil.Process], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(map(alive, processes)):
        time.sleep(0.02)


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []
