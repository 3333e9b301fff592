"""A lock on the data folder: one process tree per home. It ends with the processes that hold it."""

from __future__ import annotations

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

import psutil

from bots.operator.errors import InstanceAlreadyRunning, WrongSettings
from bots.operator.shutdown import alive
from tasks.runtime.private_files import make_private

CLEANUP_SECONDS = 20.0  # how long the reaper of a killed tree may still be stopping processes


@dataclass(frozen=True, slots=True)
class InstanceLock:
    """A held lock. The reaper inherits `descriptor`, so that the lock outlives a killed `up`."""

    path: Path
    descriptor: int

    @classmethod
    def take(cls, home: Path) -> InstanceLock:
        """Lock `home`. Raises InstanceAlreadyRunning with the pid of the tree that holds it.

        If that tree was killed, waits for its reaper to finish.
        Raises WrongSettings if the folder cannot be created or written.
        """
        path = home / "run" / "up.lock"
        try:
            make_private(home)
            path.parent.mkdir(exist_ok=True)
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise WrongSettings(
                f"ATELIER_HOME is wrong: expected a folder that can be written, and {home} cannot "
                f"({error.strerror})."
            ) from None
        deadline = time.monotonic() + CLEANUP_SECONDS
        while not _locked(descriptor):
            holder = _holder(path)
            if (holder and _alive(holder)) or time.monotonic() > deadline:
                os.close(descriptor)
                raise InstanceAlreadyRunning(_message(home, holder))
            time.sleep(0.1)
        os.truncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        return cls(path, descriptor)

    def release(self) -> None:
        """Release the lock. The file stays: without it, two trees could lock two files."""
        os.close(self.descriptor)


def holder_of(home: Path) -> int | None:
    """The pid of the tree that runs on `home`; None if there is none."""
    path = home / "run" / "up.lock"
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:  # no lock file, or not readable: starting a tree there reports why
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


def _message(home: Path, holder: int | None) -> str:
    which = f" (pid {holder})" if holder else ""
    stop = f"stop it with `kill {holder}`" if holder else "stop it"
    return (
        f"Atelier is already running on {home}{which}; {stop}, or set ATELIER_HOME to another "
        "folder for a second one."
    )
