"""The worker dies while it posts; its next life goes on where it stood."""

from __future__ import annotations

from uuid import UUID

import psycopg

from tests.chaos.accounts import assert_delivered_once
from tests.stack import AtelierProcess


def kill_worker(atelier: AtelierProcess) -> int:
    """SIGKILL in the middle of a posting; returns once another worker runs.

    The value is how many attempts there had been: more than one where an attempt came before the
    bot had recorded its placeholder.

    A posting that was claimed is free again half a minute after its owner's death. Nobody waits for
    that here: the record is told that the half minute is over.
    """
    old = atelier.signal_child("worker")
    with psycopg.connect(url_of(atelier)) as connection:
        freed = connection.execute(
            "UPDATE deliveries SET owner_until = now()"
            " WHERE state = 'pending' AND owner IS NOT NULL RETURNING tries"
        ).fetchall()
    assert len(freed) == 1, "the worker was not killed while it posted"
    atelier.wait_restarted("worker", old)
    tries: int = freed[0][0]
    return tries


def is_sent(atelier: AtelierProcess, job: UUID) -> bool:
    """Whether the record knows that the job was delivered."""
    with psycopg.connect(url_of(atelier)) as connection:
        query = "SELECT state = 'sent' FROM deliveries WHERE job = %s"
        return connection.execute(query, [job]).fetchone() == (True,)


def assert_posted_again(atelier: AtelierProcess, job: UUID, killed_at: int) -> None:
    """Attempts followed the `killed_at` that `kill_worker` counted; delivered and charged once."""
    with psycopg.connect(url_of(atelier)) as connection:
        query = "SELECT tries FROM deliveries WHERE job = %s AND state = 'sent'"
        row = connection.execute(query, [job]).fetchone()
    assert row is not None, "the delivery is not recorded as sent"
    assert row[0] > killed_at, "the killed attempt is recorded as the one that delivered"
    assert_delivered_once(url_of(atelier), [job])


def newest_job(atelier: AtelierProcess, member: str) -> UUID:
    """The member's last order; `member` is their key in the record."""
    with psycopg.connect(url_of(atelier)) as connection:
        query = "SELECT id FROM jobs WHERE member_key = %s ORDER BY created_at DESC LIMIT 1"
        row = connection.execute(query, [member]).fetchone()
    assert row is not None, f"{member} has ordered nothing"
    found: UUID = row[0]
    return found


def url_of(atelier: AtelierProcess) -> str:
    """The address of the studio's record."""
    url = atelier.settings.database_url
    assert url is not None
    return url.get_secret_value()
