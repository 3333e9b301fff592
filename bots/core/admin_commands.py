"""Commands of a server's administrators. Each checks the right first and replies in private."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import anyio.to_thread

from bots.core.command_grammar import SERVER_SETTINGS
from bots.core.commands import (
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
from bots.core.locales import LOCALES
from bots.core.prompt_flags import parse_prompt
from bots.core.refusals import bad_command_reply, refusal
from bots.core.reply import Attachment, Field, Reply, ReplyKind
from bots.core.typed_text import clean_text
from tasks.client import Capacity, Doors, Subject, TierLoad
from tasks.jobs.job import Reason
from tasks.jobs.tiers import DoorState, Tier
from tasks.policy.word_filter import forbidden_word

MAX_WORDS = 1000
MAX_FAULTS, MAX_REASON = 5, 150  # lines, and characters of a reason
MAX_FAULT_TEXT = 1000  # characters; an embed's field holds 1024


async def role(context: Context, command: StudioRole) -> Reply:
    """Set the tier that a role gives, or remove it."""
    if refused := _admin_refusal(context):
        return refused
    await context.client.admin.map_role(context.invocation.member, command.role, command.tier)
    if command.tier is None:
        return _message_reply(context, "studio-role-removed", role=command.role)
    return _message_reply(
        context, "studio-role-set", role=command.role, tier=context.localize(f"tier-{command.tier}")
    )


async def roles(context: Context, _command: StudioRoles) -> Reply:
    """List the roles that give a tier."""
    if refused := _admin_refusal(context):
        return refused
    member, localize = context.invocation.member, context.localize
    mapping = await context.client.admin.role_map(member.platform, member.workspace)
    if not mapping:
        tier = localize(f"tier-{context.workspace.default_tier}")
        return _message_reply(context, "studio-roles-empty", tier=tier)
    rows = tuple(Field(role, localize(f"tier-{tier}")) for role, tier in sorted(mapping.items()))
    return _titled_reply(context, "studio-roles-title", rows)


async def doors(context: Context, command: StudioDoors) -> Reply:
    """Set one door, or list them."""
    if refused := _admin_refusal(context):
        return refused
    client, member = context.client, context.invocation.member
    if command.door is not None and command.state is not None:
        try:
            await client.door_settings.set(member, command.door, command.state)
        except ValueError:
            known = ", ".join(state for state in DoorState if state is not DoorState.AUTO)
            wrong = {"value": str(command.state), "known": known}
            return bad_command_reply(BadCommand(BadInput.BAD_STATE, wrong), context.localize)
        name = _door_name(context, command.door)
        return _message_reply(context, "studio-doors-set", tier=name, state=command.state)
    current = await client.door_settings.tiers(member.platform, member.workspace)
    rows = [
        Field(_door_name(context, door.tier), _door(context, door))
        for door in current
        if command.door in (None, door.tier)
    ]
    overrides = await client.door_settings.others(member.platform, member.workspace)
    rows += [
        Field(_door_name(context, door), context.localize("studio-doors-override", set=state))
        for door, state in overrides.items()
        if command.door in (None, door)
    ]
    return _titled_reply(context, "studio-doors-title", tuple(rows))


async def capacity(context: Context, _command: StudioCapacity) -> Reply:
    """Show the queue, the waits and the workers, with a chart of the last day."""
    if refused := _admin_refusal(context):
        return refused
    localize, now = context.localize, await context.client.fleet.capacity()
    workers = "\n".join(
        localize(
            "studio-capacity-worker",
            name=worker.name,
            device=worker.device,
            running=worker.running,
            slots=worker.slots,
        )
        for worker in now.workers
    )
    rows = [Field(localize(f"tier-{load.tier}"), _load(context, load)) for load in now.tiers]
    rows.append(
        Field(
            localize("studio-capacity-workers"), workers or localize("studio-capacity-no-workers")
        )
    )
    if faults := _model_faults(context, now):
        rows.append(Field(localize("studio-capacity-faults"), faults))
    rows.append(
        Field(
            localize("studio-capacity-waitlist"),
            localize("studio-capacity-waitlist-value", count=now.waitlist),
        )
    )
    if now.calibration:
        shares = " · ".join(
            localize(
                "studio-capacity-calibration-value",
                tier=localize(f"tier-{tier}"),
                share=localize.percent(share),
            )
            for tier, share in now.calibration.items()
        )
        rows.append(Field(localize("studio-capacity-calibration"), shares))

    async def chart() -> Attachment:
        from bots.core import load_chart  # imports Pillow's fonts: slow, and rarely needed

        day = await context.client.fleet.last_day()
        data = await anyio.to_thread.run_sync(load_chart.draw, day, len(now.workers), localize)
        return Attachment("capacity.png", "image/png", data)

    return replace(_titled_reply(context, "studio-capacity-title", tuple(rows)), chart=chart)


def _model_faults(context: Context, now: Capacity) -> str:
    """A line for each model that a worker cannot serve: why, since when, and the next try.

    As many as a field holds, and then a line with the number of the others.
    """
    localize, lines = context.localize, []
    for worker in now.workers:
        for model, fault in worker.model_faults.items():
            values = {
                "model": f"{model} ({fault.part})" if fault.part else model,
                "worker": worker.name,
                "reason": fault.reason[:MAX_REASON],
                "since": f"{fault.since:%Y-%m-%d %H:%M} UTC",
            }
            if fault.next_try is None:
                lines.append(localize("studio-capacity-fault-trying", **values))
            else:
                left = localize.duration(max(fault.next_try - now.at, timedelta()))
                lines.append(localize("studio-capacity-fault", **values, next=left))
    shown = lines[:MAX_FAULTS]
    while len("\n".join(shown)) > MAX_FAULT_TEXT:
        shown.pop()
    if hidden := len(lines) - len(shown):
        shown.append(localize("studio-capacity-faults-more", count=hidden))
    return "\n".join(shown)


async def block(context: Context, command: StudioBlock) -> Reply:
    """Block or unblock a member."""
    if refused := _admin_refusal(context):
        return refused
    await context.client.admin.block(context.invocation.member, command.member, command.blocked)
    name = "studio-blocked" if command.blocked else "studio-unblocked"
    return _message_reply(context, name, member=command.member)


async def words(context: Context, command: StudioWords) -> Reply:
    """Show the server's forbidden words, replace them, or test a prompt against them."""
    if refused := _admin_refusal(context):
        return refused
    client, member = context.client, context.invocation.member
    if command.words is not None:
        unique = tuple(dict.fromkeys(word.strip() for word in command.words if word.strip()))
        await client.admin.set_words(member, unique[:MAX_WORDS])
        return _message_reply(context, "studio-words-saved", count=len(unique[:MAX_WORDS]))
    forbidden = await client.admin.words(member.platform, member.workspace)
    if command.trial is not None:
        hit = _forbidden_in(command.trial, forbidden)
        if hit is None:
            return _message_reply(context, "studio-words-trial-pass")
        return _message_reply(context, "studio-words-trial-hit", word=hit)
    if not forbidden:
        return _message_reply(context, "studio-words-none")
    return replace(_titled_reply(context, "studio-words-title"), text=", ".join(forbidden))


def _forbidden_in(text: str, words: Sequence[str]) -> str | None:
    """The word that an order with this text is refused for, in its prompt or its negative."""
    prompt = parse_prompt(text, may_be_empty=True)
    if isinstance(prompt, BadCommand):
        return forbidden_word(clean_text(text), words)
    return forbidden_word(prompt.words, words) or forbidden_word(prompt.negative, words)


async def settings(context: Context, command: StudioSettings) -> Reply:
    """Show the server's settings, or change them."""
    if refused := _admin_refusal(context):
        return refused
    localize, now = context.localize, context.workspace
    changes: dict[str, Any] = {}
    for name, value in command.changes.items():
        try:
            changes[name] = _PARSERS[name](str(value))
        except (KeyError, ValueError):
            known = ", ".join(SERVER_SETTINGS)
            details = {"value": f"{name}={value}", "known": known}
            return bad_command_reply(BadCommand(BadInput.BAD_SETTING, details), localize)
    if changes:
        now = replace(now, **changes)
        await context.client.admin.set_workspace_settings(context.invocation.member, now)
    values = {name: getattr(now, name) for name in SERVER_SETTINGS}
    rows = tuple(Field(name, _setting_text(context, value)) for name, value in values.items())
    answer = _titled_reply(context, "studio-settings-title", rows)
    return replace(answer, text=localize("studio-settings-saved")) if changes else answer


async def audit(context: Context, command: StudioAudit) -> Reply:
    """List what administrators did, newest first."""
    if refused := _admin_refusal(context):
        return refused
    member = context.invocation.member
    entries = await context.client.admin.audit(member.platform, member.workspace, command.limit)
    if not entries:
        return _message_reply(context, "studio-audit-empty")
    now = datetime.now(UTC)
    rows = tuple(
        Field(
            context.localize("studio-audit-row", ago=now - entry.at, actor=entry.actor),
            " ".join([entry.action, *(f"{k}={v}" for k, v in entry.details.items())]),
        )
        for entry in entries
    )
    return _titled_reply(context, "studio-audit-title", rows)


async def grant(context: Context, command: StudioGrant) -> Reply:
    """Grant a member credits, or take some."""
    if refused := _admin_refusal(context):
        return refused
    await context.client.admin.grant(
        context.invocation.member, command.member, command.credits, command.why
    )
    name = "studio-granted" if command.credits >= 0 else "studio-revoked"
    return _message_reply(context, name, member=command.member, credits=abs(float(command.credits)))


def _admin_refusal(context: Context) -> Reply | None:
    if context.invocation.member.administrator:
        return None
    return refusal(Reason("only-administrators"), context.localize)


def _door_name(context: Context, door: Subject) -> str:
    if isinstance(door, Tier):
        return context.localize(f"tier-{door}")
    return context.localize("studio-doors-name", door=door)


def _door(context: Context, door: Doors) -> str:
    localize = context.localize
    if door.predicted_wait is None:
        return localize("studio-doors-row", now=door.now, set=door.set_to)
    return localize(
        "studio-doors-row-wait", now=door.now, set=door.set_to, wait=door.predicted_wait
    )


def _load(context: Context, load: TierLoad) -> str:
    localize = context.localize
    if load.wait_p50 is None or load.wait_p90 is None:
        return localize("studio-capacity-tier", queued=load.queued, running=load.running)
    return localize(
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


def _channel(value: str) -> str | None:
    return value.strip("<>#").partition("|")[0] or None


_PARSERS: Mapping[str, Callable[[str], Any]] = {
    "default_tier": Tier,
    "language": _language,
    "channels": _channels,
    "nsfw": _one_of("refuse", "spoiler", "allow"),
    "largest_megapixels": _megapixels,
    "visibility": _one_of("public", "private"),
    "reports_channel": _channel,
}


def _setting_text(context: Context, value: Any) -> str:
    if isinstance(value, frozenset):
        value = ", ".join(sorted(value))
    return context.localize("studio-settings-default") if value in (None, "") else str(value)


def _titled_reply(context: Context, name: str, fields: tuple[Field, ...] = ()) -> Reply:
    return Reply(ReplyKind.ANSWER, "", title=context.localize(name), fields=fields, code=name)


def _message_reply(context: Context, name: str, **values: object) -> Reply:
    return Reply(ReplyKind.ANSWER, context.localize(name, **values), code=name)
