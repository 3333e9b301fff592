"""The whole order that each picture command submits, and who may not submit it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from PIL import Image

from bots.core import picture_commands
from bots.core.command_handler import CommandHandler
from bots.core.commands import (
    BadInput,
    Blend,
    Command,
    Edit,
    Imagine,
    Invocation,
    Reroll,
    Upload,
    Upscale,
    Vary,
)
from bots.core.reply import ReplyKind
from imaging.errors import UnknownProfile
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation
from tasks.client import WorkspaceSettings
from tasks.jobs.job import Accepted, Job, Order, Picture, Reason
from tasks.jobs.states import JobState
from tasks.jobs.tiers import Feature
from tests.records import assert_records_are_immutable
from tests.unit.bots.core.conftest import PLACE, a_job, a_picture, a_request, an_order
from tests.unit.bots.core.test_picture_commands import png
from tests.unit.imaging.pictures import encode_image

MakeInvocation = Callable[..., Invocation]
FILE = Upload(png(100, 50))
OPTIONS: dict[str, Any] = {
    "aspect": "16:9",
    "count": 3,
    "seed": 7,
    "negative": "no\ntrees",
    "strength": 0.4,
}


def submitted(client: Any) -> Order:
    (order,) = client.jobs.submit.await_args.args
    return order  # type: ignore[no-any-return]


class Store:
    """Finished pictures by id, in jobs of their own."""

    def __init__(self, client: Any) -> None:
        self.pictures: dict[UUID, Picture] = {}
        self.jobs: dict[UUID, Job] = {}
        client.pictures.read.side_effect = self.pictures.get
        client.jobs.read.side_effect = self.jobs.get
        client.pictures.store_source.side_effect = lambda data, owner: f"sources/{owner.id}"

    def add(
        self, blob: str, prompt: str = "a red house", *, owner: str = "ann", **changes: Any
    ) -> Picture:
        """A picture of 128 × 64 pixels with seed 7; `changes` are of its order and itself."""
        of_order = {name: changes.pop(name) for name in ("private",) if name in changes}
        order = an_order(**of_order)
        order = replace(order, member=replace(order.member, id=owner))
        job = a_job(state=JobState.DONE, order=order)
        request = a_request(prompt=prompt)
        values = {"blob": blob, "width": 128, "height": 64, "request": request, **changes}
        picture = a_picture(job.id, **values)
        self.pictures[picture.id] = picture
        self.jobs[job.id] = replace(job, pictures=(picture,))
        return picture


@pytest.fixture
def store(client: Any) -> Store:
    return Store(client)


def test_records_are_immutable() -> None:
    assert_records_are_immutable(picture_commands)


async def test_imagine_with_every_option(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    who = replace(invocation(locale="fr"), reply_to={"thread": "5"})
    reply = await handler.answer(who, Imagine(" a red\nhouse ", private=True, **OPTIONS))
    request = ImageRequest(
        Operation.IMAGINE, "a red house", "postcard", 224, 128, 7, 3, negative="no trees"
    )
    assert submitted(client) == Order(
        key="key",
        command="imagine",
        member=replace(who.member, locale="fr"),
        place=PLACE,
        request=request,
        private=True,
        reply_to={"thread": "5"},
    )
    client.members.feature_refusal.assert_awaited_once_with(who.member, Feature.PRIVATE)
    assert (reply.kind, reply.private, reply.repeated) == (ReplyKind.PLACEHOLDER, True, False)
    assert reply.card is not None
    assert (reply.text, reply.title, reply.buttons) == (
        reply.card.text,
        reply.card.title,
        reply.card.buttons,
    )


async def test_imagine_with_a_reference(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    picture = store.add("pictures/a.png", flagged=True)
    command = Imagine("a house", reference=picture.id, strength=0.4, seed=1)
    await handler.answer(invocation(), command)
    order = submitted(client)
    assert order.parent == picture.id
    assert order.request == ImageRequest(
        Operation.IMAGINE,
        "a house",
        "postcard",
        *(176, 96),  # 2:1
        1,
        strength=0.4,
        sources=("pictures/a.png",),
        from_flagged=True,
    )
    assert not order.private
    await handler.answer(invocation(), replace(command, aspect="1:1"))
    assert (submitted(client).request.width, submitted(client).request.height) == (128, 128)


async def test_imagine_without_a_reference_has_no_strength_and_no_flag(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    await handler.answer(invocation(), Imagine("a house", strength=0.4))
    request = submitted(client).request
    assert (request.strength, request.sources, request.from_flagged) == (None, (), False)
    assert submitted(client).parent is None
    client.members.upload_refusal.assert_not_awaited()
    client.members.feature_refusal.assert_not_awaited()


async def test_edit_with_every_option(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    picture = store.add("pictures/a.png", flagged=True, private=True)
    client.pictures.read_blob.return_value = png(128, 64)
    mask = Upload(encode_image(Image.new("L", (128, 64), 255)))
    await handler.answer(invocation(), Edit(picture.id, "make it blue", mask, **OPTIONS))
    order = submitted(client)
    assert (order.command, order.parent, order.private) == ("edit", picture.id, True)
    assert order.request == ImageRequest(
        Operation.FILL,
        "make it blue",
        "postcard",
        *(224, 128),
        7,
        3,
        negative="no trees",
        strength=0.4,
        sources=("pictures/a.png",),
        mask="sources/ann",
        from_flagged=True,
    )
    # The order is private since its source is: no feature of the member's is asked for.
    client.members.feature_refusal.assert_awaited_once_with(order.member, Feature.PRIVATE)


async def test_edit_without_options(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    client.members.preferences.return_value = {"aspect": "9:16", "count": 4}
    picture = store.add("pictures/a.png")
    await handler.answer(invocation(), Edit(picture.id, "make it blue", seed=2))
    size = profile_for("postcard").size_of_edit((128, 64))
    assert submitted(client).request == ImageRequest(
        Operation.EDIT, "make it blue", "postcard", *size, 2, sources=("pictures/a.png",)
    )
    assert not submitted(client).private


async def test_vary_with_and_without_options(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    client.members.preferences.return_value = {"aspect": "9:16", "count": 4}
    picture = store.add("pictures/a.png", "a blue boat", flagged=True, private=True)
    await handler.answer(invocation(), Vary(picture.id, **OPTIONS))
    order = submitted(client)
    assert (order.command, order.parent, order.private) == ("vary", picture.id, True)
    whole = ImageRequest(
        Operation.VARY,
        "a blue boat",
        "postcard",
        *(224, 128),
        7,
        3,
        negative="no trees",
        strength=0.4,
        sources=("pictures/a.png",),
        from_flagged=True,
    )
    assert order.request == whole
    await handler.answer(invocation(), Vary(picture.id, seed=2))
    width, height = profile_for("postcard").size_of_edit((128, 64))
    plain = replace(whole, width=width, height=height, seed=2, count=1, negative="", strength=None)
    assert submitted(client).request == plain


async def test_variation_of_variations_makes_as_many_as_asked(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    picture = store.add("pictures/a.png")
    for count in (1, 2, 3, 4):
        await handler.answer(invocation(), Vary(picture.id, count=count))
        assert submitted(client).request.count == count
    for count in (-1, 5):
        reply = await handler.answer(invocation(), Vary(picture.id, count=count))
        assert reply.code == BadInput.BAD_COUNT
        assert "4" in reply.text


@pytest.mark.parametrize(("factor", "size"), [(2, (256, 128)), (4, (512, 256))])
async def test_upscale(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    factor: int,
    size: tuple[int, int],
) -> None:
    picture = store.add("pictures/a.png", flagged=True, private=True)
    await handler.answer(invocation(), Upscale(picture.id, factor))
    order = submitted(client)
    assert (order.command, order.parent, order.private) == ("upscale", picture.id, True)
    assert order.request == ImageRequest(
        Operation.UPSCALE,
        "a red house",
        "postcard",
        *size,
        7,
        factor=factor,
        sources=("pictures/a.png",),
        from_flagged=True,
    )


async def test_upscale_of_a_file_has_seed_zero(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    del store
    await handler.answer(invocation(), Upscale(FILE))
    request = submitted(client).request
    assert (request.width, request.height, request.seed) == (200, 100, 0)
    assert (request.sources, request.factor) == (("sources/ann",), 2)
    assert submitted(client).parent is None


@pytest.mark.parametrize("factor", [0, 1, 3, 5, 8])
async def test_other_factors_are_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store, factor: int
) -> None:
    reply = await handler.answer(invocation(), Upscale(store.add("a").id, factor))
    assert reply.code == BadInput.BAD_FACTOR
    client.jobs.submit.assert_not_awaited()


async def test_blend_with_every_option(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    sources = tuple(store.add(name, prompt).id for name, prompt in (("a", "x"), ("b", "y")))
    options = {name: value for name, value in OPTIONS.items() if name != "strength"}
    await handler.answer(invocation(), Blend(sources, "as\none", **options))
    order = submitted(client)
    assert (order.command, order.parent, order.private) == ("blend", sources[0], False)
    assert order.request == ImageRequest(
        Operation.BLEND,
        "as one",
        "postcard",
        *(224, 128),
        7,
        3,
        negative="no trees",
        sources=("a", "b"),
    )


async def test_blend_without_words_joins_those_of_its_sources(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    client.members.preferences.return_value = {"aspect": "9:16", "count": 4}
    prompts = ("a boat", "", "a house", "a boat")
    sources = tuple(store.add(str(n), prompt).id for n, prompt in enumerate(prompts))
    await handler.answer(invocation(), Blend(sources, "  "))
    request = submitted(client).request
    assert (request.prompt, request.count) == ("a boat, a house", 1)
    assert (request.width, request.height) == profile_for("postcard").size_of_edit((128, 64))
    assert request.sources == ("0", "1", "2", "3")


@pytest.mark.parametrize(
    ("count", "accepted"), [(0, False), (1, False), (2, True), (4, True), (5, False)]
)
async def test_blend_takes_two_to_four_pictures(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    count: int,
    accepted: bool,
) -> None:
    reply = await handler.answer(invocation(), Blend((store.add("a").id,) * count))
    assert reply.code == ("" if accepted else BadInput.BLEND_NEEDS_MORE)
    assert client.jobs.submit.await_count == accepted


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_blend_with_one_private_or_flagged_picture_is_private_or_flagged(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store, which: int
) -> None:
    for name in ("private", "flagged"):
        marks: list[dict[str, Any]] = [{name: n == which} for n in range(3)]
        sources = tuple(store.add(str(n), **mark).id for n, mark in enumerate(marks))
        await handler.answer(invocation(), Blend(sources))
        order = submitted(client)
        assert (order.private, order.request.from_flagged) == (name == "private", name == "flagged")


async def test_blend_of_files_and_pictures_checks_the_files(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    client.members.upload_refusal.return_value = Reason("blocked")
    reply = await handler.answer(invocation(), Blend((store.add("a").id, FILE)))
    assert reply.code == "blocked"
    who = client.members.upload_refusal.await_args.args
    assert (who[0].id, who[1]) == ("ann", Feature.BLEND)


@pytest.mark.parametrize(
    ("command", "feature"),
    [
        (Imagine("a house", reference=FILE), Feature.IMAGINE),
        (Edit(FILE, "blue"), Feature.EDIT),
        (Edit(uuid4(), "blue", FILE), Feature.EDIT),
        (Vary(FILE), Feature.VARY),
        (Upscale(FILE), Feature.UPSCALE),
        (Blend((FILE, FILE)), Feature.BLEND),
    ],
)
async def test_file_of_a_member_without_the_feature_is_not_read(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    command: Command,
    feature: Feature,
) -> None:
    refused = Reason("feature-closed", {"feature": feature.value, "tier": "free"})
    client.members.upload_refusal.return_value = refused
    reply = await handler.answer(invocation(), command)
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "feature-closed")
    assert client.members.upload_refusal.await_args.args[1] is feature
    client.pictures.store_source.assert_not_awaited()
    client.jobs.submit.assert_not_awaited()


@pytest.mark.parametrize("command", [Imagine("a house"), Reroll(), Vary(UUID(int=1))])
async def test_orders_without_files_need_no_right_to_upload(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, command: Command
) -> None:
    client.pictures.read.return_value = None
    client.pictures.history.return_value = []
    await handler.answer(invocation(), command)
    client.members.upload_refusal.assert_not_awaited()


# -- repeating ----------------------------------------------------------------------------------


def original(store: Store, **changes: Any) -> Job:
    """A finished job of Ann's: an edit of picture 1 with every option."""
    request = a_request(
        operation=Operation.EDIT,
        count=2,
        negative="trees",
        strength=0.3,
        sources=("pictures/a.png",),
        **changes.pop("request", {}),
    )
    order = an_order(command="edit", request=request, parent=UUID(int=1), **changes)
    job = a_job(state=JobState.DONE, order=order)
    store.jobs[job.id] = job
    return job


async def test_reroll_repeats_everything_but_the_seed(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    job = original(store, private=True)
    await handler.answer(invocation(), Reroll(job.id))
    order = submitted(client)
    assert order.request == replace(job.order.request, seed=order.request.seed)
    assert order.request.seed != job.order.request.seed
    assert (order.command, order.parent, order.private) == ("edit", UUID(int=1), True)


async def test_reroll_with_every_option(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    job = original(store)
    await handler.answer(invocation(), Reroll(job.id, "a blue house", **OPTIONS))
    assert submitted(client).request == replace(
        job.order.request,
        prompt="a blue house",
        width=224,
        height=128,
        count=3,
        seed=7,
        negative="no trees",
        strength=0.4,
    )
    assert not submitted(client).private


async def test_reroll_can_take_a_negative_prompt_away(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    job = original(store)
    await handler.answer(invocation(), Reroll(job.id, negative=""))
    assert submitted(client).request.negative == ""


async def test_reroll_of_a_plain_prompt_has_no_strength(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    job = a_job(state=JobState.DONE)
    store.jobs[job.id] = job
    await handler.answer(invocation(), Reroll(job.id, strength=0.4))
    assert submitted(client).request.strength is None


async def test_reroll_of_an_upscale_keeps_its_size(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    request = a_request(operation=Operation.UPSCALE, factor=2, width=200, height=100)
    job = a_job(state=JobState.DONE, order=an_order(command="upscale", request=request))
    store.jobs[job.id] = job
    await handler.answer(invocation(), Reroll(job.id, aspect="1:1", count=2))
    assert (submitted(client).request.width, submitted(client).request.height) == (200, 100)


async def test_reroll_of_a_variation_takes_another_aspect(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    request = a_request(operation=Operation.VARY, sources=("a",), width=128, height=128)
    job = a_job(state=JobState.DONE, order=an_order(command="vary", request=request))
    store.jobs[job.id] = job
    await handler.answer(invocation(), Reroll(job.id, aspect="16:9"))
    assert (submitted(client).request.width, submitted(client).request.height) == (224, 128)


async def test_blend_has_the_shape_of_its_first_picture(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    wide, tall = store.add("a", width=128, height=64), store.add("b", width=64, height=128)
    await handler.answer(invocation(), Blend((wide.id, tall.id)))
    assert submitted(client).request.width > submitted(client).request.height
    await handler.answer(invocation(), Blend((tall.id, wide.id)))
    assert submitted(client).request.width < submitted(client).request.height


async def test_reroll_by_the_newest_picture_asks_for_one(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    newest, older = store.add("new"), store.add("old")
    client.pictures.history.return_value = [newest, older]
    await handler.answer(invocation(), Reroll())
    assert client.pictures.history.await_args.args == (invocation().member, 1)
    client.jobs.read.assert_awaited_once_with(newest.job)


async def test_reroll_of_a_picture_repeats_the_job_that_made_it(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    older = store.add("old")
    await handler.answer(invocation(), Reroll(picture=older.id, aspect="1:1"))
    client.pictures.history.assert_not_awaited()
    client.jobs.read.assert_awaited_once_with(older.job)
    assert (submitted(client).request.width, submitted(client).request.height) == (128, 128)
    unknown = await handler.answer(invocation(), Reroll(picture=uuid4()))
    assert unknown.code == "no-such-job"


@pytest.mark.parametrize(
    ("who", "private", "allowed"),
    [
        ({}, True, True),
        ({"id": "eve"}, True, False),
        ({"id": "eve"}, False, True),
        ({"id": "eve", "workspace": "elsewhere"}, False, False),
    ],
)
async def test_reroll_of_a_private_job_is_for_its_member_alone(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    who: dict[str, str],
    private: bool,
    allowed: bool,
) -> None:
    job = original(store, private=private)
    reply = await handler.answer(invocation(**who), Reroll(job.id))
    assert reply.code == ("" if allowed else "no-such-job")
    assert client.jobs.submit.await_count == allowed


async def test_reroll_of_an_unknown_job_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    del store
    reply = await handler.answer(invocation(), Reroll(uuid4()))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "no-such-job")
    client.jobs.submit.assert_not_awaited()


# -- models, seeds, sizes -----------------------------------------------------------------------


def profiles(name: str) -> Profile:
    """Postcard, and a model "sketch" that can only imagine and upscale."""
    if name == "sketch":
        can = frozenset({Operation.IMAGINE, Operation.UPSCALE})
        return replace(profile_for("postcard"), name="sketch", operations=can)
    if name != "postcard":
        raise UnknownProfile(f"no profile {name}", name=name)
    return profile_for("postcard")


@pytest.fixture
def two_models(handler: CommandHandler, client: Any) -> CommandHandler:
    client.fleet.profiles.return_value = {"sketch": profiles("sketch")}
    return replace(handler, profile=profiles)


async def test_model_is_the_named_one_else_the_members_else_the_operators(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    await two_models.answer(invocation(), Imagine("a house"))
    assert submitted(client).request.profile == "postcard"
    await two_models.answer(invocation(), Imagine("a house", model="sketch"))
    assert submitted(client).request.profile == "sketch"
    client.members.preferences.return_value = {"model": "sketch"}
    await two_models.answer(invocation(), Imagine("a house"))
    assert submitted(client).request.profile == "sketch"
    await two_models.answer(invocation(), Imagine("a house", model="postcard"))
    assert submitted(client).request.profile == "postcard"
    picture = store.add("a", request=a_request(profile="postcard"))
    for command in (Edit(picture.id, "x"), Vary(picture.id), Upscale(picture.id)):
        await two_models.answer(invocation(), command)
        assert submitted(client).request.profile == "postcard"


@pytest.mark.parametrize("command", ["edit", "fill", "vary", "blend", "reroll"])
async def test_model_that_cannot_do_it_is_refused(
    two_models: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    command: str,
) -> None:
    picture = store.add("a")
    client.pictures.read_blob.return_value = png(128, 64)
    orders: dict[str, Command] = {
        "edit": Edit(picture.id, "x", model="sketch"),
        "fill": Edit(picture.id, "x", FILE, model="sketch"),
        "vary": Vary(picture.id, model="sketch"),
        "blend": Blend((picture.id, picture.id), model="sketch"),
        "reroll": Reroll(original(store).id, model="sketch"),
    }
    reply = await two_models.answer(invocation(), orders[command])
    assert reply.code == "unsupported"
    client.jobs.submit.assert_not_awaited()


async def test_upscale_by_a_model_without_it_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    only = replace(profile_for("postcard"), operations=frozenset({Operation.IMAGINE}))
    client.fleet.profiles.return_value = {}
    limited = replace(handler, profile=lambda _name: only)
    reply = await limited.answer(invocation(), Upscale(store.add("a").id))
    assert reply.code == "unsupported"
    client.jobs.submit.assert_not_awaited()


async def test_reroll_with_another_model_takes_it(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    job = a_job(state=JobState.DONE)
    store.jobs[job.id] = job
    await two_models.answer(invocation(), Reroll(job.id, model="sketch", aspect="2:1"))
    request = submitted(client).request
    assert (request.profile, request.width, request.height) == ("sketch", 176, 96)


@pytest.mark.parametrize(("before", "after"), [("postcard", "sketch"), ("sketch", "postcard")])
async def test_reroll_with_another_model_takes_a_size_of_that_model(
    two_models: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    before: str,
    after: str,
) -> None:
    request = a_request(profile=before, width=131, height=77)  # no model's own size
    job = a_job(state=JobState.DONE, order=an_order(request=request))
    store.jobs[job.id] = job
    await two_models.answer(invocation(), Reroll(job.id, model=after))
    repeated = submitted(client).request
    assert repeated.profile == after
    assert (repeated.width % 16, repeated.height % 16) == (0, 0)


async def test_reroll_with_its_own_model_keeps_its_size(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    """Also one that the model's card does not list, such as that of an older version."""
    job = original(store)
    size = (job.order.request.width, job.order.request.height)
    assert size != profile_for("postcard").size_like(size)
    await two_models.answer(invocation(), Reroll(job.id, model="".join("postcard")))
    assert (submitted(client).request.width, submitted(client).request.height) == size


async def test_reroll_of_an_upscale_with_another_model_keeps_its_size(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    request = a_request(operation=Operation.UPSCALE, factor=2, width=200, height=100)
    job = a_job(state=JobState.DONE, order=an_order(command="upscale", request=request))
    store.jobs[job.id] = job
    await two_models.answer(invocation(), Reroll(job.id, model="sketch"))
    repeated = submitted(client).request
    assert (repeated.profile, repeated.width, repeated.height) == ("sketch", 200, 100)


async def test_operators_model_is_accepted_by_name_while_no_worker_serves_it(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    named = "".join(["post", "card"])  # as a platform sends it: equal, and not the same object
    assert "postcard" not in client.fleet.profiles.return_value
    await two_models.answer(invocation(), Imagine("a house", model=named))
    assert submitted(client).request.profile == "postcard"


@pytest.mark.parametrize("name", ["flux2-klein", "sdxl"])
async def test_known_model_that_no_worker_serves_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, name: str
) -> None:
    assert profile_for(name).name == name
    reply = await handler.answer(invocation(), Imagine("a house", model=name))
    assert reply.code == "unknown-model"
    client.jobs.submit.assert_not_awaited()


async def test_unknown_model_is_refused_with_the_known_ones(
    two_models: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await two_models.answer(invocation(), Imagine("a house", model="/etc"))
    assert reply.code == "unknown-model"
    assert "postcard, sketch" in reply.text
    client.jobs.submit.assert_not_awaited()


async def test_seed_of_an_order_is_drawn_from_all_seeds(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[int] = []

    def below(limit: int) -> int:
        asked.append(limit)
        return limit - 1

    monkeypatch.setattr("bots.core.picture_commands.secrets.randbelow", below)
    await handler.answer(invocation(), Imagine("a house"))
    assert (submitted(client).request.seed, asked) == (4294967295, [4294967296])
    await handler.answer(invocation(), Imagine("a house", seed=0))
    assert submitted(client).request.seed == 0


@pytest.mark.parametrize(("height", "refused"), [(4095, False), (4096, True), (5000, True)])
async def test_longest_side_is_what_a_platform_can_show(
    handler: CommandHandler,
    client: Any,
    invocation: MakeInvocation,
    store: Store,
    height: int,
    refused: bool,
) -> None:
    """Four times 4096 is 16,384; WebP holds 16,383."""
    sizes: list[dict[str, Any]] = [
        {"width": 8, "height": height},
        {"width": height, "height": 8},
    ]
    for size in sizes:
        reply = await handler.answer(invocation(), Upscale(store.add("a", **size).id, 4))
        assert reply.code == ("side-too-long" if refused else "")
        if refused:
            assert f"{4 * height:,}" in reply.text or str(4 * height) in reply.text


async def test_picture_exactly_at_the_servers_limit_is_accepted(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    limit = 128 * 128 / 1_000_000
    settings = WorkspaceSettings(largest_megapixels=limit)
    client.admin.workspace_settings.return_value = settings
    assert (await handler.answer(invocation(), Imagine("a house"))).code == ""
    reply = await handler.answer(invocation(), Imagine("a house", aspect="16:9"))
    assert reply.code == "too-large"
    assert client.jobs.submit.await_count == 1


async def test_picture_below_the_servers_limit_is_accepted(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.admin.workspace_settings.return_value = WorkspaceSettings(largest_megapixels=1.0)
    assert (await handler.answer(invocation(), Imagine("a house"))).code == ""


async def test_size_in_a_refusal_is_rounded(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, store: Store
) -> None:
    client.admin.workspace_settings.return_value = WorkspaceSettings(largest_megapixels=1.0)
    picture = store.add("a", width=1024, height=614)
    reply = await handler.answer(invocation(), Upscale(picture.id, 2))
    assert reply.code == "too-large"
    assert re.search(r"\b2\.51\b", reply.text)  # 2048 × 1228 is 2.514944


async def test_private_needs_the_feature_only_where_the_member_asks_for_it(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.admin.workspace_settings.return_value = WorkspaceSettings(visibility="private")
    client.members.feature_refusal.return_value = Reason("feature-closed", {"feature": "private"})
    reply = await handler.answer(invocation(), Imagine("a house"))
    assert reply.private
    assert submitted(client).private
    client.members.feature_refusal.assert_not_awaited()
    reply = await handler.answer(invocation(), Imagine("a house", private=True))
    assert reply.code == "feature-closed"
    assert client.jobs.submit.await_count == 1


async def test_count_is_the_asked_one_else_the_members_else_one(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    for preferences, count, expected in (({}, None, 1), ({"count": 3}, None, 3), ({}, 4, 4)):
        client.members.preferences.return_value = preferences
        await handler.answer(invocation(), Imagine("a house", count=count))
        assert submitted(client).request.count == expected


async def test_channels_in_a_refusal_are_sorted(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    settings = WorkspaceSettings(channels=frozenset({"b", "c", "a"}))
    client.admin.workspace_settings.return_value = settings
    reply = await handler.answer(invocation(), Imagine("a house"))
    assert reply.code == "channel-not-allowed"
    assert sorted(reply.text.split()) != reply.text.split()
    everywhere = replace(settings, channels=frozenset({"general"}))
    client.admin.workspace_settings.return_value = everywhere
    assert (await handler.answer(invocation(), Imagine("a house"))).code == ""


async def test_repeated_submission_is_marked(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.jobs.submit.side_effect = lambda order: Accepted(a_job(order=order), repeated=True)
    assert (await handler.answer(invocation(), Imagine("a house"))).repeated is True


async def test_file_that_is_too_large_or_no_picture_is_refused(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await handler.answer(invocation(), Vary(Upload(b"no picture")))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "not-a-picture")
    client.jobs.submit.assert_not_awaited()
