"""Pid files that never lead to a stranger: a pid counts only with the birth of its process.

`run/NAME.pid` holds the pid alone, for people and programs to read. Beside it `run/NAME.born` holds
the pid and the moment its process was made. After a crash the number may belong to somebody else;
then the births differ, and nothing is ever signalled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

NAMES = ("postgres", "valkey", "clock", "worker", "web", "discord", "slack")
SAME_BIRTH_SECONDS = 1.5  # the kernel's idea of its own start moves when the wall clock is set


@dataclass(frozen=True, slots=True)
class PidFile:
    """One process's pid file in the folder `run`."""

    run: Path
    name: str

    @property
    def path(self) -> Path:
        """The file with the number."""
        return self.run / f"{self.name}.pid"

    @property
    def birth(self) -> Path:
        """The file that says whose number it is."""
        return self.run / f"{self.name}.born"

    def write(self, pid: int) -> None:
        """Record a process of ours that runs now. A reader sees the old file or the new, whole."""
        try:
            born = psutil.Process(pid).create_time()
        except psutil.NoSuchProcess:
            return  # it ended already, which its parent notices
        _replace(self.birth, json.dumps({"pid": pid, "born": born}))
        _replace(self.path, f"{pid}\n")

    def process(self) -> psutil.Process | None:
        """The very process that was recorded, if it still lives."""
        try:
            record = json.loads(self.birth.read_text())
            process = psutil.Process(int(record["pid"]))
            same = abs(process.create_time() - float(record["born"])) < SAME_BIRTH_SECONDS
            alive = process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, ValueError, KeyError, TypeError, psutil.NoSuchProcess):
            return None
        return process if same and alive else None

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
        self.birth.unlink(missing_ok=True)


def pid_files(run: Path, names: Iterable[str] = NAMES) -> Iterator[PidFile]:
    """The pid files of a data folder's tree."""
    return (PidFile(run, name) for name in names)


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(text)
    fresh.replace(path)
