"""The app manifest, made from `app_spec`. `python -m bots.slack.manifest` prints it.

Slack reads `manifest.json` at "Create an app → From a manifest". It enables Socket Mode, which
needs no public address. `http_manifest` is the same app for a server with a public address.
https://docs.slack.dev/reference/app-manifest
"""

from __future__ import annotations

import json
from typing import Any

from bots.slack.app_spec import (
    COMMANDS,
    EVENTS,
    GLOBAL_SHORTCUTS,
    MESSAGE_SHORTCUTS,
    OPTIONAL_SCOPES,
    SCOPES,
)

Manifest = dict[str, Any]
AGENT_DESCRIPTION = "Makes pictures from a description, and changes them as you ask"
LONG = (
    "Atelier makes pictures where your team works. Mention it with a prompt, in English or French, "
    "and it replies in a thread with the picture. Reply in that thread to change the picture. "
    "User groups set the limits, and everyone sees their place in line."
)


def manifest() -> Manifest:
    """The app for Socket Mode."""
    return {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": "Atelier",
            "description": "An image studio in your workspace",
            "long_description": LONG,
            "background_color": "#2f3e46",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Atelier", "always_online": True},
            "agent_view": {"agent_description": AGENT_DESCRIPTION},
            "shortcuts": _shortcuts(),
            "slash_commands": [
                {
                    "command": command.command,
                    "description": command.description,
                    "usage_hint": command.hint,
                    "should_escape": command.escape,
                }
                for command in COMMANDS
            ],
        },
        "oauth_config": {
            "scopes": {"bot": sorted(SCOPES), "bot_optional": sorted(OPTIONAL_SCOPES)}
        },
        "settings": {
            "event_subscriptions": {"bot_events": sorted(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }


def http_manifest(origin: str) -> Manifest:
    """The app for signed HTTP requests to `origin` (https://…); many workspaces can install it."""
    made = manifest()
    for command in made["features"]["slash_commands"]:
        command["url"] = f"{origin}/slack/commands"
    settings = made["settings"]
    settings["event_subscriptions"]["request_url"] = f"{origin}/slack/events"
    settings["interactivity"]["request_url"] = f"{origin}/slack/interactions"
    settings |= {"socket_mode_enabled": False, "token_rotation_enabled": True}
    made["oauth_config"]["redirect_urls"] = [f"{origin}/slack/oauth_redirect"]
    return made


def text(made: Manifest) -> str:
    """A manifest as JSON text, as in `manifest.json`."""
    return json.dumps(made, indent=2, ensure_ascii=False) + "\n"


def _shortcuts() -> list[dict[str, str]]:
    listed = [("global", GLOBAL_SHORTCUTS), ("message", MESSAGE_SHORTCUTS)]
    return [
        {"name": name, "type": kind, "callback_id": str(callback), "description": description}
        for kind, shortcuts in listed
        for callback, (name, description) in shortcuts.items()
    ]


if __name__ == "__main__":
    import sys

    origin = sys.argv[1] if len(sys.argv) > 1 else ""
    sys.stdout.write(text(http_manifest(origin) if origin else manifest()))
