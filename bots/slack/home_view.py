"""The Home tab, as a view. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bots.core.cards import bar_text, shorten
from bots.core.locales import Localizer
from bots.core.reply import Action, Button, Style
from bots.slack.blocks import (
    SECTION_LIMIT,
    Block,
    button_rows,
    field_blocks,
    heading,
    mrkdwn,
    picture_block,
    plain_text,
    section,
)
from bots.slack.views import COMPOSE_ACTION, View
from tasks.client import Allowance, Doors, WaitlistPlace, WorkspaceSettings
from tasks.jobs.job import Picture
from tasks.jobs.tiers import DoorState, Tier

GROUP_ID = re.compile(r"S[A-Z0-9]+")
PICTURES_SHOWN = 8  # recent pictures on the Home tab


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """The workspace's settings and the tier of each user group."""

    settings: WorkspaceSettings
    roles: Mapping[str, Tier]


@dataclass(frozen=True, slots=True)
class HomeData:
    """The content of the Home tab. `files` maps picture ids to Slack file ids."""

    allowance: Allowance
    pictures: Sequence[Picture]
    doors: Sequence[Doors]
    waitlist: WaitlistPlace
    files: Mapping[str, str]
    server: ServerSettings | None = None  # for administrators only


def home(localize: Localizer, data: HomeData) -> View:
    """The Home tab: quota, recent pictures, doors, and settings for administrators."""
    make = {
        "type": "button",
        "action_id": COMPOSE_ACTION,
        "style": "primary",
        "text": plain_text(localize("slack-compose"), 75),
    }
    blocks = [*_quota(localize, data.allowance), {"type": "actions", "elements": [make]}]
    blocks += [{"type": "divider"}, heading(localize("history-title"))]
    blocks += _recent(localize, data) or [section(localize("history-empty"))]
    blocks += [{"type": "divider"}, *_doors(localize, data)]
    if data.server is not None:
        blocks += [{"type": "divider"}, *_server(localize, data.server)]
    return {"type": "home", "blocks": blocks}


def unavailable(localize: Localizer) -> View:
    """The Home tab while the database is unavailable."""
    return {"type": "home", "blocks": [section(localize("unavailable"))]}


def _quota(localize: Localizer, allowance: Allowance) -> list[Block]:
    share = allowance.left / allowance.limit if allowance.limit else 0.0
    left, limit = float(allowance.left), float(allowance.limit)
    text = localize("quota-left-value", left=left, limit=limit)
    tier = localize(f"tier-{allowance.tier}")
    return [
        heading(f"{localize('quota-title')} · {tier}"),
        section(f"{bar_text(share)}  {text}"),
    ]


def _recent(localize: Localizer, data: HomeData) -> list[Block]:
    blocks: list[Block] = []
    for picture in data.pictures[:PICTURES_SHOWN]:
        text = shorten(picture.instruction, 150)
        file = data.files.get(str(picture.id))
        if file:
            blocks.append(picture_block(file, text or " ", text, 1, 1))
        else:
            blocks.append(section(text))
        blocks += button_rows(_home_buttons(localize, picture), localize)
    return blocks


def _home_buttons(localize: Localizer, picture: Picture) -> tuple[Button, ...]:
    actions = (Action.VARY, Action.UPSCALE, Action.EDIT)
    buttons = tuple(Button(action, localize(f"button-{action}"), picture.id) for action in actions)
    return (
        *buttons,
        Button(Action.REROLL, localize("button-reroll"), picture.job, style=Style.PRIMARY),
    )


def _doors(localize: Localizer, data: HomeData) -> list[Block]:
    rows = [
        (localize(f"tier-{door.tier}"), localize(f"slack-doors-{door.now}")) for door in data.doors
    ]
    blocks = [heading(localize("studio-doors-title")), *field_blocks(rows)]
    if data.waitlist.invited_until is not None:
        left = data.waitlist.invited_until - datetime.now(UTC)
        blocks.append(section(localize("waitlist-invited", left=left)))
    elif data.waitlist.position is not None:
        blocks.append(section(localize("waitlist-status", position=data.waitlist.position)))
    elif any(d.tier is data.allowance.tier and d.now is DoorState.WAITLIST for d in data.doors):
        join = Button(Action.JOIN_WAITLIST, localize("button-join-waitlist"), style=Style.PRIMARY)
        blocks += button_rows((join,), localize)
    return blocks


def _server(localize: Localizer, server: ServerSettings) -> list[Block]:
    """The workspace's settings and the commands that change them."""
    settings = server.settings
    rows = [
        ("default_tier", localize(f"tier-{settings.default_tier}")),
        ("language", settings.language or localize("settings-none")),
        ("channels", ", ".join(sorted(settings.channels)) or "*"),
        ("nsfw", settings.nsfw),
        ("largest_megapixels", str(settings.largest_megapixels or localize("settings-none"))),
        ("visibility", settings.visibility),
    ]
    blocks = [heading(localize("slack-admin")), *field_blocks(rows)]
    return [*blocks, *_roles(localize, server.roles), section(localize("slack-admin-words"))]


def _roles(localize: Localizer, roles: Mapping[str, Tier]) -> list[Block]:
    """The tier of each user group, with the group's name where its id is valid."""
    names = {role: localize(f"tier-{tier}") for role, tier in sorted(roles.items())}
    # A Home tab notifies nobody, so a mention of a group is safe there.
    mentions = [f"<!subteam^{role}> → {name}" for role, name in names.items() if _is_group(role)]
    listed = mrkdwn("\n".join(mentions), SECTION_LIMIT)
    others = [(role, name) for role, name in names.items() if not _is_group(role)]
    blocks: list[Block] = [{"type": "section", "text": listed}] if mentions else []
    return blocks + field_blocks(others)


def _is_group(role: str) -> bool:
    return GROUP_ID.fullmatch(role) is not None
