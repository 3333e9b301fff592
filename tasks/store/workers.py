"""Workers: who is alive, what they can make and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

ALIVE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class WorkerCard:
    """A worker as it presents itself. `profiles` is name → facts ("steps": usual steps)."""

    name: str
    token: UUID
    device: str
    profiles: Mapping[str, Mapping[str, Any]]
    slots: int
    running: int
    rates: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker's card and when it was last seen."""

    card: WorkerCard
    seen_at: datetime


_PRESENT = text("""
    INSERT INTO workers (name, token, device, profiles, slots, running, rates)
    VALUES (:name, :token, :device, :profiles, :slots, :running, :rates)
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, device = excluded.device,
        profiles = excluded.profiles, slots = excluded.slots, running = excluded.running,
        rates = excluded.rates, seen_at = now(),
        started_at = CASE WHEN workers.token = excluded.token THEN workers.started_at ELSE now() END
""").bindparams(bindparam("profiles", type_=JSONB), bindparam("rates", type_=JSONB))


def present(connection: Connection, card: WorkerCard) -> None:
    """Say that a worker is alive, and how it stands."""
    values = {field: getattr(card, field) for field in WorkerCard.__slots__}
    values |= {"profiles": dict(card.profiles), "rates": dict(card.rates)}
    connection.execute(_PRESENT, values)


_LEAVE = text("DELETE FROM workers WHERE name = :name AND token = :token")


def leave(connection: Connection, name: str, token: UUID) -> None:
    """A worker has ended in good order."""
    connection.execute(_LEAVE, {"name": name, "token": token})


_ALIVE = text("""
    SELECT * FROM workers WHERE seen_at > now() - make_interval(secs => :seconds) ORDER BY name
""")


def alive(connection: Connection, seconds: float = ALIVE_SECONDS) -> list[SeenWorker]:
    """The workers seen within the last `seconds`."""
    rows = connection.execute(_ALIVE, {"seconds": seconds}).mappings()
    return [
        SeenWorker(
            WorkerCard(**{field: row[field] for field in WorkerCard.__slots__}), row["seen_at"]
        )
        for row in rows
    ]


_FORGET = text("DELETE FROM workers WHERE seen_at < now() - interval '1 day'")


def forget_dead(connection: Connection) -> None:
    """Drop the rows of workers that have not been seen for a day."""
    connection.execute(_FORGET)
