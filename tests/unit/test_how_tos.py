"""Guides: every command, option, setting, make target and chat command in them is real.

Commands stand in fenced blocks and in code spans. Words in capitals are the reader's own.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from unittest.mock import MagicMock

import discord
import pytest
from discord import app_commands
from typer.main import get_command

from bots.cli import app
from bots.core.command_grammar import parse_atelier
from bots.core.command_parser import parse
from bots.core.commands import BadCommand
from bots.discord.commands import account, admin, pictures
from bots.discord.interaction_responder import InteractionResponder
from bots.operator.settings_errors import INTERNAL_VARIABLES
from tasks.planner import command as planner
from tasks.runtime.settings import Settings
from tests.unit.test_documents import ROOT

GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs" / "how-to").glob("*.md")),
    *sorted((ROOT / "docs" / "operations").glob("*.md")),
]
FENCE = re.compile(r"^( *)```(\w*)\n(.*?)^\1```", re.M | re.S)
SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
SETTING = re.compile(r"\bATELIER_[A-Z][A-Z_]*[A-Z]\b")
ASSIGNMENT = re.compile(r"[A-Z][A-Z0-9_]*=\S*")
MAKE = re.compile(r"make [a-z-]+(?: [A-Z]+=.*)?")
PROGRAMS = ("atelier", ".venv/bin/atelier")
OTHER_VARIABLES = frozenset({"POSTGRES_PASSWORD", "GRAFANA_PASSWORD"})


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of a guide."""

    guide: str
    language: str
    text: str

    @property
    def lines(self) -> list[str]:
        """Its lines without comments and empty ones."""
        plain = (re.sub(r"(?:^|\s+)#\s.*", "", line).strip() for line in self.text.splitlines())
        return [line for line in plain if line]


def blocks(language: str | None = None) -> Iterator[Block]:
    for guide in GUIDES:
        for _indent, kind, body in FENCE.findall(guide.read_text(encoding="utf-8")):
            if language is None or kind == language:
                yield Block(str(guide.relative_to(ROOT)), kind, body)


def spans() -> Iterator[tuple[str, str]]:
    """The code spans of the guides, each with its guide."""
    for guide in GUIDES:
        for span in SPAN.findall(FENCE.sub("", guide.read_text(encoding="utf-8"))):
            yield str(guide.relative_to(ROOT)), span


def commands() -> list[tuple[str, list[str]]]:
    """Every command of a shell, as words, each with its guide."""
    lines = [(block.guide, line) for block in blocks("sh") for line in block.lines]
    lines += [(guide, span) for guide, span in spans() if span.startswith(PROGRAMS) and " " in span]
    found = []
    for guide, line in lines:
        for part in re.split(r"\s(?:&&|\|)\s", line):
            if part.count("'") % 2 or part.count('"') % 2:
                continue  # a quoted value over several lines, or with a pipe in it
            words = shlex.split(part.rstrip("…").strip())
            while words and ASSIGNMENT.fullmatch(words[0]):
                words.pop(0)
            if words:
                found.append((guide, words))
    return found


def atelier_fault(words: list[str]) -> str | None:
    """What the command line says against the words; None if it accepts them."""
    command: Any = get_command(app)
    context = command.context_class(command, info_name="atelier")
    while hasattr(command, "get_command") and words:
        following = command.get_command(context, words[0])
        if following is None:
            break
        command, words = following, words[1:]
        context = command.context_class(command, parent=context, info_name=command.name)
    if command.name == "plan":
        return _plan_fault(words)
    known = {name for option in command.params for name in option.opts} | {"--help"}
    unknown = [word for word in words if word.startswith("--") and word.split("=")[0] not in known]
    if unknown:
        return f"no option {unknown[0]}"
    if not words:
        return None  # named only, without its arguments
    try:
        with command.make_context(command.name, list(words), parent=context.parent) as made:
            return "too many words" if made.args or made._protected_args else None
    except SystemExit:
        return None  # --help and --version
    except Exception as error:  # noqa: BLE001 - of typer's own click, which has no public name
        return f"{type(error).__name__}: {error}"


def _plan_fault(words: list[str]) -> str | None:
    """The same for `atelier plan`, which hands its options on; files are the command line's own."""
    for name in ("--html", "--json"):
        if name in words:
            at = words.index(name)
            words = words[:at] + words[at + 2 :]
    try:
        planner.parse(words)
    except planner.PlanError as error:
        return str(error)
    return None


def test_every_command_of_atelier_in_a_guide_is_accepted() -> None:
    ours = [(guide, words) for guide, words in commands() if words[0] in PROGRAMS]
    assert len(ours) > 30
    faults = {
        f"{guide}: {shlex.join(words)}": fault
        for guide, words in ours
        if (fault := atelier_fault(words[1:]))
    }
    assert faults == {}


def test_every_make_target_in_a_guide_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = {(guide, words[1]) for guide, words in commands() if words[0] == "make"}
    named |= {(guide, span.split()[1]) for guide, span in spans() if MAKE.fullmatch(span)}
    assert len(named) > 5
    assert {name for name in named if name[1] not in targets} == set()


def test_every_other_program_in_a_block_is_one_that_a_reader_has() -> None:
    known = {"git", "make", "docker", "cd", "openssl", "python3", "curl", "sudo"}
    names = {words[0] for _, words in commands() if words[0] not in PROGRAMS}
    names = {name for name in names if not name.isupper()}  # SQL over several lines
    unknown = {
        name for name in names if name not in known and not name.startswith((".venv/bin/", ".ci/"))
    }
    assert unknown == set()


def test_every_setting_in_a_guide_is_read() -> None:
    known = {f"ATELIER_{name.upper()}" for name in Settings.model_fields} | INTERNAL_VARIABLES
    for guide in GUIDES:
        named = set(SETTING.findall(guide.read_text(encoding="utf-8")))
        assert named - known == set(), guide


def test_every_setting_is_described_where_settings_are_listed() -> None:
    listed = set(SETTING.findall((ROOT / "docs/how-to/run.md").read_text(encoding="utf-8")))
    ours = {f"ATELIER_{name.upper()}" for name in Settings.model_fields} - INTERNAL_VARIABLES
    assert ours - listed == set()


def test_every_toml_block_is_well_formed() -> None:
    found = list(blocks("toml"))
    assert len(found) >= 4
    for block in found:
        tomllib.loads(block.text)


def discord_options() -> dict[str, set[str]]:
    """Discord's slash commands with the names of their options."""
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    for part in (pictures, account, admin):
        part.add_to(tree, cast(InteractionResponder, MagicMock()))  # running commands use it
    return {
        command.qualified_name: {parameter.name for parameter in command.parameters}
        for command in tree.walk_commands()
        if isinstance(command, app_commands.Command)
    }


def test_every_chat_command_in_a_block_is_understood() -> None:
    lines = [
        (block.guide, line)
        for block in blocks("")
        for line in block.lines
        if line.startswith(("/", "@Atelier"))
    ]
    assert len(lines) >= 5
    options = discord_options()
    for guide, line in lines:
        if guide.endswith("slack.md"):
            words = line.removeprefix("@Atelier ").removeprefix("/atelier ")
            parsed = parse_atelier(words) if line.startswith("/atelier") else parse(words)
            assert not isinstance(parsed, BadCommand), line
            continue
        name, *given = re.split(r"\s(\w+):\s?", line.removeprefix("/"))
        assert name in options, line
        assert set(given[::2]) <= options[name], line


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: path.name)
def test_blocks_name_the_language_that_they_are_in(guide: Path) -> None:
    kinds = {kind for _, kind, _ in FENCE.findall(guide.read_text(encoding="utf-8"))}
    assert kinds <= {"", "sh", "toml", "ini", "nginx", "caddy", "json", "yaml", "python", "mermaid"}
