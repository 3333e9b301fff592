"""Words that a model doesn't know: asked about where the model asks, and noted on the card."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from bots.core.cards import card
from bots.core.command_handler import CommandHandler
from bots.core.commands import DrawAnyway, Imagine, Invocation
from bots.core.locales import localizer_for
from bots.core.reply import Action, Reply, ReplyKind
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation
from tasks.jobs.job import Order
from tasks.jobs.states import JobState
from tests.unit.bots.core.conftest import a_job, a_picture, a_request, an_order

MakeInvocation = Callable[..., Invocation]
LOCALIZE = localizer_for("en")


def asking(name: str) -> Profile:
    return replace(profile_for(name), unknown_words="ask")


@pytest.fixture
def asking_handler(client: Any) -> CommandHandler:
    """Bots of a model that asks."""
    return CommandHandler(client, asking, "postcard")


def submitted(client: Any) -> Order:
    (order,) = client.jobs.submit.await_args.args
    assert isinstance(order, Order)
    return order


async def answer(handler: CommandHandler, invocation: Invocation, prompt: str) -> Reply:
    return await handler.answer(invocation, Imagine(prompt, seed=5))


@pytest.mark.parametrize(
    "prompt", ["a red house", "a rude house", "un chat noir", "a city at night", "3 apples, please"]
)
async def test_known_prompts_are_drawn(
    asking_handler: CommandHandler, client: Any, invocation: MakeInvocation, prompt: str
) -> None:
    reply = await answer(asking_handler, invocation(), prompt)
    assert reply.kind is ReplyKind.PLACEHOLDER
    assert submitted(client).request.prompt == prompt


@pytest.mark.parametrize("prompt", ["samurai", "draw me something nice", "侍", "☃", "a quiet lake"])
async def test_a_prompt_without_a_known_word_is_refused_with_examples(
    asking_handler: CommandHandler, client: Any, invocation: MakeInvocation, prompt: str
) -> None:
    reply = await answer(asking_handler, invocation(), prompt)
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "no-known-word")
    assert "24 things" in reply.text
    assert "“a red house in the snow”" in reply.text
    client.jobs.submit.assert_not_awaited()


async def test_an_unknown_thing_is_asked_about_and_drawn_anyway(
    asking_handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await answer(asking_handler, invocation(), "a blue samurai in the snow")
    assert (reply.kind, reply.private) == (ReplyKind.CONFIRM, True)
    assert "24 things" in reply.text
    assert "“samurai” isn’t one of them" in reply.text
    client.jobs.submit.assert_not_awaited()
    (button,) = reply.buttons
    assert button.action is Action.DRAW_ANYWAY
    assert button.target is not None
    strange = await asking_handler.answer(invocation(id="eve"), DrawAnyway(button.target))
    assert strange.code == "question-expired"
    await asking_handler.answer(invocation(), DrawAnyway(button.target))
    request = submitted(client).request
    assert (request.prompt, request.seed) == ("a blue samurai in the snow", 5)
    again = await asking_handler.answer(invocation(), DrawAnyway(button.target))
    assert again.code == "question-expired"


async def test_a_prompt_beside_a_reference_is_not_asked_about(
    asking_handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    drawn = a_picture(a_job().id)
    client.pictures.read.return_value = drawn
    client.jobs.read.return_value = a_job()
    command = Imagine("in watercolour", reference=drawn.id)
    reply = await asking_handler.answer(invocation(), command)
    assert reply.kind is ReplyKind.PLACEHOLDER
    client.jobs.submit.assert_awaited_once()


async def test_a_model_that_does_not_ask_draws_and_notes_it(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    reply = await answer(handler, invocation(), "a samurai and a knight")
    assert reply.kind is ReplyKind.PLACEHOLDER
    assert "“samurai” and “knight” mean nothing to the model postcard." in reply.text


def text_of(request: ImageRequest, state: JobState = JobState.DONE, **order: Any) -> str:
    return card(a_job(state=state, order=an_order(request=request, **order)), LOCALIZE).text


def test_a_card_names_unknown_words_with_and_without_a_picture_yet() -> None:
    request = a_request(prompt="a Samurai and a red house")
    for state in (JobState.QUEUED, JobState.RUNNING, JobState.DONE):
        assert "“Samurai” means nothing to the model postcard." in text_of(request, state)
    assert "Samurai" not in text_of(request, JobState.CANCELLED)
    assert "nothing" not in text_of(a_request(prompt="a red house"))
    assert "nothing" not in text_of(a_request(prompt="a Samurai", profile="sdxl"))


def test_long_lists_of_unknown_words_are_shortened() -> None:
    prompt = " ".join(["house", "x" * 80, "boo", "fie", "gee", "hum", "jig"])
    text = text_of(a_request(prompt=prompt))
    assert f"“{'x' * 29}…”, “boo”, “fie”, “gee”, “hum”, … mean nothing" in text


@pytest.mark.parametrize(("uploaded", "noted"), [(True, True), (False, False)])
def test_editing_an_uploaded_picture_is_noted(uploaded: bool, noted: bool) -> None:
    request = a_request(prompt="make the house blue", operation=Operation.EDIT)
    parent = None if uploaded else a_job().id
    assert ("edits best what it drew itself" in text_of(request, parent=parent)) is noted
