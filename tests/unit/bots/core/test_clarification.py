"""An instruction in a channel: asked about where the member has a recent picture there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from bots.core.command_handler import CommandHandler
from bots.core.command_parser import parse_in_channel
from bots.core.commands import Ask, Choose, Imagine, Invocation
from bots.core.instructions import names_nothing, only_changes
from bots.core.reply import Action, Reply, ReplyKind
from imaging.request import Operation
from tasks.jobs.job import Order
from tasks.jobs.states import JobState
from tests.unit.bots.core.conftest import PLACE, a_job, a_picture, an_order

MakeInvocation = Callable[..., Invocation]
TEXT = "make the house blue --seed 3"


def recent(client: Any, age: timedelta = timedelta(minutes=5), **order: Any) -> UUID:
    """A finished picture of the member, in the invocation's channel."""
    job = a_job(state=JobState.DONE, order=an_order(**order))
    picture = a_picture(job.id, created_at=datetime.now(UTC) - age)
    client.pictures.history.return_value = [picture]
    client.pictures.read.return_value = picture
    client.jobs.read.return_value = replace(job, pictures=(picture,))
    return picture.id


def submitted(client: Any) -> Order:
    (order,) = client.jobs.submit.await_args.args
    assert isinstance(order, Order)
    return order


async def ask(handler: CommandHandler, invocation: Invocation) -> Reply:
    return await handler.answer(invocation, parse_in_channel(TEXT))


async def test_two_buttons_are_offered_and_nothing_is_ordered(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    recent(client)
    reply = await ask(handler, invocation())
    assert (reply.kind, reply.private) == (ReplyKind.CONFIRM, True)
    assert [button.action for button in reply.buttons] == [Action.EDIT_RECENT, Action.NEW_PICTURE]
    assert "a red house" in reply.text
    client.jobs.submit.assert_not_awaited()


async def test_first_button_edits_that_picture_with_the_flags(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    picture = recent(client)
    question = (await ask(handler, invocation())).buttons[0].target
    assert question is not None
    await handler.answer(invocation(), Choose(question, edit=True))
    order = submitted(client)
    assert (order.parent, order.request.operation) == (picture, Operation.EDIT)
    assert (order.request.prompt, order.request.seed) == ("make the house blue", 3)
    again = await handler.answer(invocation(), Choose(question, edit=True))
    assert again.code == "question-expired"


async def test_second_button_makes_a_new_picture(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    recent(client)
    question = (await ask(handler, invocation())).buttons[1].target
    assert question is not None
    await handler.answer(invocation(), Choose(question, edit=False))
    order = submitted(client)
    assert (order.request.operation, order.request.seed) == (Operation.IMAGINE, 3)


async def test_question_is_for_its_member_alone(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    recent(client)
    question = (await ask(handler, invocation())).buttons[0].target
    assert question is not None
    reply = await handler.answer(invocation(id="eve"), Choose(question, edit=True))
    assert reply.code == "question-expired"
    client.jobs.submit.assert_not_awaited()


async def test_without_a_recent_picture_here_a_new_one_is_made(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.pictures.history.return_value = []
    await ask(handler, invocation())
    assert submitted(client).request.operation is Operation.IMAGINE
    for unfit in (
        {"age": timedelta(hours=1)},
        {"place": replace(PLACE, channel="elsewhere")},
        {"private": True},
    ):
        recent(client, **unfit)
        client.jobs.submit.reset_mock()
        await ask(handler, invocation())
        client.jobs.submit.assert_awaited_once()


@pytest.mark.parametrize("text", ["make it darker", "too bright", "un peu plus clair", "mets-la"])
async def test_words_that_name_nothing_are_not_drawn_without_a_recent_picture(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, text: str
) -> None:
    client.pictures.history.return_value = []
    reply = await handler.answer(invocation(), Ask(text, Imagine(text)))
    assert (reply.kind, reply.code) == (ReplyKind.REFUSAL, "needs-picture")
    client.jobs.submit.assert_not_awaited()


@pytest.mark.parametrize(
    ("text", "nothing"),
    [
        ("make it darker please", True),
        ("rends-le plus vieux", True),
        ("more contrast", True),
        ("make it a poster of a cat", False),
        ("make it rain on the old town", False),
        ("add a hat", False),
        ("make the house blue", False),
        ("more dogs than cats in one bed", False),
        ("too many cooks in the kitchen", False),
    ],
)
def test_what_names_nothing_to_draw(text: str, nothing: bool) -> None:
    assert names_nothing(text) is nothing


@pytest.mark.parametrize("text", ["add a hat", "ajoute un chapeau", "can you remove the car?"])
async def test_change_without_a_recent_picture_is_drawn_only_when_asked_for(
    handler: CommandHandler, client: Any, invocation: MakeInvocation, text: str
) -> None:
    client.pictures.history.return_value = []
    reply = await handler.answer(invocation(), parse_in_channel(text))
    assert (reply.kind, reply.code, reply.private) == (ReplyKind.CONFIRM, "ask-no-picture", True)
    client.jobs.submit.assert_not_awaited()
    (button,) = reply.buttons
    assert button.action is Action.NEW_PICTURE
    assert button.target is not None
    await handler.answer(invocation(), Choose(button.target, edit=False))
    assert submitted(client).request.operation is Operation.IMAGINE


async def test_change_without_a_recent_picture_cannot_edit_one(
    handler: CommandHandler, client: Any, invocation: MakeInvocation
) -> None:
    client.pictures.history.return_value = []
    reply = await handler.answer(invocation(), parse_in_channel("add a hat"))
    question = reply.buttons[0].target
    assert question is not None
    await handler.answer(invocation(), Choose(question, edit=True))
    assert submitted(client).request.operation is Operation.IMAGINE


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("add a hat", True),
        ("can you add a moon?", True),
        ("ok now remove the car", True),
        ("change the hat to a crown", True),
        ("could you make her smile", True),
        ("tu peux enlever le fond", True),
        ("mets-lui un chapeau", True),
        ("make the house blue", False),
        ("draw a hat", False),
        ("add-on pack cover art", False),
        ("more trees", False),
        ("fais la fête", False),
    ],
)
def test_what_can_only_change_a_picture(text: str, only: bool) -> None:
    assert only_changes(text) is only
