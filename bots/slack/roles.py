"""Who a member is now: language, administrator or not, and the user groups that give tiers.

One call of `usergroups.list` tells every group of a workspace with its members. It is made at most
once in `FRESH` seconds, so that a change counts within a minute; where Slack tells of a change, it
is made anew, but no more often than the method allows (20 a minute). The bot asks so for everyone
who speaks to it, and the worker's courier for members whose order has waited.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import structlog

from bots.slack.web import TOKEN_GONE, Refused, SlackFault, Web
from tasks.members import Member

FRESH = 45.0  # seconds a look counts for
SETTLES = 4.5  # seconds between two looks while groups are being changed
STALE = 600.0  # seconds an old look may stand in while Slack cannot be asked
REMEMBERED = 10_000  # people


@dataclass(slots=True)
class _Look:
    at: float
    value: Any


@dataclass(slots=True)
class Directory:
    """What is known of the people of each workspace, by team id."""

    clock: Callable[[], float] = time.monotonic
    _people: dict[tuple[str, str], _Look] = field(default_factory=dict)
    _groups: dict[str, _Look] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)
    _locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def member(self, web: Web, user: str) -> Member:
        """The member as they are now."""
        person = await self._person(web, user)
        groups = await self._groups_of(web)
        return Member(
            platform="slack",
            workspace=web.team,
            id=user,
            name=str(person.get("real_name") or person.get("name") or ""),
            roles=groups.get(user, frozenset()),
            locale="fr" if str(person.get("locale", "")).lower().startswith("fr") else "en",
            administrator=bool(person.get("is_admin") or person.get("is_owner")),
        )

    async def roles(self, web: Web, member: Member) -> frozenset[str] | None:
        """A known member's groups now; None where Slack does not tell.

        A group is not called lost by a look that may be older than the member's right to it.
        """
        look = await self._look(web, FRESH)
        if look is not None and not member.roles <= _groups(look, member):
            look = await self._look(web, SETTLES)
        return None if look is None else _groups(look, member)

    def groups_changed(self, team: str) -> None:
        """Slack told that a group changed: look again soon, whatever is remembered."""
        self._changed.add(team)

    async def _person(self, web: Web, user: str) -> Mapping[str, Any]:
        key = (web.team, user)
        look = self._people.get(key)
        if look is not None and look.at > self.clock() - FRESH:
            return dict(look.value)
        try:
            seen = (await web.call("users.info", user=user, include_locale=True))["user"]
        except SlackFault as fault:
            _log(fault)
            return self._old(look)
        while len(self._people) >= REMEMBERED:
            self._people.pop(next(iter(self._people)))
        self._people.pop(key, None)
        self._people[key] = _Look(self.clock(), seen)
        return dict(seen)

    async def _groups_of(self, web: Web) -> Mapping[str, frozenset[str]]:
        fresh = SETTLES if web.team in self._changed else FRESH
        look = await self._look(web, fresh)
        return dict(look.value) if look else self._old(self._groups.get(web.team))

    async def _look(self, web: Web, fresh: float) -> _Look | None:
        """Everybody's groups, as they were within the last `fresh` seconds; None if not told."""
        lock = self._locks.setdefault(web.team, asyncio.Lock())
        async with lock:  # many members may ask in one moment; Slack is asked once
            look = self._groups.get(web.team)
            if look is not None and look.at > self.clock() - fresh:
                return look
            self._changed.discard(web.team)
            try:
                groups = await _all_groups(web)
            except SlackFault as fault:
                _log(fault)
                if not isinstance(fault, Refused) or fault.code in TOKEN_GONE:
                    self._changed.add(web.team)
                    return None
                # A plan without user groups, or an app without the right to see them.
                groups = []
            now = _Look(self.clock(), _by_member(groups))
            self._groups[web.team] = now
            return now

    def _old(self, look: _Look | None) -> Mapping[str, Any]:
        if look is None or look.at < self.clock() - STALE:
            return {}
        return dict(look.value)


async def _all_groups(web: Web) -> list[Mapping[str, Any]]:
    """The groups with their members; asked one by one of a Slack that leaves these out."""
    groups: list[Mapping[str, Any]] = []
    for group in (await web.call("usergroups.list", include_users=True)).get("usergroups", []):
        users = group.get("users")
        if users is None and not group.get("date_delete"):
            told = await web.call("usergroups.users.list", usergroup=group["id"], patience=15.0)
            users = told.get("users")
        groups.append({**group, "users": users or []})
    return groups


def _groups(look: _Look, member: Member) -> frozenset[str]:
    found: frozenset[str] = look.value.get(member.id, frozenset())
    return found


def _by_member(groups: Any) -> dict[str, frozenset[str]]:
    members: dict[str, set[str]] = {}
    for group in groups:
        if not group.get("date_delete"):
            for user in group.get("users", []):
                members.setdefault(user, set()).add(group["id"])
    return {user: frozenset(names) for user, names in members.items()}


def _log(fault: SlackFault) -> None:
    structlog.get_logger().warning("Slack did not tell who a member is", why=str(fault))
