"""What members fill in: the composer, and the modals behind buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncApp

from bots.core import command as commands
from bots.core.command import BadCommand, Command
from bots.core.intake import unreadable
from bots.slack import translate, views
from bots.slack.files import FileUnreadable
from bots.slack.once import Accepted
from bots.slack.posting import Where
from bots.slack.room import Room
from bots.slack.surface import Modal, Shortcut
from bots.slack.views import Origin

Body = Mapping[str, Any]


def register(app: AsyncApp, room: Room) -> None:
    """Let the app listen to what is submitted."""

    async def compose(ack: Any, body: Body) -> None:
        await ack()
        await _compose(room, body)

    async def submitted(ack: Any, body: Body) -> None:
        wrong = await _submitted(room, body)
        if wrong:
            await ack(response_action="errors", errors={"prompt": wrong})
        else:
            await ack()

    app.action(views.COMPOSE_ACTION)(compose)
    app.shortcut(str(Shortcut.COMPOSE))(compose)
    for modal in Modal:
        app.view(str(modal))(submitted)


async def _compose(room: Room, body: Body) -> None:
    where = await room.where(body)
    say = await room.say(await room.ask(where, ""))
    view = views.compose(say, await room.client.models(), Origin())
    await where.seat.web.call("views.open", trigger_id=body["trigger_id"], view=view)


async def _submitted(room: Room, body: Body) -> str | None:
    """Carry out what a modal asks; the sentence to show in it where it cannot be understood."""
    view = body["view"]
    modal, origin = Modal(view["callback_id"]), Origin.load(view.get("private_metadata", ""))
    values = view["state"]["values"]
    where = await _after(room, body, modal, origin)
    key = f"slack:{where.seat.web.team}:view:{view['id']}"
    ask = await room.ask(where, key)
    if modal is Modal.COMPOSE and isinstance(wrong := translate.composed(values, None), BadCommand):
        return (await room.say(ask))(wrong.code, **wrong.details)

    async def work(accepted: Accepted) -> None:
        try:
            command = await _asked(room, where, modal, origin, values)
        except FileUnreadable as error:
            await room.refuse(ask, where, unreadable(error.code), accepted)
            return
        await room.answer(ask, command, where, accepted)

    await room.once.run(key, work)
    return None


async def _asked(
    room: Room, where: Where, modal: Modal, origin: Origin, values: Mapping[str, Any]
) -> Command | BadCommand:
    web = where.seat.web
    if modal is Modal.COMPOSE:
        sent = await room.uploads(web, translate.sent(values, "reference"))
        return translate.composed(values, sent[0] if sent else None)
    if modal is Modal.REPORT:
        return commands.Report(UUID(origin.target), translate.typed(values, "words"))
    prompt = translate.typed(values, "prompt")
    if modal is Modal.REROLL:
        return commands.Reroll(UUID(origin.target), prompt)
    masks = await room.uploads(web, translate.sent(values, "mask"))
    if origin.target:
        source: commands.Source = UUID(origin.target)
    else:
        source = (await room.uploads(web, [{"id": origin.file}]))[0]
    return commands.Edit(source, prompt, mask=masks[0] if masks else None)


async def _after(room: Room, body: Body, modal: Modal, origin: Origin) -> Where:
    """Where a modal's answer goes: where it was opened, or where the composer says."""
    where = await room.where(body)
    channel = origin.channel
    if modal is Modal.COMPOSE:
        channel = translate.chosen(body["view"]["state"]["values"], "where") or where.user
    return Where(where.seat, channel or where.user, where.user, origin.thread)
