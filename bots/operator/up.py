"""`atelier up`: everything that is configured, in one process tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import structlog

from bots.operator.children import EmbeddedServer, Program
from bots.operator.complaints import check_model, check_pictures_folder
from bots.operator.ending import end_leftovers
from bots.operator.homelock import HomeLock, holder_of
from bots.operator.port import choose_port, page_url
from bots.operator.refusal import TreeStopped
from bots.operator.servers import ask_for_tickets, embedded_addresses
from bots.operator.tree import Tree
from tasks.embedded import EmbeddedPostgres, EmbeddedValkey
from tasks.settings import Settings

log = structlog.get_logger()


def up(settings: Settings) -> None:
    """Start everything, say `ready` on standard output, and go on until a signal ends it.

    Raises HomeTaken, WrongSettings or TreeStopped; whatever happens, no process stays behind.
    """
    check_model(settings)
    check_pictures_folder(settings)
    ask_for_tickets(settings)
    lock = HomeLock.take(settings.home)
    try:
        for name in end_leftovers(settings.home / "run"):
            log.warning("ended what an earlier run left behind", process=name)
        port = choose_port(settings.web_host, settings.web_port)
        asyncio.run(_serve(settings.model_copy(update={"web_port": port}), lock))
    finally:
        lock.release()


async def _serve(settings: Settings, lock: HomeLock) -> None:
    tree = Tree(settings.home / "run")
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


async def _work(tree: Tree, settings: Settings, lock: HomeLock) -> None:
    environment = await _raise_servers(tree, settings, lock)
    await tree.serve(programs(rooms(settings), environment))
    print(f"ready: {page_url(settings.web_host, settings.web_port)}", flush=True)
    await tree.hold()


@contextlib.asynccontextmanager
async def workplace(settings: Settings) -> AsyncIterator[Settings]:
    """Settings whose servers have a worker: the given ones, the running tree's, or a small tree's.

    The small one has no bots and no page, logs to `logs/imagine.log` in the home, and ends with
    the context. Raises HomeTaken, WrongSettings or TreeStopped.
    """
    if holder_of(settings.home) is not None:
        yield embedded_addresses(settings)
        return
    if settings.database_url and settings.redis_url and await _has_worker(settings):
        yield settings
        return
    check_model(settings)
    check_pictures_folder(settings)
    ask_for_tickets(settings)
    lock = HomeLock.take(settings.home)
    (settings.home / "logs").mkdir(exist_ok=True)
    with (settings.home / "logs" / "imagine.log").open("ab") as output:
        tree = Tree(settings.home / "run", output.fileno())
        try:
            end_leftovers(tree.run)
            environment = await _raise_servers(tree, settings, lock)
            await tree.serve(programs(["clock", "worker"], environment, tree.output))
            yield embedded_addresses(settings)
        except TreeStopped as stopped:
            raise TreeStopped(f"{stopped} See {output.name}.") from stopped
        finally:
            await tree.stop()
            lock.release()


async def _has_worker(settings: Settings) -> bool:
    """Whether somebody works on the given servers already."""
    from tasks.client import Unavailable, connect  # `up` itself does without, and stays small

    client = await connect(settings)
    try:
        return bool(await client.models())
    except Unavailable:
        return False  # the small tree will say what is wrong with them
    finally:
        await client.close()


async def _raise_servers(tree: Tree, settings: Settings, lock: HomeLock) -> Mapping[str, str]:
    """The keeper, the servers, and the record's shape; the environment for all who come after."""
    await tree.keep(lock.descriptor)
    servers = embedded_servers(settings)
    await tree.serve(servers)
    environment = child_environment(settings, servers)
    await _migrate(environment, tree.output)
    return environment


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


def rooms(settings: Settings) -> list[str]:
    """The processes of this installation: a bot is one of them where its tokens are set."""
    names = ["clock", "worker", "web"]
    if settings.discord_token:
        names.append("discord")
    if settings.slack_app_token:  # without it Slack comes in through the web port
        names.append("slack")
    return names


def programs(
    names: Sequence[str], environment: Mapping[str, str], output: int = 2
) -> list[Program]:
    """Commands of `atelier` as children that write to `output`."""
    return [Program(name, atelier(name), environment, output) for name in names]


def atelier(*words: str) -> list[str]:
    """The command line of `atelier WORDS` with this very Python; the current folder is not on
    its path, or a folder named `tasks` in it would be taken for ours."""
    return [sys.executable, "-P", "-m", "bots.cli", *words]


async def _migrate(environment: Mapping[str, str], output: int) -> None:
    """Bring the record to this version's shape, in a process of its own: it needs much memory."""
    process = await asyncio.create_subprocess_exec(
        *atelier("db", "upgrade"),
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    if await process.wait():
        raise TreeStopped("The database could not be brought to this version; it has logged why.")


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
