"""The process tree: starts children side by side, starts the dead again, and ends all of them."""

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
from bots.operator.children import WRONG_SETTINGS, Child, NeverStarted
from bots.operator.ending import KILLED_SECONDS, end_all, end_leftovers
from bots.operator.pids import PidFile
from bots.operator.refusal import TreeStopped
from tasks.embedded import EmbeddedServerError

log = structlog.get_logger()


def _children_of_ours() -> frozenset[psutil.Process]:
    return frozenset(psutil.Process().children())


@dataclass(slots=True)
class Tree:
    """The children of one `up`. `run` is the folder of their pid files."""

    run: Path
    output: int = 2  # the descriptor that the keeper writes to
    backoff: Callable[[], Backoff] = Backoff
    _tasks: list[asyncio.Task[None]] = field(default_factory=list, init=False)
    _children: list[Child] = field(default_factory=list, init=False)
    _starting: dict[asyncio.Task[int], Child] = field(default_factory=dict, init=False)
    _keeper: asyncio.subprocess.Process | None = field(default=None, init=False)
    _others: frozenset[psutil.Process] = field(default_factory=_children_of_ours, init=False)

    async def keep(self, lock: int) -> None:
        """Start the keeper, which ends the children should we be killed; it holds `lock` too."""
        self._keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", "bots.operator.keeper", str(self.run)),
            stdin=asyncio.subprocess.PIPE,
            stdout=self.output,
            stderr=self.output,
            pass_fds=(lock,),
            start_new_session=True,
        )

    async def serve(self, children: Sequence[Child]) -> None:
        """Start `children` side by side, and return once every one of them can serve.

        Raises TreeStopped where one of them says that its settings are wrong.
        """
        self._children += children
        events = [asyncio.Event() for _ in children]
        self._tasks += [
            asyncio.create_task(self._tend(child, event))
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

    async def hold(self) -> None:
        """Go on for ever: what served once is worth starting again, whatever ended it."""
        await asyncio.gather(*self._tasks)

    async def stop(self) -> None:
        """End every child within 15 s, the servers last, and then the keeper."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(end_leftovers, self.run)
        while starting := dict(self._starting):
            for child in starting.values():
                await asyncio.to_thread(child.give_up)
            await asyncio.to_thread(end_all, self._unrecorded())
            await asyncio.wait(starting, timeout=0.1)
        await asyncio.to_thread(end_all, self._unrecorded())
        await asyncio.gather(*map(_see_off, self._children))
        if self._keeper and self._keeper.returncode is None:
            self._keeper.kill()
            await self._keeper.wait()

    def _check(self) -> None:
        for task in self._tasks:
            if task.done():
                task.result()

    def _unrecorded(self) -> list[tuple[str, psutil.Process]]:
        """The tree's processes that no pid file names, such as Postgres making its data folder.

        What this process had started before there was a tree is not the tree's to end.
        """
        keeper = self._keeper.pid if self._keeper else None
        found: list[tuple[str, psutil.Process]] = []
        for process in _children_of_ours() - self._others:
            with contextlib.suppress(psutil.NoSuchProcess):
                if process.pid != keeper:
                    found.append((process.name(), process))
        return found

    async def _tend(self, child: Child, ready: asyncio.Event) -> None:
        """One child's lives, one after the other."""
        backoff = self.backoff()
        while True:
            began = time.monotonic()
            how = await self._live(child, ready)
            pause = backoff.after(time.monotonic() - began)
            log.warning("process ended", process=child.name, how=how, again_in_s=pause)
            await asyncio.sleep(pause)

    async def _live(self, child: Child, ready: asyncio.Event) -> str:
        """One life, from its start to its end; how it ended, in words."""
        try:
            pid = await self._start(child)
        except (OSError, EmbeddedServerError) as error:
            if isinstance(error, EmbeddedServerError) and not ready.is_set():
                raise TreeStopped(str(error)) from error
            return f"could not be started: {error}"
        PidFile(self.run, child.name).write(pid)
        log.info("process started", process=child.name, pid=pid)
        announced = asyncio.create_task(self._announce(child, ready))
        try:
            status = await child.wait()
        finally:
            announced.cancel()
        if status == WRONG_SETTINGS and not ready.is_set():
            raise TreeStopped(f"{child.name} cannot work with these settings; it has logged why.")
        return f"signal {-status}" if status < 0 else f"exit status {status}"

    async def _start(self, child: Child) -> int:
        """Start it. A start that we are called away from goes on, and `stop` sees to its end."""
        starting = asyncio.create_task(child.start())
        self._starting[starting] = child
        starting.add_done_callback(self._started)
        return await asyncio.shield(starting)

    def _started(self, task: asyncio.Task[int]) -> None:
        del self._starting[task]
        if not task.cancelled():
            task.exception()  # looked at, also where nobody waits for it any more

    async def _announce(self, child: Child, ready: asyncio.Event) -> None:
        await child.ready()
        log.info("process ready", process=child.name)
        ready.set()


async def _see_off(child: Child) -> None:
    """Take note of its end, or the event loop would complain that nobody did."""
    with contextlib.suppress(TimeoutError, NeverStarted):
        await asyncio.wait_for(child.wait(), KILLED_SECONDS)
