"""The waitlist: members in the order they joined."""

from __future__ import annotations

from dataclasses import asdict

from sqlalchemy import Connection, bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from tasks.members import Member, Place
from tasks.store.jobs import member_to_json
from tasks.tiers import Tier
from tasks.views import WaitlistPlace

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


_PLACE = text("""
    SELECT joined_at, CASE WHEN invited_until > now() THEN invited_until END AS invited_until,
        CASE WHEN invited_at IS NULL THEN (
            SELECT count(*) FROM waitlist AS other
            WHERE other.invited_at IS NULL AND other.number <= mine.number
        ) END AS position
    FROM waitlist AS mine WHERE member_key = :key
""")


def place_of(connection: Connection, member_key: str) -> WaitlistPlace:
    """Where a member stands; all None where they are not on it."""
    row = connection.execute(_PLACE, {"key": member_key}).one_or_none()
    if row is None:
        return WaitlistPlace(None, None, None)
    return WaitlistPlace(row.position, row.joined_at, row.invited_until)
