"""The waitlist: members in the order they joined, invitations, and who is to be told of one."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.types import Text

from tasks.members import Member, Place
from tasks.store.jobs import member_from_json, member_to_json
from tasks.tiers import Tier
from tasks.views import WaitlistPlace
from tasks.waitlist import awaited

CHANNEL = "atelier_invitations"
CLAIM_SECONDS = 300.0

_JOIN = text("""
    INSERT INTO waitlist (member_key, tier, member, place)
    VALUES (:key, :tier, :member, :place) ON CONFLICT (member_key) DO NOTHING
""").bindparams(bindparam("member", type_=JSONB), bindparam("place", type_=JSONB))


def join(
    connection: Connection, member: Member, place: Place, tier: Tier = Tier.FREE
) -> WaitlistPlace:
    """Join, or see the place one already has."""
    values = {"key": member.key, "tier": tier.value, "member": member_to_json(member)}
    connection.execute(_JOIN, {**values, "place": asdict(place)})
    return place_of(connection, member.key)


_LEAVE = text("DELETE FROM waitlist WHERE member_key = :key")


def leave(connection: Connection, member_key: str) -> bool:
    """Leave; whether the member was on it."""
    return connection.execute(_LEAVE, {"key": member_key}).rowcount == 1


# An invitation that has run out is one more lapse, also before the clock has written it down.
_STANDS = "({0}.invited_until > now()) IS NOT TRUE"
_ORDER = "({0}.lapses + ({0}.invited_at IS NOT NULL)::int, {0}.number)"

_PLACE = text(f"""
    SELECT joined_at, CASE WHEN invited_until > now() THEN invited_until END AS invited_until,
        CASE WHEN {_STANDS.format("mine")} THEN (
            SELECT count(*) FROM waitlist AS other
            WHERE other.tier = mine.tier AND {_STANDS.format("other")}
                AND {_ORDER.format("other")} <= {_ORDER.format("mine")}
        ) END AS position
    FROM waitlist AS mine WHERE member_key = :key
""")


def place_of(connection: Connection, member_key: str) -> WaitlistPlace:
    """Where a member stands; all None where they are not on it."""
    row = connection.execute(_PLACE, {"key": member_key}).one_or_none()
    if row is None:
        return WaitlistPlace(None, None, None)
    return WaitlistPlace(row.position, row.joined_at, row.invited_until)


# Asked once for all who wait, not once for each: the servers with closed doors are many, too.
_CLOSED = """
    SELECT platform, workspace FROM doors
    WHERE subject IN (:tier, 'everything') AND set_to = 'closed'
"""
_SHUT_OUT = f"""(
    ('*', '*') IN ({_CLOSED})
    OR (place ->> 'platform', place ->> 'workspace') IN ({_CLOSED})
)"""
"""Whether the door that a member waits for was closed by hand; they keep their place until then."""

_WAITING = text(f"""
    SELECT count(*) FROM (
        SELECT FROM waitlist
        WHERE tier = :tier AND invited_at IS NULL AND lapses = 0 AND NOT {_SHUT_OUT} LIMIT 1000
    ) AS first
""")


def waiting(connection: Connection, tier: Tier) -> int:
    """How many were never invited yet, and may be; no more than a thousand are counted."""
    return connection.scalar(_WAITING, {"tier": tier.value}) or 0


_INVITED = text("""
    SELECT lapses, told_at IS NOT NULL AS told, count(*) AS members,
        floor(extract(epoch FROM now() - coalesce(told_at, invited_at)) / 60) AS minutes
    FROM waitlist WHERE tier = :tier AND invited_until > now() GROUP BY lapses, told, minutes
""")


def invited(connection: Connection, tier: Tier) -> float:
    """How many are still awaited of those with an invitation that they have not used."""
    rows = connection.execute(_INVITED, {"tier": tier.value})
    shares = [row.members * awaited(float(row.minutes), row.lapses, row.told) for row in rows]
    return float(sum(shares))


_LAPSE = text("""
    UPDATE waitlist SET invited_at = NULL, invited_until = NULL, claimed_at = NULL, told_at = NULL,
        lapses = lapses + 1
    WHERE tier = :tier AND invited_until <= now()
""")


def lapse(connection: Connection, tier: Tier) -> int:
    """Put those whose invitation has run out behind all who let fewer run out; how many."""
    return connection.execute(_LAPSE, {"tier": tier.value}).rowcount


_INVITE = text(f"""
    UPDATE waitlist SET invited_at = now(), invited_until = now() + make_interval(secs => :lasts)
    WHERE member_key IN (
        SELECT member_key FROM waitlist WHERE tier = :tier AND invited_at IS NULL
            AND NOT {_SHUT_OUT}
        ORDER BY lapses, number LIMIT :batch FOR UPDATE SKIP LOCKED
    )
""")


def invite(connection: Connection, tier: Tier, batch: int, lasts: timedelta) -> int:
    """Invite the first `batch` who wait; how many there were. Bots tell them (`claim_untold`).

    Whoever waits for a door that was closed by hand keeps their place until it opens.
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
    """An invited member comes in. Their row, for the job to keep: see `STANDS_AGAIN`."""
    row: dict[str, Any] | None = connection.scalar(_ENTER, {"key": member_key})
    return row


STANDS_AGAIN = """
    INSERT INTO waitlist OVERRIDING SYSTEM VALUE
    SELECT row.* FROM moved, jsonb_populate_record(
        NULL::waitlist, moved.invitation || jsonb_build_object(
            'invited_at', now(), 'invited_until', now() + :invitation_lasts, 'told_at', now()
        )
    ) AS row
    WHERE moved.invitation IS NOT NULL
    ON CONFLICT (member_key) DO UPDATE SET invited_at = excluded.invited_at,
        invited_until = excluded.invited_until, told_at = excluded.told_at
"""
"""Within the end of a job that made no picture (`moved`): its invitation is open again.

The member is told so in the job's own message.
"""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An open invitation that its member is to be told of."""

    member: Member
    place: Place
    tier: Tier
    until: datetime


_CLAIM = text("""
    UPDATE waitlist SET claimed_at = now()
    WHERE member_key IN (
        SELECT member_key FROM waitlist
        WHERE invited_until > now() AND told_at IS NULL AND place ->> 'platform' = ANY (:platforms)
            AND (claimed_at IS NULL OR claimed_at < now() - make_interval(secs => :claim))
        ORDER BY number LIMIT :limit FOR UPDATE SKIP LOCKED
    )
    RETURNING member, place, tier, invited_until
""").bindparams(bindparam("platforms", type_=ARRAY(Text)))


def claim_untold(connection: Connection, platforms: list[str], limit: int) -> list[Invitation]:
    """Invitations nobody was told of, for these platforms; they are the caller's to tell now.

    Whoever does not say within five minutes that it was done (`told`), or could not be (`untell`),
    has died over it, and somebody else may claim it.
    """
    values = {"platforms": platforms, "limit": limit, "claim": CLAIM_SECONDS}
    rows = connection.execute(_CLAIM, values)
    return [
        Invitation(
            member_from_json(row.member), Place(**row.place), Tier(row.tier), row.invited_until
        )
        for row in rows
    ]


_TOLD = text("UPDATE waitlist SET told_at = now() WHERE member_key = :key AND told_at IS NULL")


def told(connection: Connection, member_key: str) -> None:
    """The member knows."""
    connection.execute(_TOLD, {"key": member_key})


_UNTELL = text("UPDATE waitlist SET claimed_at = NULL WHERE member_key = :key")


def untell(connection: Connection, member_key: str) -> None:
    """The telling failed: somebody must try again."""
    connection.execute(_UNTELL, {"key": member_key})
