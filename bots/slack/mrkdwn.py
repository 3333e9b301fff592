"""Slack's text: what comes in is made plain, what goes out can never ping anyone. Pure.

Slack writes `&`, `<` and `>` as entities and everything active inside `<…>`; escaping those three
characters therefore takes the life out of any text.
https://docs.slack.dev/messaging/formatting-message-text
"""

from __future__ import annotations

import re

_ACTIVE = re.compile(r"<([^<>|]+)(?:\|([^<>]*))?>")
_LINK = re.compile(r"^(?:https?|mailto|tel):", re.IGNORECASE)


def escape(text: str) -> str:
    """Text that Slack shows as it is and never reads as a mention, a link or a date."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(text: str) -> str:
    """What a member typed, from what Slack sent.

    Links lose their brackets; mentions of people, groups and channels keep theirs, so that
    commands can read the ids in them.
    """
    return (
        _ACTIVE.sub(_unbracket, text)
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&amp;", "&")
    )


def without_mention(text: str, user: str) -> str:
    """The words around a mention of the app's own user."""
    return re.sub(rf"\s*<@{re.escape(user)}(?:\|[^>]*)?>\s*", " ", text).strip()


def clip(text: str, length: int) -> str:
    """At most `length` characters, never cut inside an entity; an ellipsis shows the cut."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    entity = cut.rfind("&", max(0, len(cut) - 5))
    if entity != -1 and ";" not in cut[entity:]:
        cut = cut[:entity]
    return cut + "…"


def _unbracket(match: re.Match[str]) -> str:
    target, label = match.groups()
    if _LINK.match(target):
        return label or target.removeprefix("mailto:").removeprefix("tel:")
    return match[0]
