"""No call hangs for ever, and servers on which Atelier cannot work are refused by name."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest
import redis
from sqlalchemy import make_url, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from tasks.jobs.job import EventKind, JobEvent
from tasks.jobs.states import JobState
from tasks.runtime import events, redis_check
from tasks.runtime.addresses import UnsuitableServer
from tasks.runtime.celery_app import make_app
from tasks.runtime.embedded_servers import EmbeddedValkey
from tasks.runtime.events import Bus
from tasks.store import server
from tasks.store.database import Database
from tests.integration.silent_proxy import SilentProxy, TransactionPooler, serving, through
from tests.integration.stack import PATIENCE, Deployment
from tests.stack import Servers


def test_call_to_a_silent_server_ends_and_the_next_one_works(database_url: str) -> None:
    proxy = SilentProxy(database_url)
    with serving(proxy.handle) as port:
        database = Database(through(database_url, port), call_seconds=1.0)
        read = text("SELECT 1")
        assert database.read(lambda connection: connection.scalar(read)) == 1
        proxy.silent.set()
        for call in (database.run, database.read):
            with pytest.raises(OperationalError):
                call(lambda connection: connection.scalar(read), patience=0)
        proxy.silent.clear()
        assert database.run(lambda connection: connection.scalar(read)) == 1
        database.close()


def test_network_and_statement_limits_are_set(database_url: str) -> None:
    proxy = SilentProxy(database_url)
    with serving(proxy.handle) as port:
        database = Database(through(database_url, port))
        with database.begin() as connection:
            driver = connection.connection.driver_connection
            assert isinstance(driver, psycopg.Connection)
            with socket.socket(fileno=socket.dup(driver.fileno())) as raw:
                assert raw.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
                assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
            assert connection.scalar(text("SHOW statement_timeout")) == "1min"
            assert connection.scalar(text("SHOW lock_timeout")) == "15s"
        database.close()


def test_statement_over_the_limit_is_cancelled(database_url: str) -> None:
    database = Database(database_url, statement_seconds=1)
    with pytest.raises(OperationalError, match="statement timeout"):
        database.run(lambda connection: connection.execute(text("SELECT pg_sleep(60)")), patience=0)
    database.close()


def test_transaction_pooler_is_refused_by_name(database_url: str) -> None:
    pooler = TransactionPooler(database_url)
    with (
        serving(pooler.handle) as port,
        pytest.raises(UnsuitableServer, match="PgBouncer's transaction or statement mode"),
    ):
        server.check(through(database_url, port))


def test_pooler_that_drops_options_is_refused_by_name(database_url: str) -> None:
    pooler = TransactionPooler(database_url, startup_options=False)
    with (
        serving(pooler.handle) as port,
        pytest.raises(UnsuitableServer, match="does not pass `options` on"),
    ):
        server.check(through(database_url, port))


def test_plain_postgres_is_accepted(database_url: str) -> None:
    proxy = SilentProxy(database_url)
    server.check(database_url)
    with serving(proxy.handle) as port:
        server.check(through(database_url, port))


def test_unreachable_server_passes() -> None:
    server.check("postgresql://postgres@127.0.0.1:1/atelier")
    redis_check.check("redis://127.0.0.1:1/0")


def test_read_only_postgres_is_refused_by_name(database_url: str) -> None:
    name = make_url(database_url).database
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    try:
        with pytest.raises(UnsuitableServer, match="is read-only"):
            server.check(database_url)
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("SET default_transaction_read_only = off")
            connection.execute(f'ALTER DATABASE "{name}" RESET default_transaction_read_only')


@pytest.fixture
def replica(servers: Servers, tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A second Valkey, a replica of nothing that answers."""
    valkey = EmbeddedValkey(tmp_path)
    valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        client.replicaof("127.0.0.1", 1)
    yield valkey
    valkey.stop()


def test_redis_replica_is_refused_by_name(servers: Servers, replica: EmbeddedValkey) -> None:
    redis_check.check(servers.valkey.url)
    with pytest.raises(UnsuitableServer, match="is a replica"):
        redis_check.check(replica.url)


def test_redis_cluster_is_refused_by_name() -> None:
    body = "redis_version:8.0.0\r\nredis_mode:cluster\r\ncluster_enabled:1\r\nrole:master\r\n"
    with (
        _fake_redis(f"${len(body)}\r\n{body}\r\n".encode()) as port,
        pytest.raises(UnsuitableServer, match="is a Redis Cluster"),
    ):
        redis_check.check(f"redis://127.0.0.1:{port}/0?protocol=2")


def test_clock_refuses_a_redis_replica(deployment: Deployment, replica: EmbeddedValkey) -> None:
    deployment.redis_url = replica.url
    process = deployment.start_clock()
    assert process.wait(PATIENCE) == 78
    assert "is a replica" in deployment.log()


def _fake_redis(info: bytes) -> AbstractContextManager[int]:
    """A server that answers INFO, and OK to everything else."""

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            words = []
            for _ in range(int(line[1:])):
                await reader.readline()
                words.append((await reader.readline()).strip().upper())
            writer.write(info if words[0] == b"INFO" else b"+OK\r\n")
        writer.close()

    return serving(handle)


async def _first_event(bus: Bus) -> JobEvent:
    return await anext(bus.listen("web"))


async def test_subscription_to_a_silent_redis_is_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server accepts the subscription, answers no ping, and is connected to again."""
    monkeypatch.setattr(events, "PING_SECONDS", 0.05)
    monkeypatch.setattr(events, "RECONNECT_SECONDS", 0.01)
    subscriptions = threading.Semaphore(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            if b"SUBSCRIBE" in data:
                subscriptions.release()
                writer.write(b"*3\r\n$9\r\nsubscribe\r\n$1\r\nx\r\n:1\r\n")
            elif b"PING" not in data:
                writer.write(b"+OK\r\n" * data.count(b"*"))
        writer.close()

    with serving(handle) as port:
        bus = Bus(f"redis://127.0.0.1:{port}/0?protocol=2")
        task = asyncio.create_task(_first_event(bus))
        for _ in range(2):
            assert await asyncio.to_thread(subscriptions.acquire, timeout=30)
        assert await _ends_when_cancelled(task)


async def test_subscription_to_a_redis_that_never_answers_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The server accepts the connection and says nothing at all."""
    monkeypatch.setattr(events, "ANSWER_SECONDS", 0.05)
    monkeypatch.setattr(events, "RECONNECT_SECONDS", 0.01)
    connections = threading.Semaphore(0)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.release()
        while await reader.read(65536):
            pass
        writer.close()

    with serving(handle) as port:
        task = asyncio.create_task(_first_event(Bus(f"redis://127.0.0.1:{port}/0")))
        for _ in range(2):
            assert await asyncio.to_thread(connections.acquire, timeout=30)
        assert await _ends_when_cancelled(task)


async def test_cancelled_listener_ends_wherever_it_is(servers: Servers) -> None:
    """`atelier imagine` waits for its listener at the end. With redis-py's `socket_timeout` one
    cancellation in four was dropped while it connected and subscribed."""
    bus = Bus(servers.valkey.url)
    for turns in 3 * [*range(40)]:
        task = asyncio.create_task(_first_event(bus))
        for _ in range(turns):
            await asyncio.sleep(0)
        assert await _ends_when_cancelled(task), f"it goes on after {turns} turns of the loop"


async def _ends_when_cancelled(task: asyncio.Task[JobEvent]) -> bool:
    task.cancel()
    ended, _ = await asyncio.wait({task}, timeout=30)
    return bool(ended)


def test_listening_connection_has_keepalives(database_url: str) -> None:
    proxy = SilentProxy(database_url)
    with serving(proxy.handle) as port:
        database = Database(through(database_url, port))
        with (
            database.listen("any") as listening,
            socket.socket(fileno=socket.dup(listening.fileno())) as raw,
        ):
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 10
            assert raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 20_000
        database.close()


def test_event_for_a_silent_redis_is_lost_in_time() -> None:
    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(65536):
            pass
        writer.close()

    event = JobEvent(EventKind.ENDED, uuid4(), "web", "general", JobState.DONE)
    with serving(handle) as port, capture_logs() as logged:
        bus = Bus(f"redis://127.0.0.1:{port}/0?protocol=2")
        bus.publish(event)
        bus.close()
    assert [(line["event"], line["jobs"]) for line in logged] == [("events-lost", [str(event.job)])]


def test_tickets_have_time_limits() -> None:
    options = make_app("redis://127.0.0.1:1/0").conf.broker_transport_options
    assert 0 < options["socket_connect_timeout"] <= 30
    assert 0 < options["socket_timeout"] <= 60
