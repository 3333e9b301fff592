"""Picture commands: the order they submit, the sources they use, what they refuse."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from itertools import islice
from typing import Any
from unittest.mock import AsyncMock
from uuid import uuid4

import pytest
from PIL import Image

from bots.core.command_handler import CommandHandler
from bots.core.commands import (
    BadCommand,
    BadInput,
    Blend,
    Command,
    Edit,
    Imagine,
    Invocation,
    Reroll,
    Source,
    Upload,
    Upscale,
    Vary,
)
from bots.core.image_decoder import MAX_FILES, MAX_WAITING, ImageDecoder
from bots.core.reply import Action, ReplyKind
from bots.core.source_images import UnusableImage, refused_files
from imaging.request import Operation
from tasks.client import Unavailable, WorkspaceSettings
from tasks.jobs.job import Order, Reason, Refused
from tasks.jobs.states import JobState
from tasks.policy.config import Limits
from tests.unit.bots.core.conftest import a_job, a_picture, an_order

MakeInvocation = Callable[..., Invocation]


def png(width: int = 64, height: int = 64) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def mask_file() -> bytes:
    """A mask of 64 × 64 pixels, white at the top."""
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (20, 0, 40, 16))
    out = BytesIO()
    mask.save(out, "PNG")
    return out.getvalue()


def submitted(client: Any) -> Order:
    (order,) = client.jobs.submit.await_args.args
    return order  # type: ignore[no-any-return]


def stored(client: Any, **changes: Any) -> Any:
    """A finished picture in the record, of a job with these changes to its order."""
    job = a_job(state=JobState.DONE, order=an_order(**changes))
    picture = a_picture(job.id)
    client.pictures.read.return_value = picture
    client.jobs.read.return_value = replace(job, pictures=(picture,))
    return picture


async def test_prompt_becomes_an_order_and_a_placeholder(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    command = Imagine("a red\nhouse\x00", aspect="16:9", count=2, seed=7, negative="trees")
    reply = await handler.answer(invocation(), command)
    request = submitted(client).request
    assert (request.prompt, request.count, request.seed) == ("a red house", 2, 7)
    assert request.width > request.height
    assert reply.kind is ReplyKind.PLACEHOLDER
    assert not reply.private
    assert [button.action for button in reply.buttons] == [Action.CANCEL]


async def test_member_defaults_fill_missing_options(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.members.preferences.return_value = {"aspect": "9:16", "count": 2, "language": "fr"}
    reply = await handler.answer(invocation(), Imagine("une maison"))
    request = submitted(client).request
    assert request.height > request.width
    assert request.count == 2
    assert reply.text.startswith("Dans la file")
    await handler.answer(invocation(), Imagine("une maison", aspect="1:1", count=1))
    assert submitted(client).request.count == 1


@pytest.mark.parametrize("prompt", ["", "  ", "\x00\x07", "x" * 10_000])
async def test_unusable_prompt_is_refused_without_submitting(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, prompt: str
) -> None:
    reply = await handler.answer(invocation(), Imagine(prompt))
    assert reply.kind is ReplyKind.REFUSAL
    assert reply.private
    client.jobs.submit.assert_not_awaited()


async def test_model_no_worker_serves_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await handler.answer(invocation(), Imagine("a house", model="/etc"))
    assert reply.code == "unknown-model"
    assert "postcard" in reply.text
    client.jobs.submit.assert_not_awaited()


async def test_refusal_is_private_and_offers_the_waitlist(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.submit.side_effect = None
    client.jobs.submit.return_value = Refused(Reason("doors-waitlist", {"tier": "free"}))
    reply = await handler.answer(invocation(), Imagine("a house"))
    assert reply.private
    assert [button.action for button in reply.buttons] == [Action.JOIN_WAITLIST]


async def test_outage_is_a_refusal(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.submit.side_effect = Unavailable("no route")
    reply = await handler.answer(invocation(), Imagine("a house"))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "unavailable")


async def test_repeated_key_marks_the_reply_as_repeated(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    accept = client.jobs.submit.side_effect
    client.jobs.submit.side_effect = lambda order: replace(accept(order), repeated=True)
    assert (await handler.answer(invocation(), Imagine("a house"))).repeated


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no picture", "not-a-picture"),
        (b"", "not-a-picture"),
        (png()[:60], "not-a-picture"),
        (b"x" * (60 * 1024 * 1024), "picture-too-large"),
    ],
)
async def test_file_that_is_not_a_picture_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, data: bytes, code: str
) -> None:
    reply = await handler.answer(invocation(), Vary(Upload(data)))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, code)
    client.jobs.submit.assert_not_awaited()


async def test_file_of_a_member_without_the_right_is_not_downloaded(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    fetch = AsyncMock()
    client.members.upload_refusal.return_value = Reason("blocked")
    reply = await handler.answer(invocation(), Vary(Upload(fetch=fetch)))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "blocked")
    fetch.assert_not_awaited()


async def test_file_that_cannot_be_downloaded_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    gone = AsyncMock(side_effect=UnusableImage(Reason("file-gone")))
    reply = await handler.answer(invocation(), Vary(Upload(fetch=gone)))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "file-gone")
    client.jobs.submit.assert_not_awaited()


async def test_few_downloaded_files_are_in_memory_at_once(
    handler: CommandHandler,
    invocation: MakeInvocation,
) -> None:
    held, most, go_on = 0, 0, asyncio.Event()

    async def fetch() -> bytes:
        nonlocal held, most
        held += 1
        most = max(most, held)
        await go_on.wait()
        held -= 1
        raise UnusableImage(Reason("file-gone"))

    orders = [
        asyncio.create_task(handler.answer(invocation(), Vary(Upload(fetch=fetch))))
        for _ in range(60)
    ]
    async with asyncio.timeout(30):
        for refused in islice(asyncio.as_completed(orders), 60 - MAX_FILES - MAX_WAITING):
            await refused
        go_on.set()
        replies = await asyncio.gather(*orders)
    assert most == MAX_FILES
    codes = Counter(reply.code for reply in replies)
    assert codes == {
        "too-many-uploads": 60 - MAX_FILES - MAX_WAITING,
        "file-gone": MAX_FILES + MAX_WAITING,
    }


async def test_upload_over_the_operators_limit_is_not_decoded(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.pictures.upload_bytes = Limits(upload_megabytes=1).upload_bytes
    monkeypatch.setattr(ImageDecoder, "run", None)
    reply = await handler.answer(invocation(), Vary(Upload(b"x" * (2**20 + 1))))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "picture-too-large")
    assert "1 MiB" in reply.text
    client.jobs.submit.assert_not_awaited()


async def test_upload_is_stored_without_its_metadata(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (80, 60), "red").save(out, "JPEG", exif=exif)
    client.pictures.store_source.return_value = "sources/a"
    await handler.answer(invocation(), Edit(Upload(out.getvalue()), "make it blue"))
    (data,) = client.pictures.store_source.await_args.args
    assert b"taken at home" not in data
    assert submitted(client).request.sources == ("sources/a",)


async def test_edit_with_a_mask_is_a_fill(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    stored(client)
    client.pictures.read_blob.return_value = png(96, 64)
    client.pictures.store_source.return_value = "sources/mask"
    await handler.answer(invocation(), Edit(uuid4(), "a moon", mask=Upload(mask_file())))
    request = submitted(client).request
    assert (request.operation, request.mask) == (Operation.FILL, "sources/mask")
    (data,) = client.pictures.store_source.await_args.args
    with Image.open(BytesIO(data)) as kept:
        assert (kept.mode, kept.size, kept.getbbox()) == ("L", (96, 64), (30, 0, 60, 16))


@pytest.mark.parametrize(
    ("mask", "aspect", "code"),
    [
        (Image.new("L", (64, 64), 0), None, "mask-empty"),
        (Image.new("RGB", (96, 64), "red"), None, "mask-empty"),  # the picture itself
        (Image.new("L", (64, 64), 128), None, "mask-unclear"),
        (Image.linear_gradient("L").point(lambda v: 255 if v < 4 else 0), "4:1", "mask-empty"),
    ],
    ids=["black", "the picture itself", "grey", "marks what is cropped away"],
)
async def test_mask_that_would_change_nothing_is_refused_before_charging(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    mask: Image.Image,
    aspect: str | None,
    code: str,
) -> None:
    stored(client)
    client.pictures.read_blob.return_value = png(96, 64)
    file = BytesIO()
    mask.save(file, "PNG")
    command = Edit(uuid4(), "a moon", mask=Upload(file.getvalue()), aspect=aspect)
    reply = await handler.answer(invocation(locale="fr"), command)
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, code)
    assert "⬛⬜" in reply.text  # what a mask looks like
    client.jobs.submit.assert_not_awaited()


async def test_refused_file_is_named(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    sources = tuple(Upload(data, name) for data, name in ((png(), "a.png"), (b"%PDF-", "b.pdf")))
    client.pictures.store_source.return_value = "sources/a"
    reply = await handler.answer(invocation(), Blend(sources))
    assert reply.code == "not-a-picture"
    assert "as a picture: b.pdf." in reply.text
    client.jobs.submit.assert_not_awaited()


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("a.png", "image/png")] * 4, None),
        ([("a.heic", ""), ("b.png", "image/png")], None),
        ([("a.png", "image/png")] * 5, "too-many-files"),
        ([("a.png", "image/png")] * 4 + [("b.pdf", "application/pdf")], "not-a-picture"),
    ],
)
def test_files_sent_together_are_used_or_refused(
    files: list[tuple[str, str]], code: str | None
) -> None:
    refused = refused_files(files)
    assert (refused.code if refused else None) == code


async def test_variation_keeps_prompt_model_and_parent(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    picture = stored(client)
    await handler.answer(invocation(), Vary(picture.id, strength=0.4))
    order = submitted(client)
    assert (order.parent, order.command) == (picture.id, "vary")
    assert order.request.prompt == "a red house"
    assert order.request.strength == 0.4


async def test_upscale_multiplies_the_size(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    picture = stored(client)
    await handler.answer(invocation(), Upscale(picture.id, factor=4))
    assert submitted(client).request.width == picture.width * 4
    reply = await handler.answer(invocation(), Upscale(picture.id, factor=3))
    assert reply.code == BadInput.BAD_FACTOR


async def test_blend_needs_two_pictures(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    picture = stored(client)
    sources: tuple[Source, ...] = (picture.id,)
    assert (await handler.answer(invocation(), Blend(sources))).code == BadInput.BLEND_NEEDS_MORE
    await handler.answer(invocation(), Blend(sources * 3))
    assert len(submitted(client).request.sources) == 3


@pytest.mark.parametrize("command", [Vary, Upscale, lambda id_: Edit(id_, "make it blue")])
async def test_private_and_other_servers_pictures_are_not_found(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    command: Callable[[Any], Command],
) -> None:
    hidden = stored(client, private=True)
    other = await handler.answer(invocation(id="eve"), command(hidden.id))
    assert other.code == "unknown-picture"
    picture = stored(client)
    abroad = await handler.answer(invocation(workspace="elsewhere", id="eve"), command(picture.id))
    assert abroad.code == "unknown-picture"
    client.jobs.submit.assert_not_awaited()


async def test_reroll_repeats_the_order_with_another_seed(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    job = a_job(state=JobState.DONE)
    client.jobs.read.return_value = job
    await handler.answer(invocation(), Reroll(job.id))
    await handler.answer(invocation(), Reroll(job.id, "a blue house"))
    first, second = (call.args[0].request for call in client.jobs.submit.await_args_list)
    assert first.prompt == job.order.request.prompt
    assert second.prompt == "a blue house"
    assert first.seed != second.seed


@pytest.mark.parametrize("size", [(4096, 64), (64, 4096)])
async def test_upscale_beyond_what_webp_holds_is_refused_at_the_door(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, size: tuple[int, int]
) -> None:
    client.pictures.store_source.return_value = "sources/a"
    reply = await handler.answer(invocation(), Upscale(Upload(png(*size)), factor=4))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "side-too-long")
    assert "16,383" in reply.text
    client.jobs.submit.assert_not_awaited()
    await handler.answer(invocation(), Upscale(Upload(png(*size)), factor=2))
    assert max(submitted(client).request.width, submitted(client).request.height) == 8192


async def test_server_settings_are_checked_before_admission(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.admin.workspace_settings.return_value = WorkspaceSettings(channels=frozenset({"art"}))
    assert (await handler.answer(invocation(), Imagine("a house"))).code == "channel-not-allowed"
    client.admin.workspace_settings.return_value = WorkspaceSettings(largest_megapixels=0.0001)
    assert (await handler.answer(invocation(), Imagine("a house"))).code == "too-large"
    client.jobs.submit.assert_not_awaited()
    for visibility in ("private", "public"):
        stored_text = "".join(visibility)  # equal, and another object, as from the database
        client.admin.workspace_settings.return_value = WorkspaceSettings(visibility=stored_text)
        await handler.answer(invocation(), Imagine("a house"))
        assert submitted(client).private is (visibility == "private")


@pytest.mark.parametrize(
    ("rule", "covers", "shown"),
    [
        ("refuse", True, False),
        ("spoiler", True, True),
        ("spoiler", False, False),
        ("allow", False, True),
    ],
)
async def test_unsafe_pictures_are_requested_only_where_the_server_allows_them(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    rule: str,
    covers: bool,
    shown: bool,
) -> None:
    client.admin.workspace_settings.return_value = WorkspaceSettings(nsfw="".join(rule))
    await handler.answer(replace(invocation(), covers=covers), Imagine("a house"))
    assert submitted(client).request.show_unfit is shown


async def test_private_results_depend_on_the_tier(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    details = {"feature": "private", "tier": "free", "needs": "pro"}
    client.members.feature_refusal.return_value = Reason("feature-not-in-tier", details)
    reply = await handler.answer(invocation(), Imagine("a house", private=True))
    assert reply.text == "Private results are available from Pro up. You’re on Free."


async def test_bad_command_is_refused_with_its_message(
    handler: CommandHandler, invocation: MakeInvocation
) -> None:
    bad = BadCommand(BadInput.BAD_COUNT, {"value": "99", "limit": 4})
    reply = await handler.answer(invocation(), bad)
    assert reply.text == "“99” isn’t a valid number of pictures. Choose 1 to 4."


@pytest.mark.parametrize(("size", "landscape"), [((1600, 900), True), ((900, 1600), False)])
async def test_reference_without_an_aspect_gives_its_own(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    size: tuple[int, int],
    landscape: bool,
) -> None:
    client.pictures.store_source.return_value = "sources/a"
    client.members.preferences.return_value = {"aspect": "1:1"}
    reference = Upload(png(*size))
    await handler.answer(invocation(), Imagine("a house", reference=reference, strength=0.5))
    request = submitted(client).request
    assert (request.width > request.height) is landscape
    assert abs(request.width / request.height / (size[0] / size[1]) - 1) < 0.1
    await handler.answer(invocation(), Imagine("a house", reference=reference, aspect="4:3"))
    request = submitted(client).request
    assert abs(request.width / request.height / (4 / 3) - 1) < 0.1


async def test_flags_of_edit_vary_and_blend_reach_the_order(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    picture = stored(client)
    flags: dict[str, Any] = {"aspect": "2:1", "count": 2, "negative": "trees", "seed": 9}
    for command in (
        Edit(picture.id, "make it blue", **flags),
        Vary(picture.id, **flags),
        Blend((picture.id, picture.id), **flags),
    ):
        await handler.answer(invocation(), command)
        request = submitted(client).request
        assert (request.count, request.negative, request.seed) == (2, "trees", 9), command
        assert request.width > 1.5 * request.height
        reply = await handler.answer(invocation(), replace(command, model="none-such"))
        assert reply.code == "unknown-model"


async def test_options_of_a_reroll_change_the_order(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    job = a_job(state=JobState.DONE)
    client.jobs.read.return_value = job
    reroll = Reroll(job.id, aspect="2:1", count=3, seed=4, negative="trees")
    await handler.answer(invocation(), reroll)
    request = submitted(client).request
    assert request.prompt == job.order.request.prompt
    assert (request.count, request.seed, request.negative) == (3, 4, "trees")
    assert request.width > 1.5 * request.height


async def test_reroll_without_a_job_repeats_the_newest(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.pictures.history.return_value = []
    assert (await handler.answer(invocation(), Reroll())).code == "no-such-job"
    picture = stored(client)
    client.pictures.history.return_value = [picture]
    await handler.answer(invocation(), Reroll())
    assert client.jobs.read.await_args.args == (picture.job,)
    assert submitted(client).request.prompt == "a red house"


@pytest.mark.parametrize(
    "prompt",
    ["👨‍👩‍👧 family", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag", "می‌خواهم", "Donau\u00adschiff", "cafe\u0301", "\U0001faea"],
)
async def test_prompt_reaches_the_order_whole(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, prompt: str
) -> None:
    await handler.answer(invocation(), Imagine(prompt))
    assert submitted(client).request.prompt == prompt


@pytest.mark.parametrize("flagged", [True, False])
@pytest.mark.parametrize("command", [Vary, lambda id_: Edit(id_, "make it blue")])
async def test_order_from_a_flagged_picture_says_so(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    command: Callable[[Any], Command],
    flagged: bool,
) -> None:
    picture = replace(stored(client), flagged=flagged)
    client.pictures.read.return_value = picture
    await handler.answer(invocation(), command(picture.id))
    assert submitted(client).request.from_flagged is flagged
