"""The record itself: migrations, outages, and the embedded servers."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event, Thread

import psycopg
import pytest
import redis
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from pydantic import SecretStr
from sqlalchemy import text

from tasks import migrations
from tasks.app import QUEUE, make_app
from tasks.bus import Bus, ended
from tasks.client import Unavailable, connect
from tasks.embedded import EmbeddedPostgres, EmbeddedValkey
from tasks.job import Accepted
from tasks.outbox import Relay
from tasks.settings import Settings
from tasks.store.database import Database
from tasks.store.schema import metadata
from tests.integration.house import House, order
from tests.stack import Servers


def test_the_migrations_make_the_schema_that_the_code_knows(house: House) -> None:
    with house.database.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_migrations_of_two_processes_do_not_collide(servers: Servers, database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrations.upgrade(database_url), range(4)))
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
    database.close()


async def test_a_short_outage_only_delays_and_a_long_one_has_a_name(tmp_path: Path) -> None:
    """On a Postgres of its own, which is stopped and started again."""
    postgres = EmbeddedPostgres(tmp_path)
    migrations.upgrade(postgres.start())
    settings = Settings(
        _env_file=None,
        home=tmp_path,
        database_url=SecretStr(postgres.url),
        redis_url=SecretStr(EmbeddedValkey(tmp_path).url),
    )
    client = await connect(settings)
    try:
        await client.submit(order())
        postgres.stop()
        pending = asyncio.create_task(client.submit(order(key="during")))
        await asyncio.sleep(0.5)
        assert not pending.done()
        await asyncio.to_thread(postgres.start)
        outcome = await pending
        assert isinstance(outcome, Accepted)
        assert not outcome.repeated
        postgres.stop()
        with pytest.raises(Unavailable):
            await client.submit(order())
    finally:
        await client.close()
        postgres.stop()


def test_embedded_servers_are_put_right_after_a_kill(tmp_path: Path) -> None:
    """Servers whose parent is gone are ended by the next start, and nothing is lost."""
    postgres, valkey = EmbeddedPostgres(tmp_path), EmbeddedValkey(tmp_path)
    url, redis_url = postgres.start(), valkey.start()
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        with redis.Redis.from_url(redis_url) as store:
            store.set("kept", "1")
        first = (postgres.pid, valkey.pid)
        again = (EmbeddedPostgres(tmp_path), EmbeddedValkey(tmp_path))
        assert (again[0].start(), again[1].start()) == (url, redis_url)
        assert (postgres.pid, valkey.pid) == (None, None)  # the leftovers were ended
        assert first != (again[0].pid, again[1].pid)
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        with redis.Redis.from_url(redis_url) as store:
            assert store.get("kept") == b"1"
    finally:
        for server in (postgres, valkey, *again):
            server.stop()


def test_tickets_stay_in_the_outbox_while_the_broker_is_away(house: House, tmp_path: Path) -> None:
    """On a Valkey of its own. The members' orders are taken all the while."""
    valkey = EmbeddedValkey(tmp_path / "valkey")
    bus = Bus(valkey.url)
    stop = Event()
    relay = Relay(house.database, make_app(valkey.url))
    thread = Thread(target=relay.run, args=[stop])
    thread.start()

    def waiting() -> int:
        with house.database.begin() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM outbox")) or 0)

    try:
        job = house.submit(order())
        bus.publish(ended(job))  # lost, and nobody is kept waiting or hears of it
        assert waiting() == 1
        valkey.start()
        house.wait(lambda: waiting() == 0, "the ticket published")
        with redis.Redis.from_url(valkey.url) as store:
            assert store.llen(QUEUE) == 1
    finally:
        stop.set()
        thread.join()
        bus.close()
        valkey.stop()


def test_embedded_servers_listen_on_no_port(servers: Servers) -> None:
    with psycopg.connect(servers.postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    with redis.Redis.from_url(servers.valkey.url, decode_responses=True) as store:
        assert store.config_get("port") == {"port": "0"}
        assert store.config_get("appendfsync") == {"appendfsync": "always"}
