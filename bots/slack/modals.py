"""Listeners for modals: the composer, and the forms behind buttons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from slack_bolt.async_app import AsyncApp

from bots.core import command_parser, commands
from bots.core.commands import BadCommand, Command
from bots.core.refusals import bad_command_reply
from bots.slack import translate, views
from bots.slack.app_spec import Modal, Shortcut
from bots.slack.dedupe import Accepted
from bots.slack.listener_context import ListenerContext
from bots.slack.reply_target import ReplyTarget
from bots.slack.views import Origin

Body = Mapping[str, Any]


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Register the listeners for opening the composer and for submitted modals."""

    async def compose(ack: Any, body: Body) -> None:
        await ack()
        await _open_composer(context, body)

    async def handle_submission(ack: Any, body: Body) -> None:
        error = await _handle_submission(context, body)
        if error:
            await ack(response_action="errors", errors={"prompt": error})
        else:
            await ack()

    app.action(views.COMPOSE_ACTION)(compose)
    app.shortcut(str(Shortcut.COMPOSE))(compose)
    for modal in Modal:
        app.view(str(modal))(handle_submission)


async def _open_composer(context: ListenerContext, body: Body) -> None:
    reply_target = await context.reply_target(body)
    localize = await context.localizer(await context.invocation(reply_target, ""))
    view = views.compose(localize, await context.client.fleet.models(), Origin())
    await reply_target.web.call("views.open", trigger_id=body["trigger_id"], view=view)


async def _handle_submission(context: ListenerContext, body: Body) -> str | None:
    """Execute a submitted modal; the error to show in it where its prompt is invalid."""
    view = body["view"]
    modal, origin = Modal(view["callback_id"]), Origin.load(view.get("private_metadata", ""))
    values = view["state"]["values"]
    reply_target = await _reply_target(context, body, modal, origin)
    key = f"slack:{reply_target.web.team}:view:{view['id']}"
    invocation = await context.invocation(reply_target, key)
    if wrong := translate.prompt_error(modal, values):
        localize = await context.localizer(invocation)
        return bad_command_reply(wrong, localize).text

    async def work(accepted: Accepted) -> None:
        command = _command(context, reply_target, modal, origin, values)
        await context.answer(invocation, command, reply_target, accepted)

    await context.deduplicator.run(key, work)
    return None


def _command(
    context: ListenerContext,
    reply_target: ReplyTarget,
    modal: Modal,
    origin: Origin,
    values: Mapping[str, Any],
) -> Command | BadCommand:
    """The command of a submitted modal."""
    web = reply_target.web
    if modal is Modal.COMPOSE:
        references = context.uploads(web, translate.file_values(values, "reference"))
        return translate.parse_composer(values, references[0] if references else None)
    if modal is Modal.REPORT:
        return commands.Report(UUID(origin.target), translate.text_value(values, "words"))
    prompt = translate.text_value(values, "prompt")
    if modal is Modal.REROLL:
        return command_parser.parse_reroll(prompt, UUID(origin.target))
    masks = context.uploads(web, translate.file_values(values, "mask"))
    if origin.target:
        source: commands.Source = UUID(origin.target)
    else:
        source = context.uploads(web, [{"id": origin.file}])[0]
    return command_parser.parse_edit(prompt, source, mask=masks[0] if masks else None)


async def _reply_target(
    context: ListenerContext, body: Body, modal: Modal, origin: Origin
) -> ReplyTarget:
    """Where a modal's reply goes: where it was opened, or the channel the composer names."""
    opened = await context.reply_target(body)
    channel = origin.channel
    if modal is Modal.COMPOSE:
        values = body["view"]["state"]["values"]
        channel = translate.selected_value(values, "where") or opened.user
    return ReplyTarget(opened.workspace_client, channel or opened.user, opened.user, origin.thread)
