"""Doors as they were set by hand, by workspace and tier."""

from __future__ import annotations

from sqlalchemy import Connection, select, text

from tasks.store.schema import doors
from tasks.tiers import DoorState, Tier

_SET = text("""
    INSERT INTO doors (platform, workspace, tier, set_to)
    VALUES (:platform, :workspace, :tier, :set_to)
    ON CONFLICT (platform, workspace, tier) DO UPDATE
        SET set_to = excluded.set_to, changed_at = now()
""")


def set_to(
    connection: Connection, platform: str, workspace: str, tier: Tier, state: DoorState
) -> None:
    """Set a tier's doors for a workspace."""
    values = {"platform": platform, "workspace": workspace}
    connection.execute(_SET, {**values, "tier": tier.value, "set_to": state.value})


def all_set(connection: Connection, platform: str, workspace: str) -> dict[Tier, DoorState]:
    """The doors that an administrator has set for this workspace."""
    query = select(doors.c.tier, doors.c.set_to).where(
        doors.c.platform == platform, doors.c.workspace == workspace
    )
    return {Tier(row.tier): DoorState(row.set_to) for row in connection.execute(query)}
