"""Deliveries: claims, what publishers remember between attempts, retries."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text, Uuid

from tasks.store.sql import load

CHANNEL = "atelier_deliveries"


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to deliver one job for a while; `token` fences off earlier claims."""

    job: UUID
    token: UUID
    tries: int
    memory: Mapping[str, Any]


_CLAIM = text(load("claim_deliveries")).bindparams(bindparam("platforms", type_=ARRAY(Text)))


def claim(
    connection: Connection, platforms: Sequence[str], seconds: float, limit: int
) -> list[Claim]:
    """Claim deliveries that are due on these platforms, for `seconds`."""
    values = {"platforms": list(platforms), "seconds": seconds, "limit": limit}
    rows = connection.execute(_CLAIM, values)
    return [Claim(row.job, row.owner, row.tries, row.memory) for row in rows]


_RENEW = text(load("renew_delivery_claims")).bindparams(bindparam("tokens", type_=ARRAY(Uuid)))


def renew_claims(connection: Connection, tokens: Sequence[UUID], seconds: float) -> None:
    """Extend claims to `seconds` from now; a row that is locked now is extended the next time."""
    if tokens:
        connection.execute(_RENEW, {"tokens": list(tokens), "seconds": seconds})


_REMEMBER = text("""
    UPDATE deliveries SET memory = memory || :memory
    WHERE job = :job AND owner = :token AND state = 'pending'
""").bindparams(bindparam("memory", type_=JSONB))


def remember(connection: Connection, claimed: Claim, memory: Mapping[str, Any]) -> bool:
    """Add to what a delivery remembers; False where the claim is lost."""
    values = {"job": claimed.job, "token": claimed.token, "memory": dict(memory)}
    return connection.execute(_REMEMBER, values).rowcount == 1


_PUT_OFF = text("""
    UPDATE deliveries SET next_try = now() + make_interval(secs => :after), error = :error,
        owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :token AND state = 'pending'
""")


def put_off(connection: Connection, claimed: Claim, after: float, error: str) -> bool:
    """Release a claim; any worker may attempt the delivery again after `after` seconds."""
    values = {"job": claimed.job, "token": claimed.token, "after": after, "error": error}
    return connection.execute(_PUT_OFF, values).rowcount == 1


_FAIL = text("""
    UPDATE deliveries SET state = 'failed', error = :error, owner = NULL, owner_until = NULL
    WHERE job = :job AND owner = :token AND state = 'pending'
""")


def fail(connection: Connection, claimed: Claim, error: str) -> bool:
    """Give a delivery up: the platform will never take it."""
    values = {"job": claimed.job, "token": claimed.token, "error": error}
    return connection.execute(_FAIL, values).rowcount == 1


_IS_OWNER = text("SELECT EXISTS (SELECT FROM deliveries WHERE job = :job AND owner = :token)")


def is_owner(connection: Connection, job: UUID, token: UUID) -> bool:
    """Whether this token has the claim to the job's delivery."""
    return bool(connection.scalar(_IS_OWNER, {"job": job, "token": token}))


def memory(connection: Connection, job: UUID) -> Mapping[str, Any]:
    """What the publisher remembered while it delivered a job."""
    query = text("SELECT memory FROM deliveries WHERE job = :job")
    return connection.scalar(query, {"job": job}) or {}
