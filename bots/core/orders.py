"""The use cases that end in a job: from a command to an order, from admission to a placeholder."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from bots.core.cards import card
from bots.core.command import (
    FACTORS,
    MAX_COUNT,
    BadCommand,
    BadInput,
    Blend,
    Edit,
    Imagine,
    Reroll,
    Upscale,
    Vary,
)
from bots.core.context import Context
from bots.core.flags import prompt_fault
from bots.core.intake import Material, Unusable, take, take_mask
from bots.core.reasons import misread, refusal
from bots.core.reply import Reply, ReplyKind
from imaging.errors import ImagingError
from imaging.profiles import Profile
from imaging.request import MAX_SEED, ImageRequest, Operation
from tasks.job import Accepted, Order, Reason
from tasks.tiers import Feature


class _Refuse(Exception):
    """Carries a refusal out of a use case."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class _Draft:
    """An order being written."""

    command: str
    request: ImageRequest
    parent: UUID | None = None
    private: bool = False


async def imagine(context: Context, command: Imagine) -> Reply:
    """Pictures from a prompt."""
    return await _submit(context, _imagine, command)


async def edit(context: Context, command: Edit) -> Reply:
    """A picture changed by an instruction."""
    return await _submit(context, _edit, command)


async def vary(context: Context, command: Vary) -> Reply:
    """Pictures like one that is there."""
    return await _submit(context, _vary, command)


async def upscale(context: Context, command: Upscale) -> Reply:
    """The same picture, larger."""
    return await _submit(context, _upscale, command)


async def blend(context: Context, command: Blend) -> Reply:
    """Several pictures made into one."""
    return await _submit(context, _blend, command)


async def reroll(context: Context, command: Reroll) -> Reply:
    """The same order with a new seed, and a new prompt where one is given."""
    return await _submit(context, _reroll, command)


async def _submit(context: Context, write: Any, command: Any) -> Reply:
    """Draft, admit, and show the placeholder; or say why not."""
    try:
        if not context.in_allowed_channel:
            channels = sorted(context.workspace.channels)
            raise _refuse(context, Reason("channel-not-allowed", {"channels": channels}))
        draft: _Draft = await write(context, command)
        return await _admit(context, draft)
    except _Refuse as refused:
        return refused.reply
    except Unusable as unusable:
        return refusal(unusable.reason, context.say)
    except ImagingError as error:
        return refusal(Reason(error.code, error.details), context.say)


async def _admit(context: Context, draft: _Draft) -> Reply:
    ask = context.ask
    _check_size(context, draft.request)
    private = draft.private or context.workspace.visibility == "private"
    if draft.private and (closed := await context.client.feature_open(ask.member, Feature.PRIVATE)):
        raise _refuse(context, closed)
    order = Order(
        key=ask.key,
        command=draft.command,
        member=replace(ask.member, locale=context.say.locale),
        place=ask.place,
        request=replace(draft.request, show_unfit=_shows_unfit(context)),
        parent=draft.parent,
        private=private,
        reply_to=ask.reply_to,
    )
    outcome = await context.client.submit(order)
    if not isinstance(outcome, Accepted):
        return refusal(outcome.reason, context.say)
    shown = card(outcome.job, context.say)
    return Reply(
        ReplyKind.PLACEHOLDER,
        shown.text,
        private=private,
        card=shown,
        title=shown.title,
        buttons=shown.buttons,
        repeated=outcome.repeated,
    )


async def _imagine(context: Context, command: Imagine) -> _Draft:
    prompt = _prompt(context, command.prompt)
    profile = await _profile(context, command.model)
    aspect = command.aspect or str(context.preferences.get("aspect") or "1:1")
    width, height = profile.size(aspect)
    material = await take(context, command.reference) if command.reference else None
    request = ImageRequest(
        Operation.IMAGINE,
        prompt,
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count),
        negative=printable(command.negative),
        strength=command.strength if material else None,
        sources=(material.blob,) if material else (),
    )
    return _Draft("imagine", request, material.parent if material else None, command.private)


async def _edit(context: Context, command: Edit) -> _Draft:
    instruction = _prompt(context, command.instruction)
    source = await take(context, command.source)
    mask = await take_mask(context, command.mask) if command.mask else None
    operation = Operation.FILL if mask else Operation.EDIT
    profile = await _profile(context, source.profile, operation)
    width, height = profile.size_of_edit((source.width, source.height))
    request = ImageRequest(
        operation,
        instruction,
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count, default=1),
        sources=(source.blob,),
        mask=mask.blob if mask else None,
    )
    return _Draft("edit", request, source.parent, source.private)


async def _vary(context: Context, command: Vary) -> _Draft:
    source = await take(context, command.source)
    profile = await _profile(context, source.profile, Operation.VARY)
    width, height = profile.size_of_edit((source.width, source.height))
    request = ImageRequest(
        Operation.VARY,
        source.prompt,
        profile.name,
        width,
        height,
        _seed(None),
        _count(context, command.count, default=1),
        strength=command.strength,
        sources=(source.blob,),
    )
    return _Draft("vary", request, source.parent, source.private)


async def _upscale(context: Context, command: Upscale) -> _Draft:
    if command.factor not in FACTORS:
        raise _misread(context, BadCommand(BadInput.BAD_FACTOR))
    source = await take(context, command.source)
    profile = await _profile(context, source.profile, Operation.UPSCALE)
    request = ImageRequest(
        Operation.UPSCALE,
        source.prompt,
        profile.name,
        source.width * command.factor,
        source.height * command.factor,
        source.seed if source.seed is not None else 0,
        factor=command.factor,
        sources=(source.blob,),
    )
    return _Draft("upscale", request, source.parent, source.private)


async def _blend(context: Context, command: Blend) -> _Draft:
    if not 2 <= len(command.sources) <= 4:
        raise _misread(context, BadCommand(BadInput.BLEND_NEEDS_MORE))
    prompt = _prompt(context, command.prompt) if command.prompt.strip() else ""
    materials = [await take(context, source) for source in command.sources]
    profile = await _profile(context, materials[0].profile, Operation.BLEND)
    width, height = profile.size_of_edit((materials[0].width, materials[0].height))
    request = ImageRequest(
        Operation.BLEND,
        prompt or _joined(materials),
        profile.name,
        width,
        height,
        _seed(None),
        sources=tuple(material.blob for material in materials),
    )
    private = any(material.private for material in materials)
    return _Draft("blend", request, materials[0].parent, private)


async def _reroll(context: Context, command: Reroll) -> _Draft:
    job = await context.client.job(command.job)
    if job is None:
        raise _refuse(context, Reason("no-such-job"))
    original = job.order
    same_server = original.member.platform == context.ask.member.platform and (
        original.place.workspace == context.ask.place.workspace
    )
    mine = original.member.key == context.ask.member.key
    if not same_server or (original.private and not mine):
        raise _refuse(context, Reason("no-such-job"))
    prompt = _prompt(context, command.prompt) if command.prompt else original.request.prompt
    request = replace(original.request, prompt=prompt, seed=_seed(None))
    return _Draft(original.command, request, original.parent, original.private)


def printable(text: str) -> str:
    """The text without control characters and lone surrogates, which no database or model takes."""
    kept = (c if c.isprintable() else " " for c in text if not 0xD800 <= ord(c) <= 0xDFFF)
    return " ".join("".join(kept).split())


def _prompt(context: Context, text: str) -> str:
    if fault := prompt_fault(text):
        raise _misread(context, fault)
    words = printable(text)
    if not words:
        raise _misread(context, BadCommand(BadInput.PROMPT_EMPTY))
    return words


async def _profile(
    context: Context, name: str | None, operation: Operation = Operation.IMAGINE
) -> Profile:
    """The model to draw with: only those that the workers serve, never a folder a member names."""
    chosen = name or str(context.preferences.get("model") or context.model)
    if chosen != context.model:
        served = await context.client.models()
        if chosen not in served:
            details = {"model": chosen, "models": sorted({context.model, *served})}
            raise _refuse(context, Reason("unknown-model", details))
    profile = context.profile(chosen)
    if operation not in profile.operations:
        raise _refuse(context, Reason("unsupported", {"model": profile.name}))
    return profile


def _count(context: Context, count: int | None, default: int | None = None) -> int:
    chosen = count or default or int(context.preferences.get("count") or 1)
    if not 1 <= chosen <= MAX_COUNT:
        raise _misread(
            context, BadCommand(BadInput.BAD_COUNT, {"value": chosen, "limit": MAX_COUNT})
        )
    return chosen


def _seed(seed: int | None) -> int:
    return secrets.randbelow(MAX_SEED + 1) if seed is None else seed


def _shows_unfit(context: Context) -> bool:
    """Whether the server wants what the safety check finds unfit, shown or covered."""
    rule = context.workspace.nsfw
    return rule == "allow" or (rule == "spoiler" and context.ask.covers)


def _check_size(context: Context, request: ImageRequest) -> None:
    limit = context.workspace.largest_megapixels
    if limit is not None and request.megapixels > limit:
        details = {"megapixels": round(request.megapixels, 2), "limit": limit}
        raise _refuse(context, Reason("too-large", details))


def _joined(materials: list[Material]) -> str:
    return ", ".join(dict.fromkeys(m.prompt for m in materials if m.prompt))


def _refuse(context: Context, reason: Reason) -> _Refuse:
    return _Refuse(refusal(reason, context.say))


def _misread(context: Context, fault: BadCommand) -> _Refuse:
    return _Refuse(misread(fault, context.say))
