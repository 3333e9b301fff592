"""Real processes for tests: the embedded servers, and a whole `atelier up`.

`AtelierProcess` runs the command that an operator runs, in a session and a home of its own.
`Servers` runs Postgres and Valkey alone, for tests that need no worker.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql
from pydantic import SecretStr

from tasks.runtime.embedded_servers import EmbeddedPostgres, EmbeddedValkey
from tasks.runtime.settings import Settings

START_SECONDS = 180.0  # a slow machine with a cold disk imports torch for a minute
STOP_SECONDS = 15.0  # what `atelier up` promises
SHARED_SERVERS = "ATELIER_TEST_SERVERS"
"""A variable with the home of servers that run already, for tests to use instead of their own."""


def clean_environment(**extra: str) -> dict[str, str]:
    """This process's environment without the developer's own Atelier settings, and with `extra`."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("ATELIER_")}
    return {**kept, "HF_HUB_OFFLINE": "1", **extra}


def wait_until(true: Callable[[], bool], seconds: float, what: str) -> None:
    """Return once `true()` is; fail the test with `what` after `seconds`."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"{what}: not within {seconds:g} s"
        time.sleep(0.05)


@dataclass(slots=True)
class AtelierProcess:
    """A real `atelier up` on port 0. Its children are reached through their pid files.

    `environment` is added to a clean one: tokens, API addresses and the like. Standard error goes
    to `home/up.log`; what was printed on standard output is in `printed`.
    """

    home: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[str] | None = None
    printed: list[str] = field(default_factory=list)

    def start(self, seconds: float = START_SECONDS) -> AtelierProcess:
        """Start it and wait for its `ready` line; without one, fail the test with the log."""
        self.launch()
        self.wait_ready(seconds)
        return self

    def launch(self) -> None:
        """Start it without waiting."""
        self.home.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "bots.cli", "up"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                cwd=self.home,  # a developer's .env is not read
                env=self.full_environment,
                start_new_session=True,
            )

    def wait_ready(self, seconds: float = START_SECONDS) -> str:
        """The page's URL, once everything can serve."""
        process = self._running()
        assert process.stdout is not None
        watchdog = _after(seconds, process.kill)
        try:
            line = process.stdout.readline()
        finally:
            watchdog.cancel()
        assert line.startswith("ready: http://"), (
            f"up ended before it was ready:\n{self.log[-6000:]}"
        )
        self.printed.append(line)
        return self.url

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Stop it with a signal; return its exit status."""
        process = self._running()
        process.send_signal(number)
        return self.wait_ended()

    def wait_ended(self, seconds: float = STOP_SECONDS) -> int:
        """Wait for its exit; return its exit status."""
        process = self._running()
        out, _ = process.communicate(timeout=seconds)
        self.printed += out.splitlines(keepends=True)
        self.process = None
        return process.returncode

    def kill(self) -> None:
        """SIGKILL `up` alone; its children and its reaper live on for a moment."""
        self._running().kill()
        self.wait_ended()

    def kill_tree(self) -> None:
        """SIGKILL every process of the tree at once, as a power cut does."""
        victims = self.processes()
        for victim in victims:
            victim.suspend()  # so that none cleans up after the others
        for victim in victims:
            victim.kill()
        self.wait_ended()
        psutil.wait_procs(victims, timeout=STOP_SECONDS)

    def clean_up(self) -> None:
        """Stop it in whatever state it is; for a fixture's last line."""
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            self.wait_ended(2 * STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_tree()

    def pid(self, name: str) -> int:
        """The pid in `run/NAME.pid`."""
        return int((self.home / "run" / f"{name}.pid").read_text())

    def signal_child(self, name: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to a child and return its pid. After SIGKILL, wait until it is gone."""
        process = psutil.Process(self.pid(name))
        process.send_signal(number)
        if number is signal.SIGKILL:
            gone, _ = psutil.wait_procs([process], timeout=STOP_SECONDS)
            assert gone, f"{name} survived SIGKILL"
        return process.pid

    def wait_restarted(self, name: str, old: int, seconds: float = START_SECONDS) -> int:
        """The pid of the restarted child."""
        wait_until(
            lambda: self.alive(name) and self.pid(name) != old, seconds, f"{name} was not restarted"
        )
        return self.pid(name)

    def alive(self, name: str) -> bool:
        """Whether the process in the child's pid file runs."""
        try:
            process = psutil.Process(self.pid(name))
            return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
        except (FileNotFoundError, psutil.NoSuchProcess):
            return False

    def processes(self) -> list[psutil.Process]:
        """`up` and everything below it."""
        root = psutil.Process(self._running().pid)
        return [root, *root.children(recursive=True)]

    def survivors(self) -> list[str]:
        """Command lines of all processes on this machine that still use this home."""
        mark = str(self.home)
        found = []
        for process in psutil.process_iter():
            try:
                words = [*process.cmdline(), *process.environ().values()]
                if process.pid != os.getpid() and any(mark in word for word in words):
                    found.append(f"{process.pid} {' '.join(process.cmdline())}")
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue
        return found

    @property
    def full_environment(self) -> dict[str, str]:
        """The environment of `up`, and of other commands that use this home."""
        own = {"ATELIER_HOME": str(self.home), "ATELIER_WEB_PORT": "0"}
        return clean_environment(**{**own, **self.environment})

    @property
    def url(self) -> str:
        """The playground's address, without a slash at the end."""
        return self.printed[-1].removeprefix("ready: ").strip()

    @property
    def monitoring_url(self) -> str:
        """Where `/healthz` and `/metrics` are."""
        port = self.url.rpartition(":")[2]
        return (self.home / "run" / f"monitoring-{port}.url").read_text().strip()

    @property
    def operator_secret(self) -> str:
        """What the operator signs in with on the page."""
        return (self.home / "playground-secret").read_text().strip()

    @property
    def settings(self) -> Settings:
        """Settings for a client, such as `tasks.client.connect(settings)`."""
        return _settings(self.home)

    @property
    def log_path(self) -> Path:
        """Where its standard error goes."""
        return self.home / "up.log"

    @property
    def log(self) -> str:
        """What it and its children have logged."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _running(self) -> subprocess.Popen[str]:
        assert self.process is not None, "it was not started, or was stopped"
        return self.process


@dataclass(frozen=True, slots=True)
class Servers:
    """Embedded Postgres and Valkey, without other processes."""

    home: Path
    postgres: EmbeddedPostgres
    valkey: EmbeddedValkey

    @property
    def settings(self) -> Settings:
        """Settings with both addresses."""
        return _settings(self.home)

    @contextmanager
    def database(self) -> Iterator[str]:
        """The URL of a fresh, migrated database, dropped at the end.

        It is copied from a template that was migrated once.
        """
        name = f"test_{uuid.uuid4().hex[:12]}"
        self._run("CREATE DATABASE {} TEMPLATE atelier", name)
        try:
            yield self.postgres.url.replace("/atelier?", f"/{name}?")
        finally:
            self._run("DROP DATABASE {} WITH (FORCE)", name)

    def _run(self, statement: str, name: str) -> None:
        # A database with open connections cannot be a template, so connect to another one.
        url = self.postgres.url.replace("/atelier?", "/postgres?")
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def servers_at(home: Path) -> Servers:
    """Both servers on `home`, whoever starts them."""
    return Servers(home, EmbeddedPostgres(home), EmbeddedValkey(home))


@contextmanager
def running_servers(home: Path) -> Iterator[Servers]:
    """Both servers on `home`, migrated; stopped at the end.

    Postgres does not wait for the disk, which saves a test a fifth of a second. A killed Postgres
    loses nothing by that; only a power cut would.
    """
    from tasks import migrations

    servers = servers_at(home)
    try:
        url = servers.postgres.start()
        with psycopg.connect(url, autocommit=True) as connection:
            for setting in ("fsync", "full_page_writes"):
                connection.execute(f"ALTER SYSTEM SET {setting} = off".encode())
            connection.execute("SELECT pg_reload_conf()")
        migrations.upgrade(url)
        servers.valkey.start()
        yield servers
    finally:
        servers.valkey.stop()
        servers.postgres.stop()


def _settings(home: Path) -> Settings:
    return Settings(
        _env_file=None,
        home=home,
        database_url=SecretStr(EmbeddedPostgres(home).url),
        redis_url=SecretStr(EmbeddedValkey(home).url),
    )


def _after(seconds: float, do: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, do)
    timer.daemon = True
    timer.start()
    return timer
