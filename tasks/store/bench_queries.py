"""Queries of the benchmarks. They live here because they depend on the schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from uuid import UUID

from sqlalchemy import Connection, make_url, text
from sqlalchemy.types import Double

from tasks.store.database import Database
from tasks.store.sql import load


@dataclass(frozen=True, slots=True)
class JobPhases:
    """Seconds of one job by phase, all of them (`total`), and all but the render (`overhead`).

    The render is the job's time on the device. Checking and encoding the pictures belongs to
    `store`.
    """

    submit: float
    ticket: float
    store: float
    deliver: float
    overhead: float
    total: float


_PHASES = text(load("bench_job_phases")).columns(
    **{phase.name: Double for phase in fields(JobPhases)}
)
_PROGRESS = text("""
    SELECT count(*) FILTER (WHERE state <> 'done') AS unfinished,
        extract(epoch FROM max(ended_at)) AS last FROM jobs
""").columns(last=Double)
_FILL = text(load("bench_fill_queue"))
_WAITING = text("""
    SELECT id FROM jobs WHERE id = ANY(:jobs) AND state IN ('queued', 'running')
    ORDER BY created_at
""")
_OUTCOMES = text("""
    SELECT id, p50, p90, extract(epoch FROM created_at) AS created,
        extract(epoch FROM rendered_at) AS rendered
    FROM jobs JOIN estimates ON estimates.job = jobs.id
    WHERE id = ANY(:jobs) AND rendered_at IS NOT NULL
""").columns(created=Double, rendered=Double)


def job_phases(connection: Connection, job: UUID, start: float) -> JobPhases:
    """The phases of a job that was submitted at `start` (Unix seconds)."""
    row = connection.execute(_PHASES, {"job": job, "start": start}).mappings().one()
    return JobPhases(**row)


def progress(connection: Connection) -> tuple[int, float | None]:
    """How many jobs are not done, and when the last one ended (Unix seconds)."""
    row = connection.execute(_PROGRESS).one()
    return row.unfinished, row.last


@dataclass(frozen=True, slots=True)
class JobOutcome:
    """The estimate that a job was given at entry, and when it was rendered (Unix seconds)."""

    p50: float
    p90: float
    created: float
    rendered: float


def waiting(connection: Connection, jobs: Sequence[UUID]) -> list[UUID]:
    """Those of the jobs that are queued or running, oldest first."""
    return list(connection.scalars(_WAITING, {"jobs": list(jobs)}))


def outcomes(connection: Connection, jobs: Sequence[UUID]) -> dict[UUID, JobOutcome]:
    """The outcomes of those of the jobs that are rendered."""
    return {
        row.id: JobOutcome(row.p50, row.p90, row.created, row.rendered)
        for row in connection.execute(_OUTCOMES, {"jobs": list(jobs)})
    }


def fill_queue(connection: Connection, request: str, first: int, last: int) -> None:
    """Insert queued jobs number `first` to `last` with this request (JSON)."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))
    connection.execute(_FILL, {"request": request, "first": first, "last": last})


def vacuum_jobs(database: Database) -> None:
    """VACUUM (ANALYZE) the jobs, as autovacuum would."""
    with database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.execute(text("SET statement_timeout = 0"))
        connection.execute(text("VACUUM (ANALYZE) jobs"))
        connection.execute(text("RESET statement_timeout"))


def create_database(url: str, name: str) -> str:
    """Create an empty database on the server of `url`; its URL. `name` is an identifier."""
    database = Database(url)
    try:
        with database.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text(f'CREATE DATABASE "{name}"'))
    finally:
        database.close()
    return make_url(url).set(database=name).render_as_string(hide_password=False)
