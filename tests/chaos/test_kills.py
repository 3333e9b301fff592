"""Kill -9 of each part in the middle of a render: every accepted job is delivered exactly once."""

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
from tests.chaos.orders import order, orders, until_ended, until_running
from tests.stack import STOP_SECONDS, Studio, running_servers, wait_until

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio to be hurt; each test leaves it running, or starts it again."""
    studio = Studio(tmp_path_factory.mktemp("victim"))
    yield studio
    studio.clean_up()


@pytest.fixture
def studio(victim: Studio) -> Studio:
    return victim if victim.process else victim.start()


@pytest.fixture
async def client(studio: Studio) -> AsyncIterator[Client]:
    door = await connect(studio.settings)
    yield door
    await door.close()


def url(studio: Studio) -> str:
    secret = studio.settings.database_url
    assert secret is not None
    return secret.get_secret_value()


@pytest.mark.parametrize("name", ["worker", "valkey", "postgres", "clock"])
async def test_a_killed_part_loses_and_doubles_nothing(
    studio: Studio, client: Client, name: str
) -> None:
    jobs = await orders(client)
    await until_running(client, jobs[0])
    old = studio.signal_child(name)
    studio.wait_restarted(name, old)
    await until_ended(client, jobs)
    assert_delivered_once(url(studio), jobs)
    assert_sums_hold(url(studio))


async def test_a_flushed_valkey_loses_nothing(studio: Studio, client: Client) -> None:
    secret = studio.settings.redis_url
    assert secret is not None
    jobs = await orders(client)
    await until_running(client, jobs[0])
    with redis.Redis.from_url(secret.get_secret_value()) as valkey:
        valkey.flushall()
    await until_ended(client, jobs)
    assert_delivered_once(url(studio), jobs)


async def test_a_power_cut_loses_and_doubles_nothing(studio: Studio, client: Client) -> None:
    jobs = await orders(client)
    await until_running(client, jobs[0])
    studio.kill_tree()
    assert studio.survivors() == []
    studio.start()
    await until_ended(client, jobs)
    assert_delivered_once(url(studio), jobs)
    assert_sums_hold(url(studio))


async def test_what_a_killed_up_leaves_is_ended(studio: Studio, client: Client) -> None:
    job = await order(client, 4)
    await until_ended(client, [job])
    studio.kill()
    wait_until(lambda: studio.survivors() == [], STOP_SECONDS, "processes were left behind")
    studio.start()
    assert_delivered_once(url(studio), [job])


def test_a_second_up_on_the_same_home_is_told_so(studio: Studio) -> None:
    second = subprocess.run(
        [sys.executable, "-P", "-m", "bots.cli", "up"],
        env=studio.full_environment,
        cwd=studio.home,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert second.returncode == 1
    assert second.stdout == ""
    assert len(second.stderr.strip().splitlines()) == 1
    assert studio.process is not None
    assert f"pid {studio.process.pid}" in second.stderr
    assert studio.alive("worker")


def test_a_dead_page_lives_again_at_the_same_address(studio: Studio) -> None:
    old = studio.signal_child("web")
    studio.wait_restarted("web", old)

    def answers() -> bool:
        try:
            with urllib.request.urlopen(f"{studio.url}/", timeout=5) as answer:
                return bool(answer.status == 200)
        except OSError:
            return False

    wait_until(answers, 60, "the page does not answer")


def test_it_ends_in_time_also_where_a_child_does_not_listen(studio: Studio) -> None:
    studio.signal_child("worker", signal.SIGSTOP)  # takes no SIGTERM any more
    assert studio.stop(signal.SIGTERM) == 0
    assert studio.survivors() == []
    assert [line.startswith("ready: ") for line in studio.printed] == [True] * len(studio.printed)
    assert list((studio.home / "run").glob("*.pid")) == []


def test_a_stale_pid_file_is_no_trouble(victim: Studio) -> None:
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


def test_given_servers_are_used_and_none_is_embedded(tmp_path: Path) -> None:
    with running_servers(tmp_path / "servers") as servers:
        given = servers.settings
        assert given.database_url is not None
        assert given.redis_url is not None
        guest = Studio(
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
