"""Parses the words after `/atelier` and `/studio`. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bots.core.commands import (
    BadCommand,
    BadInput,
    Cancel,
    Command,
    Help,
    History,
    Privacy,
    Queue,
    Quota,
    Settings,
    StudioAudit,
    StudioBlock,
    StudioCapacity,
    StudioDoors,
    StudioGrant,
    StudioReports,
    StudioRole,
    StudioRoles,
    StudioSettings,
    StudioWords,
    Undo,
    Waitlist,
)
from bots.core.flag_values import FlagError, listed, read_flag
from bots.core.prompt_flags import first_word
from tasks.client import read_subject
from tasks.jobs.tiers import DoorState, Tier

SETTINGS = ("aspect", "count", "model", "language")


def is_command(word: str) -> bool:
    """Whether `/atelier` has a command of this name."""
    return word in _ACCOUNT


def unknown_command(word: str, others: Sequence[str] = ()) -> BadCommand:
    """The refusal of a command that does not exist, with those of `/atelier` and the others."""
    known = listed(sorted([*_ACCOUNT, *others]))
    return BadCommand(BadInput.UNKNOWN_COMMAND, {"word": word, "known": known})


def parse_atelier(text: str) -> Command | BadCommand:
    """Parse the words after `/atelier`."""
    word, rest = first_word(text)
    parser = _ACCOUNT.get(word.lower() or "help")
    if parser is None:
        return unknown_command(word)
    return _run_parser(parser, rest)


def parse_studio(text: str) -> Command | BadCommand:
    """Parse the words after `/studio` or `/atelier studio`."""
    word, rest = first_word(text)
    parser = _STUDIO.get(word.lower())
    if parser is None:
        return BadCommand(
            BadInput.UNKNOWN_COMMAND, {"word": word, "known": listed(sorted(_STUDIO))}
        )
    return _run_parser(parser, rest)


def read_tier(word: str) -> Tier:
    """A tier by its name. Raises FlagError."""
    try:
        return Tier(word.lower())
    except ValueError:
        raise FlagError(BadInput.BAD_TIER, value=word, known=listed(list(Tier))) from None


Parser = Callable[[Sequence[str], str], Command]


def _run_parser(parser: Parser, rest: str) -> Command | BadCommand:
    try:
        return parser(rest.split(), rest.strip())
    except FlagError as wrong:
        return wrong.command


def _settings(words: Sequence[str], _rest: str) -> Command:
    changes: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in SETTINGS or not equals:
            raise FlagError(BadInput.BAD_SETTING, value=word, known=listed(SETTINGS))
        changes[name] = read_flag(name, value) if value else None
    return Settings(changes)


def _privacy(words: Sequence[str], rest: str) -> Command:
    match list(words):
        case ["export"]:
            return Privacy("export")
        case ["delete"]:
            return Privacy("delete")
        case []:
            raise FlagError(BadInput.PRIVACY_CHOICE)
        case ["delete", "confirm"]:
            return Privacy("delete", confirmed=True)
        case _:
            known = "export, delete"
            raise FlagError(BadInput.UNKNOWN_COMMAND, word=f"privacy {rest}".strip(), known=known)


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
            raise FlagError(BadInput.UNKNOWN_COMMAND, word=f"waitlist {rest}", known=known)


def _studio(_words: Sequence[str], rest: str) -> Command:
    command = parse_studio(rest)
    if isinstance(command, BadCommand):
        raise FlagError(command.code, **command.details)
    return command


# Slack writes people and groups as <@U1|name> and <!subteam^S1|@name>; Discord's are <@&1>, <@1>.
_MENTION = re.compile(r"<(?:@&|@!?|!subteam\^)(?P<id>[A-Za-z0-9]+)(?:\|[^>]*)?>")


def mention_id(word: str) -> str:
    """The id in a mention of a member, role or user group; a plain word without its @."""
    match = _MENTION.fullmatch(word)
    return match["id"] if match else word.lstrip("@")


def _role(words: Sequence[str], _rest: str) -> Command:
    if len(words) != 2:
        raise FlagError(BadInput.NEEDS_ROLE)
    tier = None if words[1].lower() == "none" else read_tier(words[1])
    return StudioRole(mention_id(words[0]), tier)


def _doors(words: Sequence[str], _rest: str) -> Command:
    if not words:
        return StudioDoors()
    try:
        door = read_subject(words[0])
    except ValueError:
        door = read_tier(words[0])  # its error lists the tiers
    if len(words) == 1:
        return StudioDoors(door)
    try:
        return StudioDoors(door, DoorState(words[1].lower()))
    except ValueError:
        raise FlagError(BadInput.BAD_STATE, value=words[1], known=listed(list(DoorState))) from None


def _block(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise FlagError(BadInput.NEEDS_MEMBER)
    return StudioBlock(mention_id(words[0]), blocked=True)


def _unblock(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise FlagError(BadInput.NEEDS_MEMBER)
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
        raise FlagError(BadInput.NEEDS_MEMBER)
    try:
        amount = float(words[1])
    except (IndexError, ValueError):
        raise FlagError(BadInput.BAD_CREDITS, value=" ".join(words[1:2])) from None
    if not -100_000 <= amount <= 100_000:
        raise FlagError(BadInput.BAD_CREDITS, value=words[1])
    return StudioGrant(mention_id(words[0]), amount, " ".join(words[2:]))


def _studio_settings(words: Sequence[str], _rest: str) -> Command:
    changes = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise FlagError(BadInput.BAD_SETTING, value=word, known=listed(SERVER_SETTINGS))
        changes[name] = value
    return StudioSettings(changes)


SERVER_SETTINGS = (
    "default_tier",
    "language",
    "channels",
    "nsfw",
    "largest_megapixels",
    "visibility",
    "reports_channel",
)

_ACCOUNT: Mapping[str, Parser] = {
    "queue": lambda _words, _rest: Queue(),
    "cancel": lambda words, _rest: Cancel(words[0] if words else None),
    "quota": lambda _words, _rest: Quota(),
    "history": lambda _words, _rest: History(),
    "settings": _settings,
    "privacy": _privacy,
    "waitlist": _waitlist,
    "help": lambda _words, _rest: Help(),
    "undo": lambda _words, _rest: Undo(),
    "studio": _studio,
}

_STUDIO: Mapping[str, Parser] = {
    "role": _role,
    "roles": lambda _words, _rest: StudioRoles(),
    "doors": _doors,
    "capacity": lambda _words, _rest: StudioCapacity(),
    "block": _block,
    "unblock": _unblock,
    "words": _words,
    "grant": _grant,
    "reports": lambda _words, _rest: StudioReports(),
    "settings": _studio_settings,
    "audit": lambda _words, _rest: StudioAudit(),
}

STUDIO_WORDS = tuple(_STUDIO)
"""The subcommands of /studio."""
