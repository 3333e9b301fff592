"""What members press: buttons, and the shortcuts in a message's menu."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from slack_bolt.async_app import AsyncApp

from bots.core import command as commands
from bots.core.cards import card
from bots.core.command import Ask, Command
from bots.core.intake import unreadable
from bots.core.reply import Action
from bots.slack import translate, views
from bots.slack.blocks import ACTION_PREFIX, read_button, shown_files
from bots.slack.files import FileUnreadable
from bots.slack.once import Accepted
from bots.slack.posting import Where, redraw
from bots.slack.room import Room
from bots.slack.surface import MESSAGE_SHORTCUTS, Shortcut
from bots.slack.views import Origin
from bots.slack.web import SlackFault

Body = Mapping[str, Any]
ENDINGS = frozenset({"cancelled", "cancelling", "deleted"})


def register(app: AsyncApp, room: Room) -> None:
    """Let the app listen to what is pressed."""

    async def pressed(ack: Any, body: Body) -> None:
        await _pressed(room, body)
        await ack()

    async def on_message(ack: Any, body: Body) -> None:
        await _on_message(room, body)
        await ack()

    app.action(re.compile(f"^{ACTION_PREFIX}"))(pressed)
    for shortcut in MESSAGE_SHORTCUTS:
        app.shortcut(str(shortcut))(on_message)


# -- buttons ---------------------------------------------------------


async def _pressed(room: Room, body: Body) -> None:
    pressed = body["actions"][0]
    try:
        action, target = read_button(pressed)
    except ValueError:
        structlog.get_logger().warning("an unknown button", action=str(pressed["action_id"])[:80])
        return
    where = await room.where(body)
    key = f"slack:{where.seat.web.team}:{where.user}:{pressed['action_ts']}:{pressed['action_id']}"

    async def work(accepted: Accepted) -> None:
        ask = await room.ask(where, key)
        if action in _OPENS:
            accepted.set()
            view = await _OPENS[action](room, ask, where, target)
            await where.seat.web.call("views.open", trigger_id=body["trigger_id"], view=view)
            return
        reply = await room.answer(ask, _command(action, target), where, accepted)
        if reply.code in ENDINGS and target is not None:
            await _tidy(room, body, where, target)

    await room.once.run(key, work)


def _command(action: Action, target: UUID | None) -> Command:
    """What a button does at once. Raises ValueError for a button that lost its target."""
    if action is Action.JOIN_WAITLIST:
        return commands.Waitlist("join")
    if action is Action.CONFIRM_FORGET:
        return commands.Privacy("delete", confirmed=True)
    if target is None:
        raise ValueError(f"a {action} button without a target")
    return _AT_ONCE[action](target)


_AT_ONCE: Mapping[Action, Callable[[UUID], Command]] = {
    Action.CANCEL: commands.Cancel,
    Action.VARY: commands.Vary,
    Action.UPSCALE: commands.Upscale,
    Action.UNDO: commands.Undo,
    Action.DETAILS: commands.Details,
    Action.DELETE: commands.Delete,
}


async def _tidy(room: Room, body: Body, where: Where, target: UUID) -> None:
    """Show at once that a job was cancelled or its pictures deleted, on Slack's side too."""
    job = await room.client.job(target)
    if job is None or "ts" not in job.placeholder or not job.state.ended:
        return  # the worker's courier shows the end of a job that still runs
    web, say = where.seat.web, await room.say(await room.ask(where, ""))
    try:
        await redraw(web, card(job, say), say)
        for file in shown_files(body.get("message", {})):
            await web.call("files.delete", file=file)
    except SlackFault as fault:
        structlog.get_logger().warning("a message stays as it was", why=str(fault))


async def _open_edit(room: Room, ask: Ask, where: Where, target: UUID | None) -> views.View:
    origin = Origin(where.channel, where.thread, target.hex if target else "")
    return views.edit(await room.say(ask), origin)


async def _open_reroll(room: Room, ask: Ask, where: Where, target: UUID | None) -> views.View:
    prompt = await room.prompt_of(target) if target else ""
    origin = Origin(where.channel, where.thread, target.hex if target else "")
    return views.reroll(await room.say(ask), prompt, origin)


async def _open_report(room: Room, ask: Ask, where: Where, target: UUID | None) -> views.View:
    origin = Origin(where.channel, where.thread, target.hex if target else "")
    return views.report(await room.say(ask), origin)


_OPENS: Mapping[Action, Callable[[Room, Ask, Where, UUID | None], Awaitable[views.View]]] = {
    Action.EDIT: _open_edit,
    Action.REROLL: _open_reroll,
    Action.REPORT: _open_report,
}


# -- shortcuts ---------------------------------------------------------


async def _on_message(room: Room, body: Body) -> None:
    """Edit, vary or upscale the picture of any message."""
    where, message = await room.where(body), body["message"]
    shortcut = Shortcut(body["callback_id"])
    key = f"slack:{where.seat.web.team}:{where.user}:{body['action_ts']}:{shortcut}"
    files = list(message.get("files") or [])

    async def work(accepted: Accepted) -> None:
        ask = await room.ask(where, key)
        picture = await room.picture_at(ask.place, str(message["ts"]), where.user)
        if picture is None and not files:
            await room.answer(ask, translate.no_picture(), where, accepted)
        elif shortcut is Shortcut.EDIT:
            accepted.set()
            target = picture.id.hex if picture else ""
            file = "" if picture else str(files[0]["id"])
            view = views.edit(
                await room.say(ask), Origin(where.channel, where.thread, target, file)
            )
            await where.seat.web.call("views.open", trigger_id=body["trigger_id"], view=view)
        else:
            try:
                sent = () if picture else await room.uploads(where.seat.web, files[:1])
            except FileUnreadable as error:
                await room.refuse(ask, where, unreadable(error.code), accepted)
                return
            source = picture.id if picture else sent[0]
            await room.answer(ask, translate.on_picture(shortcut, source), where, accepted)

    await room.once.run(key, work)
