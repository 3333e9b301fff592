"""Servers that have used the bot, what the operator decided about them, and banned people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, text

from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.policy.access import REMOTE, AccessPolicy, ServerLimits, ServerRecord

GRANT_WINDOW_DAYS = 30

SERVER_COLUMNS = """
    (SELECT to_jsonb(servers) FROM servers
        WHERE platform = {here}.platform AND workspace = {here}.workspace) AS server,
    NOT EXISTS (SELECT FROM servers
        WHERE platform = {here}.platform AND workspace <> '@me') AS first_server,
    EXISTS (SELECT FROM bans WHERE bans.account = {here}.account) AS banned
"""
"""Columns about a member's server and person, for statements that read a member."""


@dataclass(frozen=True, slots=True)
class ServerRow:
    """A server that has used the bot, or that the operator has decided about."""

    platform: str
    workspace: str
    record: ServerRecord
    first_seen: datetime


def record_of(row: Mapping[str, Any] | RowMapping | None) -> ServerRecord | None:
    """The record in a row of `servers`."""
    if row is None:
        return None
    limits = ServerLimits(Tier(row["highest_tier"]), row["highest_grant"])
    return ServerRecord(row["approved"], row["banned"], limits)


def read(connection: Connection, platform: str, workspace: str) -> ServerRecord | None:
    """A server's record, or None."""
    query = text("SELECT * FROM servers WHERE platform = :platform AND workspace = :workspace")
    values = {"platform": platform, "workspace": workspace}
    return record_of(connection.execute(query, values).mappings().first())


_LOCK = text("SELECT pg_advisory_xact_lock(hashtext('atelier_servers'))")
_MEET = text("""
    INSERT INTO servers (platform, workspace, approved)
    SELECT :platform, :workspace, :approve_first AND :workspace <> '@me' AND NOT EXISTS (
        SELECT FROM servers WHERE platform = :platform AND workspace <> '@me'
    )
    ON CONFLICT DO NOTHING
""")


def meet(
    connection: Connection, platform: str, workspace: str, policy: AccessPolicy
) -> ServerRecord | None:
    """Record a server at its first use, approved if it is the platform's first; its record.

    None for the operator's own platforms, which have no servers.
    """
    if platform not in REMOTE:
        return None
    found = read(connection, platform, workspace)
    if found is not None:
        return found
    connection.execute(_LOCK)  # of two first servers at once, one is the first
    values = {"platform": platform, "workspace": workspace}
    connection.execute(_MEET, {**values, "approve_first": policy.approves_first})
    return read(connection, platform, workspace)


_DECIDE = text("""
    INSERT INTO servers (platform, workspace, approved, banned, highest_tier, highest_grant)
    VALUES (:platform, :workspace, :approved, :banned, :highest_tier, :highest_grant)
    ON CONFLICT (platform, workspace) DO UPDATE SET
        approved = excluded.approved, banned = excluded.banned,
        highest_tier = excluded.highest_tier, highest_grant = excluded.highest_grant
""")


def decide(connection: Connection, platform: str, workspace: str, record: ServerRecord) -> None:
    """Record what the operator decided about a server."""
    limits = {
        "highest_tier": record.limits.highest_tier.value,
        "highest_grant": record.limits.highest_grant,
    }
    values = {"platform": platform, "workspace": workspace, **limits}
    connection.execute(_DECIDE, {**values, "approved": record.approved, "banned": record.banned})


def every(connection: Connection) -> list[ServerRow]:
    """Every recorded server, oldest first."""
    query = text("SELECT * FROM servers ORDER BY first_seen, platform, workspace")
    rows = connection.execute(query).mappings()
    return [
        ServerRow(row["platform"], row["workspace"], record, row["first_seen"])
        for row in rows
        if (record := record_of(row)) is not None
    ]


_GRANTED = text("""
    SELECT coalesce(sum(CAST(details ->> 'credits' AS double precision)), 0) FROM audit
    WHERE platform = :platform AND workspace = :workspace AND action = 'grant'
        AND at > now() - make_interval(days => :days)
        AND CAST(details ->> 'credits' AS double precision) > 0
""")


def granted(connection: Connection, platform: str, workspace: str) -> float:
    """Credits that a server's administrators have granted within 30 days.

    Locks the server's grants until the transaction ends.
    """
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    connection.execute(lock, {"name": f"atelier_grants {platform}:{workspace}"})
    values = {"platform": platform, "workspace": workspace, "days": GRANT_WINDOW_DAYS}
    return float(connection.scalar(_GRANTED, values) or 0)


def ban(connection: Connection, account: str, why: str) -> None:
    """Ban a person from every server; a second ban replaces the reason."""
    query = text("""
        INSERT INTO bans (account, why) VALUES (:account, :why)
        ON CONFLICT (account) DO UPDATE SET why = excluded.why
    """)
    connection.execute(query, {"account": account, "why": why})


def unban(connection: Connection, account: str) -> bool:
    """End a ban; whether there was one."""
    query = text("DELETE FROM bans WHERE account = :account")
    return connection.execute(query, {"account": account}).rowcount == 1


def bans(connection: Connection) -> list[tuple[str, str]]:
    """Every banned account with the reason."""
    rows = connection.execute(text("SELECT account, why FROM bans ORDER BY at, account"))
    return [(row.account, row.why) for row in rows]


_KEYS = text("SELECT key FROM members WHERE platform = :platform AND id = :id")


def keys_of_person(connection: Connection, member: Member) -> Sequence[str]:
    """The member keys of a person: one for each server where their id is the same."""
    if member.account == member.key:
        return [member.key]
    found = connection.scalars(_KEYS, {"platform": member.platform, "id": member.id})
    return sorted({member.key, *found})


_ACTIVE_IN_SERVER = text("""
    SELECT id FROM jobs WHERE platform = :platform AND workspace = :workspace
        AND state IN ('queued', 'running')
""")
_ACTIVE_OF_MEMBERS = text("""
    SELECT id FROM jobs WHERE member_key = ANY(:keys) AND state IN ('queued', 'running')
""")


def active_in_server(connection: Connection, platform: str, workspace: str) -> list[Any]:
    """Ids of a server's jobs that are queued or running."""
    values = {"platform": platform, "workspace": workspace}
    return list(connection.scalars(_ACTIVE_IN_SERVER, values))


def active_of_members(connection: Connection, keys: Sequence[str]) -> list[Any]:
    """Ids of these members' jobs that are queued or running."""
    return list(connection.scalars(_ACTIVE_OF_MEMBERS, {"keys": list(keys)}))
