"""Doors: as they were set by hand, by workspace and subject, and the automatic ones' memory."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.doors import AutoDoor, Rung
from tasks.handset import EVERYWHERE, HandSet, Subject, read_subject
from tasks.tiers import DoorState

_SET = text("""
    INSERT INTO doors (platform, workspace, subject, set_to)
    VALUES (:platform, :workspace, :subject, :set_to)
    ON CONFLICT (platform, workspace, subject) DO UPDATE
        SET set_to = excluded.set_to, changed_at = now()
""")


def set_to(
    connection: Connection, server: tuple[str, str], subject: Subject, state: DoorState | None
) -> None:
    """Set a door for a server (platform, workspace); None takes back what was set."""
    values = {"platform": server[0], "workspace": server[1], "subject": subject.value}
    connection.execute(_SET, {**values, "set_to": state and state.value})


BY_HAND = """
    (SELECT jsonb_agg(jsonb_build_array(doors.platform, subject, set_to)) FROM doors
        WHERE set_to IS NOT NULL
            AND (doors.platform, doors.workspace)
                IN (({here}.platform, {here}.workspace), ('*', '*')))
"""
"""What is set for the server `here`, as one value of a larger query: see `by_hand_of`."""

_BY_HAND = text(f"""
    SELECT {BY_HAND.format(here="one")} FROM (
        SELECT CAST(:platform AS text) AS platform, CAST(:workspace AS text) AS workspace
    ) AS one
""")


def by_hand_of(rows: Iterable[tuple[str, str, str]] | None) -> HandSet:
    """What `BY_HAND` gave."""
    everywhere: dict[Subject, DoorState] = {}
    here: dict[Subject, DoorState] = {}
    for platform, subject, state in rows or ():
        found = everywhere if platform == EVERYWHERE else here
        found[read_subject(subject)] = DoorState(state)
    return HandSet(everywhere, here)


def by_hand(connection: Connection, platform: str, workspace: str) -> HandSet:
    """The doors that were set by hand for a server, by the operator and by its administrators."""
    values = {"platform": platform, "workspace": workspace}
    return by_hand_of(connection.scalar(_BY_HAND, values))


@dataclass(frozen=True, slots=True)
class SetDoor:
    """A door that was set by hand; platform and workspace are `*` for all servers."""

    platform: str
    workspace: str
    subject: Subject
    state: DoorState


_ALL = text("SELECT * FROM doors WHERE set_to IS NOT NULL ORDER BY platform, workspace, subject")


def all_set(connection: Connection) -> list[SetDoor]:
    """Every door that was set by hand, in every server."""
    return [
        SetDoor(row.platform, row.workspace, read_subject(row.subject), DoorState(row.set_to))
        for row in connection.execute(_ALL)
    ]


@dataclass(frozen=True, slots=True)
class Automatic:
    """An automatic door, and the newcomer's wait (seconds) that it last followed."""

    door: AutoDoor
    predicted_wait: float


_AUTOMATIC = text("""
    SELECT subject, memory FROM doors
    WHERE platform = '*' AND workspace = '*' AND memory <> '{}'::jsonb
""")


def automatic(connection: Connection) -> dict[Subject, Automatic]:
    """The automatic doors as the clock last left them."""
    return {
        read_subject(row.subject): Automatic(
            AutoDoor(Rung(row.memory["rung"]), row.memory["since"]), row.memory["predicted"]
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
"""Seconds above which waits are all the same; also what is written where no worker lives."""


def remember(connection: Connection, subject: Subject, one: Automatic) -> None:
    """Write down where an automatic door stands."""
    memory = {
        "rung": int(one.door.rung),
        "since": max(0.0, one.door.since),
        "predicted": min(one.predicted_wait, LONGEST_WAIT),
    }
    connection.execute(_REMEMBER, {"subject": subject.value, "memory": memory})


_SERVERS = text("""
    WITH RECURSIVE seen AS (
        (SELECT platform, workspace FROM jobs ORDER BY platform, workspace LIMIT 1)
        UNION ALL
        SELECT after.* FROM seen, LATERAL (
            SELECT platform, workspace FROM jobs
            WHERE (platform, workspace) > (seen.platform, seen.workspace)
            ORDER BY platform, workspace LIMIT 1
        ) AS after
    )
    SELECT * FROM seen UNION SELECT platform, workspace FROM workspaces
    UNION SELECT platform, workspace FROM doors WHERE platform <> '*' ORDER BY 1, 2
""")


def servers(connection: Connection) -> list[tuple[str, str]]:
    """Every server (platform, workspace) that has had a job or a setting.

    The jobs are not read one by one: the index of a Place's jobs is asked for one server at a time.
    """
    return [(row.platform, row.workspace) for row in connection.execute(_SERVERS)]
