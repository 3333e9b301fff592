"""Listeners for buttons and for message shortcuts."""

from __future__ import annotations

import functools
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from uuid import UUID

import structlog
from slack_bolt.async_app import AsyncApp

from bots.core import commands, report_commands
from bots.core.cards import card
from bots.core.commands import Command, Invocation
from bots.core.reply import Action, Reply
from bots.slack import translate, views
from bots.slack.app_spec import MESSAGE_SHORTCUTS, Shortcut
from bots.slack.blocks import ACTION_PREFIX, file_ids, parse_button, section
from bots.slack.dedupe import Accepted
from bots.slack.job_messages import redraw
from bots.slack.listener_context import ListenerContext
from bots.slack.message_removal import ALREADY_GONE
from bots.slack.mrkdwn import escape
from bots.slack.reply_target import ReplyTarget
from bots.slack.transport import Rejected, SlackError
from bots.slack.views import Origin

Body = Mapping[str, Any]
ENDING_REPLIES = frozenset({"cancelled", "cancelling", "deleted"})
DECIDED_REPORTS = frozenset({"report-kept", "report-removed", "report-blocked"})


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Register the listeners for buttons and message shortcuts."""

    async def handle_button(ack: Any, body: Body) -> None:
        await _handle_button(context, body)
        await ack()

    async def handle_message_shortcut(ack: Any, body: Body) -> None:
        await _handle_message_shortcut(context, body)
        await ack()

    app.action(re.compile(f"^{ACTION_PREFIX}"))(handle_button)
    for shortcut in MESSAGE_SHORTCUTS:
        app.shortcut(str(shortcut))(handle_message_shortcut)


# -- buttons ---------------------------------------------------------


async def _handle_button(context: ListenerContext, body: Body) -> None:
    button = body["actions"][0]
    try:
        action, subject = parse_button(button)
    except ValueError:
        structlog.get_logger().warning("unknown-button", action=str(button["action_id"])[:80])
        return
    reply_target = await context.reply_target(body)
    key = f"{_key(reply_target)}:{button['action_ts']}:{button['action_id']}"

    async def work(accepted: Accepted) -> None:
        invocation = await context.invocation(reply_target, key)
        if action in _MODALS:
            accepted.set()
            view = await _MODALS[action](context, invocation, reply_target, subject)
            await _open_view(reply_target, body, view)
            return
        command = _command(action, subject)
        reply = await context.answer(invocation, command, reply_target, accepted)
        if reply.code in ENDING_REPLIES and subject is not None:
            await _clear_message(context, body, reply_target, subject)
        if reply.code in DECIDED_REPORTS:
            await _close_report(body, reply_target, reply, invocation)

    await context.deduplicator.run(key, work)


def _command(action: Action, subject: UUID | None) -> Command:
    """The command of a button that opens no modal. Raises ValueError for a missing subject."""
    if action is Action.JOIN_WAITLIST:
        return commands.Waitlist("join")
    if action is Action.CONFIRM_FORGET:
        return commands.Privacy("delete", confirmed=True)
    if subject is None:
        raise ValueError(f"a {action} button without a target")
    if about_report := report_commands.command_of_action(action, subject):
        return about_report
    return _DIRECT_COMMANDS[action](subject)


_DIRECT_COMMANDS: Mapping[Action, Callable[[UUID], Command]] = {
    Action.CANCEL: commands.Cancel,
    Action.VARY: commands.Vary,
    Action.UPSCALE: commands.Upscale,
    Action.UNDO: commands.Undo,
    Action.DETAILS: commands.Details,
    Action.DELETE: commands.Delete,
    Action.EDIT_RECENT: functools.partial(commands.Choose, edit=True),
    Action.NEW_PICTURE: functools.partial(commands.Choose, edit=False),
    Action.DRAW_ANYWAY: commands.DrawAnyway,
}


async def _close_report(
    body: Body, reply_target: ReplyTarget, reply: Reply, invocation: Invocation
) -> None:
    """Replace a report in the moderators' channel by its decision; a list stays as it is."""
    message = body.get("message")
    if not message:
        return  # an ephemeral list
    text = escape(f"{reply.text} ({invocation.member.name or invocation.member.id})")
    try:
        await reply_target.web.call(
            "chat.update",
            channel=reply_target.channel,
            ts=message["ts"],
            text=text,
            blocks=[section(text)],
        )
    except SlackError as error:
        structlog.get_logger().warning("report-not-closed", reason=str(error))


async def _clear_message(
    context: ListenerContext, body: Body, reply_target: ReplyTarget, subject: UUID
) -> None:
    """Redraw the message of a cancelled or deleted job and delete its files on Slack.

    The message is locked until then, so that no edit of the position in line comes after.
    """
    localize = await context.localizer(await context.invocation(reply_target, ""))
    async with context.client.jobs.edit_fence(subject):
        job = await context.client.jobs.read(subject)
        if job is None or "ts" not in job.placeholder or not job.state.ended:
            return  # the publisher redraws the message when a running job ends
        web = reply_target.web
        updater = context.poster.placeholders.position_updater
        try:
            await redraw(web, card(job, localize), localize)
            updater.forget(subject)
            for file in file_ids(body.get("message", {})):
                await web.call("files.delete", file=file)
        except SlackError as error:
            if isinstance(error, Rejected) and error.code in ALREADY_GONE:
                updater.forget(subject)  # a worker has deleted it, as the member asked
                return
            structlog.get_logger().warning("message-not-cleared", reason=str(error))


async def _open_edit(
    context: ListenerContext,
    invocation: Invocation,
    reply_target: ReplyTarget,
    subject: UUID | None,
) -> views.View:
    return views.edit(await context.localizer(invocation), _origin(reply_target, subject))


async def _open_reroll(
    context: ListenerContext,
    invocation: Invocation,
    reply_target: ReplyTarget,
    subject: UUID | None,
) -> views.View:
    prompt = await context.prompt_of_job(subject, invocation.member) if subject else ""
    localize = await context.localizer(invocation)
    return views.reroll(localize, prompt, _origin(reply_target, subject))


async def _open_report(
    context: ListenerContext,
    invocation: Invocation,
    reply_target: ReplyTarget,
    subject: UUID | None,
) -> views.View:
    return views.report(await context.localizer(invocation), _origin(reply_target, subject))


_MODALS: Mapping[
    Action, Callable[[ListenerContext, Invocation, ReplyTarget, UUID | None], Awaitable[views.View]]
] = {
    Action.EDIT: _open_edit,
    Action.REROLL: _open_reroll,
    Action.REPORT: _open_report,
}


# -- shortcuts ---------------------------------------------------------


async def _handle_message_shortcut(context: ListenerContext, body: Body) -> None:
    """Edit, vary or upscale the picture of any message."""
    reply_target, message = await context.reply_target(body), body["message"]
    shortcut = Shortcut(body["callback_id"])
    key = f"{_key(reply_target)}:{body['action_ts']}:{shortcut}"
    files = translate.pictures_among(message.get("files") or [])

    async def work(accepted: Accepted) -> None:
        invocation = await context.invocation(reply_target, key)
        picture = await context.picture_of_message(
            invocation.place, str(message["ts"]), reply_target.user
        )
        if picture is None and len(files) != 1:
            unclear = translate.unclear_picture(len(files))
            await context.answer(invocation, unclear, reply_target, accepted)
            return
        if shortcut is Shortcut.EDIT:
            accepted.set()
            file = "" if picture else str(files[0]["id"])
            origin = _origin(reply_target, picture.id if picture else None, file)
            view = views.edit(await context.localizer(invocation), origin)
            await _open_view(reply_target, body, view)
            return
        sent = () if picture else context.uploads(reply_target.web, files)
        command = translate.shortcut_command(shortcut, picture.id if picture else sent[0])
        await context.answer(invocation, command, reply_target, accepted)

    await context.deduplicator.run(key, work)


def _key(reply_target: ReplyTarget) -> str:
    return f"slack:{reply_target.web.team}:{reply_target.user}"


def _origin(reply_target: ReplyTarget, subject: UUID | None, file: str = "") -> Origin:
    return Origin(reply_target.channel, reply_target.thread, subject.hex if subject else "", file)


async def _open_view(reply_target: ReplyTarget, body: Body, view: views.View) -> None:
    await reply_target.web.call("views.open", trigger_id=body["trigger_id"], view=view)
