"""`atelier up`: everything that is configured, in one process tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import structlog

from bots.operator.children import EmbeddedServer, Program
from bots.operator.ending import end_leftovers
from bots.operator.homelock import HomeLock
from bots.operator.port import choose_port, page_url
from bots.operator.refusal import TreeStopped
from bots.operator.tree import Tree
from tasks.embedded import EmbeddedPostgres, EmbeddedValkey
from tasks.settings import Settings

log = structlog.get_logger()


def up(settings: Settings) -> None:
    """Start everything, say `ready` on standard output, and go on until a signal ends it.

    Raises HomeTaken, WrongSettings or TreeStopped; whatever happens, no process stays behind.
    """
    run = settings.home / "run"
    lock = HomeLock.take(settings.home)
    try:
        for name in end_leftovers(run):
            log.warning("ended what an earlier run left behind", process=name)
        port = choose_port(settings.web_host, settings.web_port)
        asyncio.run(_serve(settings.model_copy(update={"web_port": port}), run, lock.descriptor))
    finally:
        lock.release()


async def _serve(settings: Settings, run: Path, lock: int) -> None:
    tree = Tree(run)
    with _signals() as ended:
        work = asyncio.create_task(_work(tree, settings, lock))
        try:
            first: list[asyncio.Future[Any]] = [work, ended]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            log.info("ending", signal=ended.result())
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await tree.stop()


async def _work(tree: Tree, settings: Settings, lock: int) -> None:
    """Servers first, then the record's shape, then everybody who works with them."""
    await tree.keep(lock)
    servers = embedded_servers(settings)
    await tree.serve(servers)
    environment = child_environment(settings, servers)
    await _migrate(environment)
    await tree.serve(programs(settings, environment))
    print(f"ready: {page_url(settings.web_host, settings.web_port)}", flush=True)
    await tree.hold()


def embedded_servers(settings: Settings) -> list[EmbeddedServer]:
    """A server of our own for every address that is not set."""
    servers = []
    if settings.database_url is None:
        servers.append(EmbeddedServer("postgres", EmbeddedPostgres(settings.home)))
    if settings.redis_url is None:
        servers.append(EmbeddedServer("valkey", EmbeddedValkey(settings.home)))
    return servers


def child_environment(settings: Settings, servers: Sequence[EmbeddedServer]) -> dict[str, str]:
    """Our own environment, with what we decided: the home, the port, the embedded addresses."""
    variables = {"postgres": "ATELIER_DATABASE_URL", "valkey": "ATELIER_REDIS_URL"}
    return {
        **os.environ,
        "ATELIER_HOME": str(settings.home),
        "ATELIER_WEB_PORT": str(settings.web_port),
        **{variables[server.name]: server.server.url for server in servers},
    }


def programs(settings: Settings, environment: Mapping[str, str]) -> list[Program]:
    """The processes to run: a bot is one of them where its tokens are set."""
    names = ["clock", "worker", "web"]
    if settings.discord_token:
        names.append("discord")
    if settings.slack_app_token:  # without it Slack comes in through the web port
        names.append("slack")
    return [Program(name, atelier(name), environment) for name in names]


def atelier(*words: str) -> list[str]:
    """The command line of `atelier WORDS` with this very Python; the current folder is not on
    its path, or a folder named `tasks` in it would be taken for ours."""
    return [sys.executable, "-P", "-m", "bots.cli", *words]


async def _migrate(environment: Mapping[str, str]) -> None:
    """Bring the record to this version's shape, in a process of its own: it needs much memory."""
    process = await asyncio.create_subprocess_exec(
        *atelier("db", "upgrade"),
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=sys.stderr.fileno(),
        start_new_session=True,
    )
    if await process.wait():
        raise TreeStopped("The database could not be brought to this version; the reason is above.")


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Future[str]]:
    """A future that the first of the signals that end us fulfils with its name.

    A second one does not hurry the end: it comes within 15 s anyway, and leaves nothing behind.
    """
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[str] = loop.create_future()

    def end(number: signal.Signals) -> None:
        if not ended.done():
            ended.set_result(number.name)

    numbers = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in numbers:
        loop.add_signal_handler(number, end, number)
    try:
        yield ended
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)
        ended.cancel()
