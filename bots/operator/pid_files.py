"""Pid files that cannot name an unrelated process: a pid counts only with its creation time.

`run/NAME.pid` holds the pid alone, for people and programs. `run/NAME.born` holds the pid and the
creation time of its process. After a crash the pid may have been reused; the creation times then
differ, and no signal is sent.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

NAMES = ("postgres", "valkey", "clock", "worker", "web", "discord", "slack")
SAME_PROCESS_SECONDS = 1.5  # the reported boot time shifts when the wall clock is set


@dataclass(frozen=True, slots=True)
class PidFile:
    """One process's pid file in the folder `run`."""

    run: Path
    name: str

    @property
    def path(self) -> Path:
        """The file with the pid."""
        return self.run / f"{self.name}.pid"

    @property
    def identity_path(self) -> Path:
        """The file with the pid and creation time."""
        return self.run / f"{self.name}.born"

    def write(self, pid: int) -> None:
        """Record a running process. Files are replaced atomically."""
        try:
            born = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return  # it ended already; its parent will notice
        _replace(self.identity_path, json.dumps({"pid": pid, "born": born}))
        _replace(self.path, f"{pid}\n")

    def process(self) -> psutil.Process | None:
        """The recorded process, if it still runs."""
        try:
            record = json.loads(self.identity_path.read_text())
            process = psutil.Process(int(record["pid"]))
            same = abs(process.create_time() - float(record["born"])) < SAME_PROCESS_SECONDS
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
            return None
        return process if same and alive else None

    def remove(self) -> None:
        """Remove both files."""
        self.path.unlink(missing_ok=True)
        self.identity_path.unlink(missing_ok=True)


def names_in(run: Path) -> tuple[str, ...]:
    """The names of a tree's processes, with those of more workers than one."""
    return (*NAMES, *sorted({file.stem for file in run.glob("worker-*.born")}))


def pid_files(run: Path, names: Iterable[str] | None = None) -> Iterator[PidFile]:
    """The pid files of a data folder's tree."""
    return (PidFile(run, name) for name in (names_in(run) if names is None else names))


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
