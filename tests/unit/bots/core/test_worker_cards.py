"""What bots order follows the cards of the workers that draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from bots.core.command_handler import CommandHandler
from bots.core.commands import Imagine, Invocation, Reroll, Vary
from imaging.profile_card import card_of, profile_of_card
from imaging.profiles import Profile, profile_for
from imaging.request import Operation
from tests.unit.bots.core.conftest import a_job, a_picture, a_request, an_order

MakeInvocation = Callable[..., Invocation]


def a_server_profile(**changes: Any) -> Profile:
    """A profile that only a worker's card describes."""
    card = card_of(replace(profile_for("postcard"), **changes))
    found = profile_of_card("comfy", card)
    assert found is not None
    return found


async def test_size_is_that_of_the_workers_card(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    sizes = {"1:1": (1328, 1328), "16:9": (1664, 928)}
    served = a_server_profile(sizes=sizes, multiple=16)
    client.fleet.profiles.return_value = {"comfy": served}
    await handler.answer(invocation(), Imagine("a red house", aspect="16:9", model="comfy"))
    request = client.jobs.submit.await_args.args[0].request
    assert (request.profile, request.width, request.height) == ("comfy", 1664, 928)


async def test_operation_that_the_card_lacks_is_refused(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    served = a_server_profile(operations=frozenset({Operation.EDIT}))
    client.fleet.profiles.return_value = {"comfy": served}
    reply = await handler.answer(invocation(), Imagine("a red house", model="comfy"))
    assert reply.code == "unsupported"


async def test_parameter_that_the_model_would_ignore_is_refused(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    client.fleet.profiles.return_value = {"comfy": a_server_profile(parameters=frozenset())}
    ordered = Imagine("a red house", negative="trees", model="comfy")
    reply = await handler.answer(invocation(), ordered)
    assert reply.code == "parameter-unsupported"
    assert reply.text == "The model comfy takes no negative prompt."
    client.jobs.submit.assert_not_awaited()


async def test_reference_that_the_model_would_ignore_is_refused(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    client.fleet.profiles.return_value = {"comfy": a_server_profile(parameters=frozenset())}
    picture = a_picture(a_job().id)
    client.pictures.read.return_value = picture
    client.jobs.read.return_value = a_job()
    ordered = Imagine("a red house", reference=picture.id, model="comfy")
    reply = await handler.answer(invocation(), ordered)
    assert reply.code == "parameter-unsupported"
    client.jobs.submit.assert_not_awaited()


async def test_strength_that_the_model_would_ignore_is_refused(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    """Of a variation, whose picture every model follows, whatever its strength."""
    served = a_server_profile(parameters=frozenset(), operations=frozenset(Operation))
    client.fleet.profiles.return_value = {"comfy": served}
    picture = a_picture(a_job().id)
    client.pictures.read.return_value = picture
    client.jobs.read.return_value = a_job()
    ordered = Vary(picture.id, model="comfy")
    reply = await handler.answer(invocation(), replace(ordered, strength=0.5))
    assert reply.code == "parameter-unsupported"
    reply = await handler.answer(invocation(), replace(ordered, strength=0.0))
    assert reply.code == "parameter-unsupported"
    client.jobs.submit.assert_not_awaited()
    await handler.answer(invocation(), ordered)
    assert client.jobs.submit.await_count == 1


async def test_card_of_an_older_worker_falls_back_on_the_name(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    client.fleet.profiles.return_value = {"sdxl": profile_of_card("sdxl", {"steps": 30})}
    await handler.answer(invocation(), Imagine("a red house", model="sdxl"))
    assert client.jobs.submit.await_args.args[0].request.width == 1024


async def test_model_that_no_card_describes_any_more_is_refused_by_name(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    client.fleet.profiles.return_value = {"comfy": None}
    reply = await handler.answer(invocation(), Imagine("a red house", model="comfy"))
    assert reply.code == "unknown-model"


async def test_repeat_by_another_model_has_that_models_size(
    client: Any, handler: CommandHandler, invocation: MakeInvocation
) -> None:
    served = a_server_profile(sizes={"1:1": (1024, 1024), "16:9": (1344, 768)}, multiple=64)
    client.fleet.profiles.return_value = {"comfy": served}
    job = a_job(order=an_order(request=a_request(width=320, height=176)))
    client.jobs.read.return_value = job
    await handler.answer(invocation(), Reroll(job.id, model="comfy"))
    request = client.jobs.submit.await_args.args[0].request
    assert (request.profile, request.width, request.height) == ("comfy", 1344, 768)
