"""One tree a home: a lock on the data folder, which ends with the processes that hold it."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bots.operator.ending import alive
from bots.operator.refusal import HomeTaken, WrongSettings

CLEANING_SECONDS = 20.0  # how long the keeper of a killed tree may still be ending its processes


@dataclass(frozen=True, slots=True)
class HomeLock:
    """A held lock. The tree's keeper inherits `descriptor`, so that it is held until both end."""

    path: Path
    descriptor: int

    @classmethod
    def take(cls, home: Path) -> HomeLock:
        """Take the lock of `home`, or raise HomeTaken with the pid of the tree that has it.

        Where that tree was killed, its keeper is still ending what it left: wait for that.
        Raises WrongSettings where the folder cannot be made or written.
        """
        path = home / "run" / "up.lock"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise WrongSettings(
                f"ATELIER_HOME is wrong: expected a folder that can be written, and {home} cannot "
                f"({error.strerror})."
            ) from None
        deadline = time.monotonic() + CLEANING_SECONDS
        while not _locked(descriptor):
            holder = _holder(path)
            if (holder and _alive(holder)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise HomeTaken(_sentence(home, holder))
            time.sleep(0.1)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Let go of it. The file stays: removing it would let two trees hold two files."""
        os.close(self.descriptor)


def holder_of(home: Path) -> int | None:
    """The pid of the tree that runs on `home`, or None where none does."""
    path = home / "run" / "up.lock"
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:  # there is none, or not one of ours: who starts a tree there is told why
        return None
    try:
        return None if _locked(descriptor) else _holder(path)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(path: Path) -> int | None:
    text = path.read_text().strip()
    return int(text) if text.isdigit() else None


def _alive(pid: int) -> bool:
    try:
        return alive(psutil.Process(pid))
    except psutil.NoSuchProcess:
        return False


def _sentence(home: Path, holder: int | None) -> str:
    which = f" (pid {holder})" if holder else ""
    stop = f"stop it with `kill {holder}`" if holder else "stop it"
    return (
        f"Atelier is already running on {home}{which}; {stop}, or set ATELIER_HOME to another "
        "folder for a second one."
    )
