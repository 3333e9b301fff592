"""The last day as the record tells it: a line that grows and empties, waits of what was made."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from tasks.jobs.tiers import Tier
from tasks.store import daily_history
from tests.integration.stack import Deployment, member, order

NOW = datetime.now(UTC)
EACH = timedelta(minutes=10)

Life = tuple[Tier, float, float | None, float | None]
"""A job's tier, and how many minutes ago it came, began and was made."""


def ago(minutes: float | None) -> datetime | None:
    return None if minutes is None else NOW - timedelta(minutes=minutes)


def live(deployment: Deployment, *lives: Life) -> None:
    """Jobs that lived so."""
    for number, (tier, came, began, made) in enumerate(lives):
        job = deployment.submit(order(member(f"m{number}")))
        values = {"tier": tier.value, "came": ago(came), "began": ago(began), "made": ago(made)}
        with deployment.database.begin() as connection:
            connection.execute(
                text("""
                    UPDATE jobs SET tier = :tier, created_at = :came, started_at = :began,
                        rendered_at = CAST(:made AS timestamptz),
                        ended_at = CAST(:made AS timestamptz)
                    WHERE id = :job
                """),
                {**values, "job": job.id},
            )


def test_day_history_matches_the_jobs(deployment: Deployment) -> None:
    live(
        deployment,
        (Tier.FREE, 55.0, 32.0, 31.0),
        (Tier.FREE, 45.0, 24.0, 22.0),
        (Tier.FREE, 44.0, None, None),
        (Tier.PRO, 28.0, 27.9, 27.0),
        (Tier.PRO, 23.0, 22.9, 20.5),
        (Tier.PRO, 600.0, 590.0, 580.0),  # all of it before
    )
    with deployment.database.begin() as connection:
        told = daily_history.day(connection, NOW, EACH, 5)
    assert [one.until for one in told] == [NOW - EACH * n for n in (4, 3, 2, 1, 0)]
    assert [one.queued[Tier.FREE] for one in told] == [3, 2, 1, 1, 1]
    assert [one.queued[Tier.PRO] for one in told] == [0] * 5
    assert [one.made.get(Tier.FREE, 0) for one in told] == [0, 1, 1, 0, 0]
    assert [one.made.get(Tier.PRO, 0) for one in told] == [0, 0, 2, 0, 0]
    assert told[1].waits == {Tier.FREE: timedelta(minutes=24)}
    assert told[2].waits == {Tier.FREE: timedelta(minutes=23), Tier.PRO: timedelta(minutes=1)}
    assert told[3].waits == {}


def test_cancelled_job_leaves_the_history_of_waiting_jobs(deployment: Deployment) -> None:
    live(deployment, (Tier.PLUS, 25.0, None, None))
    with deployment.database.begin() as connection:
        ended = {"ended": ago(15.0)}
        connection.execute(text("UPDATE jobs SET state = 'cancelled', ended_at = :ended"), ended)
        told = daily_history.day(connection, NOW, EACH, 4)
    assert [one.queued[Tier.PLUS] for one in told] == [0, 1, 0, 0]
    assert not any(one.made for one in told)
