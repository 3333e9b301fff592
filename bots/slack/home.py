"""The Home tab: drawn anew whenever a member opens it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from slack_bolt.async_app import AsyncApp

from bots.core.command import Ask
from bots.slack import views
from bots.slack.posting import Where
from bots.slack.room import Room
from bots.slack.web import Refused, Web
from tasks.client import Unavailable
from tasks.job import Picture


def register(app: AsyncApp, room: Room) -> None:
    """Let the app draw Home tabs, and hear when groups and installations change."""

    async def opened(event: Mapping[str, Any], context: Any) -> None:
        if event.get("tab") == "home":
            await _draw(room, str(context["team_id"]), str(event["user"]))

    async def groups_changed(context: Any) -> None:
        room.directory.groups_changed(str(context["team_id"]))

    app.event("app_home_opened")(opened)
    app.event("subteam_members_changed")(groups_changed)
    app.event("subteam_updated")(groups_changed)


async def _draw(room: Room, team: str, user: str) -> None:
    seat = await room.workspaces.seat(team)
    where = Where(seat, user, user, None)
    ask = await room.ask(where, "")
    say = await room.say(ask)
    try:
        seen = await _seen(room, ask)
    except Unavailable:
        await _publish(seat.web, user, views.unavailable(say))
        return
    try:
        await _publish(seat.web, user, views.home(say, seen))
    except Refused as refused:
        if refused.code not in {"invalid_blocks", "invalid_arguments"} or not seen.files:
            raise
        # One of the files was deleted on Slack: the words of all are better than nothing.
        await _publish(seat.web, user, views.home(say, replace(seen, files={})))


async def _publish(web: Web, user: str, view: views.View) -> None:
    await web.call("views.publish", user_id=user, view=view)


async def _seen(room: Room, ask: Ask) -> views.Home:
    client, member = room.client, ask.member
    pictures = await client.history(member, views.SHOWN)
    return views.Home(
        allowance=await client.allowance(member),
        pictures=pictures,
        doors=await client.doors("slack", member.workspace),
        waitlist=await client.waitlist_place(member),
        server=await _server(room, ask) if member.administrator else None,
        files=await _files(room, pictures),
    )


async def _server(room: Room, ask: Ask) -> views.Server:
    workspace = ask.member.workspace
    return views.Server(
        settings=await room.client.workspace_settings("slack", workspace),
        roles=await room.client.role_map("slack", workspace),
    )


async def _files(room: Room, pictures: Sequence[Picture]) -> Mapping[str, str]:
    """The Slack files that the courier made of these pictures, as its deliveries remember."""
    found: dict[str, str] = {}
    for picture in pictures:
        memory = await room.client.delivery_memory(picture.job)
        file = memory.get(f"file{picture.index}")
        if file:
            found[str(picture.id)] = str(file)
    return found
