"""SIGKILL of each process during a render: every accepted job is delivered exactly once."""

from __future__ import annotations

import signal
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis

from tasks.client import Client, connect
from tests.chaos.accounts import assert_delivered_once, assert_sums_hold
from tests.chaos.orders import order, orders_during_a_render, until_ended
from tests.stack import STOP_SECONDS, AtelierProcess, running_servers, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AtelierProcess]:
    """A running instance; each test leaves it running, or restarts it."""
    atelier = AtelierProcess(tmp_path_factory.mktemp("victim"))
    yield atelier
    atelier.clean_up()


@pytest.fixture
def atelier(victim: AtelierProcess) -> AtelierProcess:
    return victim if victim.process else victim.start()


@pytest.fixture
async def client(atelier: AtelierProcess) -> AsyncIterator[Client]:
    door = await connect(atelier.settings)
    yield door
    await door.close()


def url(atelier: AtelierProcess) -> str:
    secret = atelier.settings.database_url
    assert secret is not None
    return secret.get_secret_value()


@pytest.mark.parametrize("name", ["worker", "valkey", "postgres", "clock"])
async def test_killed_process_loses_and_duplicates_no_job(
    atelier: AtelierProcess, client: Client, name: str
) -> None:
    jobs = await orders_during_a_render(client)
    old = atelier.signal_child(name)
    atelier.wait_restarted(name, old)
    await until_ended(client, jobs)
    assert_delivered_once(url(atelier), jobs)
    assert_sums_hold(url(atelier))


async def test_flushed_valkey_loses_no_job(atelier: AtelierProcess, client: Client) -> None:
    secret = atelier.settings.redis_url
    assert secret is not None
    jobs = await orders_during_a_render(client)
    with redis.Redis.from_url(secret.get_secret_value()) as valkey:
        valkey.flushall()
    await until_ended(client, jobs)
    assert_delivered_once(url(atelier), jobs)


async def test_power_cut_loses_and_duplicates_no_job(
    atelier: AtelierProcess, client: Client
) -> None:
    jobs = await orders_during_a_render(client)
    atelier.kill_tree()
    assert atelier.survivors() == []
    atelier.start()
    await until_ended(client, jobs)
    assert_delivered_once(url(atelier), jobs)
    assert_sums_hold(url(atelier))


async def test_processes_of_a_killed_up_are_ended(atelier: AtelierProcess, client: Client) -> None:
    job = await order(client, 4)
    await until_ended(client, [job])
    atelier.kill()
    wait_until(lambda: atelier.survivors() == [], STOP_SECONDS, "processes were left behind")
    atelier.start()
    assert_delivered_once(url(atelier), [job])


def test_second_up_on_the_same_home_is_refused(atelier: AtelierProcess) -> None:
    second = subprocess.run(
        [sys.executable, "-P", "-m", "bots.cli", "up"],
        env=atelier.full_environment,
        cwd=atelier.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert len(second.stderr.strip().splitlines()) == 1
    assert atelier.process is not None
    assert f"pid {atelier.process.pid}" in second.stderr
    assert atelier.alive("worker")


def test_killed_web_process_restarts_on_the_same_port(atelier: AtelierProcess) -> None:
    old = atelier.signal_child("web")
    atelier.wait_restarted("web", old)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{atelier.url}/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(answers, 60, "the page does not answer")


def test_shutdown_is_in_time_when_a_child_ignores_sigterm(atelier: AtelierProcess) -> None:
    atelier.signal_child("worker", signal.SIGSTOP)  # takes no SIGTERM any more
    assert atelier.stop(signal.SIGTERM) == 0
    assert atelier.survivors() == []
    assert [line.startswith("ready: ") for line in atelier.printed] == [True] * len(atelier.printed)
    assert list((atelier.home / "run").glob("*.pid")) == []


def test_stale_pid_file_is_ignored(victim: AtelierProcess) -> None:
    if victim.process:
        victim.stop()
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        for name in ("worker", "postgres", "web"):
            (victim.home / "run" / f"{name}.pid").write_text(f"{stranger.pid}\n")
        try:
            victim.start()
            assert stranger.poll() is None, "a stranger was signalled"
            assert victim.pid("worker") != stranger.pid
            assert victim.stop(signal.SIGINT) == 0
            assert stranger.poll() is None, "a stranger was signalled"
        finally:
            stranger.kill()


def test_configured_servers_are_used_instead_of_embedded_ones(tmp_path: Path) -> None:
    with running_servers(tmp_path / "servers") as servers:
        given = servers.settings
        assert given.database_url is not None
        assert given.redis_url is not None
        guest = AtelierProcess(
            tmp_path / "guest",
            {
                "ATELIER_DATABASE_URL": given.database_url.get_secret_value(),
                "ATELIER_REDIS_URL": given.redis_url.get_secret_value(),
            },
        )
        try:
            guest.start()
            names = {path.stem for path in (guest.home / "run").glob("*.pid")}
            assert names == {"clock", "worker", "web"}
            assert {"postgres", "valkey-server"} & {p.name() for p in guest.processes()} == set()
            assert not (guest.home / "postgres").exists()
            words = [word for p in guest.processes() for word in p.cmdline()]
            assert not any(given.database_url.get_secret_value() in word for word in words)
            with psycopg.connect(given.database_url.get_secret_value()) as connection:
                row = connection.execute("SELECT count(*) FROM workers").fetchone()
            assert row == (1,)
        finally:
            guest.clean_up()
        assert psutil.pid_exists(servers.postgres.pid or 0), "a given server was stopped"
