"""Commands that create a job: build the order, submit it, and reply with its placeholder."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from bots.core import unknown_words
from bots.core.cards import card
from bots.core.commands import (
    FACTORS,
    MAX_COUNT,
    MAX_SOURCES,
    BadCommand,
    BadInput,
    Blend,
    Edit,
    Imagine,
    PictureCommand,
    Reroll,
    Upload,
    Upscale,
    Vary,
)
from bots.core.context import Context
from bots.core.prompt_flags import prompt_fault
from bots.core.refusals import bad_command_reply, refusal
from bots.core.reply import Reply, ReplyKind
from bots.core.source_images import (
    SourceImage,
    UnusableImage,
    load_mask,
    load_source,
)
from bots.core.typed_text import clean_text
from imaging.errors import ImagingError, ModelUnavailable, UnknownProfile
from imaging.parameters import unfollowed
from imaging.profiles import Profile
from imaging.request import MAX_SEED, ImageRequest, Operation
from imaging.sizes import clamp_ratio
from tasks.jobs.job import Accepted, Job, Order, Reason
from tasks.jobs.tiers import Feature

C = TypeVar("C", bound=PictureCommand)

LONGEST_OUTPUT_SIDE = 16_383
"""Pixels: what WebP holds, in which results are posted where a platform limits their size."""


class _Refusal(Exception):
    """Ends a command with a refusal or a question."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.code)
        self.reply = reply


@dataclass(frozen=True, slots=True)
class _Draft:
    """What an order is built from."""

    command: str
    request: ImageRequest
    parent: UUID | None = None
    private: bool = False


async def imagine(context: Context, command: Imagine) -> Reply:
    """Order pictures from a prompt."""
    return await _submit(context, _imagine, command)


async def edit(context: Context, command: Edit) -> Reply:
    """Order a picture changed by an instruction."""
    return await _submit(context, _edit, command)


async def vary(context: Context, command: Vary) -> Reply:
    """Order variations of a picture."""
    return await _submit(context, _vary, command)


async def upscale(context: Context, command: Upscale) -> Reply:
    """Order a larger version of a picture."""
    return await _submit(context, _upscale, command)


async def blend(context: Context, command: Blend) -> Reply:
    """Order a blend of several pictures."""
    return await _submit(context, _blend, command)


async def reroll(context: Context, command: Reroll) -> Reply:
    """Repeat an order with a new seed, and with a new prompt where one is given."""
    return await _submit(context, _reroll, command)


async def _submit(
    context: Context, build: Callable[[Context, C], Awaitable[_Draft]], command: C
) -> Reply:
    """Build the order, submit it, and reply with its placeholder or the reason against it."""
    try:
        if not context.in_allowed_channel:
            channels = sorted(context.workspace.channels)
            raise _refusal(context, Reason("channel-not-allowed", {"channels": channels}))
        await _check_rights(context, command)
        draft = await build(context, command)
        return await _admit(context, draft)
    except _Refusal as refused:
        return refused.reply
    except UnusableImage as unusable:
        return refusal(unusable.reason, context.localize)
    except ImagingError as error:
        return refusal(Reason(error.code, error.details), context.localize)


async def _check_rights(context: Context, command: PictureCommand) -> None:
    """Refuse members who may not order this at all, before any of their files is decoded."""
    if not any(isinstance(each, Upload) for each in _files(command)):
        return
    feature = _FEATURES.get(type(command), Feature.IMAGINE)
    if reason := await context.client.members.upload_refusal(context.invocation.member, feature):
        raise _refusal(context, reason)


def _files(command: PictureCommand) -> tuple[object, ...]:
    match command:
        case Imagine():
            return (command.reference,)
        case Edit():
            return (command.source, command.mask)
        case Vary() | Upscale():
            return (command.source,)
        case Blend():
            return command.sources
        case _:
            return ()  # no files of the member's: another command, or pictures of Atelier's own


_FEATURES: Mapping[type, Feature] = {
    Edit: Feature.EDIT,
    Vary: Feature.VARY,
    Upscale: Feature.UPSCALE,
    Blend: Feature.BLEND,
}


async def _admit(context: Context, draft: _Draft) -> Reply:
    invocation = context.invocation
    _check_size(context, draft.request)
    await _check_parameters(context, draft.request)
    private = draft.private or context.workspace.visibility == "private"
    if draft.private and (
        closed := await context.client.members.feature_refusal(invocation.member, Feature.PRIVATE)
    ):
        raise _refusal(context, closed)
    order = Order(
        key=invocation.key,
        command=draft.command,
        member=replace(invocation.member, locale=context.localize.locale),
        place=invocation.place,
        request=replace(draft.request, show_unfit=_shows_unsafe(context)),
        parent=draft.parent,
        private=private,
        reply_to=invocation.reply_to,
    )
    outcome = await context.client.jobs.submit(order)
    if not isinstance(outcome, Accepted):
        return refusal(outcome.reason, context.localize)
    rendered = card(outcome.job, context.localize)
    return Reply(
        ReplyKind.PLACEHOLDER,
        rendered.text,
        private=private,
        card=rendered,
        title=rendered.title,
        buttons=rendered.buttons,
        repeated=outcome.repeated,
    )


async def _imagine(context: Context, command: Imagine) -> _Draft:
    prompt = _prompt(context, command.prompt)
    profile = await _profile(context, command.model)
    if question := unknown_words.question(context, profile, command, prompt):
        raise _Refusal(question)
    reference = await load_source(context, command.reference) if command.reference else None
    width, height = _imagine_size(context, profile, command.aspect, reference)
    request = ImageRequest(
        Operation.IMAGINE,
        prompt,
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count),
        negative=clean_text(command.negative),
        strength=command.strength if reference else None,
        sources=(reference.blob,) if reference else (),
        from_flagged=reference is not None and reference.flagged,
    )
    return _Draft("imagine", request, reference.parent if reference else None, command.private)


async def _edit(context: Context, command: Edit) -> _Draft:
    instruction = _prompt(context, command.instruction)
    source = await load_source(context, command.source)
    operation = Operation.FILL if command.mask else Operation.EDIT
    profile = await _profile(context, command.model or source.profile, operation)
    width, height = _edit_size(profile, command.aspect, source)
    size = (width, height)
    mask = await load_mask(context, command.mask, source, size) if command.mask else None
    request = ImageRequest(
        operation,
        instruction,
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count, default=1),
        negative=clean_text(command.negative),
        strength=command.strength,
        sources=(source.blob,),
        from_flagged=source.flagged,
        mask=mask.blob if mask else None,
    )
    return _Draft("edit", request, source.parent, source.private)


async def _vary(context: Context, command: Vary) -> _Draft:
    source = await load_source(context, command.source)
    profile = await _profile(context, command.model or source.profile, Operation.VARY)
    width, height = _edit_size(profile, command.aspect, source)
    request = ImageRequest(
        Operation.VARY,
        source.prompt,
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count, default=1),
        negative=clean_text(command.negative),
        strength=command.strength,
        sources=(source.blob,),
        from_flagged=source.flagged,
    )
    return _Draft("vary", request, source.parent, source.private)


async def _upscale(context: Context, command: Upscale) -> _Draft:
    if command.factor not in FACTORS:
        raise _bad_input(context, BadCommand(BadInput.BAD_FACTOR))
    source = await load_source(context, command.source)
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
        from_flagged=source.flagged,
    )
    return _Draft("upscale", request, source.parent, source.private)


async def _blend(context: Context, command: Blend) -> _Draft:
    if not 2 <= len(command.sources) <= MAX_SOURCES:
        raise _bad_input(context, BadCommand(BadInput.BLEND_NEEDS_MORE))
    prompt = _prompt(context, command.prompt) if command.prompt.strip() else ""
    sources = [await load_source(context, source) for source in command.sources]
    profile = await _profile(context, command.model or sources[0].profile, Operation.BLEND)
    width, height = _edit_size(profile, command.aspect, sources[0])
    request = ImageRequest(
        Operation.BLEND,
        prompt or _joined_prompts(sources),
        profile.name,
        width,
        height,
        _seed(command.seed),
        _count(context, command.count, default=1),
        negative=clean_text(command.negative),
        strength=command.strength,
        sources=tuple(reference.blob for reference in sources),
        from_flagged=any(reference.flagged for reference in sources),
    )
    private = any(reference.private for reference in sources)
    return _Draft("blend", request, sources[0].parent, private)


async def _reroll(context: Context, command: Reroll) -> _Draft:
    job = await _job_to_repeat(context, command)
    if job is None or not job.visible_to(context.invocation.member):
        raise _refusal(context, Reason("no-such-job"))
    original = job.order
    request = await _changed(context, original.request, command)
    return _Draft(original.command, request, original.parent, original.private)


async def _job_to_repeat(context: Context, command: Reroll) -> Job | None:
    if command.job is not None:
        return await context.client.jobs.read(command.job)
    if command.picture is not None:
        picture = await context.client.pictures.read(command.picture)
        return await context.client.jobs.read(picture.job) if picture else None
    newest = await context.client.pictures.history(context.invocation.member, 1)
    return await context.client.jobs.read(newest[0].job) if newest else None


async def _changed(context: Context, request: ImageRequest, command: Reroll) -> ImageRequest:
    """The request with the prompt and the options of a reroll, and a new seed by default."""
    if command.model:
        profile = await _profile(context, command.model, request.operation)
        request = _for_model(request, profile)
    if command.aspect and request.operation is not Operation.UPSCALE:
        profile = await context.served_profile(request.profile)
        width, height = profile.size(command.aspect)
        request = replace(request, width=width, height=height)
    if command.strength is not None and request.sources:
        request = replace(request, strength=command.strength)
    return replace(
        request,
        prompt=_prompt(context, command.prompt) if command.prompt else request.prompt,
        negative=request.negative if command.negative is None else clean_text(command.negative),
        seed=_seed(command.seed),
        count=_count(context, command.count, default=request.count),
    )


def _for_model(request: ImageRequest, profile: Profile) -> ImageRequest:
    """The request for another model, in that model's own size."""
    if profile.name == request.profile or request.operation is Operation.UPSCALE:
        return replace(request, profile=profile.name)
    width, height = profile.size_like((request.width, request.height))
    return replace(request, profile=profile.name, width=width, height=height)


def _imagine_size(
    context: Context, profile: Profile, aspect: str | None, reference: SourceImage | None
) -> tuple[int, int]:
    """The size in pixels for the typed aspect, else the reference's own, else the default."""
    if aspect is None and reference is not None:
        return profile.size_of_ratio(clamp_ratio((reference.width, reference.height)))
    return profile.size(aspect or str(context.preferences.get("aspect") or "1:1"))


def _edit_size(profile: Profile, aspect: str | None, source: SourceImage) -> tuple[int, int]:
    """The size in pixels for the typed aspect, else for the source's own."""
    if aspect is None:
        return profile.size_of_edit((source.width, source.height))
    return profile.size(aspect)


def _prompt(context: Context, text: str) -> str:
    if error := prompt_fault(text):
        raise _bad_input(context, error)
    words = clean_text(text)
    if not words:
        raise _bad_input(context, BadCommand(BadInput.PROMPT_EMPTY))
    return words


async def _profile(
    context: Context, name: str | None, operation: Operation = Operation.IMAGINE
) -> Profile:
    """The profile to use: one that a worker serves, never a path that a member typed."""
    chosen = name or str(context.preferences.get("model") or context.model)
    served = await context.client.fleet.profiles()
    details = {"model": chosen, "models": sorted({context.model, *served})}
    if chosen != context.model and chosen not in served:
        raise _refusal(context, Reason("unknown-model", details))
    try:
        profile = context.with_card(chosen, served.get(chosen))
    except (UnknownProfile, ModelUnavailable):  # no worker describes it now
        raise _refusal(context, Reason("unknown-model", details)) from None
    if operation not in profile.operations:
        raise _refusal(context, Reason("unsupported", {"model": profile.name}))
    return profile


def _count(context: Context, count: int | None, default: int | None = None) -> int:
    chosen = count or default or int(context.preferences.get("count") or 1)
    if not 1 <= chosen <= MAX_COUNT:
        raise _bad_input(
            context, BadCommand(BadInput.BAD_COUNT, {"value": chosen, "limit": MAX_COUNT})
        )
    return chosen


def _seed(seed: int | None) -> int:
    return secrets.randbelow(MAX_SEED + 1) if seed is None else seed


def _shows_unsafe(context: Context) -> bool:
    """Whether the server accepts pictures flagged by the safety check, shown or covered."""
    rule = context.workspace.nsfw
    return rule == "allow" or (rule == "spoiler" and context.invocation.covers)


def _check_size(context: Context, request: ImageRequest) -> None:
    side = max(request.width, request.height)
    if side > LONGEST_OUTPUT_SIDE:
        raise _refusal(
            context, Reason("side-too-long", {"side": side, "limit": LONGEST_OUTPUT_SIDE})
        )
    limit = context.workspace.largest_megapixels
    if limit is not None and request.megapixels > limit:
        details = {"megapixels": round(request.megapixels, 2), "limit": limit}
        raise _refusal(context, Reason("too-large", details))


async def _check_parameters(context: Context, request: ImageRequest) -> None:
    """Refuse what the model would silently ignore."""
    with_reference = request.operation is Operation.IMAGINE and request.sources
    if not (request.negative or request.strength is not None or with_reference):
        return
    profile = await context.served_profile(request.profile)
    if (parameter := unfollowed(request, profile.parameters)) is not None:
        details = {"model": profile.name, "parameter": parameter.value}
        raise _refusal(context, Reason("parameter-unsupported", details))


def _joined_prompts(sources: list[SourceImage]) -> str:
    return ", ".join(dict.fromkeys(m.prompt for m in sources if m.prompt))


def _refusal(context: Context, reason: Reason) -> _Refusal:
    return _Refusal(refusal(reason, context.localize))


def _bad_input(context: Context, error: BadCommand) -> _Refusal:
    return _Refusal(bad_command_reply(error, context.localize))
