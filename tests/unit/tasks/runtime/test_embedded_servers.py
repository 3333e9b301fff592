"""A real embedded Postgres starts again whatever a crash left behind."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg
import pytest

from tasks.runtime import embedded_servers
from tasks.runtime.embedded_servers import Account, EmbeddedPostgres, EmbeddedServerError

SOCKET_LOCK = ".s.PGSQL.5432.lock"


@pytest.fixture
def stranger() -> Iterator[int]:
    """The id of a living process that is no Postgres, of the account that Postgres runs as."""
    account = Account.for_postgres()
    with subprocess.Popen(["sleep", "600"], user=account.uid if account else None) as process:
        yield process.pid
        process.kill()


@pytest.fixture
def crashed(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A server with a table in it, killed."""
    server = EmbeddedPostgres(tmp_path / "home")
    url = server.start()
    try:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("create table kept (n int); insert into kept values (7)")
        assert server.pid is not None
        family = [psutil.Process(server.pid), *psutil.Process(server.pid).children()]
        os.kill(server.pid, signal.SIGKILL)
        psutil.wait_procs(family, timeout=20)
        yield server
    finally:
        server.stop()


def locks(server: EmbeddedPostgres) -> list[Path]:
    sockets = Path(server.url.partition("host=")[2])
    return [server.data / "postmaster.pid", sockets / SOCKET_LOCK]


def kept_row(url: str) -> object:
    with psycopg.connect(url) as connection:
        return connection.execute("select n from kept").fetchone()


def test_lock_that_names_another_programs_process_is_stale(
    crashed: EmbeddedPostgres, stranger: int
) -> None:
    for lock in locks(crashed):
        _dead, *rest = lock.read_text().splitlines(keepends=True)
        lock.write_text("".join([f"{stranger}\n", *rest]))
    assert kept_row(crashed.start()) == (7,)
    assert psutil.pid_exists(stranger)


def test_empty_lock_is_stale(crashed: EmbeddedPostgres) -> None:
    for lock in locks(crashed):
        lock.write_text("")
    assert kept_row(crashed.start()) == (7,)


def test_server_that_runs_on_the_folder_is_stopped_first(crashed: EmbeddedPostgres) -> None:
    other = EmbeddedPostgres(crashed.home)
    other.start()
    first = other.pid
    assert kept_row(crashed.start()) == (7,)
    assert crashed.pid != first
    assert other.pid is None


def test_program_that_hangs_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded_servers, "PROGRAM_SECONDS", 0.1)
    monkeypatch.setattr(EmbeddedPostgres, "_command", lambda *_: ["sleep", "600"])
    with pytest.raises(EmbeddedServerError, match="did not end within"):
        EmbeddedPostgres(tmp_path / "home").start()
