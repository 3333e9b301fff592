"""The ledger: credits held, captured, voided and granted. Rows are added, never changed.

A job has one `hold`, and later either one `capture` or one `void` of the same credits; unique keys
enforce it. A `grant` adds credits to a member for one window, a `correction` removes some. Relaxed
entries count in no quota.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text, Uuid

from tasks.policy.quota import Entry, QuotaUsage
from tasks.store.sql import load

_SINCE = "at > now() - make_interval(secs => {seconds})"
_COUNTS = "kind IN ('capture', 'grant', 'correction') AND NOT relaxed"
_OF_PERSON = """
    (member_key = {member}
        OR kind = 'capture' AND (SELECT tier FROM jobs WHERE jobs.id = ledger.job) = 'free')
"""
"""A member's own entries, and what they captured in the unpaid tier under their other keys."""

_SPENT = """
    coalesce(sum(CASE kind WHEN 'grant' THEN -credits ELSE credits END) FILTER (WHERE {counts}), 0)
"""
"""The condition filters the sum, not the rows: else Postgres reads an index over every job."""


def member_standing_columns(member: str, keys: str, seconds: str) -> str:
    """Two columns, `spent` and `held`; the arguments are SQL expressions.

    `keys` are the keys of the same person in other workspaces; grants count in their own alone.
    """
    spent = _SPENT.format(counts=f"{_COUNTS} AND {_OF_PERSON.format(member=member)}")
    return f"""
        (SELECT {spent} FROM ledger
            WHERE member_key = ANY ({keys}) AND {_SINCE.format(seconds=seconds)}) AS spent,
        (SELECT coalesce(sum(cost), 0) FROM jobs WHERE member_key = ANY ({keys})
            AND state IN ('queued', 'running', 'delivering') AND NOT relaxed
            AND (member_key = {member} OR tier = 'free')) AS held
    """


def pool_standing_columns(pool: str, seconds: str) -> str:
    """Two columns, `pool_spent` and `pool_held`; the arguments are SQL expressions."""
    return f"""
        (SELECT {_SPENT.format(counts=_COUNTS)} FROM ledger
            WHERE pool = {pool} AND {_SINCE.format(seconds=seconds)}) AS pool_spent,
        (SELECT coalesce(sum(hold.credits), 0) FROM ledger AS hold JOIN jobs
            ON jobs.id = hold.job AND jobs.state IN ('queued', 'running', 'delivering')
            WHERE hold.pool = {pool} AND hold.kind = 'hold' AND NOT hold.relaxed) AS pool_held
    """


_MEMBER = text("SELECT " + member_standing_columns(":whose", ":keys", ":seconds")).bindparams(
    bindparam("keys", type_=ARRAY(Text))
)
_POOL = text("SELECT " + pool_standing_columns(":whose", ":seconds"))


def standing(
    connection: Connection, member_key: str, seconds: float, keys: Collection[str] = ()
) -> QuotaUsage:
    """A member's credits spent within the last `seconds`, and held now.

    `keys` are the person's keys in all workspaces, where their unpaid orders there count too.
    """
    values = {"whose": member_key, "keys": [member_key, *keys], "seconds": seconds}
    row = connection.execute(_MEMBER, values).one()
    return QuotaUsage(row.spent, row.held)


def pool_standing(connection: Connection, pool: str, seconds: float) -> QuotaUsage:
    """The same for a workspace's shared pool."""
    row = connection.execute(_POOL, {"whose": pool, "seconds": seconds}).one()
    return QuotaUsage(row.pool_spent, row.pool_held)


_LOCK_POOLS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('atelier_pool ' || pool, 0))
    FROM unnest(:pools) AS pool
""").bindparams(bindparam("pools", type_=ARRAY(Text)))


def hold_shared(connection: Connection, pools: Collection[str]) -> None:
    """Lock shared pools and accounts until the transaction ends: the last credit is given once."""
    if pools:
        connection.execute(_LOCK_POOLS, {"pools": sorted(pools)})


_ENTRIES = """
    SELECT at, CASE kind WHEN 'grant' THEN -credits ELSE credits END AS credits
    FROM ledger WHERE {whose} AND {since} AND {counts} ORDER BY at
"""
_MEMBER_ENTRIES = text(
    _ENTRIES.format(
        whose=f"member_key = ANY (:keys) AND {_OF_PERSON.format(member=':whose')}",
        since=_SINCE.format(seconds=":seconds"),
        counts=_COUNTS,
    )
).bindparams(bindparam("keys", type_=ARRAY(Text)))
_POOL_ENTRIES = text(
    _ENTRIES.format(whose="pool = :whose", since=_SINCE.format(seconds=":seconds"), counts=_COUNTS)
)


def entries(
    connection: Connection, member_key: str, seconds: float, keys: Collection[str] = ()
) -> list[Entry]:
    """The entries that count in a member's window, oldest first; `keys` as in `standing`."""
    values = {"whose": member_key, "keys": [member_key, *keys], "seconds": seconds}
    rows = connection.execute(_MEMBER_ENTRIES, values)
    return [Entry(row.at, row.credits) for row in rows]


def pool_entries(connection: Connection, pool: str, seconds: float) -> list[Entry]:
    """The entries that count in a pool's window, oldest first."""
    rows = connection.execute(_POOL_ENTRIES, {"whose": pool, "seconds": seconds})
    return [Entry(row.at, row.credits) for row in rows]


_GRANT = text("""
    INSERT INTO ledger (kind, member_key, credits, why, actor)
    VALUES (:kind, :member_key, :credits, :why, :actor)
""")


def grant(connection: Connection, member_key: str, credits: float, why: str, actor: str) -> None:
    """Grant credits to a member; a negative number removes them, as a correction."""
    kind, amount = ("grant", credits) if credits >= 0 else ("correction", -credits)
    values = {"kind": kind, "member_key": member_key, "credits": amount}
    connection.execute(_GRANT, {**values, "why": why, "actor": actor})


_FAULTS = text(load("ledger_faults")).bindparams(bindparam("after", type_=Uuid))
_UNKNOWN_JOBS = text(load("ledger_unknown_jobs"))
FIRST = UUID(int=0)
PAGE = 2000


def faults(connection: Connection, limit: int = PAGE) -> Sequence[tuple[UUID, str]]:
    """All jobs whose entries do not add up, each with a description; `limit` rows at a time.

    Every job must have one hold of its cost. A done job must have one capture of it, a job that
    ended otherwise one void of it, and an active job neither.
    """
    found: list[tuple[UUID, str]] = []
    job: UUID | None = FIRST
    while job is not None:
        page, job = faults_after(connection, job, limit)
        found += page
    entry: int | None = 0
    while entry is not None:
        unknown, entry = unknown_jobs_after(connection, entry, limit)
        found += unknown
    return found


def faults_after(
    connection: Connection, job: UUID, limit: int
) -> tuple[list[tuple[UUID, str]], UUID | None]:
    """The faults of the `limit` jobs after `job`, and the last job's id (None: no more)."""
    rows = connection.execute(_FAULTS, {"after": job, "limit": limit}).all()
    found = [
        (
            row.id,
            (
                f"{row.state}: {row.holds} hold(s) of {row.held} for a cost of {row.cost}, "
                f"{row.captures} capture(s), {row.voids} void(s) of {row.settled}"
            ),
        )
        for row in rows
        if row.faulty
    ]
    return found, next((row.id for row in rows if row.is_last), None)


def unknown_jobs_after(
    connection: Connection, entry: int, limit: int
) -> tuple[list[tuple[UUID, str]], int | None]:
    """Jobs that do not exist among the `limit` entries after `entry`, and the last entry's id."""
    rows = connection.execute(_UNKNOWN_JOBS, {"after": entry, "limit": limit}).all()
    found = [(row.job, f"no such job, but an entry of kind {row.kind}") for row in rows if row.job]
    return found, next((row.last for row in rows), None)
