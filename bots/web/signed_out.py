"""Sessions that were signed out before they expired, kept in a file over restarts.

Web processes that share a data folder share the file. It has one line a session: Unix time of its
expiry, and the SHA-256 of its id. Only the operator's sessions are signed out, so it stays small.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

Version = tuple[int, int, int]


@dataclass(slots=True)
class SignedOutSessions:
    """The list in a file, read again whenever the file has changed. Raises OSError."""

    path: Path
    clock: Callable[[], float] = time.time
    _version: Version | None = field(init=False, default=None)
    _sessions: dict[str, int] = field(init=False, default_factory=dict)

    def add(self, session: str, seconds: float) -> None:
        """End the session with this id; it would have expired in `seconds` at the latest."""
        with self._locked():
            now = self.clock()
            kept = {name: until for name, until in self._read().items() if until > now}
            kept[_name(session)] = int(now + seconds) + 1
            self._write(kept)

    def __contains__(self, session: object) -> bool:
        """Whether the session with this id was signed out."""
        version = self._file_version()
        if version != self._version:
            self._sessions, self._version = self._read(), version
        return _name(str(session)) in self._sessions

    def _file_version(self) -> Version | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _read(self) -> dict[str, int]:
        try:
            lines = self.path.read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return {}
        return {name: int(until) for until, _, name in (line.partition(" ") for line in lines)}

    def _write(self, sessions: dict[str, int]) -> None:
        """Replace the file in one step: readers see the old one or the new one."""
        draft = self.path.with_name(f".{self.path.name}-{secrets.token_hex(8)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(f"{until} {name}\n" for name, until in sessions.items())
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self.path)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One process at a time changes the file."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)


def _name(session: str) -> str:
    return hashlib.sha256(session.encode()).hexdigest()
