"""The waitlist: members in the order they joined, and their invitations."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from tasks.jobs.members import Member, Place
from tasks.jobs.tiers import Tier
from tasks.policy.waitlist import reserved_share
from tasks.store.jobs import member_from_json, member_to_json
from tasks.store.sql import load

CHANNEL = "atelier_invitations"
CLAIM_SECONDS = 300.0


@dataclass(frozen=True, slots=True)
class WaitlistPlace:
    """A member's position; `invited_until` is set while an invitation is open."""

    position: int | None
    joined_at: datetime | None
    invited_until: datetime | None


_JOIN = text("""
    INSERT INTO waitlist (member_key, tier, member, place)
    VALUES (:key, :tier, :member, :place) ON CONFLICT (member_key) DO NOTHING
""").bindparams(bindparam("member", type_=JSONB), bindparam("place", type_=JSONB))


def join(
    connection: Connection, member: Member, place: Place, tier: Tier = Tier.FREE
) -> WaitlistPlace:
    """Join, or read the position that the member already has."""
    values = {"key": member.key, "tier": tier.value, "member": member_to_json(member)}
    connection.execute(_JOIN, {**values, "place": asdict(place)})
    return place_of(connection, member.key)


_LEAVE = text("DELETE FROM waitlist WHERE member_key = :key")


def leave(connection: Connection, member_key: str) -> bool:
    """Leave; whether the member was on it."""
    return connection.execute(_LEAVE, {"key": member_key}).rowcount == 1


# An expired invitation counts as a lapse, also before the clock process has recorded it.
_STANDS = "({0}.invited_until > now()) IS NOT TRUE"
_ORDER = "({0}.lapses + ({0}.invited_at IS NOT NULL)::int, {0}.number)"

_PLACE = text(
    load(
        "waitlist_position",
        mine_waits=_STANDS.format("mine"),
        other_waits=_STANDS.format("other"),
        other_order=_ORDER.format("other"),
        mine_order=_ORDER.format("mine"),
    )
)


def place_of(connection: Connection, member_key: str) -> WaitlistPlace:
    """A member's position; all None where they are not on the waitlist."""
    row = connection.execute(_PLACE, {"key": member_key}).one_or_none()
    if row is None:
        return WaitlistPlace(None, None, None)
    return WaitlistPlace(row.position, row.joined_at, row.invited_until)


# Uncorrelated, so that it is evaluated once and not for each member who waits.
_CLOSED = """
    SELECT platform, workspace FROM doors
    WHERE subject IN (:tier, 'everything') AND set_to = 'closed'
"""
_SHUT_OUT = f"""(
    ('*', '*') IN ({_CLOSED})
    OR (place ->> 'platform', place ->> 'workspace') IN ({_CLOSED})
)"""
"""Whether an administrator closed the door that a member waits for; they keep their position."""

_WAITING = text(f"""
    SELECT count(*) FROM (
        SELECT FROM waitlist
        WHERE tier = :tier AND invited_at IS NULL AND lapses = 0 AND NOT {_SHUT_OUT} LIMIT 1000
    ) AS first
""")


def waiting(connection: Connection, tier: Tier) -> int:
    """How many may be invited and never were; counts at most a thousand."""
    return connection.scalar(_WAITING, {"tier": tier.value}) or 0


_INVITED = text("""
    SELECT lapses, told_at IS NOT NULL AS told, count(*) AS members,
        floor(extract(epoch FROM now() - coalesce(told_at, invited_at)) / 60) AS minutes
    FROM waitlist WHERE tier = :tier AND invited_until > now() GROUP BY lapses, told, minutes
""")


def invited(connection: Connection, tier: Tier) -> float:
    """How many members with an unused invitation are expected to use it."""
    rows = connection.execute(_INVITED, {"tier": tier.value})
    shares = [
        row.members * reserved_share(float(row.minutes), row.lapses, row.told) for row in rows
    ]
    return float(sum(shares))


_LAPSE = text("""
    UPDATE waitlist SET invited_at = NULL, invited_until = NULL, claimed_at = NULL, told_at = NULL,
        lapses = lapses + 1
    WHERE tier = :tier AND invited_until <= now()
""")


def lapse(connection: Connection, tier: Tier) -> int:
    """Expire invitations: a member moves behind all who let fewer lapse. How many expired."""
    return connection.execute(_LAPSE, {"tier": tier.value}).rowcount


_INVITE = text(load("invite", shut_out=_SHUT_OUT))


def invite(connection: Connection, tier: Tier, batch: int, lasts: timedelta) -> int:
    """Invite the first `batch` who wait; how many. Bots notify them (`claim_unnotified`).

    Members who wait for a door that an administrator closed keep their position.
    """
    if batch <= 0:
        return 0
    values = {"tier": tier.value, "batch": batch, "lasts": lasts.total_seconds()}
    done = connection.execute(_INVITE, values).rowcount
    if done:
        connection.execute(text("SELECT pg_notify(:channel, '')"), {"channel": CHANNEL})
    return done


_ENTER = text("""
    DELETE FROM waitlist WHERE member_key = :key AND invited_until > now()
    RETURNING to_jsonb(waitlist)
""")


def enter(connection: Connection, member_key: str) -> dict[str, Any] | None:
    """Use an invitation: deletes the member's row and returns it for the job to keep."""
    row: dict[str, Any] | None = connection.scalar(_ENTER, {"key": member_key})
    return row


RESTORE_INVITATION = load("restore_invitation")
"""Part of `end_job` (`moved`): the invitation of a job without a picture is open again.

The job's own message tells the member so.
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation whose member has not been notified."""

    member: Member
    place: Place
    tier: Tier
    until: datetime


_CLAIM = text(load("claim_invitations")).bindparams(bindparam("platforms", type_=ARRAY(Text)))


def claim_unnotified(connection: Connection, platforms: list[str], limit: int) -> list[Invitation]:
    """Claim invitations on these platforms whose members have not been notified.

    A claim expires after five minutes, unless it is confirmed (`mark_notified`) or released
    (`release_claim`) before.
    """
    values = {"platforms": platforms, "limit": limit, "claim": CLAIM_SECONDS}
    rows = connection.execute(_CLAIM, values)
    return [
        Invitation(
            member_from_json(row.member), Place(**row.place), Tier(row.tier), row.invited_until
        )
        for row in rows
    ]


_MARK_NOTIFIED = text(
    "UPDATE waitlist SET told_at = now() WHERE member_key = :key AND told_at IS NULL"
)


def mark_notified(connection: Connection, member_key: str) -> None:
    """Record that the member was notified."""
    connection.execute(_MARK_NOTIFIED, {"key": member_key})


_RELEASE_CLAIM = text("UPDATE waitlist SET claimed_at = NULL WHERE member_key = :key")


def release_claim(connection: Connection, member_key: str) -> None:
    """Release a claim: the notification failed and must be tried again."""
    connection.execute(_RELEASE_CLAIM, {"key": member_key})
