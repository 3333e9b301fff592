"""Creates and edits messages, and serialises them for the bot."""

from __future__ import annotations

import hashlib
import io
from typing import TYPE_CHECKING, Any

from PIL import Image

from tests.platforms.discord.server_rules import message_problems
from tests.platforms.discord.world import (
    APPLICATION,
    COMPONENTS_V2,
    EPHEMERAL,
    LOADING,
    Channel,
    Interaction,
    Message,
    World,
    components_of,
)  # fmt: skip

if TYPE_CHECKING:
    from tests.platforms.discord.rest import Call


class Refusal(Exception):
    """An error response: the HTTP status, Discord's code, and a message."""

    def __init__(self, status: int, code: int, words: str) -> None:
        super().__init__(words)
        self.status, self.code, self.words = status, code, words


def create(
    world: World, origin: str, call: Call, channel: Channel, body: dict[str, Any],
    interaction: Interaction | None,
) -> Message:  # fmt: skip
    """A new message of the bot's. Raises Refusal where Discord would refuse it."""
    _check(call, channel, body, interaction, set(), v2=False)
    something = any(body.get(key) for key in ("content", "embeds", "components", "attachments"))
    if not something and not call.files and not (body.get("flags") or 0) & LOADING:
        raise Refusal(400, 50006, "Cannot send an empty message")
    message = Message(world.clock.snowflake(), channel, world.bot, {}, interaction=interaction)
    if (body.get("flags") or 0) & EPHEMERAL and interaction:
        message.audience = interaction.user
    content, embeds = body.get("content") or "", body.get("embeds") or []
    message.payload = {"content": content, "embeds": embeds, "flags": body.get("flags") or 0}
    if body.get("message_reference"):
        reference = body["message_reference"]
        ids = {k: str(v) for k, v in reference.items() if k.endswith("_id") and v}
        message.payload["message_reference"] = {"type": 0} | ids
    if body.get("nonce"):
        message.payload["nonce"] = body["nonce"]
    _fill(world, origin, call, message, body)
    channel.messages[message.id] = message
    return message


def edit(world: World, origin: str, call: Call, message: Message, body: dict[str, Any]) -> None:
    """Edit a message. Raises Refusal where Discord would refuse it."""
    kept = message.payload.get("attachments", [])
    if "attachments" in body and body["attachments"] is not None:
        stay = {str(a["id"]) for a in body["attachments"]}
        kept = [a for a in kept if a["id"] in stay]
    v2 = bool(message.flags & COMPONENTS_V2)
    whole = {"components": message.payload.get("components"), **body}
    _check(call, message.channel, whole, message.interaction, {a["filename"] for a in kept}, v2=v2)
    turning = (body.get("flags") or 0) & COMPONENTS_V2 and not v2
    if turning and (body.get("content", message.payload["content"]) or body.get("embeds")):
        raise Refusal(400, 50035, "content cannot stay beside components v2")
    old = message.payload
    flags = (message.flags | ((body.get("flags") or 0) & COMPONENTS_V2)) & ~LOADING
    message.payload = {
        **old,
        "content": body["content"] or "" if "content" in body else old["content"],
        "embeds": body["embeds"] or [] if "embeds" in body else old["embeds"],
        "flags": flags,
        "attachments": kept,
        "edited_timestamp": world.clock.timestamp(),
    }
    _fill(world, origin, call, message, {"components": old.get("components"), **body})


def payload(message: Message) -> dict[str, Any]:
    """The message as REST and the gateway serialise it."""
    return message.payload


def person_message(world: World, message: Message, extra: dict[str, Any]) -> None:
    """Store a message of a person."""
    message.payload = _frame(world, message) | message.payload | extra
    message.channel.messages[message.id] = message
    message.versions.append((world.clock.now(), message.payload))


def store_file(world: World, origin: str, name: str, data: bytes, channel: int) -> dict[str, Any]:
    """Store a file on the CDN; returns its attachment object."""
    number = world.clock.snowflake()
    path = f"/attachments/{channel}/{number}/{name}"
    world.files[path] = data
    url = f"{origin}{path}?ex=1&is=1&hm={hashlib.sha256(data).hexdigest()[:16]}"
    attachment: dict[str, Any] = {
        "id": str(number),
        "filename": name,
        "size": len(data),
        "url": url,
        "proxy_url": url,
    }
    try:
        with Image.open(io.BytesIO(data)) as picture:
            mime = Image.MIME[picture.format or "PNG"]
            attachment |= {"content_type": mime, "width": picture.width, "height": picture.height}
    except OSError:
        attachment["content_type"] = "application/octet-stream"
    return attachment


def _check(
    call: Call, channel: Channel, body: dict[str, Any], interaction: Interaction | None,
    kept: set[str], v2: bool,
) -> None:  # fmt: skip
    by_token = interaction is not None and call.path.startswith(("/webhooks", "/interactions"))
    limit = interaction.size_limit if interaction and by_token else _size_limit(channel)
    if any(len(data) > limit for _, _, data in call.files):
        raise Refusal(413, 40005, "Request entity too large")
    files = {field: name for field, name, _ in call.files}
    problems = message_problems(body, files, kept, v2)
    if problems:
        raise Refusal(400, 50035, "Invalid Form Body: " + "; ".join(problems))


def _size_limit(channel: Channel) -> int:
    return channel.guild.size_limit if channel.guild else 10 * 1024 * 1024


def _fill(world: World, origin: str, call: Call, message: Message, body: dict[str, Any]) -> None:
    described = {str(a["id"]): a for a in body.get("attachments") or []}
    attachments = list(message.payload.get("attachments", []))
    for field, name, data in call.files:
        description = described.get(field.removeprefix("files[").removesuffix("]"), {})
        stored = store_file(world, origin, name, data, message.channel.id)
        attachments.append(stored | {"description": description.get("description")})
    message.payload = _frame(world, message) | message.payload | {"attachments": attachments}
    message.payload["components"] = _resolved(body.get("components") or [], attachments)
    message.versions.append((world.clock.now(), message.payload))


def _resolved(components: list[dict[str, Any]], files: list[dict[str, Any]]) -> list[Any]:
    """Components with ids, and with CDN URLs in place of `attachment://`."""
    urls = {a["filename"]: a for a in files}

    def resolve(media: dict[str, Any]) -> dict[str, Any]:
        name = media["url"].removeprefix("attachment://")
        file = urls.get(name, {}) if media["url"].startswith("attachment://") else {}
        keys = ("url", "proxy_url", "width", "height", "content_type")
        return {**media, **{k: file[k] for k in keys if k in file}}

    def walk(one: dict[str, Any]) -> dict[str, Any]:
        one = dict(one)
        for key in ("media", "file"):
            if isinstance(one.get(key), dict):
                one[key] = resolve(one[key])
        for key in ("components", "items"):
            if key in one:
                one[key] = [walk(inner) for inner in one[key]]
        if isinstance(one.get("accessory"), dict):
            one["accessory"] = walk(one["accessory"])
        return one

    done = [walk(one) for one in components]
    for number, one in enumerate(components_of(done), 1):
        one["id"] = number
    return done


def _frame(world: World, message: Message) -> dict[str, Any]:
    base: dict[str, Any] = {
        "id": str(message.id),
        "channel_id": str(message.channel.id),
        "author": message.author.payload(),
        "content": "",
        "timestamp": world.clock.timestamp(),
        "edited_timestamp": None,
        "tts": False,
        "mention_everyone": False,
        "mentions": [],
        "mention_roles": [],
        "attachments": [],
        "embeds": [],
        "pinned": False,
        "type": 0,
        "flags": 0,
        "components": [],
    }
    if message.interaction:
        base |= {"application_id": str(APPLICATION), "webhook_id": str(APPLICATION)}
    return base
