"""A clock that a test sets for the SQL of one transaction, and jobs put into a state by hand.

Functions of the schema `set_clock` hide Postgres's `now()` and `clock_timestamp()` by the search
path, also inside the functions of the database. Column defaults keep the real clock.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import Connection, text

from tasks.jobs.members import Member
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Tier
from tasks.store import job_insert
from tests.integration.stack import member, order

EPOCH = 1_700_000_000.0
"""A moment in seconds since 1970, for tests to count from."""

_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS set_clock;
CREATE OR REPLACE FUNCTION set_clock.now() RETURNS timestamptz LANGUAGE sql STABLE
    AS $$ SELECT to_timestamp(current_setting('set_clock.seconds')::double precision) $$;
CREATE OR REPLACE FUNCTION set_clock.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
    AS $$ SELECT to_timestamp(current_setting('set_clock.seconds')::double precision) $$;
SET LOCAL search_path = set_clock, pg_catalog, public
"""


def set_clock(connection: Connection, seconds: float) -> None:
    """From here to the end of the transaction it is `seconds` after `EPOCH`."""
    connection.exec_driver_sql(_SCHEMA)
    values = {"seconds": str(EPOCH + seconds)}
    connection.execute(text("SELECT set_config('set_clock.seconds', :seconds, true)"), values)


def queue(
    connection: Connection,
    who: Member | str,
    cost: float = 1.0,
    tier: Tier = Tier.FREE,
    **more: Any,
) -> UUID:
    """Put a job into the queue without admission.

    `cost` is in credits and GPU seconds; `more`: `lane`, `at_once`, `relaxed` and `pool`.
    """
    one = member(who) if isinstance(who, str) else who
    values = {"lane": tier.value, "at_once": 1, "relaxed": False, "pool": None, **more}
    new = job_insert.NewJob(uuid4(), order(one), tier, cost=cost, cost_seconds=cost, **values)
    return job_insert.enter(connection, [new])[0].id


def put_in_state(connection: Connection, job: UUID, state: JobState) -> None:
    """Change the state of a job's row, and nothing else."""
    values = {"job": job, "state": state.value}
    connection.execute(text("UPDATE jobs SET state = :state WHERE id = :job"), values)
