"""The text people type, made into a `Command`: prompts with flags, and `/atelier …` words.

The same grammar serves Slack's mentions and slash commands and the playground's box. It is pure:
what it cannot understand comes back as a `BadCommand` with the sentence to show.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bots.core.command import (
    ASPECTS,
    MAX_COUNT,
    MAX_PROMPT,
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
from imaging.request import MAX_SEED
from tasks.tiers import DoorState, Tier

# Phones turn "--" into one dash; a flag typed there should work all the same.
_FLAG = re.compile(r"(?:^|(?<=\s))(?:--|—|–)(?P<name>[A-Za-z][\w-]*)(?:=|\s+|$)")

FLAGS: Mapping[str, str] = {
    "ar": "aspect",
    "aspect": "aspect",
    "count": "count",
    "n": "count",
    "seed": "seed",
    "no": "negative",
    "model": "model",
    "strength": "strength",
}
SETTINGS = ("aspect", "count", "model", "language")


class _Wrong(Exception):
    """Carries a `BadCommand` out of a reader."""

    def __init__(self, code: BadInput, **details: Any) -> None:
        super().__init__(code)
        self.command = BadCommand(code, details)


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt taken apart: its words, and the flags that stood behind or between them."""

    words: str
    aspect: str | None = None
    count: int | None = None
    seed: int | None = None
    negative: str = ""
    model: str | None = None
    strength: float | None = None
    flags: frozenset[str] = field(default_factory=frozenset)


def parse(text: str) -> Command | BadCommand:
    """The command in a message: a prompt with flags, `/imagine …`, or `/atelier …`."""
    stripped = text.strip()
    if not stripped.startswith("/"):
        return imagine(stripped)
    word, _, rest = stripped[1:].partition(" ")
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
                BadInput.UNKNOWN_COMMAND, {"word": other, "known": _list(sorted(_ACCOUNT))}
            )


def imagine(text: str) -> Imagine | BadCommand:
    """A prompt with flags as an order of pictures."""
    prompt = parse_prompt(text)
    if isinstance(prompt, BadCommand):
        return prompt
    return Imagine(
        prompt=prompt.words,
        aspect=prompt.aspect,
        count=prompt.count,
        model=prompt.model,
        seed=prompt.seed,
        negative=prompt.negative,
        strength=prompt.strength,
    )


def parse_prompt(text: str, *, may_be_empty: bool = False) -> Prompt | BadCommand:
    """Words and flags apart. Flags may stand anywhere; the last of a kind counts."""
    try:
        words, values = _split(text)
        check_prompt(words, may_be_empty=may_be_empty)
        return Prompt(words, **values, flags=frozenset(values))
    except _Wrong as wrong:
        return wrong.command


def check_prompt(words: str, *, may_be_empty: bool = False) -> None:
    """Raise for a prompt that is empty or too long; readers of other rooms use `prompt_fault`."""
    if not words and not may_be_empty:
        raise _Wrong(BadInput.PROMPT_EMPTY)
    if len(words) > MAX_PROMPT:
        raise _Wrong(BadInput.PROMPT_TOO_LONG, length=len(words), limit=MAX_PROMPT)


def prompt_fault(words: str) -> BadCommand | None:
    """What is wrong with a prompt that did not come through the grammar; None where nothing is."""
    try:
        check_prompt(words.strip())
    except _Wrong as wrong:
        return wrong.command
    return None


def parse_atelier(text: str) -> Command | BadCommand:
    """The words behind `/atelier`."""
    word, _, rest = text.strip().partition(" ")
    reader = _ACCOUNT.get(word.lower() or "help")
    if reader is None:
        return BadCommand(
            BadInput.UNKNOWN_COMMAND, {"word": word, "known": _list(sorted(_ACCOUNT))}
        )
    return _read(reader, rest)


def parse_studio(text: str) -> Command | BadCommand:
    """The words behind `/studio`, or `/atelier studio`."""
    word, _, rest = text.strip().partition(" ")
    reader = _STUDIO.get(word.lower())
    if reader is None:
        return BadCommand(BadInput.UNKNOWN_COMMAND, {"word": word, "known": _list(sorted(_STUDIO))})
    return _read(reader, rest)


def read_tier(word: str) -> Tier:
    """A tier by its name."""
    try:
        return Tier(word.lower())
    except ValueError:
        raise _Wrong(BadInput.BAD_TIER, value=word, known=_list(list(Tier))) from None


Reader = Callable[[Sequence[str], str], Command]


def _read(reader: Reader, rest: str) -> Command | BadCommand:
    try:
        return reader(rest.split(), rest.strip())
    except _Wrong as wrong:
        return wrong.command


def _split(text: str) -> tuple[str, dict[str, Any]]:
    words: list[str] = []
    values: dict[str, Any] = {}
    at = 0
    pending: str | None = None
    for match in [*_FLAG.finditer(text), None]:
        piece = text[at : match.start() if match else len(text)].strip()
        if pending is None:
            words.append(piece)
        else:
            value, behind = _value_of(pending, piece)
            values[FLAGS[pending]] = value
            words.append(behind)
        if match is None:
            break
        pending = match["name"].lower()
        if pending not in FLAGS:
            raise _Wrong(BadInput.UNKNOWN_FLAG, flag=f"--{pending}", known=_known_flags())
        at = match.end()
    return " ".join(" ".join(words).split()), values


def _value_of(flag: str, piece: str) -> tuple[Any, str]:
    """The flag's value, and the words behind it that belong to the prompt."""
    if FLAGS[flag] == "negative":
        value, behind = piece, ""
    else:
        value, _, behind = piece.partition(" ")
    if not value:
        raise _Wrong(BadInput.FLAG_NEEDS_VALUE, flag=f"--{flag}")
    return _VALUES[FLAGS[flag]](value), behind


def _aspect(value: str) -> str:
    if value not in ASPECTS:
        raise _Wrong(BadInput.BAD_ASPECT, value=value, known=_list(ASPECTS))
    return value


def _count(value: str) -> int:
    if not value.isascii() or not value.isdigit() or not 1 <= int(value[:9]) <= MAX_COUNT:
        raise _Wrong(BadInput.BAD_COUNT, value=value, limit=MAX_COUNT)
    return int(value)


def _seed(value: str) -> int:
    if not value.isascii() or not value.isdigit() or int(value[:12]) > MAX_SEED:
        raise _Wrong(BadInput.BAD_SEED, value=value, limit=str(MAX_SEED))
    return int(value)


def _strength(value: str) -> float:
    try:
        number = float(value)
    except ValueError:
        number = -1.0
    if not 0 <= number <= 1:
        raise _Wrong(BadInput.BAD_STRENGTH, value=value)
    return number


_VALUES: Mapping[str, Callable[[str], Any]] = {
    "aspect": _aspect,
    "count": _count,
    "seed": _seed,
    "strength": _strength,
    "negative": str,
    "model": str,
}


def _settings(words: Sequence[str], _rest: str) -> Command:
    changes: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if name not in SETTINGS or not equals:
            raise _Wrong(BadInput.BAD_SETTING, value=word, known=_list(SETTINGS))
        reader = _VALUES.get(name, str)
        changes[name] = reader(value) if value else None
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
            raise _Wrong(BadInput.UNKNOWN_COMMAND, word=f"privacy {rest}".strip(), known=known)


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
            raise _Wrong(BadInput.UNKNOWN_COMMAND, word=f"waitlist {rest}", known=known)


def _studio(_words: Sequence[str], rest: str) -> Command:
    command = parse_studio(rest)
    if isinstance(command, BadCommand):
        raise _Wrong(command.code, **command.details)
    return command


# Slack writes people and groups as <@U1|name> and <!subteam^S1|@name>; Discord's are <@&1>, <@1>.
_MENTION = re.compile(r"<(?:@&|@!?|!subteam\^)(?P<id>[A-Za-z0-9]+)(?:\|[^>]*)?>")


def mention_id(word: str) -> str:
    """The id in a mention of a member, role or user group; the word itself where it is plain."""
    match = _MENTION.fullmatch(word)
    return match["id"] if match else word.lstrip("@")


def _role(words: Sequence[str], _rest: str) -> Command:
    if len(words) != 2:
        raise _Wrong(BadInput.NEEDS_ROLE)
    tier = None if words[1].lower() == "none" else read_tier(words[1])
    return StudioRole(mention_id(words[0]), tier)


def _doors(words: Sequence[str], _rest: str) -> Command:
    if not words:
        return StudioDoors()
    tier = read_tier(words[0])
    if len(words) == 1:
        return StudioDoors(tier)
    try:
        return StudioDoors(tier, DoorState(words[1].lower()))
    except ValueError:
        raise _Wrong(BadInput.BAD_STATE, value=words[1], known=_list(list(DoorState))) from None


def _block(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise _Wrong(BadInput.NEEDS_MEMBER)
    return StudioBlock(mention_id(words[0]), blocked=True)


def _unblock(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise _Wrong(BadInput.NEEDS_MEMBER)
    return StudioBlock(mention_id(words[0]), blocked=False)


def _words(words: Sequence[str], rest: str) -> Command:
    if not words:
        return StudioWords()
    if words[0] == "try":
        return StudioWords(trial=rest.partition(" ")[2])
    if words[0] == "clear":
        return StudioWords(words=())
    return StudioWords(words=tuple(w.strip() for w in rest.split(",") if w.strip()))


def _grant(words: Sequence[str], _rest: str) -> Command:
    if not words:
        raise _Wrong(BadInput.NEEDS_MEMBER)
    try:
        amount = float(words[1])
    except (IndexError, ValueError):
        raise _Wrong(BadInput.BAD_CREDITS, value=" ".join(words[1:2])) from None
    if not -100_000 <= amount <= 100_000:
        raise _Wrong(BadInput.BAD_CREDITS, value=words[1])
    return StudioGrant(mention_id(words[0]), amount, " ".join(words[2:]))


def _studio_settings(words: Sequence[str], _rest: str) -> Command:
    changes = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise _Wrong(BadInput.BAD_SETTING, value=word, known=_list(SERVER_SETTINGS))
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


def _list(words: Sequence[str]) -> str:
    return ", ".join(words)


def _known_flags() -> str:
    return _list([f"--{name}" for name in ("ar", "count", "seed", "no", "model", "strength")])
