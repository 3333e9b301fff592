"""The one door from bots to jobs. Async outside; every call is one short transaction in a thread.

Bots hold a `Client` and nothing else of this package's inside: no SQL, no Celery, no Redis.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import (
    AbstractAsyncContextManager,
    ExitStack,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

import anyio.to_thread
from anyio import CapacityLimiter
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from tasks.accounts import Accounts, visible
from tasks.administration import Administration
from tasks.blobs import Blobs, default_url, source_name
from tasks.bus import Bus, ended
from tasks.handset import EVERYWHERE, Subject, Whole, read_server, read_subject, states_of
from tasks.job import Accepted, Job, JobEvent, JobState, Line, Order, Picture, Reason, Refused
from tasks.members import Member, Place
from tasks.policy import Policy, find, load
from tasks.seal import Seal
from tasks.servers import MissingServer, database_of, redis_of, seal_of
from tasks.settings import Settings
from tasks.store import (
    audit,
    deliveries,
    fences,
    installs,
    jobs,
    leases,
    pictures,
    sweeping,
    transitions,
    waitlist,
    workers,
)
from tasks.store.database import Database
from tasks.store.waitlist import Invitation
from tasks.submit import Reception
from tasks.tiers import DoorState, Entitlement, Feature, Tier
from tasks.views import (
    Allowance,
    AnyDoors,
    AuditEntry,
    Capacity,
    Doors,
    Stretch,
    TierLoad,
    WaitlistPlace,
    WorkerLoad,
    WorkspaceSettings,
)

__all__ = [
    "EVERYWHERE",
    "Allowance",
    "AnyDoors",
    "AuditEntry",
    "Capacity",
    "Client",
    "Doors",
    "Invitation",
    "MissingServer",
    "Stretch",
    "Subject",
    "TierLoad",
    "Unavailable",
    "WaitlistPlace",
    "Whole",
    "WorkerLoad",
    "WorkspaceSettings",
    "connect",
    "read_server",
    "read_subject",
    "states_of",
]

T = TypeVar("T")

AT_ONCE = 10  # calls, each with a thread and a connection


class Unavailable(Exception):
    """The record cannot be reached, also after some tries; nothing was taken or charged."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a client is made of."""

    database: Database
    blobs: Blobs
    bus: Bus
    reception: Reception
    accounts: Accounts
    administration: Administration
    seal: Seal


async def connect(settings: Settings, policy: Policy | None = None) -> Client:
    """A client of these settings; the policy is read from `atelier.toml` where none is given.

    Raises MissingServer or PolicyError. Servers are connected to when they are first needed.
    """
    decided = policy or load(find(settings.config))
    database = Database(database_of(settings), size=AT_ONCE)
    blobs = Blobs(settings.blobs_url or default_url(settings.home))
    reception = Reception(database, decided)
    return Client(
        Parts(
            database,
            blobs,
            Bus(redis_of(settings)),
            reception,
            Accounts(database, blobs, reception),
            Administration(database, decided),
            seal_of(settings),
        )
    )


@contextmanager
def _available() -> Iterator[None]:
    """Raises Unavailable for what the record's being away raises."""
    try:
        yield
    except (DBAPIError, PoolTimeout) as error:
        raise Unavailable("The record cannot be reached just now.") from error


class Client:
    """All that a bot may ask of the studio. Build one per process with `tasks.client.connect`.

    Every method raises Unavailable where the record cannot be reached after some seconds of trying.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._limiter = CapacityLimiter(AT_ONCE)

    async def _call(self, work: Callable[[], T]) -> T:
        """`work` in a thread."""
        with _available():
            return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def _db(self, work: Callable[[Connection], T]) -> T:
        """`work` in a thread and a transaction."""
        return await self._call(lambda: self._parts.database.run(work))

    # -- orders ---------------------------------------------------------------------------------

    async def submit(self, order: Order) -> Accepted | Refused:
        """Admission, in one transaction. The same `order.key` gives the same job again."""
        with _available():
            # It goes on, also where whoever asked is gone: the key gives the same job again.
            return await asyncio.shield(
                asyncio.wrap_future(self._parts.reception.submit_soon(order))
            )

    async def set_placeholder(self, job: UUID, placeholder: Mapping[str, Any]) -> None:
        """Record where the job's answer will stand (message id …), as plain JSON."""
        await self._db(lambda c: jobs.set_placeholder(c, job, placeholder))

    async def claim_placeholder(
        self, job: UUID, placeholder: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """As `set_placeholder`, unless another process was quicker; gives what stands.

        For platforms that cannot refuse a second message: whose message it is not takes it back.
        """
        return await self._db(lambda c: jobs.claim_placeholder(c, job, placeholder))

    def edit_fence(self, job: UUID) -> AbstractAsyncContextManager[Job | None]:
        """Hold off the worker's courier while a bot edits a waiting job's placeholder.

        Gives the job while it is queued, or None when it has begun or ended: then do not edit.
        """
        return self._edit_fence(job)

    async def job(self, job: UUID) -> Job | None:
        """The job with its pictures, and its line while queued."""
        return await self._db(lambda c: self._with_line(c, jobs.read(c, job)))

    async def find_job(self, member: Member, short: str) -> Job | None:
        """One of the member's own jobs by its short name."""
        return await self._db(lambda c: self._with_line(c, jobs.by_short(c, member.key, short)))

    async def line(self, job: UUID) -> Line | None:
        """Place in line and estimate of a queued job; None once it is not."""
        found = await self.job(job)
        return found.line if found else None

    async def active_jobs(self, member: Member) -> Sequence[Job]:
        """The member's jobs that have not ended, oldest first."""
        return await self._db(lambda c: self._with_lines(c, jobs.active(c, member.key)))

    async def waiting_jobs(self, platform: str) -> Sequence[Job]:
        """Every queued job of a platform: what a restarted bot goes on telling about."""
        return await self._db(lambda c: jobs.waiting_on(c, platform))

    async def jobs_in(self, place: Place, limit: int = 100) -> Sequence[Job]:
        """The newest jobs of a Place, oldest first: a conversation."""
        return await self._db(lambda c: jobs.in_place(c, place, limit))

    async def cancel(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Cancel a job of one's own (or any, as a moderator).

        The Reason's code is "cancelled", "cancelling" (a step is still being finished),
        "already-ended", "not-yours" or "no-such-job".
        """
        reason, ended_now = await self._db(lambda c: _cancel(c, job, by, moderator))
        if ended_now is not None:
            gone = ended_now
            await self._call(lambda: self._parts.bus.publish(ended(gone)))
        return reason

    def events(self, platform: str) -> AsyncIterator[JobEvent]:
        """Live events of a platform's jobs, until the iteration is left."""
        return self._parts.bus.listen(platform)

    # -- pictures -------------------------------------------------------------------------------

    async def picture(self, picture: UUID) -> Picture | None:
        """One picture's row."""
        return await self._db(lambda c: pictures.read(c, picture))

    async def picture_of_message(self, place: Place, message: str) -> Picture | None:
        """The first picture that was delivered as this message of this Place."""
        return await self._db(lambda c: pictures.of_message(c, place, message))

    async def last_picture(self, place: Place) -> Picture | None:
        """The newest picture of a thread: what a reply in it edits."""
        return await self._db(lambda c: pictures.last_in(c, place))

    async def history(
        self, member: Member, limit: int = 20, before: datetime | None = None
    ) -> Sequence[Picture]:
        """The member's own pictures, newest first, without deleted ones."""
        return await self._call(lambda: self._parts.accounts.history(member, limit, before))

    async def delete_pictures(self, job: UUID, by: Member, moderator: bool = False) -> Reason:
        """Delete a job's pictures from storage. Codes: "deleted", "not-yours", "no-such-job"."""
        return await self._call(lambda: self._parts.accounts.delete_pictures(job, by, moderator))

    async def report(self, job: UUID, by: Member, words: str) -> None:
        """Record a member's report of a picture for the administrators."""
        await self._db(lambda c: audit.report(c, job, by, words))

    async def store_source(self, data: bytes) -> str:
        """Keep an uploaded picture (checked by the caller) and give its blob name."""
        return await self._call(lambda: self._store_source(data))

    async def read_blob(self, name: str) -> bytes:
        """The bytes of a stored picture. Raises FileNotFoundError."""
        return await self._call(lambda: self._parts.blobs.get(name))

    # -- the member's own account ---------------------------------------------------------------

    async def entitlement(self, member: Member) -> Entitlement:
        """Tier and limits of a member, from their roles and what administrators have set."""
        return await self._call(lambda: self._parts.accounts.entitlement(member))

    async def allowance(self, member: Member) -> Allowance:
        """What is left of the member's quota."""
        return await self._call(lambda: self._parts.accounts.allowance(member))

    async def preferences(self, member: Member) -> Mapping[str, Any]:
        """The member's own defaults (aspect, count, model, locale …)."""
        return await self._call(lambda: self._parts.accounts.preferences(member))

    async def set_preferences(self, member: Member, values: Mapping[str, Any]) -> None:
        """Change some of the member's defaults; a None value removes one."""
        await self._call(lambda: self._parts.accounts.set_preferences(member, values))

    async def export(self, member: Member) -> bytes:
        """All that is kept about a member: a ZIP of JSON and pictures."""
        return await self._call(lambda: self._parts.accounts.export(member))

    async def forget(self, member: Member) -> int:
        """Delete a member's pictures, prompts and history; the number of pictures deleted."""
        return await self._call(lambda: self._parts.accounts.forget(member))

    async def join_waitlist(self, member: Member, place: Place) -> WaitlistPlace:
        """Join, or see the place one already has."""
        return await self._call(lambda: self._parts.accounts.join_waitlist(member, place))

    async def kept_out(self, member: Member) -> bool:
        """Whether the doors keep the member out for now, so that the waitlist is of use."""
        return await self._call(lambda: self._parts.accounts.kept_out(member))

    async def leave_waitlist(self, member: Member) -> bool:
        """Leave; whether the member was on it."""
        return await self._db(lambda c: waitlist.leave(c, member.key))

    async def claim_invitations(self, platform: str, limit: int = 20) -> Sequence[Invitation]:
        """Open invitations that nobody was told of; they are the caller's to tell now."""
        return await self._db(lambda c: waitlist.claim_untold(c, [platform], limit))

    async def told(self, invitation: Invitation) -> None:
        """The member was told."""
        await self._db(lambda c: waitlist.told(c, invitation.member.key))

    async def untell(self, invitation: Invitation) -> None:
        """The member could not be told: somebody must try again."""
        await self._db(lambda c: waitlist.untell(c, invitation.member.key))

    async def waitlist_place(self, member: Member) -> WaitlistPlace:
        """Where the member stands."""
        return await self._db(lambda c: waitlist.place_of(c, member.key))

    # -- administrators (the caller has checked `member.administrator`) -------------------------

    async def map_role(self, by: Member, role: str, tier: Tier | None) -> None:
        """A role gives a tier from now on; None takes the mapping away."""
        await self._call(lambda: self._parts.administration.map_role(by, role, tier))

    async def role_map(self, platform: str, workspace: str) -> Mapping[str, Tier]:
        """Role id → tier: the file's and the administrators', theirs winning."""
        return await self._call(lambda: self._parts.administration.role_map(platform, workspace))

    async def workspace_settings(self, platform: str, workspace: str) -> WorkspaceSettings:
        """A server's settings."""
        administration = self._parts.administration
        return await self._call(lambda: administration.workspace_settings(platform, workspace))

    async def set_workspace_settings(self, by: Member, settings: WorkspaceSettings) -> None:
        """Replace a server's settings."""
        await self._call(lambda: self._parts.administration.set_workspace_settings(by, settings))

    async def set_doors(self, by: Member, subject: Subject, state: DoorState | None) -> None:
        """Set a door for the administrator's server; platform and workspace `*` mean all of them.

        None takes back what was set. Raises ValueError for a state that this door cannot have.
        """
        await self._call(lambda: self._parts.administration.set_doors(by, subject, state))

    async def doors_set_apart(self, platform: str, workspace: str) -> Mapping[Subject, DoorState]:
        """The doors of features, of everything and of new members that are set for a server."""
        return await self._call(lambda: self._parts.administration.set_apart(platform, workspace))

    async def every_door(self, server: tuple[str, str] | None = None) -> Sequence[AnyDoors]:
        """Every door there is, as the operator sees it.

        `now` is how it stands in `server` (platform, workspace), or in one that has set nothing.
        """
        return await self._call(lambda: self._parts.administration.every_door(server))

    async def servers(self) -> Sequence[str]:
        """Every server that is known, as `platform:workspace`."""
        return await self._call(self._parts.administration.servers)

    async def doors(self, platform: str, workspace: str) -> Sequence[Doors]:
        """Each tier's doors as a server's members find them."""
        return await self._call(lambda: self._parts.administration.doors(platform, workspace))

    async def capacity(self) -> Capacity:
        """Queue, waits, workers, doors, calibration: now."""
        return await self._call(self._parts.administration.capacity)

    async def day(self) -> Sequence[Stretch]:
        """The last day, ten minutes at a time, oldest first."""
        return await self._call(self._parts.administration.day)

    async def block(self, by: Member, member_id: str, blocked: bool) -> None:
        """Block or unblock a member of the administrator's server."""
        await self._call(lambda: self._parts.administration.block(by, member_id, blocked))

    async def words(self, platform: str, workspace: str) -> Sequence[str]:
        """The server's forbidden words."""
        return await self._call(lambda: self._parts.administration.words(platform, workspace))

    async def set_words(self, by: Member, words: Sequence[str]) -> None:
        """Replace the server's forbidden words."""
        await self._call(lambda: self._parts.administration.set_words(by, words))

    async def grant(self, by: Member, member_id: str, credits: float, why: str) -> None:
        """Give (or, negative, take) credits: an entry in the ledger."""
        await self._call(lambda: self._parts.administration.grant(by, member_id, credits, why))

    async def audit(self, platform: str, workspace: str, limit: int = 50) -> Sequence[AuditEntry]:
        """What administrators did in a server, newest first."""
        administration = self._parts.administration
        return await self._call(lambda: administration.audit(platform, workspace, limit))

    async def feature_open(self, member: Member, feature: Feature) -> Reason | None:
        """None where the member may use the feature now; else the refusal's reason."""
        return await self._call(lambda: self._parts.accounts.feature_open(member, feature))

    async def models(self) -> Sequence[str]:
        """Names of the profiles that live workers can serve."""
        seen = await self._db(workers.alive)
        return sorted({name for one in seen for name in one.card.profiles})

    # -- installations, and what deliveries remember ---------------------------------------------

    async def save_install(self, platform: str, workspace: str, values: Mapping[str, Any]) -> None:
        """Keep a workspace's tokens, sealed (`tasks.seal`), in place of older ones."""
        seal = self._parts.seal
        await self._db(lambda c: installs.keep(c, seal, platform, workspace, values))

    async def find_install(self, platform: str, workspace: str) -> Mapping[str, Any] | None:
        """A workspace's tokens as they were saved. Raises BrokenSeal under another key."""
        seal = self._parts.seal
        return await self._db(lambda c: installs.read(c, seal, platform, workspace))

    async def delete_install(self, platform: str, workspace: str) -> bool:
        """Forget a workspace's tokens; whether there were any."""
        return await self._db(lambda c: installs.remove(c, platform, workspace))

    async def installed(self, platform: str) -> Sequence[str]:
        """Every workspace of a platform with tokens."""
        return await self._db(lambda c: installs.workspaces(c, platform))

    async def delivery_memory(self, job: UUID) -> Mapping[str, Any]:
        """What the courier remembered while it posted this job (uploaded file ids …)."""
        return await self._db(lambda c: deliveries.memory(c, job))

    async def close(self) -> None:
        """Let go of connections."""
        await anyio.to_thread.run_sync(self._close)

    # -- inside ---------------------------------------------------------------------------------

    def _close(self) -> None:
        self._parts.reception.close()
        self._parts.bus.close()
        self._parts.database.close()

    def _with_line(self, connection: Connection, job: Job | None) -> Job | None:
        if job is None or job.state is not JobState.QUEUED:
            return job
        return replace(job, line=self._parts.reception.line(connection, job))

    def _with_lines(self, connection: Connection, found: Sequence[Job]) -> list[Job]:
        lined = (self._with_line(connection, job) for job in found)
        return [job for job in lined if job is not None]

    def _store_source(self, data: bytes) -> str:
        name = source_name(data)
        self._parts.blobs.put(name, data)
        self._parts.database.run(lambda connection: sweeping.keep_source(connection, name))
        return name

    @asynccontextmanager
    async def _edit_fence(self, job: UUID) -> AsyncIterator[Job | None]:
        """Holds a transaction, and in it the fence, while the caller edits."""
        held = ExitStack()
        try:
            yield await self._call(lambda: self._enter_fence(held, job))
        finally:
            with anyio.CancelScope(shield=True):
                await anyio.to_thread.run_sync(_let_go, held)

    def _enter_fence(self, held: ExitStack, job: UUID) -> Job | None:
        connection = held.enter_context(self._parts.database.begin())
        fences.hold(connection, job)
        found = self._with_line(connection, jobs.read(connection, job))
        return found if found is not None and found.state is JobState.QUEUED else None


def _let_go(held: ExitStack) -> None:
    """End a fence's transaction; where its connection was lost, the fence is gone already."""
    with suppress(DBAPIError):
        held.close()


def _cancel(
    connection: Connection, job: UUID, by: Member, moderator: bool
) -> tuple[Reason, Job | None]:
    """What comes of a wish to cancel, and the job if this ended it."""
    row = jobs.read(connection, job)
    if row is None or not visible(row, by):
        return Reason("no-such-job"), None
    mine = row.order.member.key == by.key
    if not mine and not moderator:
        return Reason("not-yours"), None
    reason = Reason("cancelled", {} if mine else {"moderator": by.id})
    if transitions.end(connection, job, [JobState.QUEUED], JobState.CANCELLED, reason):
        return Reason("cancelled"), jobs.read(connection, job)
    if leases.ask_to_stop(connection, job, reason):
        return Reason("cancelling"), None
    return Reason("already-ended"), None
