"""The worker's side: turns a placeholder into progress, then into the pictures or into why not.

Everything here can be done again without posting twice: the one visible step is an edit of a known
message, or a post with the job's own nonce.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import UUID

import anyio.to_thread
import discord
import structlog
from discord import ui

from bots.core.cards import card
from bots.core.reasons import sentence
from bots.core.sentences import speak
from bots.discord import layout
from bots.discord.address import point_at
from bots.discord.layout import PREVIEW, Sheet
from bots.discord.pace import Pace
from bots.discord.posts import LOST, Gone, Posts, Spot, nonce_of, pause_told
from imaging.errors import ImagingError
from imaging.formats import fit_into
from imaging.request import Progress
from tasks.deliver import CourierDesk, Enclosure, Parcel, Receipt, TryLater, Undeliverable
from tasks.job import Job, Reason
from tasks.members import Member

PATIENCE_FOR_BOT = 30.0  # seconds that a bot has for noting where its placeholder stands
LOOK_AGAIN = 1.0
WRONG_TOKEN_PAUSE = 60.0
TOO_LARGE, TOO_LARGE_CODE = 413, 40005
SHRINKS = 4
POST_SECONDS = 90.0  # that Discord may take for one result, its files included
REMEMBERED = 2048  # jobs
log = structlog.get_logger(platform="discord")


def connect(desk: CourierDesk) -> DiscordCourier | None:
    """The courier, or None where there is no token."""
    settings = desk.settings
    if settings.discord_token is None:
        return None
    point_at(settings.discord_api_url)
    return DiscordCourier(settings.discord_token.get_secret_value())


@dataclass(slots=True)
class _Known:
    """What this process knows of one job's message."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: bool = False
    previewed: bool = False


class DiscordCourier:
    """Posts for one bot, over REST alone: the gateway is the bot process's."""

    platform = "discord"

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        self._token = token
        self._now = now
        self._pace = Pace(time.monotonic)
        self._jobs: OrderedDict[UUID, _Known] = OrderedDict()
        self._client: discord.Client | None = None
        self._posts: Posts | None = None
        self._login = asyncio.Lock()

    async def progress(self, job: Job, progress: Progress) -> None:
        """Show how far a running job is, now and then. An edit that fails is left to the next."""
        known = self._known(job.id)
        busy = known.ended or known.lock.locked()
        if busy or not job.placeholder or not self._pace.may_edit(job.id):
            return
        async with known.lock:
            try:
                await self._draw(known, job, progress)
            except Gone as gone:
                known.ended = True  # the delivery finds out again, and tells the member
                log.info("progress is out of sight", job=str(job.id), why=gone.code)
            except (TryLater, discord.DiscordException, *LOST) as error:
                log.debug("progress was not shown", job=str(job.id), why=str(error))

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Turn the placeholder into the result. Raises TryLater or Undeliverable."""
        known = self._known(parcel.job.id)
        known.ended = True
        self._pace.forget(parcel.job.id)
        async with known.lock:  # a progress edit under way must not come after the result
            posts = await self._ready()
            try:
                async with asyncio.timeout(POST_SECONDS):  # each edit can be made again
                    return await _Delivery(posts, parcel, self._now).run()
            except Gone as gone:
                raise await _give_up(posts, parcel, gone.code) from None
            except (discord.RateLimited, discord.HTTPException, *LOST) as error:
                later = _later(error)
                if later is None:
                    log.exception("Discord refuses a message", job=str(parcel.job.id))
                    raise await _give_up(posts, parcel, "undeliverable") from None
                raise later from None

    async def roles(self, member: Member) -> frozenset[str] | None:
        """The member's roles now, as REST tells them to a bot that is in the server.

        Premium subscriptions are told in interactions alone: those it was asked with stay.
        """
        if not member.workspace.isdigit():
            return None
        posts = await self._ready()
        found = await posts.roles(int(member.workspace), int(member.id))
        if found is None:
            return None
        kept = {role for role in member.roles if role.startswith("sku:")}
        return frozenset({*found, member.workspace, *kept})

    async def close(self) -> None:
        """Let go of connections."""
        if self._client is not None:
            await self._client.close()

    async def _draw(self, known: _Known, job: Job, progress: Progress) -> None:
        posts = await self._ready()
        sheets: Sequence[Sheet] | None = None  # what was shown before stays
        shown = card(job, speak(job.order.member.locale), progress)
        covered = bool(job.placeholder.get("spoiler"))  # nobody has checked it yet
        if progress.preview is not None and not job.order.private:
            sheets = (Sheet(PREVIEW, progress.preview, shown.alt, covered),)
        drawn = sheets or ((Sheet(PREVIEW, b"", shown.alt, covered),) if known.previewed else ())
        await posts.edit(Spot.of(job), layout.card_view(shown, drawn), sheets)
        known.previewed = known.previewed or sheets is not None

    async def _ready(self) -> Posts:
        """The posts, logged in at first use. Raises TryLater while Discord cannot be reached."""
        async with self._login:
            if self._posts is None:
                client = discord.Client(
                    intents=discord.Intents(guilds=True),
                    max_ratelimit_timeout=30.0,
                    max_messages=None,
                )
                try:
                    await client.login(self._token)
                except discord.LoginFailure as error:
                    await client.close()
                    log.warning("Discord does not accept ATELIER_DISCORD_TOKEN", why=str(error))
                    raise TryLater(str(error), after=WRONG_TOKEN_PAUSE) from None
                except (discord.HTTPException, *LOST) as error:
                    await client.close()
                    raise TryLater(str(error)) from None
                self._client, self._posts = client, Posts(client, self._now)
            return self._posts

    def _known(self, job: UUID) -> _Known:
        known = self._jobs.setdefault(job, _Known())
        self._jobs.move_to_end(job)
        while len(self._jobs) > REMEMBERED:
            self._jobs.popitem(last=False)
        return known


@dataclass(slots=True)
class _Delivery:
    """One try at delivering one parcel."""

    posts: Posts
    parcel: Parcel
    now: Callable[[], float]

    async def run(self) -> Receipt:
        """Deliver. Raises Gone, TryLater, or what discord.py raises."""
        job = self.parcel.job
        spot = Spot.of(job, self.parcel.memory)
        limit = spot.size_limit
        for _ in range(SHRINKS):
            sheets = await self._sheets(limit)
            try:
                placed = await self._place(spot, sheets)
                return Receipt(str(placed.message))
            except discord.HTTPException as error:
                if error.status != TOO_LARGE and error.code != TOO_LARGE_CODE:
                    raise
                # A server that lost its boosts takes less than it said when it was asked.
                limit = max(len(sheet.data) for sheet in sheets) // 2 if sheets else 0
        raise Gone("undeliverable")

    async def _place(self, spot: Spot, sheets: Sequence[Sheet]) -> Spot:
        """Where the member asked; a private result that comes too late for that, to them directly.

        Nobody else can be shown it there, and an ephemeral message can be edited no more.
        """
        if spot.direct:
            return await self.posts.edit(spot, self._direct_view(sheets), sheets)
        try:
            return await self._in_its_place(spot, sheets)
        except Gone as gone:
            if gone.code != "token-expired":
                raise
        return await self._directly(sheets)

    async def _directly(self, sheets: Sequence[Sheet]) -> Spot:
        """In the member's direct messages, once. Raises Gone where those are closed."""
        job, view = self.parcel.job, self._direct_view(sheets)
        spot = await self.posts.directly(job.order.member.id)
        if found := await self.posts.find(spot.channel, job):  # posted, but not noted
            spot = await self.posts.edit(replace(spot, message=found[0]), view, sheets)
        else:
            try:
                spot = await self.posts.post_result(spot, view, sheets, nonce_of(job, "own"))
            except Gone:
                raise Gone("token-expired") from None
        await self.parcel.remember(spot.memory())
        return spot

    def _direct_view(self, sheets: Sequence[Sheet]) -> ui.LayoutView:
        """Without buttons: they belong to the server, where the member has a tier and a quota."""
        say = speak(self.parcel.job.order.member.locale)
        shown = card(self._job(), say)
        text = f"{shown.text}\n{say('shown-directly')}"
        return layout.card_view(replace(shown, text=text, buttons=()), sheets)

    async def _in_its_place(self, spot: Spot, sheets: Sequence[Sheet]) -> Spot:
        """Edit the placeholder; where none was noted, find it by the token, or post anew."""
        job = self.parcel.job
        view = layout.card_view(card(self._job(), speak(job.order.member.locale)), sheets)
        if spot.message is not None:
            return await self.posts.edit(spot, view, sheets)
        if self.now() - job.created_at.timestamp() < PATIENCE_FOR_BOT:
            raise TryLater("the bot has not noted the placeholder yet", after=LOOK_AGAIN)
        if self.posts.token_lives(spot):
            try:
                return await self.posts.edit(spot, view, sheets)
            except Gone as gone:
                if gone.code != "message-gone":
                    raise
        if spot.private:
            raise Gone("token-expired")
        if found := await self.posts.find(spot.channel, job):  # posted, but not noted
            spot = replace(spot, message=found[0], token=None)
            await self.parcel.remember(spot.memory())
            return await self.posts.edit(spot, view, sheets)
        posted = await self.posts.post_result(spot, view, sheets, nonce_of(job))
        await self.parcel.remember(posted.memory())
        return posted

    def _job(self) -> Job:
        """The job as the message shall show it, from the moment that it is shown."""
        job = self.parcel.job
        pictures = tuple(enclosure.picture for enclosure in self.parcel.enclosures)
        ended = job.ended_at or datetime.fromtimestamp(self.now(), UTC)
        return replace(job, ended_at=ended, pictures=pictures or job.pictures)

    async def _sheets(self, limit: int) -> list[Sheet]:
        shown = card(self._job(), speak(self.parcel.job.order.member.locale))
        sheets = []
        for number, enclosure in enumerate(self.parcel.enclosures, 1):
            data, mime = await _fitting(enclosure, limit)
            name = layout.file_name(shown, number, mime)
            covered = layout.covers(shown.job, enclosure.picture)
            sheets.append(Sheet(name, data, shown.alt, covered))
        return sheets


async def _fitting(enclosure: Enclosure, limit: int) -> tuple[bytes, str]:
    if len(enclosure.data) <= limit:
        return enclosure.data, enclosure.picture.mime
    try:
        fitting = await anyio.to_thread.run_sync(fit_into, enclosure.data, limit)
    except ImagingError as error:
        log.warning("a picture was not made to fit", limit=limit, why=str(error))
        raise Gone("undeliverable") from error
    return fitting.data, fitting.mime


async def _give_up(posts: Posts, parcel: Parcel, code: str) -> Undeliverable:
    """Tell the member where that is still possible; the error that ends the delivery."""
    job = parcel.job
    if code == "token-expired":  # a direct message has just been refused: there is no way left
        return Undeliverable(code, "The member takes no direct messages, and was not told.")
    say = speak(job.order.member.locale)
    text = say("failed-prefix", why=sentence(Reason(code), say))
    try:
        told = await posts.whisper(Spot.of(job), job.order.member.id, text, nonce_of(job, "told"))
    except (discord.HTTPException, *LOST) as error:
        log.warning("a member could not be told", job=str(job.id), why=str(error))
        told = False
    return Undeliverable(code, f"Discord will not take the result ({code}); told: {told}")


def _later(error: Exception) -> TryLater | None:
    """When to try again; None where Discord refuses the message itself."""
    if isinstance(error, discord.RateLimited):
        return TryLater(str(error), after=error.retry_after)
    if not isinstance(error, discord.HTTPException) or error.status >= 500:
        return TryLater(str(error) or type(error).__name__)
    if error.status == 429:
        return TryLater(str(error), pause_told(error, 5.0))
    return TryLater(str(error), WRONG_TOKEN_PAUSE) if error.status == 401 else None
