"""What members say and type: mentions, direct messages, slash commands, assistant threads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp

from bots.core.command import BadCommand, Command
from bots.core.intake import unreadable
from bots.core.reply import ReplyKind
from bots.slack.answers import responder
from bots.slack.files import FileUnreadable
from bots.slack.once import Accepted
from bots.slack.posting import Where
from bots.slack.room import Room
from bots.slack.surface import COMMANDS
from bots.slack.translate import Heard, heard, slash, understand, wants_picture
from bots.slack.web import Refused
from bots.slack.workspaces import Seat
from tasks.client import Unavailable
from tasks.job import Reason


def register(app: AsyncApp, room: Room) -> None:
    """Let the app listen to what is said and typed."""

    async def said(body: Mapping[str, Any], context: Any, next_: Any) -> None:
        # As middleware, so that bolt acknowledges only after the order is in the record.
        await _said(room, body, str(context["team_id"]))
        await next_()

    async def nothing() -> None:
        """All was done in the middleware."""

    app.event("app_mention", middleware=[said])(nothing)
    app.event("message", middleware=[said])(nothing)

    async def typed(ack: Any, body: Mapping[str, Any]) -> None:
        await _typed(room, body)
        await ack()

    for command in COMMANDS:
        app.command(command.command)(typed)

    async def thread_started(event: Mapping[str, Any], context: Any) -> None:
        await _suggest(room, event["assistant_thread"], str(context["team_id"]))

    app.event("assistant_thread_started")(thread_started)


async def _said(room: Room, body: Mapping[str, Any], team: str) -> None:
    seat = await room.workspaces.seat(team)
    message = heard(body["event"], team, seat.bot_user)
    if message is None or (body["event"]["type"] == "message" and not message.direct):
        return

    async def work(accepted: Accepted) -> None:
        await _carry_out(room, seat, message, accepted)

    await room.once.run(message.key, work)


async def _carry_out(room: Room, seat: Seat, message: Heard, accepted: Accepted) -> None:
    where = Where(seat, message.channel, message.user, message.root)
    ask = await room.ask(where, message.key, message.place)
    try:
        command = await _command(room, seat, message)
    except FileUnreadable as error:
        await room.refuse(ask, where, unreadable(error.code), accepted)
        return
    except Unavailable:
        await room.refuse(ask, where, Reason("unavailable"), accepted)
        return
    reply = await room.answer(ask, command, where, accepted)
    if message.direct and message.thread and reply.kind is ReplyKind.PLACEHOLDER:
        await _tell_status(seat, message, (await room.say(ask))("slack-status"))


async def _command(room: Room, seat: Seat, message: Heard) -> Command | BadCommand:
    if not wants_picture(message.text):
        return understand(message.text, (), None)
    uploads = await room.uploads(seat.web, message.files)
    picture = None if uploads else await room.picture_in(message.place, message.user)
    return understand(message.text, uploads, picture.id if picture else None)


async def _typed(room: Room, body: Mapping[str, Any]) -> None:
    seat = await room.workspaces.seat(str(body["team_id"]))
    where = Where(
        seat,
        str(body["channel_id"]),
        str(body["user_id"]),
        None,
        responder(seat.web, str(body["response_url"]), room.api_url),
    )
    key = f"slack:{seat.web.team}:{body['trigger_id']}"

    async def work(accepted: Accepted) -> None:
        ask = await room.ask(where, key)
        command = slash(str(body["command"]), str(body.get("text") or ""))
        await room.answer(ask, command, where, accepted)

    await room.once.run(key, work)


async def _tell_status(seat: Seat, message: Heard, words: str) -> None:
    """Assistant threads show a status while the app works; other direct messages have none."""
    try:
        await seat.web.call(
            "assistant.threads.setStatus",
            channel_id=message.channel,
            thread_ts=message.root,
            status=words,
        )
    except Refused:
        return  # no assistant thread


async def _suggest(room: Room, thread: Mapping[str, Any], team: str) -> None:
    """The first words in a new assistant thread."""
    seat = await room.workspaces.seat(team)
    where = Where(seat, str(thread["channel_id"]), str(thread["user_id"]), str(thread["thread_ts"]))
    say = await room.say(await room.ask(where, ""))
    prompts = [
        {"title": say(f"slack-suggestion-{n}"), "message": say(f"slack-suggestion-{n}")}
        for n in (1, 2, 3)
    ]
    await seat.web.call(
        "assistant.threads.setSuggestedPrompts",
        channel_id=where.channel,
        thread_ts=where.thread,
        prompts=prompts,
        title=say("slack-suggestions"),
    )
