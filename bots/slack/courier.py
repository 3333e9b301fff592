"""The courier: turns a job's placeholder into its pictures, or into the reason why there are none.

It keeps the order of edits of one message: progress never covers a result, and a result waits for
progress that is on its way. `handover` does the rest.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import structlog

from bots.core.cards import card
from bots.core.sentences import speak
from bots.slack.handover import Handover, draw
from bots.slack.roles import Directory
from bots.slack.web import (
    APP_GONE,
    Limited,
    Lost,
    Refused,
    SlackFault,
    Web,
)
from bots.slack.workspaces import NotInstalled, Wire, Workspaces, workspaces_of
from imaging.request import Progress
from tasks.deliver import CourierDesk, Parcel, Receipt, TryLater, Undeliverable
from tasks.job import Job
from tasks.members import Member

PROGRESS_PAUSE = 2.5  # seconds between two edits of one message
SHARE = 0.7  # of each rate tier; the bot has the rest
RESERVE = 0.7  # of that share is kept for results
REMEMBERED = 2048  # jobs


def connect(desk: CourierDesk) -> SlackCourier | None:
    """The courier, or None where nothing about Slack is set."""
    wire = Wire(desk.settings.slack_api_url, SHARE)
    seats = workspaces_of(desk.settings, wire, lambda team: desk.install("slack", team))
    return SlackCourier(wire, seats) if seats is not None else None


@dataclass(slots=True)
class _Desk:
    """What is known of one job's message in this process."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    shown_at: float | None = None
    ended: bool = False


@dataclass(slots=True)
class SlackCourier:
    """Posts for every workspace of one Slack."""

    wire: Wire
    workspaces: Workspaces
    clock: Callable[[], float] = time.monotonic
    platform: str = "slack"
    directory: Directory = field(default_factory=Directory)
    _jobs: OrderedDict[UUID, _Desk] = field(default_factory=OrderedDict)

    async def progress(self, job: Job, progress: Progress) -> None:
        """Show how far a running job is, at most every few seconds and never past the rate."""
        known = self._known(job.id)
        if "ts" not in job.placeholder or known.ended or known.lock.locked():
            return
        now = self.clock()
        if known.shown_at is None:
            known.shown_at = now  # what is done within a moment needs no progress
        if now < known.shown_at + PROGRESS_PAUSE:
            return
        known.shown_at = now
        say = speak(job.order.member.locale)
        async with known.lock:
            try:
                seat = await self.workspaces.seat(job.order.place.workspace)
                await draw(seat.web, job.placeholder, card(job, say, progress), (), say, RESERVE)
            except (SlackFault, NotInstalled) as fault:
                # The next step, or the delivery, shows it; what is lasting is met there again.
                structlog.get_logger().debug("progress was not shown", why=str(fault))

    async def deliver(self, parcel: Parcel) -> Receipt:
        """Turn the placeholder into the result. Raises TryLater or Undeliverable."""
        known = self._known(parcel.job.id)
        known.ended = True
        team = parcel.job.order.place.workspace
        async with known.lock:
            try:
                seat = await self.workspaces.seat(team)
            except NotInstalled:
                raise Undeliverable("no-permission", f"not installed in {team}") from None
            except SlackFault as fault:
                raise _later_or_never(fault) from None
            return await self._deliver(seat.web, parcel)

    async def roles(self, member: Member) -> frozenset[str] | None:
        """The member's user groups now; None where Slack cannot be asked."""
        try:
            seat = await self.workspaces.seat(member.workspace)
        except (NotInstalled, SlackFault) as fault:
            structlog.get_logger().info("groups are not known", why=str(fault))
            return None
        return await self.directory.roles(seat.web, member)

    async def close(self) -> None:
        """Let go of connections."""
        await self.wire.close()

    async def _deliver(self, web: Web, parcel: Parcel) -> Receipt:
        handover = Handover(web, parcel)
        try:
            return await handover.run()
        except Limited as fault:
            raise TryLater(str(fault), after=fault.after) from None
        except Lost as fault:
            raise TryLater(str(fault)) from None
        except Refused as fault:
            if fault.code in APP_GONE and await self._has_another_token(web):
                raise TryLater(str(fault), after=0.5) from None
            raise await handover.give_up(fault) from None

    async def _has_another_token(self, web: Web) -> bool:
        """Whether the token was renewed, or the app installed anew, since it was last read."""
        self.workspaces.forget(web.team)
        try:
            return (await self.workspaces.seat(web.team)).web.token != web.token
        except (NotInstalled, SlackFault):
            return False

    def _known(self, job: UUID) -> _Desk:
        known = self._jobs.setdefault(job, _Desk())
        while len(self._jobs) > REMEMBERED:
            self._jobs.popitem(last=False)
        return known


def _later_or_never(fault: SlackFault) -> TryLater | Undeliverable:
    if isinstance(fault, Limited):
        return TryLater(str(fault), after=fault.after)
    if isinstance(fault, Refused):
        return Undeliverable("no-permission", str(fault))
    return TryLater(str(fault))
