"""Doors: as they were set by hand, by workspace and tier, and the automatic ones' memory."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.doors import AutoDoor, Rung
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


EVERYWHERE = "*"
"""The platform and workspace of the automatic doors, which are the same for all servers."""


@dataclass(frozen=True, slots=True)
class Automatic:
    """A tier's automatic door, and the newcomer's wait (seconds) that it last followed."""

    door: AutoDoor
    predicted_wait: float


_AUTOMATIC = text("SELECT tier, memory FROM doors WHERE platform = '*' AND workspace = '*'")


def automatic(connection: Connection) -> dict[Tier, Automatic]:
    """The automatic doors as the clock last left them."""
    return {
        Tier(row.tier): Automatic(
            AutoDoor(Rung(row.memory["rung"]), row.memory["since"]), row.memory["predicted"]
        )
        for row in connection.execute(_AUTOMATIC)
    }


_REMEMBER = text("""
    INSERT INTO doors (platform, workspace, tier, set_to, memory)
    VALUES ('*', '*', :tier, 'auto', :memory)
    ON CONFLICT (platform, workspace, tier) DO UPDATE SET memory = excluded.memory,
        changed_at = CASE WHEN doors.memory -> 'rung' = excluded.memory -> 'rung'
            THEN doors.changed_at ELSE now() END
""").bindparams(bindparam("memory", type_=JSONB))


def remember(connection: Connection, tier: Tier, one: Automatic) -> None:
    """Write down where a tier's automatic door stands. Waits above ten days are all the same."""
    memory = {
        "rung": int(one.door.rung),
        "since": max(0.0, one.door.since),
        "predicted": min(one.predicted_wait, 864_000.0),
    }
    connection.execute(_REMEMBER, {"tier": tier.value, "memory": memory})
