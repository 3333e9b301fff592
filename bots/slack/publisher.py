"""Delivers results: edits a job's placeholder into its pictures, or into the reason for a failure.

It orders the edits of one message: progress never overwrites a result, and a result waits for a
progress edit that is in flight. `delivery_attempt` delivers one result.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID
from weakref import WeakValueDictionary

import structlog
from cachetools import LRUCache

from bots.core.cards import card
from bots.core.locales import localizer_for
from bots.slack.delivery_attempt import DeliveryAttempt
from bots.slack.job_messages import redraw
from bots.slack.message_removal import remove_message
from bots.slack.roles import MemberDirectory
from bots.slack.transport import (
    APP_GONE,
    OutcomeUnknown,
    RateLimited,
    Rejected,
    SlackError,
    Web,
)
from bots.slack.workspaces import NotInstalled, Transport, Workspaces, workspaces_from
from imaging.request import Progress
from tasks.delivery.publisher import (
    Delivery,
    DeliveryResult,
    PublisherContext,
    TryLater,
    Undeliverable,
)
from tasks.jobs.job import Job
from tasks.jobs.members import Member
from tasks.store.removals import Removal

PROGRESS_PAUSE = 2.5  # seconds between two edits of one message
RATE_SHARE = 0.7  # of each rate limit; the bot has the rest
RESULT_RESERVE = 0.7  # of that share is kept for results
CACHE_SIZE = 2048  # jobs


def connect(context: PublisherContext) -> SlackPublisher | None:
    """The publisher, or None where Slack is not configured."""
    transport = Transport(context.settings.slack_api_url, RATE_SHARE)
    workspaces = workspaces_from(
        context.settings, transport, lambda team: context.install("slack", team)
    )
    return SlackPublisher(transport, workspaces) if workspaces is not None else None


@dataclass(slots=True, weakref_slot=True)
class _MessageState:
    """What this process has shown on one job's message."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown_at: float | None = None
    ended: bool = False


@dataclass(slots=True)
class SlackPublisher:
    """The publisher of every workspace that uses the app."""

    transport: Transport
    workspaces: Workspaces
    clock: Callable[[], float] = time.monotonic
    platform: str = "slack"
    directory: MemberDirectory = field(default_factory=MemberDirectory)
    _recent: LRUCache[UUID, _MessageState] = field(default_factory=lambda: LRUCache(CACHE_SIZE))
    # A state that an edit holds stays here, and its lock with it, after it left `_recent`.
    _states: WeakValueDictionary[UUID, _MessageState] = field(default_factory=WeakValueDictionary)

    async def progress(self, job: Job, progress: Progress) -> float:
        """Show the progress of a running job, every few seconds and within the rate limit."""
        state = self._state(job.id)
        if "ts" not in job.placeholder or state.ended or state.lock.locked():
            return 0.0
        now = self.clock()
        if state.shown_at is None:
            state.shown_at = now  # a job that ends within the first pause shows no progress
        if now < state.shown_at + PROGRESS_PAUSE:
            return state.shown_at + PROGRESS_PAUSE - now
        state.shown_at = now
        async with state.lock:
            try:
                await self._show_progress(job, progress)
            except (SlackError, NotInstalled) as error:
                # The next step or the delivery edits the message; a lasting error recurs there.
                structlog.get_logger().debug("progress-not-shown", reason=str(error))
        return 0.0

    async def deliver(self, delivery: Delivery) -> DeliveryResult:
        """Edit the placeholder into the result. Raises TryLater or Undeliverable."""
        state = self._state(delivery.job.id)
        state.ended = True
        team = delivery.job.order.place.workspace
        async with state.lock:
            try:
                workspace_client = await self.workspaces.workspace_client(team)
            except NotInstalled:
                raise Undeliverable("no-permission", f"not installed in {team}") from None
            except SlackError as error:
                raise _as_delivery_error(error) from None
            return await self._deliver(workspace_client.web, delivery)

    async def remove(self, removal: Removal) -> None:
        """Delete a job's message and files. Raises TryLater or Undeliverable."""
        team = removal.place.workspace
        try:
            workspace_client = await self.workspaces.workspace_client(team)
        except NotInstalled:
            raise Undeliverable("not-installed", f"not installed in {team}") from None
        except SlackError as error:
            raise _as_delivery_error(error) from None
        await remove_message(workspace_client.web, removal)

    async def roles(self, member: Member) -> frozenset[str] | None:
        """The member's current user groups; None where Slack does not answer."""
        try:
            workspace_client = await self.workspaces.workspace_client(member.workspace)
        except (NotInstalled, SlackError) as error:
            structlog.get_logger().info("groups-unavailable", reason=str(error))
            return None
        return await self.directory.roles(workspace_client.web, member)

    async def close(self) -> None:
        """Close the connections."""
        await self.transport.close()

    async def _show_progress(self, job: Job, progress: Progress) -> None:
        localize = localizer_for(job.order.member.locale)
        workspace_client = await self.workspaces.workspace_client(job.order.place.workspace)
        job_card = card(job, localize, progress)
        await redraw(workspace_client.web, job_card, localize, reserve=RESULT_RESERVE, max_wait=0.0)

    async def _deliver(self, web: Web, delivery: Delivery) -> DeliveryResult:
        attempt = DeliveryAttempt(web, delivery)
        try:
            return await attempt.run()
        except RateLimited as error:
            raise TryLater(str(error), after=error.after) from None
        except OutcomeUnknown as error:
            raise TryLater(str(error)) from None
        except Rejected as error:
            if error.code in APP_GONE and await self._token_changed(web):
                raise TryLater(str(error), after=0.5) from None
            raise await attempt.handle_rejection(error) from None

    async def _token_changed(self, web: Web) -> bool:
        """Whether the token was renewed, or the app reinstalled, since it was last read."""
        self.workspaces.forget(web.team)
        try:
            return (await self.workspaces.workspace_client(web.team)).web.token != web.token
        except (NotInstalled, SlackError):
            return False

    def _state(self, job: UUID) -> _MessageState:
        state = self._states.get(job)
        if state is None:
            state = self._states[job] = _MessageState()
        self._recent[job] = state
        return state


def _as_delivery_error(error: SlackError) -> TryLater | Undeliverable:
    if isinstance(error, RateLimited):
        return TryLater(str(error), after=error.after)
    if isinstance(error, Rejected):
        return Undeliverable("no-permission", str(error))
    return TryLater(str(error))
