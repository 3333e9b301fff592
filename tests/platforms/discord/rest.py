"""REST v10: the requests that the bot may make, applied to the world."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.platforms.discord import messages
from tests.platforms.discord.gateway import Gateway
from tests.platforms.discord.messages import Refusal
from tests.platforms.discord.server_rules import command_problems
from tests.platforms.discord.world import (
    APPLICATION,
    ATTACH,
    EPHEMERAL,
    HISTORY,
    LOADING,
    SEND,
    THREADS,
    VIEW,
    Channel,
    Interaction,
    Message,
    World,
)  # fmt: skip

INITIAL_RESPONSE = 3.0  # seconds
TOKEN_LIFE = 15 * 60.0


@dataclass
class Call:
    """One request: `files` are (field name, file name, bytes)."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: list[tuple[str, str, bytes]] = field(default_factory=list)


Handler = Callable[["Rest", Call, tuple[str, ...]], Awaitable[Any]]
ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []


def route(method: str, path: str) -> Callable[[Handler], Handler]:
    """Register a handler; `{}` in the path matches one segment."""
    pattern = re.compile(path.replace("{}", "([^/]+)"))

    def register(handler: Handler) -> Handler:
        ROUTES.append((method, pattern, handler))
        return handler

    return register


class Rest:
    """Answers calls. A handler returns a JSON value, or None for 204, or raises Refusal."""

    def __init__(self, world: World, gateway: Gateway, origin: str) -> None:
        self.world = world
        self.gateway = gateway
        self.origin = origin
        self.command_puts = 0

    async def answer(self, call: Call) -> Any:
        """Execute one call."""
        for method, pattern, handler in ROUTES:
            match = pattern.fullmatch(call.path) if method == call.method else None
            if match:
                return await handler(self, call, match.groups())
        raise Refusal(404, 0, "404: Not Found")

    def channel(self, number: str, needs: int = VIEW) -> Channel:
        """A channel in which the bot has these permissions. Raises Refusal."""
        channel = self.world.channels.get(int(number))
        if channel is None or channel.gone:
            raise Refusal(404, 10003, "Unknown Channel")
        if channel.guild and not channel.guild.has_bot:
            raise Refusal(403, 50001, "Missing Access")
        if channel.lost & VIEW:
            raise Refusal(403, 50001, "Missing Access")
        if channel.lost & needs:
            raise Refusal(403, 50013, "Missing Permissions")
        if channel.recipient and channel.recipient.dms_closed and needs & SEND:
            raise Refusal(403, 50007, "Cannot send messages to this user")
        return channel

    def found(self, channel: Channel, number: str) -> Message:
        """A message that the bot's own token can read. Raises Refusal."""
        message = channel.messages.get(int(number))
        if message is None or message.deleted or message.audience is not None:
            raise Refusal(404, 10008, "Unknown Message")
        return message

    def interaction(self, token: str) -> Interaction:
        """An answered interaction whose token is valid. Raises Refusal."""
        found = self.world.interactions.get(token)
        if found is None or found.answer is None:
            raise Refusal(404, 10015, "Unknown Webhook")
        if self.world.clock.now() - found.at > TOKEN_LIFE:
            raise Refusal(401, 50027, "Invalid Webhook Token")
        return found

    async def send_event(self, event: str, message: Message) -> None:
        """Dispatch the event of a public message to the bot."""
        if message.audience is None:
            guild = message.channel.guild
            data = messages.payload(message) | ({"guild_id": str(guild.id)} if guild else {})
            await self.gateway.dispatch(event, data, guild.id if guild else None)

    async def post(
        self, call: Call, channel: Channel, body: dict[str, Any], interaction: Interaction | None
    ) -> Message:
        """Post a new message."""
        message = messages.create(self.world, self.origin, call, channel, body, interaction)
        await self.send_event("MESSAGE_CREATE", message)
        return message

    async def change(self, call: Call, message: Message, body: dict[str, Any]) -> Message:
        """Edit a message. Raises Refusal."""
        if message.channel.archived:
            raise Refusal(400, 50083, "Thread is archived")
        messages.edit(self.world, self.origin, call, message, body)
        await self.send_event("MESSAGE_UPDATE", message)
        return message

    async def remove(self, message: Message) -> None:
        """Delete a message."""
        message.deleted = True
        if message.audience is None:
            guild = message.channel.guild
            data = {"id": str(message.id), "channel_id": str(message.channel.id)}
            data |= {"guild_id": str(guild.id)} if guild else {}
            await self.gateway.dispatch("MESSAGE_DELETE", data, guild.id if guild else None)


@route("GET", "/gateway")
async def _gateway(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return {"url": rest.gateway.url}


@route("GET", "/gateway/bot")
async def _gateway_bot(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    limits = {"total": 1000, "remaining": 999, "reset_after": 1, "max_concurrency": 1}
    return {"url": rest.gateway.url, "shards": rest.gateway.shards, "session_start_limit": limits}


@route("GET", "/users/@me")
async def _me(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return rest.world.bot.payload()


@route("GET", "/users/{}")
async def _user(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    user = rest.world.users.get(int(parts[0]))
    if user is None:
        raise Refusal(404, 10013, "Unknown User")
    return user.payload()


@route("GET", "/oauth2/applications/@me")
@route("GET", "/applications/@me")
async def _application(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return {
        "id": str(APPLICATION),
        "name": "Atelier",
        "icon": None,
        "description": "",
        "bot_public": True,
        "bot_require_code_grant": False,
        "verify_key": "00",
        "flags": 0,
        "summary": "",
        "owner": rest.world.bot.payload(),
        "team": None,
        "install_params": None,
    }


@route("GET", "/applications/{}/commands")
async def _commands(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return rest.world.commands


@route("PUT", "/applications/{}/commands")
async def _put_commands(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    problems = command_problems(call.body)
    if problems:
        raise Refusal(400, 50035, "; ".join(problems))
    rest.command_puts += 1
    extra = {"application_id": parts[0], "version": str(rest.world.clock.snowflake())}
    rest.world.commands = [
        {"type": 1, "description": "", "nsfw": False, "default_member_permissions": None}
        | command
        | extra
        | {"id": str(rest.world.clock.snowflake())}
        for command in call.body
    ]
    return rest.world.commands


@route("GET", "/guilds/{}")
async def _guild(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    guild = rest.world.guilds.get(int(parts[0]))
    if guild is None or not guild.has_bot:
        raise Refusal(404, 10004, "Unknown Guild")
    return guild.payload()


@route("GET", "/guilds/{}/members/{}")
async def _member(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    guild = rest.world.guilds.get(int(parts[0]))
    if guild is None or not guild.has_bot:
        raise Refusal(404, 10004, "Unknown Guild")
    roles = guild.members.get(int(parts[1]))
    if roles is None:
        raise Refusal(404, 10007, "Unknown Member")
    user = rest.world.users[int(parts[1])]
    return {
        "user": user.payload(),
        "roles": [str(role) for role in sorted(roles)],
        "joined_at": "2026-01-01T00:00:00+00:00",
        "deaf": False,
        "mute": False,
        "flags": 0,
    }


@route("GET", "/channels/{}")
async def _channel(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return rest.channel(parts[0]).payload()


@route("POST", "/users/@me/channels")
async def _direct(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    user = rest.world.users.get(int(call.body["recipient_id"]))
    if user is None:
        raise Refusal(400, 50033, "Invalid Recipient(s)")
    return rest.world.direct(user).payload()


@route("POST", "/channels/{}/typing")
async def _typing(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    rest.channel(parts[0], SEND)


@route("POST", "/channels/{}/messages")
async def _post_message(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    channel = rest.channel(parts[0], SEND | (ATTACH if call.files else 0))
    nonce = (channel.id, str(call.body.get("nonce")))
    if call.body.get("enforce_nonce") and nonce in rest.world.nonces:
        return messages.payload(rest.world.nonces[nonce])
    reference = call.body.get("message_reference")
    if reference and reference.get("fail_if_not_exists", True):
        known = channel.messages.get(int(reference["message_id"]))
        if known is None or known.deleted:
            raise Refusal(400, 50035, "Invalid Form Body: message_reference: Unknown message")
    message = await rest.post(call, channel, call.body, None)
    if call.body.get("nonce"):
        rest.world.nonces[nonce] = message
    return messages.payload(message)


@route("GET", "/channels/{}/messages")
async def _history(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    channel = rest.channel(parts[0], VIEW | HISTORY)
    seen = [m for m in channel.messages.values() if not m.deleted and m.audience is None]
    before = int(call.query.get("before", 1 << 62))
    newest = [m for m in reversed(seen) if m.id < before]
    return [messages.payload(m) for m in newest[: int(call.query.get("limit", 50))]]


@route("GET", "/channels/{}/messages/{}")
async def _get_message(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return messages.payload(rest.found(rest.channel(parts[0], VIEW | HISTORY), parts[1]))


@route("PATCH", "/channels/{}/messages/{}")
async def _edit_message(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    message = rest.found(rest.channel(parts[0], ATTACH if call.files else VIEW), parts[1])
    if message.author is not rest.world.bot:
        raise Refusal(403, 50005, "Cannot edit a message authored by another user")
    return messages.payload(await rest.change(call, message, call.body))


@route("DELETE", "/channels/{}/messages/{}")
async def _delete_message(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    message = rest.found(rest.channel(parts[0]), parts[1])
    if message.author is not rest.world.bot:
        raise Refusal(403, 50013, "Missing Permissions")
    await rest.remove(message)


@route("POST", "/channels/{}/messages/{}/threads")
async def _thread(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    channel = rest.channel(parts[0], THREADS)
    message = rest.found(channel, parts[1])
    if message.id in rest.world.channels:
        raise Refusal(400, 160004, "A thread has already been created for this message")
    thread = Channel(message.id, call.body["name"], kind=11, guild=channel.guild, parent=channel.id)
    assert channel.guild is not None
    channel.guild.channels[thread.id] = rest.world.channels[thread.id] = thread
    await rest.gateway.dispatch("THREAD_CREATE", thread.payload(), channel.guild.id)
    return thread.payload()


@route("POST", "/interactions/{}/{}/callback")
async def _callback(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    one = rest.world.interactions.get(parts[1])
    if one is None or str(one.id) != parts[0]:
        raise Refusal(404, 10062, "Unknown interaction")
    if one.answer is not None:
        raise Refusal(400, 40060, "Interaction has already been acknowledged.")
    late = rest.world.clock.now() - one.at > INITIAL_RESPONSE
    if late:
        raise Refusal(404, 10062, "Unknown interaction")
    kind, data = call.body["type"], call.body.get("data") or {}
    if (kind == 8) != (one.kind == 4) or (kind in {6, 7} and one.source is None):
        raise Refusal(400, 50035, f"an interaction of type {one.kind} takes no answer {kind}")
    if kind == 9 and one.kind == 5:
        raise Refusal(400, 50035, "a form cannot be answered with a form")
    await _ANSWERS[kind](rest, call, one, data)
    one.answer, one.answered_at = kind, rest.world.clock.now()
    return _callback_response(one, kind) if call.query.get("with_response") else None


async def _respond(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    one.original = await rest.post(call, one.channel, data, one)


async def _defer(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    body = {"content": "", "flags": (data.get("flags") or 0) & EPHEMERAL | LOADING}
    one.original = await rest.post(call, one.channel, body, one)


async def _defer_update(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    one.original = one.source


async def _update(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    assert one.source is not None
    if one.source.deleted:
        raise Refusal(404, 10008, "Unknown Message")
    one.original = await rest.change(call, one.source, data)


async def _choices(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    one.choices = data.get("choices") or []
    if len(one.choices) > 25:
        raise Refusal(400, 50035, "more than 25 choices")


async def _modal(rest: Rest, call: Call, one: Interaction, data: dict[str, Any]) -> None:
    one.modal = data


_ANSWERS = {4: _respond, 5: _defer, 6: _defer_update, 7: _update, 8: _choices, 9: _modal}


def _callback_response(one: Interaction, kind: int) -> dict[str, Any]:
    summary: dict[str, Any] = {"id": str(one.id), "type": one.kind}
    response: dict[str, Any] = {"interaction": summary}
    if one.original is not None and kind in {4, 5, 7}:
        summary |= {
            "response_message_id": str(one.original.id),
            "response_message_loading": kind == 5,
            "response_message_ephemeral": one.original.audience is not None,
        }
        response["resource"] = {"type": kind, "message": messages.payload(one.original)}
    return response


@route("POST", "/webhooks/{}/{}")
async def _followup(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    one = rest.interaction(parts[1])
    if one.original and one.original.flags & LOADING and not one.original.deleted:
        return messages.payload(await rest.change(call, one.original, call.body))
    message = await rest.post(call, one.channel, call.body, one)
    one.followups.append(message)
    return messages.payload(message)


@route("GET", "/webhooks/{}/{}/messages/{}")
async def _get_followup(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    return messages.payload(_of_interaction(rest.interaction(parts[1]), parts[2]))


@route("PATCH", "/webhooks/{}/{}/messages/{}")
async def _edit_followup(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    message = _of_interaction(rest.interaction(parts[1]), parts[2])
    return messages.payload(await rest.change(call, message, call.body))


@route("DELETE", "/webhooks/{}/{}/messages/{}")
async def _delete_followup(rest: Rest, call: Call, parts: tuple[str, ...]) -> Any:
    await rest.remove(_of_interaction(rest.interaction(parts[1]), parts[2]))


def _of_interaction(one: Interaction, which: str) -> Message:
    """The initial response is addressed by name; by id, Discord documents follow-ups only."""
    named = {str(message.id): message for message in one.followups}
    if one.original is not None:
        named["@original"] = one.original
    if which in named and not named[which].deleted:
        return named[which]
    raise Refusal(404, 10008, "Unknown Message")
