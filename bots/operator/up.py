"""`atelier up`: starts everything that is configured, in one process tree."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Any

import structlog

from bots.operator.child_process import EmbeddedServer, Program
from bots.operator.doctor_checks.licence import forbids_paid_use, known_models
from bots.operator.doctor_checks.machine import profiles_to_load
from bots.operator.doctor_checks.platforms import MANIFEST, NEW_SLACK_APP, application_of, invite
from bots.operator.errors import ProcessTreeStopped
from bots.operator.gpus import gpus, worker_environments
from bots.operator.instance_lock import InstanceLock, holder_of
from bots.operator.ports import choose_port, page_url
from bots.operator.process_tree import ProcessTree
from bots.operator.server_addresses import check_redis, embedded_addresses
from bots.operator.settings_errors import check_model, check_pictures_folder
from bots.operator.shutdown import stop_leftovers
from tasks.policy import config
from tasks.runtime.embedded_servers import EmbeddedPostgres, EmbeddedValkey
from tasks.runtime.private_files import restrict_new_files
from tasks.runtime.settings import Settings

log = structlog.get_logger()

DRAIN_SECONDS = 8.0  # for a worker's running jobs; the whole tree ends within 15


def up(settings: Settings) -> None:
    """Start everything, print `ready: URL`, and supervise until a signal.

    Raises InstanceAlreadyRunning, WrongSettings or ProcessTreeStopped. Leaves no process behind.
    """
    restrict_new_files()
    check_model(settings)
    check_pictures_folder(settings)
    check_redis(settings)
    lock = InstanceLock.take(settings.home)
    try:
        for name in stop_leftovers(settings.home / "run"):
            log.warning("leftover-process-stopped", process=name)
        port = choose_port(settings.web_host, settings.web_port)
        asyncio.run(_serve(settings.model_copy(update={"web_port": port}), lock))
    finally:
        lock.release()


async def _serve(settings: Settings, lock: InstanceLock) -> None:
    tree = ProcessTree(settings.home / "run")
    with _signals() as ended:
        work = asyncio.create_task(_work(tree, settings, lock))
        try:
            first: list[asyncio.Future[Any]] = [work, ended]
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
            if work.done():
                await work
            log.info("shutting-down", signal=ended.result())
        finally:
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
            await tree.stop()


async def _work(tree: ProcessTree, settings: Settings, lock: InstanceLock) -> None:
    environment = await _start_servers(tree, settings, lock)
    await tree.serve(programs(process_names(settings), environment))
    print(f"ready: {page_url(settings.web_host, settings.web_port)}", flush=True)
    log_next_steps(settings)
    log_licences(settings)
    await tree.supervise()


def log_next_steps(settings: Settings) -> None:
    """Say what is left to do for each platform: the invite link, the manifest's address."""
    token = settings.discord_token.get_secret_value() if settings.discord_token else ""
    if application := application_of(token):
        log.info("discord-invite", url=invite(application))
    elif not token:
        log.info("discord-not-set-up", guide="docs/how-to/discord.md")
    if settings.slack_bot_token is None and settings.slack_client_id is None:
        log.info("slack-not-set-up", manifest=str(MANIFEST), create_at=NEW_SLACK_APP)


def log_licences(settings: Settings) -> None:
    """Warn where the licence of a model forbids what a paid tier may do."""
    policy = config.load(config.find(settings.config))
    models = [known for one in profiles_to_load(settings, policy) for known in known_models(one)]
    for known in models:
        if forbids_paid_use(known, policy):
            log.warning(
                "licence-forbids-paid-use",
                model=known.hub,
                licence=known.licence.name,
                text=known.licence.url,
            )


@contextlib.asynccontextmanager
async def servers_with_worker(settings: Settings) -> AsyncIterator[Settings]:
    """Settings of servers with a worker: the given ones, a running tree's, or a temporary tree's.

    The temporary tree has no bots and no page, logs to `logs/imagine.log` in the home, and ends
    with the context. Raises InstanceAlreadyRunning, WrongSettings or ProcessTreeStopped.
    """
    if holder_of(settings.home) is not None:
        yield embedded_addresses(settings)
        return
    if settings.database_url and settings.redis_url and await _has_worker(settings):
        yield settings
        return
    check_model(settings)
    check_pictures_folder(settings)
    check_redis(settings)
    lock = InstanceLock.take(settings.home)
    (settings.home / "logs").mkdir(exist_ok=True)
    with (settings.home / "logs" / "imagine.log").open("ab") as output:
        tree = ProcessTree(settings.home / "run", output.fileno())
        try:
            stop_leftovers(tree.run)
            environment = await _start_servers(tree, settings, lock)
            await tree.serve(programs(["clock", "worker"], environment, tree.output))
            yield embedded_addresses(settings)
        except ProcessTreeStopped as error:
            raise ProcessTreeStopped(f"{error} See {output.name}.") from error
        finally:
            await tree.stop()
            lock.release()


async def _has_worker(settings: Settings) -> bool:
    """Whether a live worker uses the given servers."""
    from tasks.client import Unavailable, connect  # `up` itself does not need it, and stays small

    client = await connect(settings)
    try:
        return bool(await client.fleet.models())
    except Unavailable:
        return False  # starting the temporary tree reports the error
    finally:
        await client.close()


async def _start_servers(
    tree: ProcessTree, settings: Settings, lock: InstanceLock
) -> Mapping[str, str]:
    """Start the reaper and the servers, migrate, and return the environment of later children."""
    await tree.start_reaper(lock.descriptor)
    servers = embedded_servers(settings)
    await tree.serve(servers)
    environment = child_environment(settings, servers)
    await _migrate(environment, tree.output)
    return environment


def embedded_servers(settings: Settings) -> list[EmbeddedServer]:
    """An embedded server for every address that is not set."""
    servers = []
    if settings.database_url is None:
        servers.append(EmbeddedServer("postgres", EmbeddedPostgres(settings.home)))
    if settings.redis_url is None:
        servers.append(EmbeddedServer("valkey", EmbeddedValkey(settings.home)))
    return servers


def child_environment(settings: Settings, servers: Sequence[EmbeddedServer]) -> dict[str, str]:
    """The environment of children: ours plus home, port and embedded addresses."""
    variables = {"postgres": "ATELIER_DATABASE_URL", "valkey": "ATELIER_REDIS_URL"}
    return {
        **os.environ,
        "ATELIER_HOME": str(settings.home),
        "ATELIER_WEB_PORT": str(settings.web_port),
        "ATELIER_DRAIN_SECONDS": str(min(settings.drain_seconds, DRAIN_SECONDS)),
        **{variables[server.name]: server.server.url for server in servers},
    }


def process_names(settings: Settings) -> list[str]:
    """Names of the processes to run; a bot is included if its tokens are set."""
    names = ["clock", "worker", "web"]
    if settings.discord_token:
        names.append("discord")
    if settings.slack_app_token or settings.slack_signing_secret:
        names.append("slack")
    return names


def programs(
    names: Sequence[str], environment: Mapping[str, str], output: int = 2
) -> list[Program]:
    """Commands of `atelier` as children that write to `output`; a worker for each GPU."""
    workers = worker_environments(environment, gpus(environment)) if "worker" in names else {}
    return [
        *(Program(name, atelier(name), environment, output) for name in names if name != "worker"),
        *(Program(name, atelier("worker"), own, output) for name, own in workers.items()),
    ]


def atelier(*words: str) -> list[str]:
    """The command line of `atelier WORDS` with this Python. `-P` keeps the current folder off the
    path: it may contain a folder named `tasks`."""
    return [sys.executable, "-P", "-m", "bots.cli", *words]


async def _migrate(environment: Mapping[str, str], output: int) -> None:
    """Migrate the database in a process of its own, since migration needs much memory."""
    process = await asyncio.create_subprocess_exec(
        *atelier("db", "upgrade"),
        env=dict(environment),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    if await process.wait():
        raise ProcessTreeStopped("The database could not be migrated; the log says why.")


@contextlib.contextmanager
def _signals() -> Iterator[asyncio.Future[str]]:
    """A future that resolves with the name of the first termination signal.

    A second signal changes nothing: shutdown takes at most 15 s and leaves nothing behind.
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
