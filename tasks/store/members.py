"""Members: a person's record in a workspace, and what its administrators have set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.jobs.members import Member
from tasks.jobs.tiers import Tier
from tasks.policy.access import ServerRecord
from tasks.store.access import SERVER_COLUMNS, record_of
from tasks.store.schema import members, tier_map, workspaces
from tasks.store.sql import load


@dataclass(frozen=True, slots=True)
class MemberRecord:
    """A member's record, and the settings of their workspace.

    `roles` is role id → tier, or None where an administrator removed the tier that the file gives.
    """

    blocked: bool
    preferences: Mapping[str, Any]
    roles: Mapping[str, Tier | None]
    settings: Mapping[str, Any]
    words: tuple[str, ...]
    server: ServerRecord | None = None  # None before the server's first order
    first_server: bool = False  # no server of the platform has been recorded
    banned: bool = False  # by the operator, in every server


_AROUND = (
    """
    (SELECT jsonb_object_agg(role, tier) FROM tier_map
        WHERE platform = {here}.platform AND workspace = {here}.workspace) AS roles,
    (SELECT jsonb_build_object('settings', settings, 'words', to_jsonb(words)) FROM workspaces
        WHERE platform = {here}.platform AND workspace = {here}.workspace) AS workspace,
"""
    + SERVER_COLUMNS
)

_UPSERT = text(load("upsert_members", workspace_columns=_AROUND.format(here="given"))).bindparams(
    bindparam("members", type_=JSONB)
)

_READ = text(f"""
    SELECT coalesce(blocked, false) AS blocked, coalesce(preferences, '{{}}') AS preferences,
        {_AROUND.format(here="one")}
    FROM (
        SELECT CAST(:platform AS text) AS platform, CAST(:workspace AS text) AS workspace,
            CAST(:account AS text) AS account
    ) AS one LEFT JOIN members ON members.key = :key
""")


def upsert(connection: Connection, several: Iterable[Member]) -> dict[str, MemberRecord]:
    """Record members and lock their rows until the transaction ends; their records by key."""
    given = {one.key: {"id": one.id, "name": one.name, **_where(one)} for one in several}
    rows = connection.execute(_UPSERT, {"members": list(given.values())})
    return {row.key: _record(row) for row in rows}


def read(connection: Connection, member: Member) -> MemberRecord:
    """A member's record, without recording or locking them."""
    return _record(connection.execute(_READ, _where(member)).one())


def _where(member: Member) -> dict[str, str]:
    return {
        "key": member.key,
        "platform": member.platform,
        "workspace": member.workspace,
        "account": member.account,
    }


def _record(row: Any) -> MemberRecord:
    workspace = row.workspace or {"settings": {}, "words": []}
    roles = {role: Tier(tier) if tier else None for role, tier in (row.roles or {}).items()}
    return MemberRecord(
        row.blocked,
        row.preferences,
        roles,
        workspace["settings"],
        tuple(workspace["words"]),
        record_of(row.server),
        row.first_server,
        row.banned,
    )


_PREFER = text("""
    INSERT INTO members (key, platform, workspace, id, name, preferences)
    VALUES (:key, :platform, :workspace, :id, :name, jsonb_strip_nulls(:values))
    ON CONFLICT (key) DO UPDATE SET
        preferences = jsonb_strip_nulls(members.preferences || :values)
""").bindparams(bindparam("values", type_=JSONB))


def prefer(connection: Connection, member: Member, values: Mapping[str, Any]) -> None:
    """Change some of a member's preferences; None removes one."""
    row = {"id": member.id, "name": member.name, "values": dict(values), **_where(member)}
    connection.execute(_PREFER, row)


_BLOCK = text("""
    INSERT INTO members (key, platform, workspace, id, blocked)
    VALUES (:key, :platform, :workspace, :id, :blocked)
    ON CONFLICT (key) DO UPDATE SET blocked = excluded.blocked
""")


def block(connection: Connection, platform: str, workspace: str, id: str, blocked: bool) -> None:  # noqa: A002
    """Block or unblock a member, recorded or not."""
    member = Member(platform, workspace, id)
    connection.execute(_BLOCK, {**_where(member), "id": id, "blocked": blocked})


def forget(connection: Connection, member_key: str) -> None:
    """Erase a member's name and preferences; a block stays."""
    connection.execute(
        members.update().where(members.c.key == member_key).values(name="", preferences={})
    )


_MAP = text("""
    INSERT INTO tier_map (platform, workspace, role, tier)
    VALUES (:platform, :workspace, :role, :tier)
    ON CONFLICT (platform, workspace, role) DO UPDATE SET tier = excluded.tier
""")


def map_role(
    connection: Connection, platform: str, workspace: str, role: str, tier: Tier | None
) -> None:
    """Map a role to a tier, or (None) to no tier, over what the file says."""
    values = {"platform": platform, "workspace": workspace, "role": role}
    connection.execute(_MAP, {**values, "tier": tier.value if tier else None})


def role_map(connection: Connection, platform: str, workspace: str) -> dict[str, Tier | None]:
    """Role id → tier as administrators set it, or None where the role gives no tier."""
    query = select(tier_map.c.role, tier_map.c.tier).where(
        tier_map.c.platform == platform, tier_map.c.workspace == workspace
    )
    return {row.role: Tier(row.tier) if row.tier else None for row in connection.execute(query)}


def settings(connection: Connection, platform: str, workspace: str) -> Mapping[str, Any]:
    """A workspace's settings."""
    query = select(workspaces.c.settings).where(
        workspaces.c.platform == platform, workspaces.c.workspace == workspace
    )
    return connection.scalar(query) or {}


_SET = text("""
    INSERT INTO workspaces (platform, workspace, settings)
    VALUES (:platform, :workspace, :settings)
    ON CONFLICT (platform, workspace) DO UPDATE SET settings = excluded.settings
""").bindparams(bindparam("settings", type_=JSONB))


def set_settings(
    connection: Connection, platform: str, workspace: str, values: Mapping[str, Any]
) -> None:
    """Replace a workspace's settings."""
    row = {"platform": platform, "workspace": workspace, "settings": dict(values)}
    connection.execute(_SET, row)


def words(connection: Connection, platform: str, workspace: str) -> list[str]:
    """A workspace's forbidden words."""
    query = select(workspaces.c.words).where(
        workspaces.c.platform == platform, workspaces.c.workspace == workspace
    )
    return list(connection.scalar(query) or ())


_SET_WORDS = text("""
    INSERT INTO workspaces (platform, workspace, words) VALUES (:platform, :workspace, :words)
    ON CONFLICT (platform, workspace) DO UPDATE SET words = excluded.words
""").bindparams(bindparam("words", type_=workspaces.c.words.type))


def set_words(connection: Connection, platform: str, workspace: str, values: list[str]) -> None:
    """Replace a workspace's forbidden words."""
    connection.execute(_SET_WORDS, {"platform": platform, "workspace": workspace, "words": values})
