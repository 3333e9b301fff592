"""Removals: messages of erased jobs, which the worker deletes on their platform."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Text

from tasks.jobs.members import Place


@dataclass(frozen=True, slots=True)
class Removal:
    """One message to delete, and what its delivery remembered of it."""

    job: UUID
    place: Place
    message: str | None
    placeholder: Mapping[str, Any]
    memory: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RemovalClaim:
    """The right to attempt a removal; `token` fences off earlier claims."""

    removal: Removal
    token: UUID
    tries: int


_CLAIM = text("""
    WITH due AS (
        SELECT job FROM removals
        WHERE state = 'pending' AND next_try <= now() AND (owner IS NULL OR owner_until < now())
            AND platform = ANY(:platforms)
        ORDER BY next_try LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    UPDATE removals SET owner = gen_random_uuid(), tries = tries + 1,
        owner_until = now() + make_interval(secs => :seconds)
    FROM due WHERE removals.job = due.job
    RETURNING removals.job, place, message, placeholder, memory, owner, tries
""").bindparams(bindparam("platforms", type_=ARRAY(Text)))


def claim(
    connection: Connection, platforms: Sequence[str], seconds: float, limit: int
) -> list[RemovalClaim]:
    """Claim removals that are due on these platforms, for `seconds`."""
    values = {"platforms": list(platforms), "seconds": seconds, "limit": limit}
    return [
        RemovalClaim(
            Removal(row.job, Place(**row.place), row.message, row.placeholder, row.memory),
            row.owner,
            row.tries,
        )
        for row in connection.execute(_CLAIM, values)
    ]


_DONE = text("""
    UPDATE removals SET state = 'done', message = NULL, placeholder = '{}', memory = '{}',
        owner = NULL, owner_until = NULL, error = NULL
    WHERE job = :job AND owner = :token
""")


def done(connection: Connection, claimed: RemovalClaim) -> None:
    """The message is gone; nothing of it stays recorded."""
    connection.execute(_DONE, {"job": claimed.removal.job, "token": claimed.token})


_PUT_OFF = text("""
    UPDATE removals SET next_try = now() + make_interval(secs => :after), error = :error,
        owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :token
""")


def put_off(connection: Connection, claimed: RemovalClaim, after: float, error: str) -> None:
    """Release a claim; any worker may attempt the removal again after `after` seconds."""
    values = {"job": claimed.removal.job, "token": claimed.token, "after": after, "error": error}
    connection.execute(_PUT_OFF, values)


_FAIL = text("""
    UPDATE removals SET state = 'failed', error = :code, owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :token
""")


def fail(connection: Connection, claimed: RemovalClaim, code: str) -> None:
    """The platform will not delete the message; `code` says why."""
    values = {"job": claimed.removal.job, "token": claimed.token, "code": code}
    connection.execute(_FAIL, values)


@dataclass(frozen=True, slots=True)
class Unremoved:
    """A message that is still there: `code` is None while its removal is attempted."""

    job: UUID
    place: Place
    message: str | None
    code: str | None
    requested_at: datetime


_UNREMOVED = text("""
    SELECT job, place, message, CASE state WHEN 'failed' THEN error END AS code, requested_at
    FROM removals WHERE member_key = :key AND state <> 'done' ORDER BY requested_at, job
""")


def unremoved(connection: Connection, key: str) -> list[Unremoved]:
    """A member's messages that are not deleted, oldest request first."""
    return [
        Unremoved(row.job, Place(**row.place), row.message, row.code, row.requested_at)
        for row in connection.execute(_UNREMOVED, {"key": key})
    ]
