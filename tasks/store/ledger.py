"""The ledger: what was reserved, taken, given back and granted. Rows are added, never changed.

A job has one `hold`, and later either one `capture` or one `void` of the same credits; the table's
own keys see to that. A `grant` gives credits to a member for one window, a `correction` takes
some. Relaxed entries are written like the others and count in no quota.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from tasks.quota import Entry, Standing


def standing_columns(whose: str, value: str, seconds: str, prefix: str = "") -> str:
    """Two columns, `spent` and `held`: `whose` is "member_key" or "pool", the rest parameters."""
    held = (
        f"SELECT coalesce(sum(cost), 0) FROM jobs WHERE member_key = {value} "
        "AND state IN ('queued', 'running', 'delivering') AND NOT relaxed"
        if whose == "member_key"
        else "SELECT coalesce(sum(hold.credits), 0) FROM ledger AS hold JOIN jobs "
        "ON jobs.id = hold.job AND jobs.state IN ('queued', 'running', 'delivering') "
        f"WHERE hold.pool = {value} AND hold.kind = 'hold' AND NOT hold.relaxed"
    )
    return f"""
        (SELECT coalesce(sum(CASE kind WHEN 'grant' THEN -credits ELSE credits END), 0)
            FROM ledger WHERE {whose} = {value}
            AND at > now() - make_interval(secs => {seconds})
            AND kind IN ('capture', 'grant', 'correction') AND NOT relaxed) AS {prefix}spent,
        ({held}) AS {prefix}held
    """


_MEMBER = text("SELECT " + standing_columns("member_key", ":whose", ":seconds"))
_POOL = text("SELECT " + standing_columns("pool", ":whose", ":seconds"))


def standing(connection: Connection, member_key: str, seconds: float) -> Standing:
    """What a member has spent within the last `seconds`, and what is held for them."""
    row = connection.execute(_MEMBER, {"whose": member_key, "seconds": seconds}).one()
    return Standing(row.spent, row.held)


def pool_standing(connection: Connection, pool: str, seconds: float) -> Standing:
    """The same of a workspace's shared pool."""
    row = connection.execute(_POOL, {"whose": pool, "seconds": seconds}).one()
    return Standing(row.spent, row.held)


_HOLD_POOLS = text("""
    SELECT pg_advisory_xact_lock(hashtextextended('atelier_pool ' || pool, 0))
    FROM unnest(:pools) AS pool
""").bindparams(bindparam("pools", type_=ARRAY(Text)))


def hold_pools(connection: Connection, pools: Collection[str]) -> None:
    """Hold shared pools until the transaction ends: their members' orders come one after the other.

    Otherwise two members could both be given the last credit.
    """
    if pools:
        connection.execute(_HOLD_POOLS, {"pools": sorted(pools)})


_ENTRIES = """
    SELECT at, CASE kind WHEN 'grant' THEN -credits ELSE credits END AS credits
    FROM ledger WHERE {whose} = :whose AND at > now() - make_interval(secs => :seconds)
        AND kind IN ('capture', 'grant', 'correction') AND NOT relaxed
    ORDER BY at
"""


def entries(connection: Connection, member_key: str, seconds: float) -> list[Entry]:
    """What counts in a member's window, oldest first."""
    query = text(_ENTRIES.format(whose="member_key"))
    rows = connection.execute(query, {"whose": member_key, "seconds": seconds})
    return [Entry(row.at, row.credits) for row in rows]


def pool_entries(connection: Connection, pool: str, seconds: float) -> list[Entry]:
    """What counts in a pool's window, oldest first."""
    query = text(_ENTRIES.format(whose="pool"))
    rows = connection.execute(query, {"whose": pool, "seconds": seconds})
    return [Entry(row.at, row.credits) for row in rows]


_GRANT = text("""
    INSERT INTO ledger (kind, member_key, credits, why, actor)
    VALUES (:kind, :member_key, :credits, :why, :actor)
""")


def grant(connection: Connection, member_key: str, credits: float, why: str, actor: str) -> None:
    """Give credits to a member; a negative number takes them, as a correction."""
    kind, amount = ("grant", credits) if credits >= 0 else ("correction", -credits)
    values = {"kind": kind, "member_key": member_key, "credits": amount}
    connection.execute(_GRANT, {**values, "why": why, "actor": actor})


_FAULTS = text("""
    WITH per_job AS (
        SELECT job,
            count(*) FILTER (WHERE kind = 'hold') AS holds,
            count(*) FILTER (WHERE kind = 'capture') AS captures,
            count(*) FILTER (WHERE kind = 'void') AS voids,
            max(credits) FILTER (WHERE kind = 'hold') AS held,
            max(credits) FILTER (WHERE kind IN ('capture', 'void')) AS settled
        FROM ledger WHERE job IS NOT NULL GROUP BY job
    )
    SELECT jobs.id, jobs.state, holds, captures, voids, held, settled, cost
    FROM jobs LEFT JOIN per_job ON per_job.job = jobs.id
    WHERE holds IS DISTINCT FROM 1 OR held IS DISTINCT FROM cost
        OR CASE state
            WHEN 'done' THEN captures <> 1 OR voids <> 0 OR settled <> held
            WHEN 'queued' THEN captures + voids <> 0
            WHEN 'running' THEN captures + voids <> 0
            WHEN 'delivering' THEN captures + voids <> 0
            ELSE captures <> 0 OR voids <> 1 OR settled <> held
        END
    UNION ALL
    SELECT job, 'no such job', holds, captures, voids, held, settled, NULL
    FROM per_job WHERE NOT EXISTS (SELECT FROM jobs WHERE jobs.id = per_job.job)
""")


def faults(connection: Connection) -> Sequence[tuple[UUID, str]]:
    """Jobs whose entries do not add up, each with what is wrong; empty where all is well.

    Every job must have one hold of its cost; a done one a capture of the same, one that ended
    otherwise a void of the same, one that goes on neither.
    """
    rows = connection.execute(_FAULTS)
    return [
        (
            row.id,
            (
                f"{row.state}: {row.holds} hold(s) of {row.held} for a cost of {row.cost}, "
                f"{row.captures} capture(s), {row.voids} void(s) of {row.settled}"
            ),
        )
        for row in rows
    ]
