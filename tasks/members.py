"""Who asks, and where: the platform-free identity of people and places."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or thread on a platform.

    `platform` is "discord", "slack", "web" or "terminal"; `workspace` is the guild or team (for a
    direct message without one: "@me"); ids are the platform's own, as text.
    """

    platform: str
    workspace: str
    channel: str
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A person in a workspace, as they are at this moment.

    `roles` are role, usergroup and premium SKU ids as the platform gives them. `locale` is "en" or
    "fr". `administrator` is the platform's own word (manage-guild, Slack admin).
    """

    platform: str
    workspace: str
    id: str
    name: str = ""
    roles: frozenset[str] = field(default_factory=frozenset)
    locale: str = "en"
    administrator: bool = False

    @property
    def key(self) -> str:
        """One text for this person in this workspace: what quotas and fairness are counted by."""
        return f"{self.platform}:{self.workspace}:{self.id}"
