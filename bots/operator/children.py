"""The processes of the tree: our own programs, and the embedded servers, behind one face."""

from __future__ import annotations

import asyncio
import os
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from bots.operator.leash import VARIABLE as TREE
from tasks.embedded import EmbeddedPostgres, EmbeddedServerError, EmbeddedValkey
from tasks.readiness import VARIABLE as READY

WRONG_SETTINGS = os.EX_CONFIG  # a child ends with this where starting it again cannot help
POLL_SECONDS = 0.1


class NeverStarted(Exception):
    """There is no process to wait for."""


class Child(Protocol):
    """One process that the tree starts, waits for, and starts again."""

    @property
    def name(self) -> str:
        """Its name in `run/NAME.pid`."""

    async def start(self) -> int:
        """Start it and give its pid. Raises OSError or EmbeddedServerError."""

    async def ready(self) -> None:
        """Return once it can serve; waits for ever where it ends before that."""

    async def wait(self) -> int:
        """Its exit status once it ends; negative where a signal ended it. Raises NeverStarted."""

    def give_up(self) -> None:
        """Make a start that is under way end soon, in an error."""


@dataclass(slots=True)
class Program:
    """A command of `atelier`, or a module, as a child in a session of its own.

    Its settings travel in `environment`, never in `argv`, which everybody can read. What it writes
    goes to the file descriptor `output`: our own standard output has one line only.
    """

    name: str
    argv: Sequence[str]
    environment: Mapping[str, str]
    output: int = 2
    _process: Process | None = field(default=None, init=False)
    _announcement: asyncio.Task[bytes] | None = field(default=None, init=False)

    async def start(self) -> int:
        """Start it; its readiness comes through a pipe."""
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
            )
        except BaseException:
            os.close(ours)
            raise
        finally:
            os.close(theirs)
        self._announcement = asyncio.create_task(_first_line(ours))
        return self._process.pid

    async def ready(self) -> None:
        """Wait for its line in the pipe."""
        if self._announcement is None or not await asyncio.shield(self._announcement):
            await asyncio.Event().wait()

    async def wait(self) -> int:
        """Its exit status once it ends."""
        if self._process is None:
            raise NeverStarted(self.name)
        return await self._process.wait()

    def give_up(self) -> None:
        """Nothing to do: its start is one system call."""


async def _first_line(pipe: int) -> bytes:
    """What the pipe gives first; nothing where its writer closed it without a word."""
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
    """Postgres or Valkey from its wheel. `start` returns when it answers, so it is ready then."""

    name: str
    server: EmbeddedPostgres | EmbeddedValkey

    async def start(self) -> int:
        """Start it and wait until it answers. What the disk refuses, no second try brings."""
        try:
            await asyncio.to_thread(self.server.start)
        except OSError as error:
            where = f": {error.filename}" if error.filename else ""
            raise EmbeddedServerError(
                f"{self.name} cannot be started ({error.strerror}{where})."
            ) from error
        return self.server.pid or 0

    async def ready(self) -> None:
        """It is."""

    async def wait(self) -> int:
        """A signal's negative number is not known here; that it ended is enough."""
        while self.server.pid is not None:  # noqa: ASYNC110  the server has no event to wait for
            await asyncio.sleep(POLL_SECONDS)
        return -signal.SIGKILL

    def give_up(self) -> None:
        """Stop the server, however far its start has come."""
        self.server.stop()
