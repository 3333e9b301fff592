"""The use cases of a server's administrators. Each checks the right first and answers privately."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import anyio.to_thread

from bots.core.command import (
    BadCommand,
    BadInput,
    StudioAudit,
    StudioBlock,
    StudioCapacity,
    StudioDoors,
    StudioGrant,
    StudioRole,
    StudioRoles,
    StudioSettings,
    StudioWords,
)
from bots.core.context import Context
from bots.core.grammar import SERVER_SETTINGS
from bots.core.reasons import misread, refusal
from bots.core.reply import Attachment, Field, Reply, ReplyKind
from bots.core.sentences import LOCALES
from imaging.safety import forbidden_word
from tasks.client import Doors, Subject, TierLoad
from tasks.job import Reason
from tasks.tiers import DoorState, Tier

MAX_WORDS = 1000


async def role(context: Context, command: StudioRole) -> Reply:
    """A role gives a tier, or none."""
    if refused := _refused(context):
        return refused
    await context.client.map_role(context.ask.member, command.role, command.tier)
    if command.tier is None:
        return _say(context, "studio-role-removed", role=command.role)
    return _say(
        context, "studio-role-set", role=command.role, tier=context.say(f"tier-{command.tier}")
    )


async def roles(context: Context, _command: StudioRoles) -> Reply:
    """Which role gives which tier."""
    if refused := _refused(context):
        return refused
    member, say = context.ask.member, context.say
    mapping = await context.client.role_map(member.platform, member.workspace)
    if not mapping:
        tier = say(f"tier-{context.workspace.default_tier}")
        return _say(context, "studio-roles-empty", tier=tier)
    rows = tuple(Field(role, say(f"tier-{tier}")) for role, tier in sorted(mapping.items()))
    return _answer(context, "studio-roles-title", rows)


async def doors(context: Context, command: StudioDoors) -> Reply:
    """Doors: one set, or all of them shown."""
    if refused := _refused(context):
        return refused
    client, member = context.client, context.ask.member
    if command.door is not None and command.state is not None:
        try:
            await client.set_doors(member, command.door, command.state)
        except ValueError:
            known = ", ".join(state for state in DoorState if state is not DoorState.AUTO)
            wrong = {"value": str(command.state), "known": known}
            return misread(BadCommand(BadInput.BAD_STATE, wrong), context.say)
        name = _door_name(context, command.door)
        return _say(context, "studio-doors-set", tier=name, state=command.state)
    found = await client.doors(member.platform, member.workspace)
    rows = [
        Field(_door_name(context, door.tier), _door(context, door))
        for door in found
        if command.door in (None, door.tier)
    ]
    apart = await client.doors_set_apart(member.platform, member.workspace)
    rows += [
        Field(_door_name(context, door), context.say("studio-doors-apart", set=state))
        for door, state in apart.items()
        if command.door in (None, door)
    ]
    return _answer(context, "studio-doors-title", tuple(rows))


async def capacity(context: Context, _command: StudioCapacity) -> Reply:
    """Queue, waits and workers now, with a drawing of the last day."""
    if refused := _refused(context):
        return refused
    say, now = context.say, await context.client.capacity()
    workers = "\n".join(
        say(
            "studio-capacity-worker",
            name=worker.name,
            device=worker.device,
            running=worker.running,
            slots=worker.slots,
        )
        for worker in now.workers
    )
    rows = [Field(say(f"tier-{load.tier}"), _load(context, load)) for load in now.tiers]
    rows.append(Field(say("studio-capacity-workers"), workers or say("studio-capacity-no-workers")))
    rows.append(
        Field(
            say("studio-capacity-waitlist"),
            say("studio-capacity-waitlist-value", count=now.waitlist),
        )
    )
    if now.calibration:
        shares = " · ".join(
            f"{say(f'tier-{tier}')} {round(share * 100)} %"
            for tier, share in now.calibration.items()
        )
        rows.append(Field(say("studio-capacity-calibration"), shares))

    async def drawing() -> Attachment:
        from bots.core import chart  # what draws is large, and asked for now and then

        day = await context.client.day()
        data = await anyio.to_thread.run_sync(chart.draw, day, len(now.workers), say)
        return Attachment("capacity.png", "image/png", data)

    return replace(_answer(context, "studio-capacity-title", tuple(rows)), drawing=drawing)


async def block(context: Context, command: StudioBlock) -> Reply:
    """Block a member, or let them in again."""
    if refused := _refused(context):
        return refused
    await context.client.block(context.ask.member, command.member, command.blocked)
    name = "studio-blocked" if command.blocked else "studio-unblocked"
    return _say(context, name, member=command.member)


async def words(context: Context, command: StudioWords) -> Reply:
    """The server's forbidden words: shown, replaced, or tried on a sentence."""
    if refused := _refused(context):
        return refused
    client, member = context.client, context.ask.member
    if command.words is not None:
        kept = tuple(dict.fromkeys(word.strip() for word in command.words if word.strip()))
        await client.set_words(member, kept[:MAX_WORDS])
        return _say(context, "studio-words-saved", count=len(kept[:MAX_WORDS]))
    found = await client.words(member.platform, member.workspace)
    if command.trial is not None:
        hit = forbidden_word(command.trial, found)
        if hit is None:
            return _say(context, "studio-words-trial-pass")
        return _say(context, "studio-words-trial-hit", word=hit)
    if not found:
        return _say(context, "studio-words-none")
    return replace(_answer(context, "studio-words-title"), text=", ".join(found))


async def settings(context: Context, command: StudioSettings) -> Reply:
    """The server's settings: shown, or changed."""
    if refused := _refused(context):
        return refused
    say, now = context.say, context.workspace
    changes: dict[str, Any] = {}
    for name, value in command.changes.items():
        try:
            changes[name] = _READERS[name](str(value))
        except (KeyError, ValueError):
            known = ", ".join(SERVER_SETTINGS)
            details = {"value": f"{name}={value}", "known": known}
            return misread(BadCommand(BadInput.BAD_SETTING, details), say)
    if changes:
        now = replace(now, **changes)
        await context.client.set_workspace_settings(context.ask.member, now)
    values = {name: getattr(now, name) for name in SERVER_SETTINGS}
    rows = tuple(Field(name, _shown(context, value)) for name, value in values.items())
    answer = _answer(context, "studio-settings-title", rows)
    return replace(answer, text=say("studio-settings-saved")) if changes else answer


async def audit(context: Context, command: StudioAudit) -> Reply:
    """What administrators did, newest first."""
    if refused := _refused(context):
        return refused
    member = context.ask.member
    entries = await context.client.audit(member.platform, member.workspace, command.limit)
    if not entries:
        return _say(context, "studio-audit-empty")
    now = datetime.now(UTC)
    rows = tuple(
        Field(
            f"{context.say.duration(now - entry.at)} · {entry.actor}",
            " ".join([entry.action, *(f"{k}={v}" for k, v in entry.details.items())]),
        )
        for entry in entries
    )
    return _answer(context, "studio-audit-title", rows)


async def grant(context: Context, command: StudioGrant) -> Reply:
    """Give or take credits."""
    if refused := _refused(context):
        return refused
    await context.client.grant(context.ask.member, command.member, command.credits, command.why)
    return _say(context, "studio-granted", member=command.member, credits=float(command.credits))


def _refused(context: Context) -> Reply | None:
    if context.ask.member.administrator:
        return None
    return refusal(Reason("only-administrators"), context.say)


def _door_name(context: Context, door: Subject) -> str:
    if isinstance(door, Tier):
        return context.say(f"tier-{door}")
    return context.say("studio-doors-name", door=door)


def _door(context: Context, door: Doors) -> str:
    say = context.say
    if door.predicted_wait is None:
        return say("studio-doors-row", now=door.now, set=door.set_to)
    return say("studio-doors-row-wait", now=door.now, set=door.set_to, wait=door.predicted_wait)


def _load(context: Context, load: TierLoad) -> str:
    say = context.say
    if load.wait_p50 is None or load.wait_p90 is None:
        return say("studio-capacity-tier", queued=load.queued, running=load.running)
    return say(
        "studio-capacity-tier-wait",
        queued=load.queued,
        running=load.running,
        p50=load.wait_p50,
        p90=load.wait_p90,
    )


def _one_of(*choices: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        if value not in choices:
            raise ValueError(value)
        return value

    return read


def _language(value: str) -> str | None:
    return _one_of(*LOCALES)(value) if value else None


def _megapixels(value: str) -> float | None:
    if not value:
        return None
    number = float(value)
    if not 0 < number <= 100:
        raise ValueError(value)
    return number


def _channels(value: str) -> frozenset[str]:
    return frozenset(part.strip("<>#") for part in value.split(",") if part)


_READERS: Mapping[str, Callable[[str], Any]] = {
    "default_tier": Tier,
    "language": _language,
    "channels": _channels,
    "nsfw": _one_of("refuse", "spoiler", "allow"),
    "largest_megapixels": _megapixels,
    "visibility": _one_of("public", "private"),
}


def _shown(context: Context, value: Any) -> str:
    if isinstance(value, frozenset):
        value = ", ".join(sorted(value))
    return context.say("studio-settings-default") if value in (None, "") else str(value)


def _answer(context: Context, name: str, fields: tuple[Field, ...] = ()) -> Reply:
    return Reply(ReplyKind.ANSWER, "", title=context.say(name), fields=fields, code=name)


def _say(context: Context, name: str, **values: object) -> Reply:
    return Reply(ReplyKind.ANSWER, context.say(name, **values), code=name)
