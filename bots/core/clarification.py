"""Questions before an order, and what the pressed button means."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from bots.core import command_parser, picture_commands
from bots.core.cards import shorten
from bots.core.commands import Ask, BadCommand, BadInput, Choose, DrawAnyway, Edit
from bots.core.context import Context
from bots.core.instructions import names_nothing, only_changes
from bots.core.open_questions import LIFETIME, PictureQuestion, UnknownWordsQuestion
from bots.core.refusals import bad_command_reply, refusal
from bots.core.reply import Action, Button, Reply, ReplyKind, Style
from tasks.jobs.job import Picture, Reason


async def ask(context: Context, command: Ask) -> Reply:
    """Ask with two buttons, or make a new picture where the member has no recent one here.

    Where there is none, words that name nothing to draw are refused, and for words that can only
    change a picture ("add a hat") a button offers to draw them: neither is charged unasked.
    """
    picture = await _recent_picture(context)
    if picture is None and names_nothing(command.text):
        return bad_command_reply(BadCommand(BadInput.NEEDS_PICTURE), context.localize)
    if picture is None and only_changes(command.text):
        return _no_picture_to_change(context, command)
    if picture is None:
        return await picture_commands.imagine(context, command.otherwise)
    member = context.invocation.member.key
    question = PictureQuestion(member, command.text, picture.id, command.otherwise)
    id_ = context.questions.add(question)
    localize = context.localize
    return Reply(
        ReplyKind.CONFIRM,
        localize("ask-which", prompt=shorten(picture.instruction, 80)),
        code="ask-which",
        buttons=(
            Button(Action.EDIT_RECENT, localize("button-edit-recent"), id_, style=Style.PRIMARY),
            Button(Action.NEW_PICTURE, localize("button-new-picture"), id_),
        ),
    )


def _no_picture_to_change(context: Context, command: Ask) -> Reply:
    """Say that there is no picture to change, with a button that draws the words all the same."""
    member = context.invocation.member.key
    id_ = context.questions.add(PictureQuestion(member, command.text, None, command.otherwise))
    localize = context.localize
    return Reply(
        ReplyKind.CONFIRM,
        localize("ask-no-picture"),
        code="ask-no-picture",
        buttons=(Button(Action.NEW_PICTURE, localize("button-draw-anyway"), id_),),
    )


async def choose(context: Context, command: Choose) -> Reply:
    """Run what the pressed button means."""
    question = context.questions.take(
        command.question, context.invocation.member.key, PictureQuestion
    )
    if question is None:
        return refusal(Reason("question-expired"), context.localize)
    if not command.edit or question.picture is None:
        return await picture_commands.imagine(context, question.otherwise)
    parsed = command_parser.parse_edit(question.text, question.picture)
    if isinstance(parsed, BadCommand):
        return bad_command_reply(parsed, context.localize)
    if isinstance(parsed, Edit):
        return await picture_commands.edit(context, parsed)
    return await picture_commands.imagine(context, parsed)


async def draw_anyway(context: Context, command: DrawAnyway) -> Reply:
    """Draw a prompt although the model doesn't know some of its words."""
    member = context.invocation.member.key
    question = context.questions.take(command.question, member, UnknownWordsQuestion)
    if question is None:
        return refusal(Reason("question-expired"), context.localize)
    return await picture_commands.imagine(context, replace(question.command, anyway=True))


async def _recent_picture(context: Context) -> Picture | None:
    """The member's newest picture, if it is recent and was made in this channel."""
    newest = await context.client.pictures.history(context.invocation.member, 1)
    if not newest or datetime.now(UTC) - newest[0].created_at > LIFETIME:
        return None
    job = await context.client.jobs.read(newest[0].job)
    place = context.invocation.place
    if job is None or job.order.private or job.order.place.channel != place.channel:
        return None
    return newest[0]
