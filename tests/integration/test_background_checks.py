"""Slow checks run beside lease recovery, read page by page, and use indexes."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Event, Thread
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from tasks.jobs.states import JobState
from tasks.maintenance import process
from tasks.maintenance.ledger_audit import LedgerAudit
from tasks.runtime.blobs import Blobs
from tasks.store import leases, ledger
from tasks.store.sql import load
from tasks.worker.process import lanes_of
from tests.integration.stack import Deployment, member, order


def test_blocked_blob_store_does_not_delay_lease_recovery(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked, release = Event(), Event()

    def hang(*_: object) -> Iterator[tuple[str, ...]]:
        blocked.set()
        release.wait()
        return iter(())

    monkeypatch.setattr(Blobs, "pages_older_than", hang)
    job = deployment.submit(order())
    services = process.services(deployment.settings, deployment.policy, deployment.database)
    stop = Event()
    clock = Thread(target=process.run, args=[services, stop])
    clock.start()
    try:
        assert blocked.wait(30)
        with deployment.database.begin() as connection:
            lanes = lanes_of(deployment.policy).every
            assert leases.lease(connection, "dead worker", lanes, ["blank"], 0.0) is not None
        deployment.wait_state(job.id, JobState.QUEUED)
    finally:
        release.set()
        stop.set()
        clock.join()


FAULTS = {
    "a hold is missing": "DELETE FROM ledger WHERE job = :job AND kind = 'hold'",
    "a hold is wrong": "UPDATE ledger SET credits = credits + 1 WHERE job = :job",
    "a queued job is voided": """
        INSERT INTO ledger (job, kind, member_key, credits)
        SELECT job, 'void', member_key, credits FROM ledger WHERE job = :job
    """,
    "the job is missing": "DELETE FROM jobs WHERE id = :job",
    "the job is done without a capture": "UPDATE jobs SET state = 'done' WHERE id = :job",
}


@pytest.mark.parametrize("fault", FAULTS)
def test_audit_finds_every_kind_of_fault_on_any_page(deployment: Deployment, fault: str) -> None:
    jobs = [deployment.submit(order(member(f"m{n}"))).id for n in range(7)]
    assert _audit(deployment) == []
    for job in (min(jobs), max(jobs)):
        with deployment.database.begin() as connection:
            connection.execute(text(FAULTS[fault]), {"job": job})
    assert sorted(_audit(deployment)) == sorted(map(str, (min(jobs), max(jobs))))
    with deployment.database.begin() as connection:
        assert {job for job, _ in ledger.faults(connection, 2)} == {min(jobs), max(jobs)}


def _audit(deployment: Deployment) -> list[str]:
    with capture_logs() as logged:
        LedgerAudit(deployment.database, page_seconds=0.0, page=2).audit(Event())
    return [line["job"] for line in logged if line["event"] == "ledger-fault"]


MANY_ROWS = """
    INSERT INTO jobs (id, key, command, platform, workspace, channel, member_key, member, request,
        profile, tier, lane, flow, start_tag, ready, cost, state)
    SELECT gen_random_uuid(), 'many-' || n, 'imagine', 'test', 'test', 'test', 'm', '{}', '{}',
        'blank', 'free', 'free', 'm', n, false, 1, 'done' FROM generate_series(1, 20000) AS n;
    INSERT INTO ledger (job, kind, member_key, credits)
    SELECT id, kind, 'm', 1 FROM jobs, unnest(ARRAY['hold', 'capture']) AS kind;
    INSERT INTO pictures (id, job, index, blob, mime, width, height, seed, instruction, request)
    SELECT gen_random_uuid(), id, 0, id::text, 'image/png', 1, 1, 1, '', '{}' FROM jobs;
"""


def test_pages_are_read_through_indexes(deployment: Deployment) -> None:
    with deployment.database.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")
        connection.exec_driver_sql(MANY_ROWS)
        connection.exec_driver_sql("VACUUM ANALYZE")
    queries: dict[str, dict[str, Any]] = {
        load("ledger_faults"): {"after": UUID(int=0), "limit": 500},
        load("ledger_unknown_jobs"): {"after": 0, "limit": 500},
        "SELECT FROM unnest(CAST(:names AS text[])) AS name WHERE EXISTS"
        " (SELECT FROM pictures WHERE pictures.blob = name AND NOT deleted)": {
            "names": [str(uuid4()) for _ in range(10)]
        },
    }
    with deployment.database.begin() as connection:
        for query, values in queries.items():
            plan = "\n".join(connection.scalars(text("EXPLAIN " + query), values))
            for table in ("jobs", "ledger", "pictures"):
                assert f"Seq Scan on {table} " not in plan, plan
