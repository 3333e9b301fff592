"""A worker's name: the same after a restart, so that it can requeue its predecessor's jobs.

The name is a numbered lock file in the data folder. The operating system releases the lock when its
holder dies, so no two live workers have the same name.
"""

from __future__ import annotations

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

MOST_WORKERS = 1000


@dataclass(frozen=True, slots=True)
class Identity:
    """A worker's name, reserved while its lock is held."""

    name: str
    _lock: FileLock

    def release(self) -> None:
        """Release the name for another worker."""
        self._lock.release()


def claim_identity(home: Path) -> Identity:
    """The first free name of this machine and data folder. Raises RuntimeError where none is."""
    folder = home / "run"
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:6]
    for number in range(1, MOST_WORKERS):
        lock = FileLock(folder / f"worker-{number}.lock", blocking=False, thread_local=False)
        try:
            lock.acquire()
        except Timeout:
            continue
        return Identity(f"{socket.gethostname()}-{digest}-{number}", lock)
    raise RuntimeError(f"{home} already has {MOST_WORKERS - 1} workers.")
