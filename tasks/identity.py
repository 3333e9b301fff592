"""A worker's name, the same again after a restart: then it frees its dead predecessor's leases.

The name is a numbered lock file in the data folder. The system lets go of the lock when its holder
dies, however it dies; so whoever holds a number knows that nobody else works under it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import socket
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

MOST_WORKERS = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """A name that is ours while `_lock` is open."""

    name: str
    _lock: TextIOWrapper

    def release(self) -> None:
        """Let another worker have the name."""
        self._lock.close()


def claim_identity(home: Path) -> Identity:
    """The first free worker's name of this machine and data folder."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    where = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:6]
    for number in range(1, MOST_WORKERS):
        lock = (folder / f"worker-{number}.lock").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        os.set_inheritable(lock.fileno(), False)
        return Identity(f"{socket.gethostname()}-{where}-{number}", lock)
    raise RuntimeError(f"There are {MOST_WORKERS} workers on {home} already.")
