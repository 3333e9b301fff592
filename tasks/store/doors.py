"""Doors: the overrides that administrators set, and the levels of the automatic doors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.jobs.tiers import DoorState
from tasks.policy.door_overrides import EVERYWHERE, DoorOverrides, Subject, read_subject
from tasks.policy.doors import AutoDoor, DoorLevel
from tasks.store.sql import load

_SET = text("""
    INSERT INTO doors (platform, workspace, subject, set_to)
    VALUES (:platform, :workspace, :subject, :set_to)
    ON CONFLICT (platform, workspace, subject) DO UPDATE
        SET set_to = excluded.set_to, changed_at = now()
""")


def set_to(
    connection: Connection, server: tuple[str, str], subject: Subject, state: DoorState | None
) -> None:
    """Override a door for a server (platform, workspace); None removes the override."""
    values = {"platform": server[0], "workspace": server[1], "subject": subject.value}
    connection.execute(_SET, {**values, "set_to": state and state.value})


OVERRIDES = """
    (SELECT jsonb_agg(jsonb_build_array(doors.platform, subject, set_to)) FROM doors
        WHERE set_to IS NOT NULL
            AND (doors.platform, doors.workspace)
                IN (({here}.platform, {here}.workspace), ('*', '*')))
"""
"""The overrides of the server `here`, as one value of a larger query: see `overrides_of`."""

_OVERRIDES = text(f"""
    SELECT {OVERRIDES.format(here="one")} FROM (
        SELECT CAST(:platform AS text) AS platform, CAST(:workspace AS text) AS workspace
    ) AS one
""")


def overrides_of(rows: Iterable[tuple[str, str, str]] | None) -> DoorOverrides:
    """The overrides that `OVERRIDES` selected."""
    everywhere: dict[Subject, DoorState] = {}
    here: dict[Subject, DoorState] = {}
    for platform, subject, state in rows or ():
        overrides = everywhere if platform == EVERYWHERE else here
        overrides[read_subject(subject)] = DoorState(state)
    return DoorOverrides(everywhere, here)


def overrides(connection: Connection, platform: str, workspace: str) -> DoorOverrides:
    """A server's overrides, by the operator and by its administrators."""
    values = {"platform": platform, "workspace": workspace}
    return overrides_of(connection.scalar(_OVERRIDES, values))


@dataclass(frozen=True, slots=True)
class SetDoor:
    """An override; platform and workspace are `*` where it is for all servers."""

    platform: str
    workspace: str
    subject: Subject
    state: DoorState


_ALL = text("SELECT * FROM doors WHERE set_to IS NOT NULL ORDER BY platform, workspace, subject")


def all_set(connection: Connection) -> list[SetDoor]:
    """Every override of every server."""
    return [
        SetDoor(row.platform, row.workspace, read_subject(row.subject), DoorState(row.set_to))
        for row in connection.execute(_ALL)
    ]


@dataclass(frozen=True, slots=True)
class Automatic:
    """An automatic door, and the newcomer's wait in seconds that it last followed."""

    door: AutoDoor
    predicted_wait: float


_AUTOMATIC = text("""
    SELECT subject, memory FROM doors
    WHERE platform = '*' AND workspace = '*' AND memory <> '{}'::jsonb
""")


def automatic(connection: Connection) -> dict[Subject, Automatic]:
    """The automatic doors as the clock process last set them."""
    return {
        read_subject(row.subject): Automatic(
            AutoDoor(DoorLevel(row.memory["rung"]), row.memory["since"]), row.memory["predicted"]
        )
        for row in connection.execute(_AUTOMATIC)
    }


_REMEMBER = text("""
    INSERT INTO doors (platform, workspace, subject, memory) VALUES ('*', '*', :subject, :memory)
    ON CONFLICT (platform, workspace, subject) DO UPDATE SET memory = excluded.memory,
        changed_at = CASE WHEN doors.memory -> 'rung' = excluded.memory -> 'rung'
            THEN doors.changed_at ELSE now() END
""").bindparams(bindparam("memory", type_=JSONB))


LONGEST_WAIT = 864_000.0
"""The longest recorded wait in seconds; also recorded where no worker is alive."""


def remember(connection: Connection, subject: Subject, one: Automatic) -> None:
    """Record the level of an automatic door."""
    memory = {
        "rung": int(one.door.door_level),
        "since": max(0.0, one.door.since),
        "predicted": min(one.predicted_wait, LONGEST_WAIT),
    }
    connection.execute(_REMEMBER, {"subject": subject.value, "memory": memory})


_SERVERS = text(load("servers"))


def servers(connection: Connection) -> list[tuple[str, str]]:
    """Every server (platform, workspace) that has had a job or a setting.

    Jobs are not read one by one: the query skips through the index `jobs_in_place`.
    """
    return [(row.platform, row.workspace) for row in connection.execute(_SERVERS)]
