"""A member's current language, administrator role, and user groups (which give tiers).

One call of `usergroups.list` returns every group of a workspace with its members. It is made at
most once in `FRESH_SECONDS`, so a change takes effect within a minute. After an event about a
change it is made sooner, within the rate limit of the method (20 a minute). The bot looks up every
member who sends a command, and the publisher looks up members whose order has waited.

A command waits at most `LOOKUP_SECONDS` for Slack: its order has to be stored before the
acknowledgement is due. An older answer serves in place of one that is late.
"""

from __future__ import annotations

import asyncio
import functools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from cachetools import LRUCache

from bots.slack.lookup import Lookup
from bots.slack.transport import TOKEN_GONE, Rejected, SlackError, Web
from tasks.jobs.members import Member

FRESH_SECONDS = 45.0  # seconds an answer is used without asking Slack again
REFRESH_SECONDS = 4.5  # seconds between two calls while groups are being changed
STALE_SECONDS = 600.0  # seconds an old answer is used while Slack does not answer
LOOKUP_SECONDS = 1.0  # seconds a command waits for Slack
CACHE_SIZE = 10_000  # members

Person = Mapping[str, Any]
Groups = Mapping[str, frozenset[str]]
"""The ids of the user groups of each member, by member id."""


@dataclass(slots=True)
class MemberDirectory:
    """Caches the members and user groups of each workspace, by team id."""

    clock: Callable[[], float] = time.monotonic
    _people: LRUCache[tuple[str, str], Lookup[Person]] = field(
        default_factory=lambda: LRUCache(CACHE_SIZE)
    )
    _groups: dict[str, Lookup[Groups]] = field(default_factory=dict)
    _tokens: dict[str, Web] = field(default_factory=dict)
    _changed: set[str] = field(default_factory=set)

    async def member(self, web: Web, user: str) -> Member:
        """The member with their current role, language and groups."""
        person, groups = await asyncio.gather(self._person(web, user), self._member_groups(web))
        return Member(
            platform="slack",
            workspace=web.team,
            id=user,
            name=str(person.get("real_name") or person.get("name") or ""),
            roles=groups.get(user, frozenset()),
            locale="fr" if str(person.get("locale", "")).lower().startswith("fr") else "en",
            administrator=_is_administrator(person, web.team),
        )

    async def display_name(self, web: Web, user: str) -> str:
        """The name that members see; empty where Slack does not answer."""
        person = await self._person(web, user)
        profile = person.get("profile") or {}
        name = profile.get("display_name") or person.get("real_name") or person.get("name")
        return str(name or "")

    async def roles(self, web: Web, member: Member) -> frozenset[str] | None:
        """A member's current groups; None where Slack does not answer.

        A group missing from an answer counts as lost only if the answer is newer than
        `REFRESH_SECONDS`: an older one may predate the member's right to the group.
        """
        lookup = self._group_lookup(web)
        groups = await lookup.fresh(FRESH_SECONDS)
        if groups is not None and not member.roles <= groups.get(member.id, frozenset()):
            groups = await lookup.fresh(REFRESH_SECONDS)
        return None if groups is None else groups.get(member.id, frozenset())

    def groups_changed(self, team: str) -> None:
        """Read the groups again soon: Slack reported a change."""
        self._changed.add(team)

    async def _person(self, web: Web, user: str) -> Person:
        key = (web.team, user)
        lookup = self._people.get(key)
        if lookup is None:
            fetch = functools.partial(self._fetch_person, web.team, user)
            lookup = self._people[key] = Lookup(fetch, self.clock)
        self._tokens[web.team] = web
        person = await lookup.fresh(FRESH_SECONDS, LOOKUP_SECONDS)
        return person or lookup.latest(STALE_SECONDS) or {}

    async def _member_groups(self, web: Web) -> Groups:
        lookup = self._group_lookup(web)
        max_age = REFRESH_SECONDS if web.team in self._changed else FRESH_SECONDS
        groups = await lookup.fresh(max_age, LOOKUP_SECONDS)
        return groups if groups is not None else lookup.latest(STALE_SECONDS) or {}

    def _group_lookup(self, web: Web) -> Lookup[Groups]:
        self._tokens[web.team] = web
        lookup = self._groups.get(web.team)
        if lookup is None:
            fetch = functools.partial(self._fetch_groups, web.team)
            lookup = self._groups[web.team] = Lookup(fetch, self.clock)
        return lookup

    async def _fetch_person(self, team: str, user: str) -> Person:
        answer = await self._tokens[team].call("users.info", user=user, include_locale=True)
        return dict(answer["user"])

    async def _fetch_groups(self, team: str) -> Groups:
        self._changed.discard(team)
        try:
            return _by_member(await _all_groups(self._tokens[team]))
        except SlackError as error:
            if isinstance(error, Rejected) and error.code not in TOKEN_GONE:
                return {}  # the plan has no user groups, or the app may not list them
            self._changed.add(team)
            raise


def _is_administrator(person: Person, team: str) -> bool:
    """Whether a person administers this workspace.

    For a member of another organisation in a shared channel (Slack Connect), Slack reports the role
    in their own workspace, which gives no rights here.
    """
    teams = {person.get("team_id"), *(person.get("enterprise_user") or {}).get("teams", ())}
    return team in teams and bool(person.get("is_admin") or person.get("is_owner"))


async def _all_groups(web: Web) -> list[Mapping[str, Any]]:
    """The groups with their members; lists members group by group where Slack omits them."""
    groups: list[Mapping[str, Any]] = []
    for group in (await web.call("usergroups.list", include_users=True)).get("usergroups", []):
        users = group.get("users")
        if users is None and not group.get("date_delete"):
            answer = await web.call("usergroups.users.list", usergroup=group["id"], max_wait=15.0)
            users = answer.get("users")
        groups.append({**group, "users": users or []})
    return groups


def _by_member(groups: list[Mapping[str, Any]]) -> Groups:
    members: dict[str, set[str]] = {}
    for group in groups:
        if not group.get("date_delete"):
            for user in group.get("users", []):
                members.setdefault(user, set()).add(group["id"])
    return {user: frozenset(names) for user, names in members.items()}
