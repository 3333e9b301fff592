"""Members: what they can do in Discord's client, and which messages they see."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from tests.platforms.discord import messages
from tests.platforms.discord.world import (
    APPLICATION,
    MANAGE_GUILD,
    MANAGE_MESSAGES,
    USUAL,
    Channel,
    Guild,
    Interaction,
    Message,
    User,
    components_of,
)  # fmt: skip

if TYPE_CHECKING:
    from tests.platforms.discord.server import LoopbackDiscord

SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, NUMBER, ATTACHMENT = (
    1, 2, 3, 4, 5, 6, 7, 8, 10, 11,
)  # fmt: skip


class Person:
    """One account in one server, or in none: direct messages."""

    def __init__(self, discord: LoopbackDiscord, user: User, guild: Guild | None) -> None:
        self.discord, self.user, self.guild = discord, user, guild
        self.skus: list[int] = []

    @property
    def id(self) -> str:
        """The account's id, as text."""
        return str(self.user.id)

    @property
    def channel(self) -> Channel:
        """The default channel: the server's first, or the direct messages."""
        if self.guild is None:
            return self.discord.world.direct(self.user)
        return next(iter(self.guild.channels.values()))

    def sees(self, channel: Channel | None = None) -> list[Message]:
        """The messages that this person sees in a channel, oldest first."""
        channel = channel or self.channel
        seen = [m for m in channel.messages.values() if not m.deleted and not channel.gone]
        return [m for m in seen if m.audience in (None, self.user)]

    async def slash(
        self,
        command: str,
        channel: Channel | None = None,
        /,
        *,
        accept_deferred: bool = False,
        **options: Any,
    ) -> Interaction:
        """Use a slash command (`"waitlist join"` for a subcommand) and wait for its answer.

        `accept_deferred` returns when the bot has deferred its answer. Files are (name, bytes),
        people and roles are ids. Raises AssertionError for what Discord's client would not send.
        """
        data = self._command_data(command, options, channel or self.channel)
        return await self._interact(2, data, channel, accept_deferred=accept_deferred)

    async def complete(self, command: str, focused: str, typed: str, **options: Any) -> list[Any]:
        """Type in an option with autocomplete; returns the choices."""
        data = self._command_data(command, {**options, focused: typed}, self.channel, whole=False)
        leaf = data
        while leaf["options"] and leaf["options"][0].get("type") in {SUBCOMMAND, GROUP}:
            leaf = leaf["options"][0]
        next(o for o in leaf["options"] if o["name"] == focused)["focused"] = True
        interaction = await self._interact(4, data, None)
        assert interaction.choices is not None
        return interaction.choices

    async def use_on(self, command: str, message: Message) -> Interaction:
        """Use a message command (`"Edit picture"`)."""
        found = self._registered(command, 3)
        resolved = {"messages": {str(message.id): messages.payload(message)}}
        data = {
            "id": found["id"], "name": command, "type": 3,
            "target_id": str(message.id), "resolved": resolved,
        }  # fmt: skip
        return await self._interact(2, data, message.channel)

    async def click(
        self, message: Message, label: str, *, accept_deferred: bool = False
    ) -> Interaction:
        """Press a button, found by its label or part of its custom id."""
        assert message in self.sees(message.channel), "this member cannot see that message"
        button = message.button(label)
        assert not button.get("disabled"), "the button is disabled"
        data = {"component_type": 2, "custom_id": button["custom_id"], "id": button.get("id", 1)}
        return await self._interact(3, data, message.channel, message, accept_deferred)

    async def submit(
        self, form: Interaction, *files: tuple[str, bytes], **values: str
    ) -> Interaction:
        """Submit the modal that answered an interaction; `values` are by the fields' custom ids."""
        assert form.modal is not None, f"no form was shown, but an answer of type {form.answer}"
        attachments: dict[str, Any] = {}
        filled = []
        for part in form.modal["components"]:
            if part["type"] != 18:
                continue
            filled.append(
                {"type": 18, "id": 1, "component": self._filled(part, values, files, attachments)}
            )
        data = {"custom_id": form.modal["custom_id"], "components": filled}
        if attachments:
            data["resolved"] = {"attachments": attachments}
        return await self._interact(5, data, form.channel, form.source)

    async def say(
        self, text: str, *, channel: Channel | None = None, reply_to: Message | None = None,
        mention: bool = True, files: tuple[tuple[str, bytes], ...] = (),
        embeds: Sequence[dict[str, Any]] = (),
    ) -> Message:  # fmt: skip
        """Post a message; the bot receives its text if mentioned, or in direct messages."""
        discord, world = self.discord, self.discord.world
        channel = channel or (reply_to.channel if reply_to else self.channel)
        message = Message(discord.clock.snowflake(), channel, self.user, {})
        stored = [messages.store_file(world, discord.origin, n, d, channel.id) for n, d in files]
        message.payload = {"content": f"<@{world.bot.id}> {text}" if mention else text}
        message.payload |= {"attachments": stored, "embeds": list(embeds)}
        message.payload["mentions"] = [world.bot.payload()] if mention or reply_to else []
        if reply_to:
            reference = {"type": 0, "message_id": str(reply_to.id), "channel_id": str(channel.id)}
            extra = {"type": 19, "message_reference": reference}
            extra["referenced_message"] = None if reply_to.deleted else messages.payload(reply_to)
        else:
            extra = {}
        messages.person_message(world, message, extra)
        await self._send_event(message, seen=bool(mention or reply_to or channel.recipient))
        return message

    async def again(self, interaction: Interaction) -> None:
        """Dispatch the same interaction again, as Discord may after a resumed connection."""
        await self._dispatch(interaction)

    def answer_to(self, message: Message) -> Message | None:
        """The bot's message that replies to this one, if it exists."""
        for one in message.channel.messages.values():
            reference = one.payload.get("message_reference") or {}
            mine = one.author is self.discord.world.bot and not one.deleted
            if mine and reference.get("message_id") == str(message.id):
                return one
        return None

    async def _send_event(self, message: Message, seen: bool) -> None:
        payload = dict(message.payload)
        if not seen:
            payload |= {"content": "", "attachments": [], "embeds": [], "components": []}
        guild = message.channel.guild
        if guild:
            payload |= {"guild_id": str(guild.id), "member": self._member(user=False)}
        event = "MESSAGE_CREATE"
        await self.discord.gateway.dispatch(event, payload, guild.id if guild else None)

    def _member(self, user: bool = True) -> dict[str, Any]:
        assert self.guild is not None
        payload: dict[str, Any] = {
            "roles": [str(r) for r in sorted(self.guild.members[self.user.id])],
            "joined_at": "2026-01-01T00:00:00+00:00",
            "deaf": False,
            "mute": False,
            "flags": 0,
            "nick": None,
            "avatar": None,
        }
        if user:
            payload |= {"user": self.user.payload(), "permissions": str(self.permissions)}
        return payload

    @property
    def permissions(self) -> int:
        """The permissions of the person's roles."""
        if self.guild is None:
            return USUAL
        total = USUAL
        for role in self.guild.members[self.user.id]:
            total |= self.guild.roles[role][1]
        return total

    def _registered(self, name: str, kind: int) -> dict[str, Any]:
        for one in self.discord.world.commands:
            if one["name"] == name and one["type"] == kind:
                needed = int(one.get("default_member_permissions") or 0)
                assert self.permissions & needed == needed, f"{name} is not shown to this member"
                contexts = one.get("contexts") or [0, 1, 2]
                assert (0 if self.guild else 1) in contexts, f"{name} is not offered here"
                return one
        raise AssertionError(f"no command {name!r} among {self.discord.world.commands!r:.300}")

    def _command_data(
        self, command: str, options: dict[str, Any], channel: Channel, whole: bool = True
    ) -> dict[str, Any]:
        name, *path = command.split()
        found: dict[str, Any] | None = self._registered(name, 1)
        assert found is not None
        data: dict[str, Any] = {"id": found["id"], "name": name, "type": 1, "resolved": {}}
        holder, resolved = data, data["resolved"]
        for word in path:
            found = next((o for o in found["options"] if o["name"] == word), None)
            assert found, f"/{command} does not exist"
            inner = {"name": word, "type": found["type"]}
            holder["options"] = [inner]
            holder = inner
        existing = {o["name"]: o for o in found.get("options") or []}
        assert not any(o["type"] in {1, 2} for o in existing.values()), (
            f"/{command} has subcommands"
        )
        missing = [n for n, o in existing.items() if o.get("required") and n not in options]
        assert not (whole and missing), f"/{command} needs {missing}"
        assert set(options) <= set(existing), f"/{command} has no {set(options) - set(existing)}"
        holder["options"] = [
            {
                "name": n,
                "type": existing[n]["type"],
                "value": self._value(existing[n], v, resolved, channel),
            }
            for n, v in options.items()
        ]
        return data

    def _value(
        self, option: dict[str, Any], value: Any, resolved: dict[str, Any], channel: Channel
    ) -> Any:
        kind, name = option["type"], option["name"]
        if option.get("choices"):
            assert value in [c["value"] for c in option["choices"]], f"{name}: no choice {value!r}"
        if kind in {INTEGER, NUMBER}:
            assert option.get("min_value", value) <= value <= option.get("max_value", value), name
        if kind == STRING:
            assert option.get("min_length", 0) <= len(value) <= option.get("max_length", 6000), name
        if kind == ATTACHMENT:
            discord = self.discord
            if isinstance(value, dict):  # an attachment object made by hand, for a hostile address
                stored = value
            else:
                file_name, content = value
                stored = messages.store_file(
                    discord.world, discord.origin, file_name, content, channel.id
                )
            resolved.setdefault("attachments", {})[stored["id"]] = stored | {"ephemeral": True}
            return stored["id"]
        if kind == USER:
            user = self.discord.world.users[int(value)]
            resolved.setdefault("users", {})[str(user.id)] = user.payload()
        if kind == ROLE:
            assert self.guild is not None
            resolved.setdefault("roles", {})[str(value)] = self.guild.role(int(value))
        if kind == CHANNEL:
            given = self.discord.world.channels[int(value)]
            partial = given.payload() | {"permissions": str(self.permissions)}
            resolved.setdefault("channels", {})[str(value)] = partial
        return str(value) if kind in {USER, ROLE, CHANNEL, STRING} else value

    def _filled(
        self, part: dict[str, Any], values: dict[str, str], files: tuple[tuple[str, bytes], ...],
        attachments: dict[str, Any],
    ) -> dict[str, Any]:  # fmt: skip
        field = part["component"]
        filled: dict[str, Any] = {"type": field["type"], "id": 2, "custom_id": field["custom_id"]}
        if field["type"] == 19:
            stored = [
                messages.store_file(self.discord.world, self.discord.origin, n, d, self.channel.id)
                for n, d in files
            ]
            attachments |= {a["id"]: a for a in stored}
            return filled | {"values": [a["id"] for a in stored]}
        value = values.get(field["custom_id"], field.get("value") or "")
        assert value or not field.get("required", True), f"{part['label']} must be filled in"
        assert len(value) <= field.get("max_length", 4000), f"{part['label']}: too long"
        return filled | {"value": value}

    async def _interact(
        self, kind: int, data: dict[str, Any], channel: Channel | None,
        source: Message | None = None, accept_deferred: bool = False,
    ) -> Interaction:  # fmt: skip
        discord = self.discord
        channel = channel or self.channel
        limit = channel.guild.size_limit if channel.guild else 10 * 1024 * 1024
        one = Interaction(
            discord.clock.snowflake(), secrets.token_urlsafe(48), kind, self.user, channel,
            discord.clock.now(), data, limit, source,
        )  # fmt: skip
        discord.world.interactions[one.token] = one
        await self._dispatch(one)
        await discord.until(lambda: one.answer is not None)
        await discord.until(lambda: accept_deferred or not one.thinking)
        return one

    async def start(self, command: str, **options: Any) -> Interaction:
        """Use a slash command without waiting for an answer."""
        data = self._command_data(command, options, self.channel)
        limit = self.channel.guild.size_limit if self.channel.guild else 10 * 1024 * 1024
        discord = self.discord
        one = Interaction(
            discord.clock.snowflake(), secrets.token_urlsafe(48), 2, self.user, self.channel,
            discord.clock.now(), data, limit,
        )  # fmt: skip
        discord.world.interactions[one.token] = one
        await self._dispatch(one)
        return one

    async def _dispatch(self, one: Interaction) -> None:
        guild = one.channel.guild
        payload: dict[str, Any] = {
            "id": str(one.id),
            "application_id": str(APPLICATION),
            "type": one.kind,
            "token": one.token,
            "version": 1,
            "channel": one.channel.payload(),
            "channel_id": str(one.channel.id),
            "locale": self.user.locale,
            "app_permissions": str(USUAL & ~one.channel.lost),
            "entitlements": [self._entitlement(sku) for sku in self.skus],
            "authorizing_integration_owners": {"0": str(guild.id) if guild else "0"},
            "context": 0 if guild else 1,
            "attachment_size_limit": one.size_limit,
            "data": one.data,
        }
        if one.source:
            payload["message"] = messages.payload(one.source)
        if guild:
            payload |= {"guild_id": str(guild.id), "guild_locale": guild.locale}
            payload["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
            payload["member"] = self._member()
        else:
            payload["user"] = self.user.payload()
        await self.discord.gateway.dispatch(
            "INTERACTION_CREATE", payload, guild.id if guild else None
        )

    def _entitlement(self, sku: int) -> dict[str, Any]:
        return {
            "id": str(sku + 1), "sku_id": str(sku),
            "application_id": str(APPLICATION),
            "user_id": self.id, "type": 8, "deleted": False, "consumed": False,
        }  # fmt: skip


MODERATOR = USUAL | MANAGE_MESSAGES
ADMINISTRATOR = USUAL | MANAGE_GUILD | MANAGE_MESSAGES

__all__ = ["ADMINISTRATOR", "MODERATOR", "Person", "components_of"]
