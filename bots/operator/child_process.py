"""Child processes of the tree: programs of `atelier` and embedded servers, behind one protocol."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bots.operator.parent_death_signal import VARIABLE as TREE
from tasks.runtime.embedded_servers import (
    EmbeddedPostgres,
    EmbeddedServerError,
    EmbeddedValkey,
)
from tasks.runtime.private_files import PRIVATE_UMASK
from tasks.runtime.readiness import VARIABLE as READY

WRONG_SETTINGS = os.EX_CONFIG  # exit status of a child that a restart cannot help
POLL_SECONDS = 0.1


class NeverStarted(Exception):
    """The process was never started."""


class ChildProcess(Protocol):
    """A process that the tree starts, supervises and restarts."""

    @property
    def name(self) -> str:
        """The name in `run/NAME.pid`."""

    async def start(self) -> int:
        """Start the process and return its pid. Raises OSError or EmbeddedServerError."""

    async def ready(self) -> None:
        """Return once the process can serve; never returns if it ends before that."""

    async def wait(self) -> int:
        """The exit status, or the negative signal number. Raises NeverStarted."""

    def abort_start(self) -> None:
        """Abort a start in progress."""


@dataclass(slots=True)
class Program:
    """A command of `atelier` or a module, run in a session of its own.

    Settings go into `environment`, never into `argv`, which every user can read. Its output goes to
    the file descriptor `output`, since standard output carries only the `ready` line.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    output: int = 2
    _process: Process | None = field(default=None, init=False)
    _announcement: asyncio.Task[bytes] | None = field(default=None, init=False)

    async def start(self) -> int:
        """Start the process; it reports readiness through a pipe."""
        ours, theirs = os.pipe()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self.argv,
                stdin=DEVNULL,
                stdout=self.output,
                stderr=self.output,
                env={**self.environment, READY: str(theirs), TREE: str(os.getpid())},
                pass_fds=(theirs,),
                start_new_session=True,
                umask=PRIVATE_UMASK,
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._announcement = asyncio.create_task(_first_line(ours))
        return self._process.pid

    async def ready(self) -> None:
        """Wait for the line in the pipe."""
        if self._announcement is None or not await asyncio.shield(self._announcement):
            await asyncio.Event().wait()

    async def wait(self) -> int:
        """The exit status."""
        if self._process is None:
            raise NeverStarted(self.name)
        return await self._process.wait()

    def abort_start(self) -> None:
        """Nothing to abort: a start is one system call."""


async def _first_line(pipe: int) -> bytes:
    """The first bytes from the pipe; empty if its writer closed it."""
    loop = asyncio.get_running_loop()
    readable = asyncio.Event()
    loop.add_reader(pipe, readable.set)
    try:
        await readable.wait()
        return os.read(pipe, 16)
    finally:
        loop.remove_reader(pipe)
        os.close(pipe)


@dataclass(slots=True)
class EmbeddedServer:
    """Embedded Postgres or Valkey. `start` returns once the server answers."""

    name: str
    server: EmbeddedPostgres | EmbeddedValkey

    async def start(self) -> int:
        """Start the server and wait until it answers. A disk error is not retried."""
        try:
            await asyncio.to_thread(self.server.start)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise EmbeddedServerError(
                f"{self.name} cannot be started ({error.strerror}{where})."
            ) from error
        return self.server.pid or 0

    async def ready(self) -> None:
        """Return at once: `start` waited."""

    async def wait(self) -> int:
        """Wait until the server has ended; the real exit status is not known here."""
        while self.server.pid is not None:  # noqa: ASYNC110  the server offers no event
            await asyncio.sleep(POLL_SECONDS)
        return -signal.SIGKILL

    def abort_start(self) -> None:
        """Stop the server, at any point of its start."""
        self.server.stop()
