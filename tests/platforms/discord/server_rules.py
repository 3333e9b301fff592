"""Discord's rules that its OpenAPI file does not contain."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from tests.platforms.discord.world import COMPONENTS_V2, components_of

NAME = re.compile(r"^[-_'\w]{1,32}$")


def message_problems(
    body: dict[str, Any], files: dict[str, str], kept: Collection[str] = (), v2: bool = False
) -> list[str]:
    """The problems of a message, as texts.

    `files` maps field names ("files[0]") to file names, `kept` are the names of attachments that
    remain, and `v2` is whether the edited message has components v2 already.
    """
    components = body.get("components")
    every = components_of(components)
    v2 = v2 or bool((body.get("flags") or 0) & COMPONENTS_V2)
    problems = []
    if len(body.get("content") or "") > 2000:
        problems.append("content: must be 2000 or fewer in length")
    if v2 and any(body.get(key) for key in ("content", "embeds", "poll", "sticker_ids")):
        problems.append("content, embeds and polls cannot be combined with components v2")
    if not v2 and any(c["type"] in {9, 10, 11, 12, 13, 14, 17} for c in every):
        problems.append("these components need the flag IS_COMPONENTS_V2")
    if len(every) > 40:
        problems.append(f"components: {len(every)} of at most 40")
    if sum(len(c["content"]) for c in every if c["type"] == 10) > 4000:
        problems.append("components: more than 4000 characters of text")
    ids = [c["custom_id"] for c in every if c.get("custom_id")]
    problems += [f"custom_id {one!r} twice" for one in set(ids) if ids.count(one) > 1]
    for row in (c for c in every if c["type"] == 1):
        if not 1 <= len(row["components"]) <= 5:
            problems.append("an action row holds one to five buttons")
    for button in (c for c in every if c["type"] == 2):
        if not button.get("label") and not button.get("emoji"):
            problems.append("a button needs a label or an emoji")
    return problems + _file_problems(body, files, kept, every)


def _file_problems(
    body: dict[str, Any], files: dict[str, str], kept: Collection[str], every: list[dict[str, Any]]
) -> list[str]:
    problems = []
    described = {str(a["id"]): a for a in body.get("attachments") or []}
    for field, name in files.items():
        match = re.fullmatch(r"files\[(\d)\]", field)
        declared = described.get(match[1]) if match else None
        if declared is None:
            problems.append(f"{field} is not among the attachments")
        elif declared.get("filename") not in (None, name):
            problems.append(f"{field} is {name!r} here and {declared['filename']!r} there")
    for one in described:
        if len(one) < 3 and f"files[{one}]" not in files:
            problems.append(f"attachment {one} has no file")
    names = set(files.values()) | set(kept)
    for url in _media(every):
        if url.startswith("attachment://") and url.removeprefix("attachment://") not in names:
            problems.append(f"{url} is no file of this message")
    return problems


def _media(every: list[dict[str, Any]]) -> list[str]:
    urls = [item["media"]["url"] for c in every if c["type"] == 12 for item in c["items"]]
    urls += [c["media"]["url"] for c in every if c["type"] == 11]
    return urls + [c["file"]["url"] for c in every if c["type"] == 13]


def command_problems(commands: list[dict[str, Any]]) -> list[str]:
    """The problems of a list of application commands, as texts."""
    problems = []
    names = [(c["name"], c.get("type", 1)) for c in commands]
    problems += [f"command {n} twice" for n in set(names) if names.count(n) > 1]
    for kind, most in ((1, 100), (2, 15), (3, 15)):
        if sum(k == kind for _, k in names) > most:
            problems.append(f"more than {most} commands of type {kind}")
    for command in commands:
        if command.get("type", 1) == 1:
            problems += _option_problems(command, command["name"])
            if not 1 <= len(command.get("description") or "") <= 100:
                problems.append(f"{command['name']}: a description of 1 to 100 characters")
    return problems


def _option_problems(holder: dict[str, Any], where: str) -> list[str]:
    problems = []
    for name in (holder["name"], *(holder.get("name_localizations") or {}).values()):
        if not NAME.match(name) or name != name.lower():
            problems.append(f"{where}: bad name {name!r}")
    options = holder.get("options") or []
    required = [bool(o.get("required")) for o in options]
    if required != sorted(required, reverse=True):
        problems.append(f"{where}: required options come first")
    for option in options:
        if len(option.get("choices") or []) > 25:
            problems.append(f"{where} {option['name']}: more than 25 choices")
        problems += _option_problems(option, f"{where} {option['name']}")
    return problems
