"""What the app offers on Slack. The manifest and the listeners are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A slash command. With `escape`, Slack replaces @people and @groups by their ids."""

    command: str
    description: str
    hint: str
    escape: bool = False


class Shortcut(StrEnum):
    """Callback ids of the shortcuts and of the modals they open."""

    COMPOSE = "atelier_compose"
    EDIT = "atelier_edit"
    VARY = "atelier_vary"
    UPSCALE = "atelier_upscale"


class Modal(StrEnum):
    """Callback ids of the modals."""

    COMPOSE = "atelier_compose_modal"
    EDIT = "atelier_edit_modal"
    REROLL = "atelier_reroll_modal"
    REPORT = "atelier_report_modal"


IMAGINE = SlashCommand("/imagine", "Make a picture", "a red house by the sea --ar 16:9 --count 2")
ATELIER = SlashCommand(
    "/atelier",
    "Your queue, quota, history and settings",
    "queue | cancel | quota | history | settings | privacy | waitlist | help",
    escape=True,
)
COMMANDS = (IMAGINE, ATELIER)

GLOBAL_SHORTCUTS: Mapping[Shortcut, tuple[str, str]] = {
    Shortcut.COMPOSE: ("Make a picture", "Write a prompt, choose a shape, and post the picture"),
}
MESSAGE_SHORTCUTS: Mapping[Shortcut, tuple[str, str]] = {
    Shortcut.EDIT: ("Edit picture", "Say what to change in this picture"),
    Shortcut.VARY: ("Vary picture", "Make another picture like this one"),
    Shortcut.UPSCALE: ("Upscale picture", "Make this picture twice as large"),
}

# Each subscribed event and its purpose.
EVENTS: Mapping[str, str] = {
    "app_mention": "prompts in channels",
    "message.im": "prompts in direct messages",
    "app_home_opened": "the Home tab, and suggested prompts in direct messages",
    "subteam_members_changed": "a changed tier takes effect at once",
    "subteam_updated": "a changed tier takes effect at once",
    "tokens_revoked": "the end of an installation",
    "app_uninstalled": "the end of an installation",
}

# Each scope and the feature that needs it.
SCOPES: Mapping[str, str] = {
    "app_mentions:read": "mentions",
    "assistant:write": "suggested prompts in direct messages",
    "channels:history": "finding a placeholder whose posting got no response",
    "chat:write": "posting and editing the app's messages",
    "commands": "slash commands and shortcuts",
    "files:read": "reading the pictures that members send",
    "files:write": "uploading results",
    "groups:history": "as channels:history, in private channels",
    "im:history": "direct messages",
    "im:write": "as channels:history, in direct messages that the app opened",
    "mpim:history": "as channels:history, in group messages",
    "usergroups:read": "tiers from user groups",
    "users:read": "a member's language and administrator role",
}

# Scopes that whoever installs the app may decline; the app works without them.
OPTIONAL_SCOPES = frozenset(
    {"channels:history", "groups:history", "im:write", "mpim:history", "usergroups:read"}
)

METADATA_EVENT = "atelier_job"
"""Event type of the message metadata that carries a placeholder's job id."""
