"""What the app offers to Slack: the manifest and the listeners are both made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class SlashCommand:
    """A slash command. Where `escape` is set, Slack turns @people and @groups into their ids."""

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

# Each event with what it is for: one that nothing listens to would be asked for in vain.
EVENTS: Mapping[str, str] = {
    "app_mention": "prompts in channels",
    "message.im": "prompts in direct messages and assistant threads",
    "app_home_opened": "the Home tab",
    "assistant_thread_started": "suggestions in an assistant thread",
    "subteam_members_changed": "a new tier counts at once",
    "subteam_updated": "a new tier counts at once",
    "tokens_revoked": "an installation that ends",
    "app_uninstalled": "an installation that ends",
}

# Each scope with what would not work without it.
SCOPES: Mapping[str, str] = {
    "app_mentions:read": "hear a mention",
    "assistant:write": "suggestions and status in assistant threads",
    "channels:history": "find a placeholder again whose posting was not answered",
    "chat:write": "post and edit its own messages",
    "commands": "slash commands and shortcuts",
    "files:read": "read the pictures that members send",
    "files:write": "upload results",
    "groups:history": "as channels:history, in private channels",
    "im:history": "hear direct messages",
    "im:write": "as channels:history, in direct messages that the app began",
    "mpim:history": "as channels:history, in group messages",
    "usergroups:read": "user groups give tiers",
    "users:read": "a member's language, and whether they are an administrator",
}

METADATA_EVENT = "atelier_job"
"""The metadata of every placeholder carries its job's id under this event type."""
