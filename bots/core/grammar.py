"""The text people type, made into a `Command`: prompts with flags, and `/atelier …` words.

The same grammar serves Slack's mentions and slash commands and the playground's box. It is pure:
what it cannot understand comes back as a `BadCommand` with the sentence to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bots.core.command import (
    BadCommand,
    BadInput,
    Cancel,
    Command,
    Help,
    History,
    Imagine,
    Privacy,
    Queue,
    Quota,
    Settings,
    StudioAudit,
    StudioBlock,
    StudioCapacity,
    StudioDoors,
    StudioGrant,
    StudioRole,
    StudioRoles,
    StudioSettings,
    StudioWords,
    Waitlist,
)
from bots.core.flags import Misread, first_word, listed, parse_prompt, read_flag
from tasks.client import read_subject
from tasks.tiers import DoorState, Tier

BACK = frozenset({"undo", "back", "annuler", "retour"})
SETTINGS = ("aspect", "count", "model", "language")


def parse(text: str) -> Command | BadCommand:
    """The command in a message: a prompt with flags, `/imagine …`, or `/atelier …`."""
    stripped = text.strip()
    if not stripped.startswith("/"):
        return imagine(stripped)
    word, rest = first_word(stripped[1:])
    match word.lower():
        case "imagine":
            return imagine(rest)
        case "atelier":
            return parse_atelier(rest)
        case "studio":
            return parse_studio(rest)
        case other if other in _ACCOUNT:
            return parse_atelier(f"{other} {rest}")
        case other:
            return BadCommand(
                BadInput.UNKNOWN_COMMAND, {"word": other, "known": listed(sorted(_ACCOUNT))}
            )


def imagine(text: str) -> Imagine | BadCommand:
    """A prompt with flags as an order of pictures."""
    prompt = parse_prompt(text)
    if isinstance(prompt, BadCommand):
        return prompt
    return prompt.imagine()


def takes_back(text: str) -> bool:
    """Whether words about a picture ask for the one that it was made from, and for no edit."""
    return text.strip().strip(".!").lower() in BACK


def parse_atelier(text: str) -> Command | BadCommand:
    """The words behind `/atelier`."""
    word, rest = first_word(text)
    reader = _ACCOUNT.get(word.lower() or "help")
    if reader is None:
        return BadCommand(
            BadInput.UNKNOWN_COMMAND, {"word": word, "known": listed(sorted(_ACCOUNT))}
        )
    return _read(reader, rest)


def parse_studio(text: str) -> Command | BadCommand:
    """The words behind `/studio`, or `/atelier studio`."""
    word, rest = first_word(text)
    reader = _STUDIO.get(word.lower())
    if reader is None:
        return BadCommand(
            BadInput.UNKNOWN_COMMAND, {"word": word, "known": listed(sorted(_STUDIO))}
        )
    return _read(reader, rest)


def read_tier(word: str) -> Tier:
    """A tier by its name."""
    try:
        return Tier(word.lower())
    except ValueError:
        raise Misread(BadInput.BAD_TIER, value=word, known=listed(list(Tier))) from None


Reader = Callable[[Sequence[str], str], Command]


def _read(reader: Reader, rest: str) -> Command | BadCommand:
    try:
        return reader(rest.split(), rest.strip())
    except Misread as wrong:
        return wrong.command


def _settings(words: Sequence[str], _rest: str) -> Command:
    changes: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in SETTINGS or not equals:
            raise Misread(BadInput.BAD_SETTING, value=word, known=listed(SETTINGS))
        changes[name] = read_flag(name, value) if value else None
    return Settings(changes)


def _privacy(words: Sequence[str], rest: str) -> Command:
    match list(words):
        case ["export"]:
            return Privacy("export")
        case ["delete"]:
            return Privacy("delete")
        case ["delete", "confirm"]:
            return Privacy("delete", confirmed=True)
        case _:
            known = "export, delete"
            raise Misread(BadInput.UNKNOWN_COMMAND, word=f"privacy {rest}".strip(), known=known)


def _waitlist(words: Sequence[str], rest: str) -> Command:
    match list(words):
        case [] | ["status"]:
            return Waitlist("status")
        case ["join"]:
            return Waitlist("join")
        case ["leave"]:
            return Waitlist("leave")
        case _:
            known = "join, leave, status"
            raise Misread(BadInput.UNKNOWN_COMMAND, word=f"waitlist {rest}", known=known)


def _studio(_words: Sequence[str], rest: str) -> Command:
    command = parse_studio(rest)
    if isinstance(command, BadCommand):
        raise Misread(command.code, **command.details)
    return command


# Slack writes people and groups as <@U1|name> and <!subteam^S1|@name>; Discord's are <@&1>, <@1>.
_MENTION = re.compile(r"<(?:@&|@!?|!subteam\^)(?P<id>[A-Za-z0-9]+)(?:\|[^>]*)?>")


def mention_id(word: str) -> str:
    """The id in a mention of a member, role or user group; the word itself where it is plain."""
    match = _MENTION.fullmatch(word)
    return match["id"] if match else word.lstrip("@")


def _role(words: Sequence[str], _rest: str) -> Command:
    if len(words) != 2:
        raise Misread(BadInput.NEEDS_ROLE)
    tier = None if words[1].lower() == "none" else read_tier(words[1])
    return StudioRole(mention_id(words[0]), tier)


def _doors(words: Sequence[str], _rest: str) -> Command:
    if not words:
        return StudioDoors()
    try:
        door = read_subject(words[0])
    except ValueError:
        door = read_tier(words[0])  # which says what tiers there are
    if len(words) == 1:
        return StudioDoors(door)
    try:
        return StudioDoors(door, DoorState(words[1].lower()))
    except ValueError:
        raise Misread(BadInput.BAD_STATE, value=words[1], known=listed(list(DoorState))) from None


def _block(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise Misread(BadInput.NEEDS_MEMBER)
    return StudioBlock(mention_id(words[0]), blocked=True)


def _unblock(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise Misread(BadInput.NEEDS_MEMBER)
    return StudioBlock(mention_id(words[0]), blocked=False)


def _words(words: Sequence[str], rest: str) -> Command:
    if not words:
        return StudioWords()
    if words[0] == "try":
        return StudioWords(trial=first_word(rest)[1])
    if words[0] == "clear":
        return StudioWords(words=())
    return StudioWords(words=tuple(w.strip() for w in rest.split(",") if w.strip()))


def _grant(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise Misread(BadInput.NEEDS_MEMBER)
    try:
        amount = float(words[1])
    except (IndexError, ValueError):
        raise Misread(BadInput.BAD_CREDITS, value=" ".join(words[1:2])) from None
    if not -100_000 <= amount <= 100_000:
        raise Misread(BadInput.BAD_CREDITS, value=words[1])
    return StudioGrant(mention_id(words[0]), amount, " ".join(words[2:]))


def _studio_settings(words: Sequence[str], _rest: str) -> Command:
    changes = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise Misread(BadInput.BAD_SETTING, value=word, known=listed(SERVER_SETTINGS))
        changes[name] = value
    return StudioSettings(changes)


SERVER_SETTINGS = (
    "default_tier",
    "language",
    "channels",
    "nsfw",
    "largest_megapixels",
    "visibility",
)

_ACCOUNT: Mapping[str, Reader] = {
    "queue": lambda _words, _rest: Queue(),
    "cancel": lambda words, _rest: Cancel(words[0] if words else None),
    "quota": lambda _words, _rest: Quota(),
    "history": lambda _words, _rest: History(),
    "settings": _settings,
    "privacy": _privacy,
    "waitlist": _waitlist,
    "help": lambda _words, _rest: Help(),
    "studio": _studio,
}

_STUDIO: Mapping[str, Reader] = {
    "role": _role,
    "roles": lambda _words, _rest: StudioRoles(),
    "doors": _doors,
    "capacity": lambda _words, _rest: StudioCapacity(),
    "block": _block,
    "unblock": _unblock,
    "words": _words,
    "grant": _grant,
    "settings": _studio_settings,
    "audit": lambda _words, _rest: StudioAudit(),
}
