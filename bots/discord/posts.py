"""Editing and posting messages by whichever right still holds: an interaction's, or the bot's own.

A token edits for 15 minutes, anywhere, and alone sees private answers. The bot's own token edits
for ever what it posted in a server where it is. Every edit here can be repeated without harm; what
is posted anew carries a nonce made of the job's id, so that Discord itself takes it once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

import aiohttp
import discord
import structlog
from discord import ui

from bots.discord import buttons
from bots.discord.layout import Sheet
from tasks.job import Job

TOKEN_SECONDS = 15 * 60 - 20  # a request that is under way must arrive in time
ORIGINAL = "@original"
UNKNOWN_CHANNEL, UNKNOWN_MESSAGE, UNKNOWN_WEBHOOK = 10003, 10008, 10015
UNKNOWN_MEMBER = 10007
MISSING_ACCESS, CANNOT_DM, MISSING_PERMISSIONS, DEAD_TOKEN = 50001, 50007, 50013, 50027
LASTING = {
    UNKNOWN_CHANNEL: "channel-gone",
    UNKNOWN_MESSAGE: "message-gone",
    MISSING_ACCESS: "no-permission",
    CANNOT_DM: "no-permission",
    MISSING_PERMISSIONS: "no-permission",
}
NOBODY = discord.AllowedMentions.none()
LOST = (aiohttp.ClientError, OSError, TimeoutError)
AGAIN_PAUSE, LONGEST_PAUSE = 1.0, 20.0  # seconds
log = structlog.get_logger(platform="discord")


class Gone(Exception):
    """Discord will never take it; `code` is the reason's name."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a job's answer stands, and the rights to it. Ids are Discord's."""

    channel: int
    message: int | None = None
    application: int | None = None
    token: str | None = None
    token_at: float = 0.0  # when the interaction was made, in seconds since 1970
    private: bool = False
    original: bool = False  # the first response to the interaction, which its token knows by name
    asked_in: int | None = None  # the member's message that is answered, if it was one
    direct: bool = False  # in direct messages, because it came too late for a private answer
    size_limit: int = discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    @classmethod
    def of(cls, job: Job, memory: Mapping[str, Any] | None = None) -> Spot:
        """The spot of a job, from what its order, its placeholder and its courier remember."""
        answer, stands = job.order.reply_to, {**job.placeholder, **(memory or {})}
        return cls(
            channel=int(stands.get("channel") or answer.get("channel") or 0),
            message=_number(stands.get("message")),
            application=_number(answer.get("application")),
            token=answer.get("token"),
            token_at=float(answer.get("at") or 0.0),
            private=bool(stands.get("private", job.order.private)),
            original=bool(stands.get("original")),
            asked_in=_number(answer.get("message")),
            direct=bool(stands.get("direct")),
            size_limit=int(answer.get("size_limit") or discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES),
        )

    def memory(self) -> dict[str, Any]:
        """What to keep of it in the record; the token is in the order already."""
        return {
            "channel": str(self.channel),
            "message": str(self.message) if self.message else None,
            "private": self.private,
            "original": self.original,
            "direct": self.direct,
        }


class Posts:
    """Writes through one discord.py client; `now` gives seconds since 1970."""

    def __init__(self, client: discord.Client, now: Callable[[], float] = time.time) -> None:
        self._client = client
        self._now = now
        self._dead: dict[str, None] = {}  # tokens that Discord refused; the newest thousand

    def token_lives(self, spot: Spot) -> bool:
        """Whether the interaction's token can still be used."""
        young = self._now() - spot.token_at < TOKEN_SECONDS
        return spot.token is not None and spot.token not in self._dead and young

    async def edit(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet] | None = ()
    ) -> Spot:
        """Make the message at `spot` look so; `sheets` None keeps its files.

        Gives the spot with the message's id. Raises Gone, or what discord.py raises where it could
        work later.
        """
        if self.token_lives(spot):
            try:
                return await self._edit_by_token(spot, view, sheets)
            except discord.HTTPException as error:
                if not self._token_is_dead(error):
                    raise lasting(error) from error
                self._forget_token(spot)
        if spot.private:
            raise Gone("token-expired")
        if spot.message is None:
            raise Gone("message-gone")
        return await self._edit_by_bot(spot, view, sheets)

    async def post(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet], nonce: str
    ) -> Spot:
        """A new message in the spot's channel, once for a nonce of at most 25 characters.

        Raises Gone, or what discord.py raises where it could work later.
        """
        return replace(spot, message=(await self._sent(spot, view, sheets, nonce)).id)

    async def post_result(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet], nonce: str
    ) -> Spot:
        """`post`, for a job that has ended: where Discord knows the nonce from the job's
        placeholder and gives that instead of a new message, it is made the result. Raises as
        `post` does."""
        sent = await self._sent(spot, view, sheets, nonce)
        posted = replace(spot, message=sent.id)
        return await self._edit_by_bot(posted, view, sheets) if buttons.waits(sent) else posted

    async def roles(self, guild: int, user: int) -> frozenset[str] | None:
        """Role ids of a member, none of one who left; None where we may not look.

        Raises what discord.py raises where it could work later.
        """
        try:
            told = await self._client.http.get_member(guild, user)
        except discord.NotFound as error:
            return frozenset() if error.code == UNKNOWN_MEMBER else None
        except discord.Forbidden:
            return None
        return frozenset(str(role) for role in told["roles"])

    async def channel(self, number: int) -> object:
        """A channel, asked of Discord. Raises HTTPException."""
        return await self._client.fetch_channel(number)

    async def message(self, channel: int, number: int) -> discord.Message:
        """A message, asked of Discord. Raises HTTPException."""
        return await self._client.get_partial_messageable(channel).fetch_message(number)

    async def find(self, channel: int, job: Job) -> list[int]:
        """A channel's newest messages that have this job's buttons, or its pictures; none where we
        may not look.

        Raises what discord.py raises where it could work later.
        """
        room = self._client.get_partial_messageable(channel)
        try:
            newest = [message async for message in room.history(limit=50)]
        except (discord.Forbidden, discord.NotFound):
            return []
        ours = (message for message in newest if message.author == self._client.user)
        return [message.id for message in ours if _is_about(message, job)]

    async def take_back(self, channel: int, number: int) -> None:
        """Delete a message of ours that is one too many; one that is gone is no trouble."""
        try:
            await self._client.get_partial_messageable(channel).get_partial_message(number).delete()
        except (discord.HTTPException, *LOST) as error:
            log.warning("a second placeholder stays", message=number, why=str(error))

    async def directly(self, member: str) -> Spot:
        """A spot in the member's direct messages, for what came too late for a private answer.

        Raises Gone where those are closed, or what discord.py raises where it could work later.
        """
        try:
            room = await self._client.create_dm(discord.Object(int(member)))
        except (discord.Forbidden, discord.NotFound):
            raise Gone("token-expired") from None
        return Spot(channel=room.id, direct=True)

    async def whisper(self, spot: Spot, member: str, text: str, nonce: str) -> bool:
        """Tell one member something in private: beside the answer, else as a direct message.

        Whether it could be told.
        """
        try:
            if self.token_lives(spot):
                await self._hook(spot).send(text, ephemeral=True, allowed_mentions=NOBODY)
                return True
        except discord.HTTPException as error:
            if not self._token_is_dead(error):
                raise
            self._forget_token(spot)
        try:
            room = await self._client.create_dm(discord.Object(int(member)))
            await room.send(text, nonce=nonce, allowed_mentions=NOBODY)
        except (discord.Forbidden, discord.NotFound):
            return False  # direct messages are closed: there is nobody left to tell
        return True

    async def call(self, channel: int, member: str, text: str, nonce: str) -> None:
        """Tell one member something in a channel, by name. Raises HTTPException."""
        room = self._client.get_partial_messageable(channel)
        them = discord.AllowedMentions(
            users=[discord.Object(int(member))], everyone=False, roles=False
        )
        await room.send(f"<@{member}> {text}", nonce=nonce, allowed_mentions=them)

    async def _sent(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet], nonce: str
    ) -> discord.Message:
        room = self._client.get_partial_messageable(spot.channel)
        more: dict[str, Any] = {}
        if spot.asked_in is not None:
            more["reference"] = discord.MessageReference(
                message_id=spot.asked_in, channel_id=spot.channel, fail_if_not_exists=False
            )
        for again in (True, True, False):  # with the nonce it stands there once all the same
            files = [sheet.file() for sheet in sheets]
            try:
                return await room.send(
                    view=view, files=files, nonce=nonce, allowed_mentions=NOBODY, **more
                )
            except (discord.DiscordServerError, *LOST):
                if not again:
                    raise
                await asyncio.sleep(AGAIN_PAUSE)
            except discord.HTTPException as error:
                if error.status != 429 or not again or pause_told(error) > LONGEST_PAUSE:
                    raise lasting(error) from error
                await asyncio.sleep(pause_told(error))
        raise AssertionError("the last try raises")

    async def _edit_by_token(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet] | None
    ) -> Spot:
        # discord.py names ids only here, while Discord knows "@original" in the same place; by
        # their ids it promises to find follow-ups alone.
        by_name = spot.original or spot.message is None
        target = cast(int, ORIGINAL if by_name else spot.message)
        edited = await self._hook(spot).edit_message(
            target, view=view, allowed_mentions=NOBODY, **_files(sheets)
        )
        return replace(spot, message=edited.id, original=by_name)

    async def _edit_by_bot(
        self, spot: Spot, view: ui.LayoutView, sheets: Sequence[Sheet] | None
    ) -> Spot:
        room = self._client.get_partial_messageable(spot.channel)
        message = room.get_partial_message(cast(int, spot.message))
        try:
            await message.edit(view=view, allowed_mentions=NOBODY, **_files(sheets))
        except discord.HTTPException as error:
            raise lasting(error) from error
        return spot

    def _hook(self, spot: Spot) -> discord.Webhook:
        hook = discord.Webhook.partial(
            cast(int, spot.application), cast(str, spot.token), client=self._client
        )
        hook.type = discord.WebhookType.application  # which alone may speak to one member
        return hook

    def _token_is_dead(self, error: discord.HTTPException) -> bool:
        return error.code in (UNKNOWN_WEBHOOK, DEAD_TOKEN) or error.status == 401

    def _forget_token(self, spot: Spot) -> None:
        self._dead[cast(str, spot.token)] = None
        while len(self._dead) > 1000:
            self._dead.pop(next(iter(self._dead)))


def lasting(error: discord.HTTPException) -> Exception:
    """`Gone` where Discord will never take it, else the error itself."""
    code = LASTING.get(error.code)
    return Gone(code) if code else error


def pause_told(error: discord.HTTPException, usual: float = 1.0) -> float:
    """Seconds that Discord wants to be left alone for; `usual` where it does not say.

    discord.py obeys by itself, but not where the answer did not come through Discord's own proxy.
    """
    try:
        return float(error.response.headers.get("Retry-After", usual))
    except ValueError:
        return usual


def nonce_of(job: Job, purpose: str = "") -> str:
    """At most 25 characters that are the same at every try."""
    return f"{purpose[:4]}{job.id.hex}"[:25]


def _is_about(message: discord.Message, job: Job) -> bool:
    files = (attachment.filename for attachment in message.attachments)
    return buttons.job_in(message) == job.id or any(job.short in name for name in files)


def _files(sheets: Sequence[Sheet] | None) -> dict[str, Any]:
    return {} if sheets is None else {"attachments": [sheet.file() for sheet in sheets]}


def _number(value: object) -> int | None:
    return int(str(value)) if value else None
