"""The process tree: starts children concurrently, restarts those that die, stops all of them."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import structlog

from bots.operator.backoff import Backoff
from bots.operator.child_process import WRONG_SETTINGS, ChildProcess, NeverStarted
from bots.operator.errors import ProcessTreeStopped
from bots.operator.pid_files import PidFile
from bots.operator.shutdown import KILL_SECONDS, stop_leftovers, terminate_all
from tasks.runtime.embedded_servers import EmbeddedServerError

log = structlog.get_logger()


def _own_children() -> frozenset[psutil.Process]:
    return frozenset(psutil.Process().children())


@dataclass(slots=True)
class ProcessTree:
    """The children of one `up`. `run` is the folder of their pid files."""

    run: Path
    output: int = 2  # the file descriptor of the reaper's output
    backoff: Callable[[], Backoff] = Backoff
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, init=False)
    _children: list[ChildProcess] = field(default_factory=list, init=False)
    _starting: dict[asyncio.Task[int], ChildProcess] = field(default_factory=dict, init=False)
    _reaper: asyncio.subprocess.Process | None = field(default=None, init=False)
    _unrelated: frozenset[psutil.Process] = field(default_factory=_own_children, init=False)

    async def start_reaper(self, lock: int) -> None:
        """Start the reaper, which stops the children if `up` is killed; it inherits `lock`."""
        self._reaper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bots.operator.orphan_reaper", str(self.run)),
            stdin=asyncio.subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            pass_fds=(lock,),
            start_new_session=True,
        )

    async def serve(self, children: Sequence[ChildProcess]) -> None:
        """Start `children` concurrently, and return once all can serve.

        Raises ProcessTreeStopped if one reports wrong settings.
        """
        self._children += children
        events = [asyncio.Event() for _ in children]
        self._tasks += [
            asyncio.create_task(self._supervise(child, event))
            for child, event in zip(children, events, strict=True)
        ]
        ready = asyncio.gather(*(event.wait() for event in events))
        try:
            waiting: list[asyncio.Future[Any]] = [ready, *self._tasks]
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            self._check()
        finally:
            ready.cancel()
            await asyncio.gather(ready, return_exceptions=True)

    async def supervise(self) -> None:
        """Supervise for ever: a child that served once is restarted, whatever ended it."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """Stop every child within 15 s, servers last, then the reaper."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(stop_leftovers, self.run)
        while starting := dict(self._starting):
            for child in starting.values():
                await asyncio.to_thread(child.abort_start)
            await asyncio.to_thread(terminate_all, self._without_pid_file())
            await asyncio.wait(starting, timeout=0.1)
        await asyncio.to_thread(terminate_all, self._without_pid_file())
        await asyncio.gather(*map(_reap, self._children))
        if self._reaper and self._reaper.returncode is None:
            self._reaper.kill()
            await self._reaper.wait()

    def _check(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    def _without_pid_file(self) -> list[tuple[str, psutil.Process]]:
        """Processes of the tree without a pid file, such as Postgres creating its data folder.

        Processes that this one had started before are not part of the tree.
        """
        reaper = self._reaper.pid if self._reaper else None
        found: list[tuple[str, psutil.Process]] = []
        for process in _own_children() - self._unrelated:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.pid != reaper:
                    found.append((process.name(), process))
        return found

    async def _supervise(self, child: ChildProcess, ready: asyncio.Event) -> None:
        """Run one child, restarting it with back-off."""
        backoff = self.backoff()
        while True:
            began = time.monotonic()
            how = await self._run_once(child, ready)
            pause = backoff.after(time.monotonic() - began)
            log.warning("process-ended", process=child.name, how=how, restart_in_s=pause)
            await asyncio.sleep(pause)

    async def _run_once(self, child: ChildProcess, ready: asyncio.Event) -> str:
        """Run the child once; return how it ended."""
        try:
            pid = await self._start(child)
        except (OSError, EmbeddedServerError) as error:
            if isinstance(error, EmbeddedServerError) and not ready.is_set():
                raise ProcessTreeStopped(str(error)) from error
            return f"start failed: {error}"
        PidFile(self.run, child.name).write(pid)
        log.info("process-started", process=child.name, pid=pid)
        announced = asyncio.create_task(self._announce(child, ready))
        try:
            status = await child.wait()
        finally:
            announced.cancel()
        if status == WRONG_SETTINGS and not ready.is_set():
            raise ProcessTreeStopped(
                f"{child.name} cannot run with these settings; its log says why."
            )
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    async def _start(self, child: ChildProcess) -> int:
        """Start the child. A start outlives cancellation; `stop` aborts it."""
        starting = asyncio.create_task(child.start())
        self._starting[starting] = child
        starting.add_done_callback(self._started)
        return await asyncio.shield(starting)

    def _started(self, task: asyncio.Task[int]) -> None:
        del self._starting[task]
        if not task.cancelled():
            task.exception()  # marks the exception as retrieved

    async def _announce(self, child: ChildProcess, ready: asyncio.Event) -> None:
        await child.ready()
        log.info("process-ready", process=child.name)
        ready.set()


async def _reap(child: ChildProcess) -> None:
    """Wait briefly for the exit status, so that the event loop does not warn."""
    with contextlib.suppress(TimeoutError, NeverStarted):
        async with asyncio.timeout(KILL_SECONDS):
            await child.wait()
