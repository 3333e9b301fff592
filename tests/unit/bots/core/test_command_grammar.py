"""The words after `/atelier` and `/studio`: each command, and each way to get it wrong."""

from __future__ import annotations

from typing import Any

import pytest

from bots.core import commands
from bots.core.command_grammar import (
    is_command,
    mention_id,
    parse_atelier,
    parse_studio,
    unknown_command,
)
from bots.core.commands import BadCommand, BadInput, Command
from tasks.client import GlobalDoor
from tasks.jobs.tiers import DoorState, Feature, Tier

ACCOUNT = "cancel, help, history, privacy, queue, quota, settings, studio, undo, waitlist"
STUDIO = "audit, block, capacity, doors, grant, reports, role, roles, settings, unblock, words"
TIERS = "free, plus, team, pro"


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", commands.Help()),
        ("help", commands.Help()),
        ("QUEUE", commands.Queue()),
        ("queue of mine", commands.Queue()),
        ("cancel", commands.Cancel()),
        ("cancel ab12cd34 now", commands.Cancel("ab12cd34")),
        ("quota", commands.Quota()),
        ("history", commands.History()),
        ("undo", commands.Undo()),
        ("settings", commands.Settings({})),
        ("settings language=fr", commands.Settings({"language": "fr"})),
        (
            "settings aspect=32:18 count=3 model=sdxl",
            commands.Settings({"aspect": "16:9", "count": 3, "model": "sdxl"}),
        ),
        ("settings model= language=", commands.Settings({"model": None, "language": None})),
        ("settings model=a=b", commands.Settings({"model": "a=b"})),
        ("privacy export", commands.Privacy("export")),
        ("privacy delete", commands.Privacy("delete", confirmed=False)),
        ("privacy delete confirm", commands.Privacy("delete", confirmed=True)),
        ("waitlist", commands.Waitlist("status")),
        ("waitlist status", commands.Waitlist("status")),
        ("waitlist join", commands.Waitlist("join")),
        ("waitlist leave", commands.Waitlist("leave")),
        ("studio audit", commands.StudioAudit()),
        ("studio  doors  free  closed", commands.StudioDoors(Tier.FREE, DoorState.CLOSED)),
    ],
)
def test_account_command(text: str, command: Command) -> None:
    assert parse_atelier(text) == command


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("Nothing", BadInput.UNKNOWN_COMMAND, {"word": "Nothing", "known": ACCOUNT}),
        ("privacy", BadInput.PRIVACY_CHOICE, {}),
        (
            "privacy burn it",
            BadInput.UNKNOWN_COMMAND,
            {"word": "privacy burn it", "known": "export, delete"},
        ),
        (
            "waitlist burn it",
            BadInput.UNKNOWN_COMMAND,
            {"word": "waitlist burn it", "known": "join, leave, status"},
        ),
        (
            "settings colour=red",
            BadInput.BAD_SETTING,
            {"value": "colour=red", "known": "aspect, count, model, language"},
        ),
        (
            "settings language=fr count",
            BadInput.BAD_SETTING,
            {"value": "count", "known": "aspect, count, model, language"},
        ),
        ("settings language=zz", BadInput.BAD_LANGUAGE, {"value": "zz", "known": "en, fr"}),
        ("studio", BadInput.UNKNOWN_COMMAND, {"word": "", "known": STUDIO}),
        ("studio Lights", BadInput.UNKNOWN_COMMAND, {"word": "Lights", "known": STUDIO}),
        ("studio role @x", BadInput.NEEDS_ROLE, {}),
    ],
)
def test_wrong_account_command(text: str, code: BadInput, details: dict[str, Any]) -> None:
    assert parse_atelier(text) == BadCommand(code, details)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("role <@&77> plus", commands.StudioRole("77", Tier.PLUS)),
        ("role <@&77> PRO", commands.StudioRole("77", Tier.PRO)),
        ("role @gold None", commands.StudioRole("gold", None)),
        ("ROLES", commands.StudioRoles()),
        ("doors", commands.StudioDoors()),
        ("doors free", commands.StudioDoors(Tier.FREE)),
        ("doors free CLOSED", commands.StudioDoors(Tier.FREE, DoorState.CLOSED)),
        ("doors edit auto", commands.StudioDoors(Feature.EDIT, DoorState.AUTO)),
        ("doors sign-ups closed", commands.StudioDoors(GlobalDoor.SIGN_UPS, DoorState.CLOSED)),
        ("capacity", commands.StudioCapacity()),
        ("block <@5>", commands.StudioBlock("5", blocked=True)),
        ("unblock <@5>", commands.StudioBlock("5", blocked=False)),
        ("block <@5> and <@6>", commands.StudioBlock("5", blocked=True)),
        ("unblock <@5> and <@6>", commands.StudioBlock("5", blocked=False)),
        ("words", commands.StudioWords()),
        ("words try  a big knife", commands.StudioWords(trial="a big knife")),
        ("words try", commands.StudioWords(trial="")),
        ("words gun, try", commands.StudioWords(words=("gun", "try"))),
        ("words axe", commands.StudioWords(words=("axe",))),
        ("words doom", commands.StudioWords(words=("doom",))),
        ("words zebra", commands.StudioWords(words=("zebra",))),
        ("words a clear", commands.StudioWords(words=("a clear",))),
        ("words clear all", commands.StudioWords(words=())),
        ("words clear", commands.StudioWords(words=())),
        ("words gun,  big knife ,, ", commands.StudioWords(words=("gun", "big knife"))),
        ("grant <@5> 2.5", commands.StudioGrant("5", 2.5)),
        ("grant <@5> -3 a mistake", commands.StudioGrant("5", -3.0, "a mistake")),
        ("grant <@5> 100000", commands.StudioGrant("5", 100_000.0)),
        ("grant <@5> -100000", commands.StudioGrant("5", -100_000.0)),
        ("reports", commands.StudioReports()),
        ("settings", commands.StudioSettings({})),
        (
            "settings nsfw=refuse channels=",
            commands.StudioSettings({"nsfw": "refuse", "channels": ""}),
        ),
        ("audit", commands.StudioAudit()),
    ],
)
def test_studio_command(text: str, command: Command) -> None:
    assert parse_studio(text) == command


SERVER_SETTINGS = (
    "default_tier, language, channels, nsfw, largest_megapixels, visibility, reports_channel"
)


@pytest.mark.parametrize(
    ("text", "code", "details"),
    [
        ("", BadInput.UNKNOWN_COMMAND, {"word": "", "known": STUDIO}),
        ("role", BadInput.NEEDS_ROLE, {}),
        ("role @gold", BadInput.NEEDS_ROLE, {}),
        ("role @gold plus now", BadInput.NEEDS_ROLE, {}),
        ("role @gold Gold", BadInput.BAD_TIER, {"value": "Gold", "known": TIERS}),
        ("doors attic free", BadInput.BAD_TIER, {"value": "attic", "known": TIERS}),
        ("doors attic", BadInput.BAD_TIER, {"value": "attic", "known": TIERS}),
        (
            "doors free Ajar",
            BadInput.BAD_STATE,
            {"value": "Ajar", "known": "open, waitlist, closed, auto"},
        ),
        ("block", BadInput.NEEDS_MEMBER, {}),
        ("unblock", BadInput.NEEDS_MEMBER, {}),
        ("grant", BadInput.NEEDS_MEMBER, {}),
        ("grant <@5>", BadInput.BAD_CREDITS, {"value": ""}),
        ("grant <@5> lots of them", BadInput.BAD_CREDITS, {"value": "lots"}),
        ("grant <@5> nan", BadInput.BAD_CREDITS, {"value": "nan"}),
        ("grant <@5> 100001", BadInput.BAD_CREDITS, {"value": "100001"}),
        ("grant <@5> -100001", BadInput.BAD_CREDITS, {"value": "-100001"}),
        ("settings nsfw", BadInput.BAD_SETTING, {"value": "nsfw", "known": SERVER_SETTINGS}),
    ],
)
def test_wrong_studio_command(text: str, code: BadInput, details: dict[str, Any]) -> None:
    assert parse_studio(text) == BadCommand(code, details)


@pytest.mark.parametrize(
    ("word", "id_"),
    [
        ("<@U1|ann>", "U1"),
        ("<@!12>", "12"),
        ("<@12>", "12"),
        ("<@&12>", "12"),
        ("<!subteam^S1|@pay>", "S1"),
        ("<!subteam^S1>", "S1"),
        ("@ann", "ann"),
        ("ann", "ann"),
        ("<@U1> ", "<@U1> "),
    ],
)
def test_mention_names_an_id(word: str, id_: str) -> None:
    assert mention_id(word) == id_


def test_commands_are_known_by_name() -> None:
    assert all(is_command(name) for name in ACCOUNT.split(", "))
    assert not is_command("role")
    assert unknown_command("x") == BadCommand(
        BadInput.UNKNOWN_COMMAND, {"word": "x", "known": ACCOUNT}
    )
