"""Converts incoming Slack text to plain text, and escapes outgoing text. Pure.

Slack writes `&`, `<` and `>` as entities and puts mentions and links inside `<…>`, so text with
these three characters escaped contains no mention and no link.
https://docs.slack.dev/messaging/formatting-message-text

Every function takes time linear in the length of its text: members choose that text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

_LINKS = ("http:", "https:", "mailto:", "tel:")


def escape(text: str) -> str:
    """Text in which Slack parses no mention, link or date."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def to_plain_text(text: str) -> str:
    """The text a member typed, from Slack's markup.

    Links lose their brackets. Mentions of people, groups and channels keep theirs, because commands
    read the ids in them. NUL and lone surrogates, which no database column stores, are dropped.
    """
    pieces = []
    for before, active in _split(text):
        pieces.append(before)
        if active is not None:
            pieces.append(_unbracket(active))
    plain = "".join(pieces).replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
    return plain.replace("\0", "").encode(errors="ignore").decode()


def strip_mention(text: str, user: str) -> str:
    """The text without the mentions of the app's own user."""
    pieces: list[list[str]] = [[]]
    for before, active in _split(text):
        pieces[-1].append(before)
        if active is None:
            continue
        if active.partition("|")[0] == f"@{user}":
            pieces.append([])
        else:
            pieces[-1].append(f"<{active}>")
    return " ".join(filter(None, ("".join(piece).strip() for piece in pieces)))


def mentioned_users(text: str) -> list[str]:
    """The ids of the members that a text mentions, in their order."""
    active = (active for _, active in _split(text) if active is not None)
    return list(dict.fromkeys(each[1:].partition("|")[0] for each in active if each[0] == "@"))


def name_mentions(text: str, names: Mapping[str, str]) -> str:
    """The text, still in Slack's markup, with mentions of members and channels as names.

    `names` maps member ids to names. A mention without a known name stays as it is.
    """
    pieces = []
    for before, active in _split(text):
        pieces.append(before)
        if active is not None:
            pieces.append(_named(active, names))
    return "".join(pieces)


def truncate(text: str, length: int) -> str:
    """At most `length` characters, not cut inside an entity; an ellipsis marks the cut."""
    if len(text) <= length:
        return text
    cut = text[: length - 1]
    entity = cut.rfind("&", max(0, len(cut) - 5))
    if entity != -1 and ";" not in cut[entity:]:
        cut = cut[:entity]
    return cut + "…"


def _split(text: str) -> Iterator[tuple[str, str | None]]:
    """The text between brackets, each piece with the content of the `<…>` that follows it.

    The content is None for the last piece. An unmatched `<` or `>` is ordinary text.
    """
    position = 0
    while (end := text.find(">", position)) != -1:
        start = text.rfind("<", position, end)
        if start == -1 or start + 1 == end or text[start + 1] == "|":
            yield text[position : end + 1], None
        else:
            yield text[position:start], text[start + 1 : end]
        position = end + 1
    yield text[position:], None


def _named(active: str, names: Mapping[str, str]) -> str:
    target, _, label = active.partition("|")
    if target.startswith("!subteam^"):
        return f"@{label.lstrip('@')}" if label else f"<{active}>"
    if target.startswith("!"):
        return f"@{label.lstrip('@') or target[1:]}"
    name = label or escape(names.get(target[1:], ""))
    return f"{target[0]}{name}" if target[0] in "@#" and name else f"<{active}>"


def _unbracket(active: str) -> str:
    target, _, label = active.partition("|")
    if target.lower().startswith(_LINKS):
        return label or target.removeprefix("mailto:").removeprefix("tel:")
    return f"<{active}>"
