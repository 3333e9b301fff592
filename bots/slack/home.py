"""The App Home: the Home tab, rendered each time it is opened, and suggested prompts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import structlog
from slack_bolt.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest

from bots.core.commands import Invocation
from bots.slack import home_view
from bots.slack.listener_context import ListenerContext
from bots.slack.reply_target import ReplyTarget
from bots.slack.transport import Rejected, Web
from bots.slack.views import View
from tasks.client import Unavailable
from tasks.jobs.job import Picture


def register(app: AsyncApp, context: ListenerContext) -> None:
    """Register the listeners for the App Home and for changes of user groups."""

    async def handle_opened(event: Mapping[str, Any], request: AsyncBoltRequest) -> None:
        team, user = str(request.context.team_id), str(event["user"])
        if event.get("tab") == "home":
            await _publish_home(context, team, user)
        elif event.get("tab") == "messages":
            await _suggest_prompts(context, team, user, str(event["channel"]))

    async def handle_group_change(request: AsyncBoltRequest) -> None:
        context.directory.groups_changed(str(request.context.team_id))

    app.event("app_home_opened")(handle_opened)
    app.event("subteam_members_changed")(handle_group_change)
    app.event("subteam_updated")(handle_group_change)


async def _publish_home(context: ListenerContext, team: str, user: str) -> None:
    workspace_client = await context.workspaces.workspace_client(team)
    web = workspace_client.web
    reply_target = ReplyTarget(workspace_client, user, user, None)
    invocation = await context.invocation(reply_target, "")
    localize = await context.localizer(invocation)
    try:
        data = await _load_home(context, invocation)
    except Unavailable:
        await _publish(web, user, home_view.unavailable(localize))
        return
    try:
        await _publish(web, user, home_view.home(localize, data))
    except Rejected as rejected:
        if rejected.code not in {"invalid_blocks", "invalid_arguments"} or not data.files:
            raise
        # One of the files was deleted on Slack: publish the text without any pictures.
        await _publish(web, user, home_view.home(localize, replace(data, files={})))


async def _suggest_prompts(context: ListenerContext, team: str, user: str, channel: str) -> None:
    """Offer example prompts in a member's direct messages.

    Slack ignores the call of an agent app that names a thread.
    https://docs.slack.dev/reference/methods/assistant.threads.setSuggestedPrompts
    """
    workspace_client = await context.workspaces.workspace_client(team)
    reply_target = ReplyTarget(workspace_client, channel, user, None)
    localize = await context.localizer(await context.invocation(reply_target, ""))
    examples = [localize(f"slack-suggestion-{n}") for n in (1, 2, 3)]
    try:
        await workspace_client.web.call(
            "assistant.threads.setSuggestedPrompts",
            channel_id=channel,
            prompts=[{"title": example, "message": example} for example in examples],
            title=localize("slack-suggestions"),
        )
    except Rejected as rejected:
        structlog.get_logger().info("prompts-not-suggested", reason=str(rejected), team=team)


async def _publish(web: Web, user: str, view: View) -> None:
    await web.call("views.publish", user_id=user, view=view)


async def _load_home(context: ListenerContext, invocation: Invocation) -> home_view.HomeData:
    client, member = context.client, invocation.member
    pictures = await client.pictures.history(member, home_view.PICTURES_SHOWN)
    return home_view.HomeData(
        allowance=await client.members.allowance(member),
        pictures=pictures,
        doors=await client.door_settings.tiers("slack", member.workspace),
        waitlist=await client.waitlist.place(member),
        server=await _load_server(context, invocation) if member.administrator else None,
        files=await _file_ids(context, pictures),
    )


async def _load_server(
    context: ListenerContext, invocation: Invocation
) -> home_view.ServerSettings:
    workspace = invocation.member.workspace
    return home_view.ServerSettings(
        settings=await context.client.admin.workspace_settings("slack", workspace),
        roles=await context.client.admin.role_map("slack", workspace),
    )


async def _file_ids(context: ListenerContext, pictures: Sequence[Picture]) -> Mapping[str, str]:
    """The Slack file id of each picture, from the memory of its delivery."""
    file_ids: dict[str, str] = {}
    for picture in pictures:
        memory = await context.client.jobs.delivery_memory(picture.job)
        file = memory.get(f"file{picture.index}")
        if file:
            file_ids[str(picture.id)] = str(file)
    return file_ids
