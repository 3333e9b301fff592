"""Ending processes: politely, together, and after a while without asking."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bots.operator.pids import NAMES, PidFile, pid_files

SERVERS = frozenset({"postgres", "valkey"})
KILLED_SECONDS = 1.0
# Together under the 15 s that `up` promises. A worker gives unfinished jobs back after 8 s.
POLITE_SECONDS = 9.0
SERVER_SECONDS = 3.0


def first_signal(name: str) -> signal.Signals:
    """What asks a process to end now: Postgres would wait for its clients on SIGTERM."""
    return signal.SIGINT if name == "postgres" else signal.SIGTERM


def end_all(
    processes: Sequence[tuple[str, psutil.Process]], polite: float = POLITE_SECONDS
) -> None:
    """Ask each process to end; end what has not after `polite` seconds, with all it started.

    Only looks, never reaps: a child's exit status belongs to whoever started it.
    """
    family = [child for _, process in processes for child in _children(process)]
    everybody = [*(process for _, process in processes), *family]
    for name, process in processes:
        _send(process, first_signal(name))
    _wait(everybody, polite)
    for process in everybody:
        if alive(process):
            _send(process, signal.SIGKILL)
    _wait(everybody, KILLED_SECONDS)


def alive(process: psutil.Process) -> bool:
    """Whether it still runs; one that ended and waits for its parent to look does not."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def end_leftovers(run: Path, names: Sequence[str] = NAMES) -> list[str]:
    """End what an earlier tree left behind, and its pid files; the names that were still alive.

    The servers go last: what is still talking to them may finish first.
    """
    found = [(file.name, process) for file in pid_files(run, names) if (process := file.process())]
    end_all([(name, process) for name, process in found if name not in SERVERS])
    end_all([(name, process) for name, process in found if name in SERVERS], SERVER_SECONDS)
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
