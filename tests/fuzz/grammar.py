"""Prompts, flags, commands and `atelier.toml`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial
from random import Random
from uuid import UUID

from bots.core import command_grammar, command_parser, flag_values
from bots.core.commands import Imagine, Upload
from bots.core.flag_values import FlagError
from bots.core.order_text import order_text
from bots.core.prompt_flags import parse_prompt
from bots.core.typed_text import clean_text
from tasks.policy import config
from tasks.policy.config import PolicyError
from tests.fuzz.case import Case, Target
from tests.fuzz.texts import FLAGS, WORDS, text

PICTURE = UUID(int=7)
FILE = Upload(b"picture", "a.png")
PARSERS: tuple[Callable[[str], object], ...] = (
    command_parser.parse,
    command_parser.parse_prompt_field,
    command_parser.parse_in_channel,
    command_parser.imagine,
    command_parser.is_prompt,
    partial(command_parser.parse, picture=PICTURE),
    lambda typed: command_parser.parse_about(typed, PICTURE),
    lambda typed: command_parser.parse_about(typed, FILE, mask=FILE),
    lambda typed: command_parser.parse_edit(typed, PICTURE, count=2, seed=3),
    lambda typed: command_parser.parse_with_files(typed, (FILE,)),
    lambda typed: command_parser.parse_with_files(typed, (FILE, FILE)),
    lambda typed: command_parser.parse_blend(typed, (PICTURE, FILE)),
    lambda typed: command_parser.parse_reroll(typed, PICTURE),
    clean_text,
)
STUDIO_WORDS = (
    "role", "roles", "doors", "capacity", "block", "unblock", "words", "audit", "grant", "settings",
    "reports", "add", "remove", "try", "free", "plus", "pro", "open", "closed", "auto", "<@1>",
    "<@&7>",
    "language=fr", "channel=<#5>", "nsfw=refuse", "1e400", "nan", "inf", "100", "-5",
)  # fmt: skip
FLAG_NAMES = ("aspect", "count", "seed", "model", "strength", "negative", "language")
TABLES = {
    "tiers.free": ("weight = 1", "running = 1", "waiting = 10", 'quota = "3/24h"', "count = 4"),
    "tiers.pro": (
        "largest_megapixels = 1.0",
        'features = ["imagine"]',
        'doors = "auto"',
        "count = 0",
    ),
    "limits": ("upload_megabytes = 25", "prompt_characters = 1e3", "attempts = 3"),
    "doors": (
        'longest_wait = "5m"',
        "close_at = nan",
        "sign_ups = false",
        'features = {edit = "open"}',
    ),
    "stages": ('edit = { free = "2026-12-15" }', 'vary = { free = "10%" }', "blend = { plus = 1 }"),
    "access": ('mode = "listed"', 'highest_tier = "plus"', "highest_grant = inf"),
    "safety": ('words = ["a", "é"]', "words = []"),
    'discord.guilds."1".roles': ('"9" = "pro"', '"8" = "vip"'),
    "slack.workspaces.T1.usergroups": ('S1 = "plus"', "S2 = 1"),
}
TOML = (
    "[tiers.vip]", "[[tiers.free]]", 'quota = "9"', "= 1", "x", "[", "]", '"', "'''", "#", "{", "}",
    "\\", "\t", "=", "1e400", "0x1", "1979-05-27", "\0", "\ud800", "é", "a.b.c = 1", "[limits]",
    "weight = 1",
)  # fmt: skip


def prompt_case(random: Random) -> Case:
    """A message, read in one of the ways that the product has."""
    typed, number = text(random), random.randrange(len(PARSERS))
    parse = PARSERS[number]
    return Case(lambda: parse(typed), len(typed), repr(typed), f"parser {number}")


def flag_case(random: Random) -> Case:
    """A prompt full of flags, a single flag's value, or an administrator's command."""
    kind = random.randrange(4)
    if kind == 0:
        name, value = random.choice(FLAG_NAMES), text(random)
        return Case(lambda: _read_flag(name, value), len(value), f"{name}={value!r}", name)
    if kind == 1:
        typed = text(random, STUDIO_WORDS)
        read = random.choice((command_grammar.parse_atelier, command_grammar.parse_studio))
        return Case(lambda: read(typed), len(typed), repr(typed), read.__name__)
    pieces = [
        random.choice(random.choice((FLAGS, FLAGS, WORDS))) for _ in range(random.randrange(40))
    ]
    typed = random.choice((" ", "", "\n")).join(pieces)
    return Case(lambda: _parse_and_echo(typed), len(typed), repr(typed), "flags")


def _read_flag(name: str, value: str) -> None:
    with contextlib.suppress(FlagError, KeyError):
        flag_values.read_flag(name, value)


def _parse_and_echo(typed: str) -> None:
    """An order that is shown as a message again must be the same order when it is read."""
    parse_prompt(typed)
    order = command_parser.imagine(typed)
    if isinstance(order, Imagine) and (shown := order_text(order)):
        assert command_parser.parse(shown) == order


def policy_case(random: Random) -> Case:
    """A file `atelier.toml`."""
    names = random.sample(sorted(TABLES), random.randrange(1, len(TABLES)))
    lines = [line for name in names for line in _table(random, name)]
    for _ in range(random.choice((0, 0, 1, 3))):
        lines.insert(random.randrange(len(lines) + 1), random.choice(TOML))
    if random.random() < 0.1:
        lines.insert(random.randrange(len(lines) + 1), text(random))
    content = random.choice(("\n", "\n", " ")).join(lines)
    return Case(lambda: _read_policy(content), len(content), repr(content))


def _table(random: Random, name: str) -> list[str]:
    keys = TABLES[name]
    return [f"[{name}]", *random.sample(keys, random.randrange(len(keys) + 1))]


def _read_policy(content: str) -> None:
    with contextlib.suppress(PolicyError):
        config.read(content)


TARGETS = (
    Target("prompts", 0.36, prompt_case, counted=16),
    Target("flags", 0.26, flag_case, counted=16),
    Target("atelier.toml", 0.04, policy_case),
)
