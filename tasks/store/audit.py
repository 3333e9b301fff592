"""The audit log of administrators' actions, and members' reports."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, insert, select

from tasks.jobs.members import Member
from tasks.store.schema import audit


def write(connection: Connection, by: Member, action: str, details: Mapping[str, Any]) -> None:
    """Record an administrator's action."""
    connection.execute(
        insert(audit).values(
            platform=by.platform,
            workspace=by.workspace,
            actor=by.id,
            action=action,
            details=dict(details),
        )
    )


def newest(
    connection: Connection, platform: str, workspace: str, limit: int
) -> list[Mapping[str, Any]]:
    """The rows of a workspace, newest first."""
    query = (
        select(audit)
        .where(audit.c.platform == platform, audit.c.workspace == workspace)
        .order_by(audit.c.at.desc(), audit.c.id.desc())
        .limit(limit)
    )
    return [dict(row) for row in connection.execute(query).mappings()]
