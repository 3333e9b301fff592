"""Invariants of the database after any fault, read from Postgres itself."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg
from psycopg.rows import dict_row

DELIVERED_ONCE = """
    SELECT jobs.id, jobs.state, jobs.cost, deliveries.state AS delivery, deliveries.message,
        (SELECT count(*) FROM pictures WHERE pictures.job = jobs.id) AS pictures,
        (SELECT count(*) FROM attempts WHERE attempts.job = jobs.id) AS attempts,
        (SELECT count(*) FROM attempts
            WHERE attempts.job = jobs.id AND outcome = 'rendered') AS renders,
        (SELECT array_agg(kind ORDER BY ledger.id) FROM ledger WHERE ledger.job = jobs.id) AS kinds,
        (SELECT array_agg(DISTINCT credits) FROM ledger WHERE ledger.job = jobs.id) AS credits
    FROM jobs LEFT JOIN deliveries ON deliveries.job = jobs.id
    WHERE jobs.id = ANY(%s)
"""


def assert_delivered_once(url: str, jobs: Sequence[UUID]) -> None:
    """Each job is done, has one picture and one sent delivery, and was charged once."""
    with psycopg.connect(url, row_factory=dict_row) as connection:
        rows = connection.execute(DELIVERED_ONCE, [list(jobs)]).fetchall()
    assert {row["id"] for row in rows} == set(jobs), "an accepted job is missing"
    for row in rows:
        assert row["state"] == "done", row
        assert (row["delivery"], row["pictures"], row["renders"]) == ("sent", 1, 1), row
        assert row["kinds"] == ["hold", "capture"], row
        assert row["credits"] == [row["cost"]], row


def assert_sums_hold(url: str) -> None:
    """Credits held equal credits captured, voided or still reserved."""
    sums = """
        SELECT coalesce(sum(credits) FILTER (WHERE kind = 'hold'), 0) AS held,
            coalesce(sum(credits) FILTER (WHERE kind = 'capture'), 0) AS taken,
            coalesce(sum(credits) FILTER (WHERE kind = 'void'), 0) AS given_back,
            (SELECT coalesce(sum(cost), 0) FROM jobs
                WHERE state IN ('queued', 'running', 'delivering')) AS waiting,
            (SELECT coalesce(sum(cost), 0) FROM jobs WHERE state = 'done') AS delivered
        FROM ledger WHERE job IS NOT NULL
    """
    with psycopg.connect(url, row_factory=dict_row) as connection:
        row = connection.execute(sums).fetchone()
    assert row is not None
    assert abs(row["held"] - row["taken"] - row["given_back"] - row["waiting"]) < 1e-6, row
    assert abs(row["taken"] - row["delivered"]) < 1e-6, row
