"""Why something did not happen, as a sentence and as a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bots.core.command import BadCommand
from bots.core.reply import Action, Button, Reply, ReplyKind, Style
from bots.core.sentences import MissingSentence, Sentences
from tasks.job import Reason

# What a reason's details are called in the record, and in a sentence, where the two differ.
_MOMENTS = {"returns_at": "returns", "opens_at": "opens_in"}
_TIERS = ("tier", "needs")
_TYPED = ("value", "word", "flag", "model")  # a member's own words, of any length
_QUOTED = 60  # characters of them in a sentence
_OFFERS_WAITLIST = frozenset({"doors-waitlist", "sign-ups-suspended"})


def sentence(reason: Reason | None, say: Sentences) -> str:
    """The reason in one sentence. A code that no sentence is known for says that drawing failed."""
    if reason is None or not say.knows(reason.code):
        return say("imaging-failed")
    try:
        return say(_name(reason), **_values(reason.details, say))
    except MissingSentence:
        # An older record may lack a detail of today's sentence; the member is told all the same.
        return say("imaging-failed")


def _name(reason: Reason) -> str:
    """The sentence's name: some reasons have another one for one of their forms."""
    details = reason.details
    if reason.code == "doors-waitlist" and details.get("of_feature"):
        return "feature-waitlist"
    if reason.code == "feature-not-in-tier" and details.get("opens"):
        return "feature-not-yet"  # it is not missing from the tier
    if reason.code == "quota-spent" and "returns_at" in details and details["returns_at"] is None:
        return "quota-too-small"  # no waiting helps
    return reason.code


def refusal(reason: Reason, say: Sentences) -> Reply:
    """A refusal for the member's eyes alone, with what can be done about it."""
    buttons = (
        (Button(Action.JOIN_WAITLIST, say("button-join-waitlist"), style=Style.PRIMARY),)
        if reason.code in _OFFERS_WAITLIST
        else ()
    )
    return Reply(
        ReplyKind.REFUSAL,
        sentence(reason, say),
        code=reason.code,
        title=say("refusal-title"),
        buttons=buttons,
    )


def misread(command: BadCommand, say: Sentences) -> Reply:
    """What was typed cannot be understood: how to type it."""
    return Reply(
        ReplyKind.REFUSAL,
        say(command.code, **{name: _quoted(name, v) for name, v in command.details.items()}),
        code=command.code,
        title=say("refusal-title"),
    )


def _values(details: Mapping[str, Any], say: Sentences) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, value in details.items():
        if name in _MOMENTS and value is not None:
            values[_MOMENTS[name]] = _moment(value) - datetime.now(UTC)
        elif name in _TIERS:
            values[name] = say(f"tier-{value}")
        elif isinstance(value, list | tuple | set | frozenset):
            values[name] = ", ".join(map(str, value))
        else:
            values[name] = _quoted(name, value)
    return values


def _quoted(name: str, value: Any) -> Any:
    """What a member typed, short enough for a sentence."""
    if name in _TYPED and isinstance(value, str) and len(value) > _QUOTED:
        return f"{value[: _QUOTED - 1]}…"
    return value


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
