"""Workers: which are alive, what they can render and how fast."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.store.sql import load

ALIVE_SECONDS = 15.0
DRAIN_CHANNEL = "atelier_drain"


@dataclass(frozen=True, slots=True)
class WorkerCard:
    """A worker's own description. `profiles` is name → facts ("steps": usual steps).

    `device_use` is `DeviceUse` as JSON, `model_faults` is model → `ModelFault` as JSON.
    `pending_models` are not tried yet.
    """

    name: str
    token: UUID
    device: str
    profiles: Mapping[str, Mapping[str, Any]]
    slots: int
    running: int
    rates: Mapping[str, float]
    device_use: Mapping[str, float] = field(default_factory=dict)
    model_faults: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    pending_models: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class SeenWorker:
    """A worker's card, and when it was last seen."""

    card: WorkerCard
    seen_at: datetime


_JSON = ("profiles", "rates", "device_use", "model_faults")
_JSON_LISTS = ("pending_models",)
_REGISTER = text(load("register_worker")).bindparams(
    *(bindparam(name, type_=JSONB) for name in (*_JSON, *_JSON_LISTS))
)


def register(connection: Connection, card: WorkerCard) -> None:
    """Insert or update a worker's row: it is alive."""
    values = {field: getattr(card, field) for field in WorkerCard.__slots__}
    values |= {name: dict(values[name]) for name in _JSON}
    values |= {name: list(values[name]) for name in _JSON_LISTS}
    connection.execute(_REGISTER, values)


_UNREGISTER = text("DELETE FROM workers WHERE name = :name AND token = :token")


def unregister(connection: Connection, name: str, token: UUID) -> None:
    """Delete a worker's row at its shutdown."""
    connection.execute(_UNREGISTER, {"name": name, "token": token})


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


_ANY_IDLE = text("""
    SELECT EXISTS (
        SELECT FROM workers
        WHERE name <> :name AND running = 0 AND profiles ?| CAST(:profiles AS text[])
            AND seen_at > now() - make_interval(secs => :seconds)
    )
""")


def any_other_idle(connection: Connection, name: str, profiles: Sequence[str]) -> bool:
    """Whether another live worker that can make one of these profiles runs nothing."""
    values = {"name": name, "profiles": list(profiles), "seconds": ALIVE_SECONDS}
    return bool(connection.scalar(_ANY_IDLE, values))


def request_drain(connection: Connection, name: str) -> None:
    """Notify the worker of this name to drain. A worker that is not connected does not hear it."""
    connection.execute(
        text("SELECT pg_notify(:channel, :name)"), {"channel": DRAIN_CHANNEL, "name": name}
    )


_DELETE_DEAD = text("DELETE FROM workers WHERE seen_at < now() - interval '1 day'")


def delete_dead(connection: Connection) -> None:
    """Delete the rows of workers that were not seen for a day."""
    connection.execute(_DELETE_DEAD)
