"""Listeners for mentions, direct messages and slash commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bots.core.commands import BadCommand, Command
from bots.core.reply import ReplyKind
from bots.core.source_images import refused_files
from bots.slack.app_spec import COMMANDS
from bots.slack.dedupe import Accepted
from bots.slack.listener_context import ListenerContext
from bots.slack.reply_target import ReplyTarget
from bots.slack.response_url import responder
from bots.slack.translate import (
    IncomingMessage,
    files_of,
    is_prompt,
    parse_message,
    parse_slash_command,
    parse_text,
)
from bots.slack.transport import Rejected
from bots.slack.workspaces import WorkspaceClient
from tasks.client import Unavailable
from tasks.jobs.job import Reason


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Register the listeners for messages and slash commands."""

    async def handle_message(
        body: Mapping[str, Any], request: AsyncBoltRequest, next_: Any
    ) -> None:
        # Middleware runs before bolt acknowledges, so the order is stored by then.
        await _handle_message(context, body, str(request.context.team_id))
        await next_()

    async def noop() -> None:
        """The middleware has done the work."""

    app.event("app_mention", middleware=[handle_message])(noop)
    app.event("message", middleware=[handle_message])(noop)

    async def handle_command(ack: Any, body: Mapping[str, Any]) -> None:
        await _handle_command(context, body)
        await ack()

    for command in COMMANDS:
        app.command(command.command)(handle_command)


async def _handle_message(context: ListenerContext, body: Mapping[str, Any], team: str) -> None:
    workspace_client = await context.workspaces.workspace_client(team)
    message = parse_message(body["event"], team, workspace_client.bot_user)
    if message is None or (body["event"]["type"] == "message" and not message.direct):
        return

    async def work(accepted: Accepted) -> None:
        await _execute(context, workspace_client, message, accepted)

    await context.deduplicator.run(message.key, work)


async def _execute(
    context: ListenerContext,
    workspace_client: WorkspaceClient,
    message: IncomingMessage,
    accepted: Accepted,
) -> None:
    reply_target = ReplyTarget(workspace_client, message.channel, message.user, message.root)
    invocation = await context.invocation(reply_target, message.key, message.place)
    unusable = refused_files(files_of(message.files)) if is_prompt(message.text) else None
    if unusable is not None:
        await context.refuse(invocation, reply_target, unusable, accepted)
        return
    try:
        command = await _command(context, workspace_client, message)
    except Unavailable:
        await context.refuse(invocation, reply_target, Reason("unavailable"), accepted)
        return
    reply = await context.answer(invocation, command, reply_target, accepted)
    if message.direct and reply.kind is ReplyKind.PLACEHOLDER:
        localize = await context.localizer(invocation)
        await _set_status(workspace_client, message, localize("slack-status"))


async def _command(
    context: ListenerContext, workspace_client: WorkspaceClient, message: IncomingMessage
) -> Command | BadCommand:
    if not is_prompt(message.text):
        return parse_text(message.text, (), None)
    text = await context.name_mentions(workspace_client.web, message.text)
    uploads = context.uploads(workspace_client.web, message.files)
    picture = None if uploads else await context.latest_picture(message.place, message.user)
    return parse_text(text, uploads, picture.id if picture else None)


async def _handle_command(context: ListenerContext, body: Mapping[str, Any]) -> None:
    workspace_client = await context.workspaces.workspace_client(str(body["team_id"]))
    reply_target = ReplyTarget(
        workspace_client,
        str(body["channel_id"]),
        str(body["user_id"]),
        None,
        responder(workspace_client.web, str(body["response_url"]), context.api_url),
    )
    key = f"slack:{workspace_client.web.team}:{body['trigger_id']}"

    async def work(accepted: Accepted) -> None:
        invocation = await context.invocation(reply_target, key)
        command = parse_slash_command(str(body["command"]), str(body.get("text") or ""))
        await context.answer(invocation, command, reply_target, accepted)

    await context.deduplicator.run(key, work)


async def _set_status(
    workspace_client: WorkspaceClient, message: IncomingMessage, status: str
) -> None:
    """Show the app's status in a direct message, where the app is configured as an agent."""
    try:
        await workspace_client.web.call(
            "assistant.threads.setStatus",
            channel_id=message.channel,
            thread_ts=message.root,
            status=status,
        )
    except Rejected:
        return  # the app was created without the agent feature
