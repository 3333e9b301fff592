"""The worker's side: edits a placeholder into progress, then into the pictures or the failure.

Every step is idempotent: the one visible effect is an edit of a known message, or a post with a
nonce derived from the job.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import discord
import structlog
from cachetools import LRUCache

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.core.refusals import sentence
from bots.discord import message_view
from bots.discord.delivery_attempt import DeliveryAttempt
from bots.discord.endpoints import use_endpoints
from bots.discord.errors import CONNECTION_ERRORS, PermanentFailure, retry_after
from bots.discord.escaping import escape
from bots.discord.message_reference import MessageReference, nonce_of
from bots.discord.message_view import PREVIEW, MessageFile
from bots.discord.messages import MessageClient
from bots.discord.rate_limit import EditRateLimit
from imaging.request import Progress
from tasks.delivery.publisher import (
    Delivery,
    DeliveryResult,
    PublisherContext,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Job, Reason
from tasks.jobs.members import Member
from tasks.store.removals import Removal

TOKEN_RETRY_DELAY = 60.0  # seconds before another attempt with a rejected bot token
RATE_LIMIT_DELAY = 5.0  # seconds, where Discord names none
DELIVERY_TIMEOUT = 90.0  # seconds that Discord may take for one result with its files
MAX_RATE_LIMIT = 30.0  # seconds that discord.py waits by itself
JOBS = 2048
log = structlog.get_logger(platform="discord")


def connect(context: PublisherContext) -> DiscordPublisher | None:
    """The publisher, or None if no token is set."""
    settings = context.settings
    if settings.discord_token is None:
        return None
    use_endpoints(settings.discord_api_url)
    return DiscordPublisher(settings.discord_token.get_secret_value())


@dataclass(slots=True)
class _JobMessage:
    """This process's state of one job's message."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    ended: bool = False
    has_preview: bool = False


class DiscordPublisher:
    """Publishes for one bot over REST alone; the gateway belongs to the bot's process.

    `now` returns seconds since 1970.
    """

    platform = "discord"

    def __init__(self, token: str, now: Callable[[], float] = time.time) -> None:
        self._token = token
        self._now = now
        self._rate_limit = EditRateLimit(time.monotonic)
        self._jobs: LRUCache[UUID, _JobMessage] = LRUCache(JOBS)
        self._client: discord.Client | None = None
        self._messages: MessageClient | None = None
        self._login_lock = asyncio.Lock()

    async def progress(self, job: Job, progress: Progress) -> float:
        """Show a running job's progress within the rate limit. A failed edit is not repeated."""
        state = self._jobs.setdefault(job.id, _JobMessage())
        if state.ended or state.lock.locked() or not job.placeholder:
            return 0.0
        if (pause := self._rate_limit.pause(job.id)) > 0:
            return pause
        async with state.lock:
            try:
                await self._edit_progress(state, job, progress)
            except PermanentFailure as failure:
                state.ended = True  # the delivery meets the same failure and notifies the member
                log.info("progress-stopped", job=str(job.id), reason=failure.code)
            except (TryLater, discord.DiscordException, *CONNECTION_ERRORS) as error:
                log.debug("progress-not-shown", job=str(job.id), error=str(error))
        return 0.0

    async def _edit_progress(self, state: _JobMessage, job: Job, progress: Progress) -> None:
        client = await self._logged_in()
        rendered = card(job, localizer_for(job.order.member.locale), progress)
        covered = bool(job.placeholder.get("spoiler"))  # as pictures that may be unsafe
        files: Sequence[MessageFile] | None = None  # keeps the previous preview
        if progress.preview is not None and not job.order.private:
            files = (MessageFile(PREVIEW, progress.preview, rendered.alt, covered),)
        kept = (MessageFile(PREVIEW, b"", rendered.alt, covered),) if state.has_preview else ()
        view = message_view.card_view(rendered, files or kept)
        await client.edit(MessageReference.of(job), view, files)
        state.has_preview = state.has_preview or files is not None

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Edit the placeholder into the result. Raises TryLater or Undeliverable."""
        job = delivery.job
        state = self._jobs.setdefault(job.id, _JobMessage())
        state.ended = True
        self._rate_limit.forget(job.id)
        async with state.lock:  # a progress edit in flight must not overwrite the result
            client = await self._logged_in()
            try:
                async with asyncio.timeout(DELIVERY_TIMEOUT):
                    return await DeliveryAttempt(client, delivery, self._now).run()
            except PermanentFailure as failure:
                raise await _undeliverable(client, job, failure.code) from None
            except (discord.RateLimited, discord.HTTPException, *CONNECTION_ERRORS) as error:
                retry = _retry(error)
                if retry is None:
                    log.exception("result-rejected", job=str(job.id))
                    raise await _undeliverable(client, job, "undeliverable") from None
                raise retry from None

    async def remove(self, removal: Removal) -> None:
        """Delete a job's message with its files. Raises TryLater or Undeliverable."""
        recorded = {**removal.placeholder, **removal.memory}
        message, channel = removal.message or recorded.get("message"), recorded.get("channel")
        if not message or not channel:
            return
        if recorded.get("private") and not recorded.get("direct"):
            raise Undeliverable("ephemeral", "Discord deletes ephemeral messages by itself only.")
        client = await self._logged_in()
        try:
            async with asyncio.timeout(DELIVERY_TIMEOUT):
                await client.delete(int(channel), int(message))
        except PermanentFailure as failure:
            raise Undeliverable(failure.code, str(failure)) from None
        except (discord.RateLimited, discord.HTTPException, *CONNECTION_ERRORS) as error:
            raise _retry(error) or Undeliverable("undeliverable", str(error)) from None

    async def roles(self, member: Member) -> frozenset[str] | None:
        """The member's current roles; None where the bot may not read them.

        Premium subscriptions appear in interactions only: those of the order are kept.
        """
        if not member.workspace.isdigit():
            return None
        client = await self._logged_in()
        current = await client.member_roles(int(member.workspace), int(member.id))
        if current is None:
            return None
        subscriptions = {role for role in member.roles if role.startswith("sku:")}
        return frozenset({*current, member.workspace, *subscriptions})

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.close()

    async def _logged_in(self) -> MessageClient:
        """The message client, logged in at first use. Raises TryLater while that is impossible."""
        async with self._login_lock:
            if self._messages is None:
                self._client = await self._login()
                self._messages = MessageClient(self._client, self._now)
            return self._messages

    async def _login(self) -> discord.Client:
        client = discord.Client(
            intents=discord.Intents(guilds=True),
            max_ratelimit_timeout=MAX_RATE_LIMIT,
            max_messages=None,
        )
        try:
            await client.login(self._token)
        except discord.LoginFailure as error:
            await client.close()
            log.warning("token-rejected", setting="ATELIER_DISCORD_TOKEN", error=str(error))
            raise TryLater(str(error), after=TOKEN_RETRY_DELAY) from None
        except (discord.HTTPException, *CONNECTION_ERRORS) as error:
            await client.close()
            raise TryLater(str(error)) from None
        return client


async def _undeliverable(client: MessageClient, job: Job, code: str) -> Undeliverable:
    """Notify the member where that is still possible; returns the error that ends the delivery."""
    if code == "token-expired":  # a direct message has just been refused: no channel is left
        return Undeliverable(code, "The member accepts no direct messages and was not notified.")
    localize = localizer_for(job.order.member.locale)
    text = escape(localize("failed-prefix", why=sentence(Reason(code), localize)))
    reference, nonce = MessageReference.of(job), nonce_of(job, "fail")
    try:
        notified = await client.private.send(reference, job.order.member.id, text, nonce)
    except (discord.HTTPException, *CONNECTION_ERRORS) as error:
        log.warning("member-not-notified", job=str(job.id), error=str(error))
        notified = False
    return Undeliverable(code, f"Discord rejects the result ({code}); notified: {notified}")


def _retry(error: Exception) -> TryLater | None:
    """When to try again; None where Discord rejects the message itself."""
    if isinstance(error, discord.RateLimited):
        return TryLater(str(error), after=error.retry_after)
    if not isinstance(error, discord.HTTPException) or error.status >= 500:
        return TryLater(str(error) or type(error).__name__)
    if error.status == 429:
        return TryLater(str(error), retry_after(error, RATE_LIMIT_DELAY))
    return TryLater(str(error), TOKEN_RETRY_DELAY) if error.status == 401 else None
