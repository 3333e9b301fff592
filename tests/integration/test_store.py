"""Migrations, outages of the database, and the embedded servers."""

from __future__ import annotations

import asyncio
import traceback
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
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from tasks import migrations
from tasks.client import Unavailable, connect
from tasks.jobs.job import Accepted
from tasks.maintenance.outbox_relay import Relay
from tasks.runtime.celery_app import MOST_TICKETS, QUEUE, make_app, publish
from tasks.runtime.embedded_servers import EmbeddedPostgres, EmbeddedValkey
from tasks.runtime.events import Bus, ended
from tasks.runtime.settings import Settings
from tasks.store.database import Database
from tasks.store.schema import metadata
from tests.integration.stack import Deployment, order
from tests.stack import Servers


def test_migrations_create_the_schema_of_the_code(deployment: Deployment) -> None:
    with deployment.database.begin() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)
    assert differences == []


def test_error_does_not_repeat_the_values(database_url: str) -> None:
    database = Database(database_url, statement_seconds=1)
    secret = "a member's secret wish"
    statement = text("SELECT pg_sleep(60), CAST(:prompt AS text)")
    with capture_logs() as logged:
        for call in (database.run, database.read):
            with pytest.raises(OperationalError, match="statement timeout") as error:
                call(lambda connection: connection.execute(statement, {"prompt": secret}), 0)
            assert secret not in str(error.value)
            trace = "".join(traceback.format_exception(error.value))
            assert secret not in trace.replace(f'"{secret}"', "")
    assert secret not in str(logged)
    database.close()


def test_concurrent_migrations_do_not_collide(servers: Servers, database_url: str) -> None:
    database = Database(database_url)
    with database.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: migrations.upgrade(database_url), range(4)))
    with database.begin() as connection:
        assert connection.scalar(text("SELECT count(*) FROM jobs")) == 0
    database.close()


async def test_short_outage_delays_and_long_outage_raises_unavailable(tmp_path: Path) -> None:
    """Runs on a Postgres of its own, which is stopped and restarted."""
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
        await client.jobs.submit(order())
        postgres.stop()
        pending = asyncio.create_task(client.jobs.submit(order(key="during")))
        await asyncio.sleep(0.5)
        assert not pending.done()
        await asyncio.to_thread(postgres.start)
        outcome = await pending
        assert isinstance(outcome, Accepted)
        assert not outcome.repeated
        postgres.stop()
        with pytest.raises(Unavailable):
            await client.jobs.submit(order())
    finally:
        await client.close()
        postgres.stop()


def test_embedded_servers_recover_after_their_parent_was_killed(tmp_path: Path) -> None:
    """Orphaned servers are stopped by the next start, and no data is lost."""
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


def test_tickets_stay_in_the_outbox_while_the_broker_is_down(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Runs on a Valkey of its own. Orders are accepted meanwhile."""
    valkey = EmbeddedValkey(tmp_path / "valkey")
    bus = Bus(valkey.url)
    stop = Event()
    relay = Relay(deployment.database, make_app(valkey.url))
    thread = Thread(target=relay.run, args=[stop])
    thread.start()

    def waiting() -> int:
        with deployment.database.begin() as connection:
            return int(connection.scalar(text("SELECT count(*) FROM outbox")) or 0)

    try:
        job = deployment.submit(order())
        bus.publish(ended(job))  # lost, without a delay or an error
        assert waiting() == 1
        valkey.start()
        deployment.wait(lambda: waiting() == 0, "the ticket published")
        with redis.Redis.from_url(valkey.url) as store:
            assert store.llen(QUEUE) == 1
    finally:
        stop.set()
        thread.join()
        bus.close()
        valkey.stop()


def test_tickets_in_the_broker_are_bounded(tmp_path: Path) -> None:
    """However many jobs are ready, also where no worker takes any ticket."""
    valkey = EmbeddedValkey(tmp_path)
    app = make_app(valkey.start())
    try:
        with redis.Redis.from_url(valkey.url) as store:
            for jobs, expected in ((MOST_TICKETS - 1, MOST_TICKETS - 1), (5, MOST_TICKETS)):
                publish(app, jobs, workers=jobs)
                assert store.llen(QUEUE) == expected
            publish(app, 5, workers=5)
            assert store.llen(QUEUE) == MOST_TICKETS
    finally:
        app.close()
        valkey.stop()


def test_embedded_servers_listen_on_no_port(servers: Servers) -> None:
    with psycopg.connect(servers.postgres.url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
    with redis.Redis.from_url(servers.valkey.url, decode_responses=True) as store:
        assert store.config_get("port") == {"port": "0"}
        assert store.config_get("appendfsync") == {"appendfsync": "always"}
