"""Which servers may use the bot, and how far their administrators' decisions go. Pure.

A server is a Discord guild or a Slack workspace. The playground and the terminal are the operator's
own and have no limits here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from tasks.jobs.tiers import Tier

REMOTE = frozenset({"discord", "slack"})
DIRECT = "@me"  # the workspace of Discord's direct messages, which has no administrators


class AccessMode(StrEnum):
    """Which servers may use the bot."""

    EVERYONE = "everyone"
    LISTED = "listed"  # those that atelier.toml names
    APPROVED = "approved"  # those, and the ones approved by `atelier servers approve`


@dataclass(frozen=True, slots=True)
class ServerLimits:
    """The highest tier that a server's administrators may give, and their grants.

    `highest_grant` is in credits, of all grants to the server's members within 30 days; None has no
    limit.
    """

    highest_tier: Tier = Tier.PRO
    highest_grant: float | None = None


UNLIMITED = ServerLimits()
UNKNOWN = ServerLimits(Tier.FREE, 0.0)


@dataclass(frozen=True, slots=True)
class ServerRecord:
    """What the database has about a server; `limits` are set where it was approved with some."""

    approved: bool = False
    banned: bool = False
    limits: ServerLimits = UNLIMITED


@dataclass(frozen=True, slots=True)
class ServerAccess:
    """Whether a server's members may use the bot; `denied` is the refusal's code, or ""."""

    limits: ServerLimits
    denied: str = ""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """The operator's allow-list. `servers` is (platform, workspace) → limits.

    `unknown` holds for a server that is neither listed nor approved.
    """

    mode: AccessMode = AccessMode.EVERYONE
    unknown: ServerLimits = UNKNOWN
    servers: Mapping[tuple[str, str], ServerLimits] = field(default_factory=dict)

    @property
    def approves_first(self) -> bool:
        """Whether a platform's first server is approved by itself: it is usually the operator's."""
        return self.mode is AccessMode.EVERYONE

    def decide(self, platform: str, workspace: str, record: ServerRecord | None) -> ServerAccess:
        """The access of a server with this record, or with none yet."""
        if platform not in REMOTE:
            return ServerAccess(UNLIMITED)
        if record is not None and record.banned:
            return ServerAccess(self.unknown, "server-banned")
        if listed := self.servers.get((platform, workspace)):
            return ServerAccess(listed)
        approved = record is not None and record.approved
        if record is not None and approved and self.mode is not AccessMode.LISTED:
            return ServerAccess(record.limits)
        if self.mode is AccessMode.EVERYONE:
            return ServerAccess(self.unknown)
        return ServerAccess(self.unknown, "server-not-approved")


def read_server_name(name: str) -> tuple[str, str]:
    """Platform and workspace of "discord:GUILD" or "slack:WORKSPACE". Raises ValueError."""
    platform, _, workspace = name.partition(":")
    if platform not in REMOTE or not workspace:
        raise ValueError('a server such as "discord:2000000000000000001" or "slack:T0001"')
    return platform, workspace
