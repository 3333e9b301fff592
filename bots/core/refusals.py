"""Why something did not happen, as a sentence and as a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

from bots.core.commands import BadCommand, BadInput
from bots.core.locales import Localizer, MissingMessage
from bots.core.reply import Action, Button, Reply, ReplyKind, Style
from tasks.jobs.job import Reason

_UNPAYABLE = {"quota-spent": "quota-too-small", "pool-spent": "pool-too-small"}
"""The message where no waiting helps, because the order costs more than the whole quota."""
_TIERS = ("tier", "needs")
_TYPED = (
    "value",
    "word",
    "flag",
    "model",
    "name",
    "first",
    "second",
)  # a member's own words, of any length
_UNTITLED = frozenset(
    {
        BadInput.NOTHING_TO_DRAW,
        BadInput.NOTHING_CHANGED,
        BadInput.SEVERAL_WISHES,
        BadInput.NUMBERED_BUTTON,
        BadInput.DELETE_BUTTON,
        BadInput.PRIVACY_CHOICE,
    }
)
"""Answers to thanks, talk and requests that were not refused: "Not this time" is not said."""
_MAX_QUOTED = 60  # characters of them in a sentence
_OFFERS_WAITLIST = frozenset({"doors-waitlist", "feature-waitlist", "sign-ups-suspended"})


def sentence(reason: Reason | None, localize: Localizer) -> str:
    """The reason in one sentence. A code without a message of its own says that drawing failed."""
    if reason is None or not localize.has_message(reason.code):
        return localize("imaging-failed")
    try:
        return localize(_message_name(reason), **_variables(reason.details, localize))
    except MissingMessage:
        # A record of an older version may lack a variable that today's message needs.
        return localize("imaging-failed")


def refusal(reason: Reason, localize: Localizer) -> Reply:
    """A refusal for the member's eyes alone, with what can be done about it."""
    buttons = (
        (Button(Action.JOIN_WAITLIST, localize("button-join-waitlist"), style=Style.PRIMARY),)
        if _message_name(reason) in _OFFERS_WAITLIST
        else ()
    )
    return Reply(
        ReplyKind.REFUSAL,
        sentence(reason, localize),
        code=reason.code,
        title=localize("refusal-title"),
        buttons=buttons,
    )


def bad_command_reply(command: BadCommand, localize: Localizer) -> Reply:
    """A refusal of input that can't be understood, with the right spelling."""
    variables = {name: _quoted(name, value) for name, value in command.details.items()}
    return Reply(
        ReplyKind.REFUSAL,
        localize(command.code, **variables),
        code=command.code,
        title="" if command.code in _UNTITLED else localize("refusal-title"),
    )


def _message_name(reason: Reason) -> str:
    """The message for a reason: some have another one for one of their forms."""
    details = reason.details
    if reason.code == "not-a-picture" and details.get("name"):
        return "file-not-a-picture"
    if reason.code == "doors-waitlist" and details.get("of_feature"):
        return "feature-waitlist"
    if reason.code == "feature-not-in-tier" and details.get("opens"):
        return "feature-not-yet"
    if reason.code in _UNPAYABLE and "returns_at" in details and details["returns_at"] is None:
        return _UNPAYABLE[reason.code]
    if reason.code == "unknown-model" and not details.get("models"):
        return "no-model"
    return reason.code


def _variables(details: Mapping[str, Any], localize: Localizer) -> dict[str, Any]:
    """A reason's details as the variables of its message."""
    variables: dict[str, Any] = {}
    for name, value in details.items():
        if name == "returns_at" and value is not None:
            variables["returns"] = _moment(value) - datetime.now(UTC)
        elif name == "opens" and value is not None:
            variables[name] = date.fromisoformat(str(value))
        elif name in _TIERS:
            variables[name] = localize(f"tier-{value}")
        elif isinstance(value, list | tuple | set | frozenset):
            variables[name] = ", ".join(map(str, value))
        else:
            variables[name] = _quoted(name, value)
    return variables


def _quoted(name: str, value: Any) -> Any:
    """What a member typed, short enough for a sentence."""
    if name in _TYPED and isinstance(value, str) and len(value) > _MAX_QUOTED:
        return f"{value[: _MAX_QUOTED - 1]}…"
    return value


def _moment(value: datetime | str) -> datetime:
    return value if isinstance(value, datetime) else datetime.fromisoformat(value)
