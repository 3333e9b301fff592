"""From a command to an order: what is asked for, from which pictures, what is refused first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any
from uuid import uuid4

import pytest
from PIL import Image

from bots.core.command import (
    Ask,
    BadCommand,
    BadInput,
    Blend,
    Command,
    Edit,
    Imagine,
    Reroll,
    Source,
    Upload,
    Upscale,
    Vary,
)
from bots.core.reply import Action, ReplyKind
from bots.core.studio import Studio
from imaging.request import Operation
from tasks.client import Unavailable, WorkspaceSettings
from tasks.job import JobState, Order, Reason, Refused
from tests.unit.core.conftest import a_job, a_picture, an_order

MakeAsk = Callable[..., Ask]


def png(width: int = 64, height: int = 64) -> bytes:
    out = BytesIO()
    Image.new("RGB", (width, height), "red").save(out, "PNG")
    return out.getvalue()


def submitted(client: Any) -> Order:
    (order,) = client.submit.await_args.args
    return order  # type: ignore[no-any-return]


def stored(client: Any, **changes: Any) -> Any:
    """A finished picture in the record, of a job with these changes to its order."""
    job = a_job(state=JobState.DONE, order=an_order(**changes))
    picture = a_picture(job.id)
    client.picture.return_value = picture
    client.job.return_value = replace(job, pictures=(picture,))
    return picture


async def test_a_prompt_becomes_an_order_and_a_placeholder(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    command = Imagine("a red\nhouse\x00", aspect="16:9", count=2, seed=7, negative="trees")
    reply = await studio.answer(ask(), command)
    request = submitted(client).request
    assert (request.prompt, request.count, request.seed) == ("a red house", 2, 7)
    assert request.width > request.height
    assert reply.kind is ReplyKind.PLACEHOLDER
    assert not reply.private
    assert [button.action for button in reply.buttons] == [Action.CANCEL]


async def test_a_members_defaults_count_where_the_command_says_nothing(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    client.preferences.return_value = {"aspect": "9:16", "count": 2, "language": "fr"}
    reply = await studio.answer(ask(), Imagine("une maison"))
    request = submitted(client).request
    assert request.height > request.width
    assert request.count == 2
    assert reply.text.startswith("Dans la file")
    await studio.answer(ask(), Imagine("une maison", aspect="1:1", count=1))
    assert submitted(client).request.count == 1


@pytest.mark.parametrize("prompt", ["", "  ", "\x00\x07", "x" * 10_000])
async def test_a_prompt_that_cannot_be_drawn_is_refused_and_nothing_submitted(
    studio: Studio, client: Any, ask: MakeAsk, prompt: str
) -> None:
    reply = await studio.answer(ask(), Imagine(prompt))
    assert reply.kind is ReplyKind.REFUSAL
    assert reply.private
    client.submit.assert_not_awaited()


async def test_only_models_that_workers_serve_can_be_named(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    reply = await studio.answer(ask(), Imagine("a house", model="/etc"))
    assert reply.code == "unknown-model"
    assert "postcard" in reply.text
    client.submit.assert_not_awaited()


async def test_a_refusal_is_for_one_members_eyes(studio: Studio, client: Any, ask: MakeAsk) -> None:
    client.submit.side_effect = None
    client.submit.return_value = Refused(Reason("doors-waitlist", {"tier": "free"}))
    reply = await studio.answer(ask(), Imagine("a house"))
    assert reply.private
    assert [button.action for button in reply.buttons] == [Action.JOIN_WAITLIST]


async def test_an_outage_is_an_answer(studio: Studio, client: Any, ask: MakeAsk) -> None:
    client.submit.side_effect = Unavailable("no route")
    reply = await studio.answer(ask(), Imagine("a house"))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "unavailable")


async def test_a_repeated_key_is_told_so_that_no_second_placeholder_is_posted(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    accept = client.submit.side_effect
    client.submit.side_effect = lambda order: replace(accept(order), repeated=True)
    assert (await studio.answer(ask(), Imagine("a house"))).repeated


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"no picture", "not-a-picture"),
        (b"", "not-a-picture"),
        (png()[:60], "not-a-picture"),
        (b"x" * (60 * 1024 * 1024), "picture-too-large"),
    ],
)
async def test_a_file_that_is_no_picture_is_refused(
    studio: Studio, client: Any, ask: MakeAsk, data: bytes, code: str
) -> None:
    reply = await studio.answer(ask(), Vary(Upload(data)))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, code)
    client.submit.assert_not_awaited()


async def test_an_upload_is_stored_without_what_was_hidden_in_it(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    out = BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.new("RGB", (80, 60), "red").save(out, "JPEG", exif=exif)
    client.store_source.return_value = "sources/a"
    await studio.answer(ask(), Edit(Upload(out.getvalue()), "make it blue"))
    (data,) = client.store_source.await_args.args
    assert b"taken at home" not in data
    assert submitted(client).request.sources == ("sources/a",)


async def test_a_mask_makes_an_edit_a_fill(studio: Studio, client: Any, ask: MakeAsk) -> None:
    stored(client)
    client.store_source.return_value = "sources/mask"
    await studio.answer(ask(), Edit(uuid4(), "a moon", mask=Upload(png())))
    request = submitted(client).request
    assert (request.operation, request.mask) == (Operation.FILL, "sources/mask")


async def test_a_variation_keeps_the_prompt_the_model_and_the_lineage(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    picture = stored(client)
    await studio.answer(ask(), Vary(picture.id, strength=0.4))
    order = submitted(client)
    assert (order.parent, order.command) == (picture.id, "vary")
    assert order.request.prompt == "a red house"
    assert order.request.strength == 0.4


async def test_upscaling_asks_for_a_larger_picture(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    picture = stored(client)
    await studio.answer(ask(), Upscale(picture.id, factor=4))
    assert submitted(client).request.width == picture.width * 4
    reply = await studio.answer(ask(), Upscale(picture.id, factor=3))
    assert reply.code == BadInput.BAD_FACTOR


async def test_blending_needs_two_pictures(studio: Studio, client: Any, ask: MakeAsk) -> None:
    picture = stored(client)
    sources: tuple[Source, ...] = (picture.id,)
    assert (await studio.answer(ask(), Blend(sources))).code == BadInput.BLEND_NEEDS_MORE
    await studio.answer(ask(), Blend(sources * 3))
    assert len(submitted(client).request.sources) == 3


@pytest.mark.parametrize("command", [Vary, Upscale, lambda id_: Edit(id_, "make it blue")])
async def test_private_pictures_and_other_servers_pictures_cannot_be_taken(
    studio: Studio, client: Any, ask: MakeAsk, command: Callable[[Any], Command]
) -> None:
    hidden = stored(client, private=True)
    other = await studio.answer(ask(id="eve"), command(hidden.id))
    assert other.code == "unknown-picture"
    picture = stored(client)
    abroad = await studio.answer(ask(workspace="elsewhere", id="eve"), command(picture.id))
    assert abroad.code == "unknown-picture"
    client.submit.assert_not_awaited()


async def test_again_makes_the_same_order_with_another_seed(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    job = a_job(state=JobState.DONE)
    client.job.return_value = job
    await studio.answer(ask(), Reroll(job.id))
    await studio.answer(ask(), Reroll(job.id, "a blue house"))
    first, second = (call.args[0].request for call in client.submit.await_args_list)
    assert first.prompt == job.order.request.prompt
    assert second.prompt == "a blue house"
    assert first.seed != second.seed


async def test_a_servers_rules_come_before_admission(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    client.workspace_settings.return_value = WorkspaceSettings(channels=frozenset({"art"}))
    assert (await studio.answer(ask(), Imagine("a house"))).code == "channel-not-allowed"
    client.workspace_settings.return_value = WorkspaceSettings(largest_megapixels=0.0001)
    assert (await studio.answer(ask(), Imagine("a house"))).code == "too-large"
    client.submit.assert_not_awaited()
    client.workspace_settings.return_value = WorkspaceSettings(visibility="private")
    await studio.answer(ask(), Imagine("a house"))
    assert submitted(client).private


@pytest.mark.parametrize(
    ("rule", "covers", "shown"),
    [
        ("refuse", True, False),
        ("spoiler", True, True),
        ("spoiler", False, False),
        ("allow", False, True),
    ],
)
async def test_unfit_pictures_are_given_where_the_server_wants_them_and_they_can_be_covered(
    studio: Studio, client: Any, ask: MakeAsk, rule: str, covers: bool, shown: bool
) -> None:
    client.workspace_settings.return_value = WorkspaceSettings(nsfw=rule)
    await studio.answer(replace(ask(), covers=covers), Imagine("a house"))
    assert submitted(client).request.show_unfit is shown


async def test_private_results_are_a_feature_of_the_tier(
    studio: Studio, client: Any, ask: MakeAsk
) -> None:
    details = {"feature": "private", "tier": "free", "needs": "pro"}
    client.feature_open.return_value = Reason("feature-not-in-tier", details)
    reply = await studio.answer(ask(), Imagine("a house", private=True))
    assert reply.text == "Private results come with Pro; you are on Free."


async def test_what_was_misread_is_told(studio: Studio, ask: MakeAsk) -> None:
    bad = BadCommand(BadInput.BAD_COUNT, {"value": "99", "limit": 4})
    reply = await studio.answer(ask(), bad)
    assert reply.text == "“99” is no number of pictures. Choose 1 to 4."
