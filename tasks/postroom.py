"""The worker's postroom: carries results to their places, once, however often it must try.

Couriers are asynchronous and live on one event loop in a thread of its own. A delivery is a row: it
is claimed with a token, what the courier remembers is written down before it goes on, and the row
is marked sent in the transaction that captures the hold. So a posting may be tried again by anyone.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import entry_points
from threading import Thread
from typing import Any, TypeVar
from uuid import UUID

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from imaging.request import Progress
from tasks.blobs import Blobs
from tasks.bus import Bus, ended
from tasks.deliver import (
    Connect,
    Courier,
    CourierDesk,
    Enclosure,
    KnowsRoles,
    Parcel,
    TryLater,
    Undeliverable,
)
from tasks.job import Job, JobState, Reason
from tasks.members import Member
from tasks.packing import Packed
from tasks.store import deliveries, fences, jobs, transitions
from tasks.store.database import Database
from tasks.store.deliveries import Claim
from tasks.store.together import Together
from tasks.store.transitions import Posted

T = TypeVar("T")

log = structlog.get_logger(__name__)

GROUP = "atelier.couriers"
HOLD_SECONDS = 30.0  # a claim, renewed while its posting goes on
POST_SECONDS = 300.0  # one posting, at most
LOOK_SECONDS = 0.5  # between looks for deliveries that nobody carries
SENT_PATIENCE = 60.0  # what was posted is worth waiting for a database that restarts
LONGEST_PAUSE = 600.0
MOST_TRIES = 200  # about a day of trying
AT_ONCE = 16
ROLES_PATIENCE = 3.0


def found_couriers() -> dict[str, Connect]:
    """The couriers that are installed, by entry point."""
    return {point.name: point.load() for point in entry_points(group=GROUP)}


@dataclass(frozen=True, slots=True)
class Sent:
    """What a courier has posted of a job."""

    posted: Posted
    job: Job

    @property
    def ended(self) -> Job:
        """The job, which has ended with it."""
        return self.job if self.job.state.ended else replace(self.job, state=JobState.DONE)


class Postroom:
    """Start it, hand it claims, stop it. Its methods may be called from any thread."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        bus: Bus,
        desk: CourierDesk,
        couriers: Mapping[str, Connect],
    ) -> None:
        self._database = database
        self._blobs = blobs
        self._bus = bus
        self._desk = desk
        self._connects = couriers
        self._couriers: dict[str, Courier] = {}
        self._carrying: dict[UUID, Claim] = {}
        self._newest: dict[UUID, Progress] = {}
        self._telling: dict[UUID, asyncio.Task[None]] = {}
        self._fenced: dict[UUID, asyncio.Task[None]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._sending: Together[Sent, bool] = Together(self._record)
        self._recording = ThreadPoolExecutor(1, "postroom-record")
        self._loop = asyncio.new_event_loop()
        self._thread = Thread(target=self._loop.run_forever, name="postroom", daemon=True)
        self._round: asyncio.Task[None] | None = None

    # -- from any thread ------------------------------------------------------------------------

    def start(self) -> None:
        """Connect the couriers and begin to look for what is due."""
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result()

    def stop(self, patience: float) -> None:
        """End after the postings that go on, waiting `patience` seconds for them at most."""
        asyncio.run_coroutine_threadsafe(self._close(patience), self._loop).result()
        self._recording.shutdown(wait=False)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def platforms(self) -> Sequence[str]:
        """The platforms that can be delivered to."""
        return list(self._couriers)

    def carry(self, claim: Claim, packed: Packed | None = None) -> None:
        """Begin to post what was claimed, reading it first unless it is packed; returns at once."""
        self._carrying[claim.job] = claim
        self._loop.call_soon_threadsafe(self._spawn, claim, packed)

    def tell(self, job: Job, progress: Progress) -> None:
        """Show how far a job is, where the courier finds it worth an edit; returns at once."""
        self._loop.call_soon_threadsafe(self._tell, job, progress)

    def forget(self, job: UUID) -> None:
        """A job has left this worker without a result: nothing more is told of it."""
        self._loop.call_soon_threadsafe(self._forget, job)

    def roles(self, member: Member, patience: float = ROLES_PATIENCE) -> frozenset[str] | None:
        """The roles a member has now; None where their platform does not tell, or not in time."""
        courier = self._couriers.get(member.platform)
        if not isinstance(courier, KnowsRoles):
            return None
        asked = asyncio.run_coroutine_threadsafe(courier.roles(member), self._loop)
        try:
            return asked.result(patience)
        except Exception as error:  # noqa: BLE001 - an unanswered question must not hold up a job
            asked.cancel()
            log.info("roles-unknown", platform=member.platform, why=type(error).__name__)
            return None

    def claims(self) -> list[UUID]:
        """The tokens of the postings that go on, to be held longer."""
        return [claim.poster for claim in list(self._carrying.values())]

    # -- on the loop ----------------------------------------------------------------------------

    async def _open(self) -> None:
        for name, connect in self._connects.items():
            try:
                courier = connect(self._desk)
            except Exception:  # one platform's mistake must not keep the others from working
                log.exception("courier-broken", courier=name)
                continue
            if courier is not None:
                self._couriers[courier.platform] = courier
        self._round = asyncio.create_task(self._look())

    async def _close(self, patience: float) -> None:
        if self._round is not None:
            self._round.cancel()
        for task in self._telling.values():
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=patience)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *self._telling.values(), return_exceptions=True)
        for courier in self._couriers.values():
            with contextlib.suppress(Exception):  # nothing is left to be done about it
                await courier.close()

    async def _look(self) -> None:
        """Claim deliveries that are due: failures to be told, retries, what a dead worker left."""
        while True:
            try:
                room = AT_ONCE - len(self._tasks)
                if room > 0 and self._couriers:
                    look = partial(
                        deliveries.claim, platforms=self.platforms, hold=HOLD_SECONDS, limit=room
                    )
                    for claim in await self._db(look):
                        self._carrying[claim.job] = claim
                        self._spawn(claim)
            except DBAPIError as error:
                log.warning("postroom-interrupted", error=str(error).strip())
            await asyncio.sleep(LOOK_SECONDS)

    def _spawn(self, claim: Claim, packed: Packed | None = None) -> None:
        task = asyncio.ensure_future(self._carry(claim, packed))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, claim: Claim, packed: Packed | None) -> None:
        """Post one claim and record how it went. Never raises: the sweep finds what is left."""
        with structlog.contextvars.bound_contextvars(job=str(claim.job)):
            try:
                await self._stop_telling(claim.job)
                job = packed.job if packed else await self._db(partial(_read, job=claim.job))
                if job is not None:
                    await self._post(claim, job, packed)
            except DBAPIError as error:
                log.warning("delivery-interrupted", error=str(error).strip())
            except Exception:
                log.exception("delivery-broken")
            finally:
                self._carrying.pop(claim.job, None)
                self._fenced.pop(claim.job, None)

    async def _post(self, claim: Claim, job: Job, packed: Packed | None) -> None:
        courier = self._couriers.get(job.order.place.platform)
        if courier is None:
            await self._later(claim, job, "This worker has no courier for that platform.", 2.0)
            return
        try:
            enclosures = packed.enclosures if packed else await self._enclosures(job)
            parcel = self._parcel(claim, job, enclosures)
            async with asyncio.timeout(POST_SECONDS):
                receipt = await courier.deliver(parcel)
        except TryLater as later:
            await self._later(claim, job, str(later), later.after)
        except Undeliverable as never:
            await self._never(claim, job, never)
        except FileNotFoundError as error:
            await self._lost(job, error)
        except Exception as error:  # a platform's library may raise anything: it is tried again
            log.exception("courier-failed")
            await self._later(claim, job, f"{type(error).__name__}: {error}", 1.0)
        else:
            await self._sent(claim, job, receipt.message)

    async def _enclosures(self, job: Job) -> list[Enclosure]:
        """The pictures' bytes; none where the job has ended without. Raises FileNotFoundError."""
        if job.state is not JobState.DELIVERING:
            return []
        return [
            Enclosure(picture, await asyncio.to_thread(self._blobs.get, picture.blob))
            for picture in job.pictures
        ]

    def _parcel(self, claim: Claim, job: Job, enclosures: Sequence[Enclosure]) -> Parcel:
        memory = dict(claim.memory)

        async def remember(values: Mapping[str, Any]) -> None:
            keep = partial(deliveries.remember, claimed=claim, memory=values)
            if not await self._db(keep):
                raise TryLater("Another worker has taken this posting over.", after=1.0)
            memory.update(values)

        return Parcel(job, enclosures, memory, remember)

    async def _sent(self, claim: Claim, job: Job, message: str) -> None:
        sent = Sent(Posted(claim.job, claim.poster, message), job)
        # What was posted is written down, whatever becomes of this task.
        await asyncio.shield(asyncio.wrap_future(self._sending.soon(sent, self._recording)))

    def _record(self, sent: Sequence[Sent]) -> list[bool]:
        """Write down what was posted, and tell of it."""
        mark = partial(transitions.delivered, posted=[one.posted for one in sent])
        marked = self._database.read(mark, SENT_PATIENCE)
        done = [one for one, is_marked in zip(sent, marked, strict=True) if is_marked]
        for one in done:
            about = {"job": str(one.posted.job), "message": one.posted.message}
            log.info("delivered", state=one.ended.state.value, **about)
        if done:
            self._bus.publish(*(ended(one.ended) for one in done))
        return marked

    async def _later(self, claim: Claim, job: Job, error: str, after: float) -> None:
        if claim.tries >= MOST_TRIES:
            await self._never(claim, job, Undeliverable("delivery-failed", error))
            return
        pause = max(after, min(LONGEST_PAUSE, 0.5 * 2 ** min(claim.tries, 12)))
        log.warning("delivery-put-off", error=error, seconds=pause, tries=claim.tries)
        await self._db(partial(deliveries.later, claimed=claim, after=pause, error=error))

    async def _never(self, claim: Claim, job: Job, never: Undeliverable) -> None:
        log.warning("undeliverable", code=never.code, error=str(never))

        def give_up(connection: Connection) -> None:
            if deliveries.failed(connection, claim, str(never)) and not job.state.ended:
                reason = Reason(never.code)
                states = [JobState.DELIVERING]
                transitions.end(connection, job.id, states, JobState.FAILED, reason, told=True)

        await asyncio.to_thread(self._database.run, give_up)
        failed = replace(job, state=JobState.FAILED) if not job.state.ended else job
        await asyncio.to_thread(self._bus.publish, ended(failed))

    async def _lost(self, job: Job, error: FileNotFoundError) -> None:
        """The pictures are gone: the job has failed after all, and its member is told so."""
        log.error("pictures-lost", error=str(error))
        end = partial(
            transitions.end,
            job=job.id,
            states=[JobState.DELIVERING],
            to=JobState.FAILED,
            reason=Reason("pictures-lost"),
        )
        await asyncio.to_thread(self._database.run, end)

    # -- progress -------------------------------------------------------------------------------

    def _tell(self, job: Job, progress: Progress) -> None:
        self._newest[job.id] = progress
        if job.id not in self._telling and job.id not in self._carrying:
            self._telling[job.id] = asyncio.ensure_future(self._tell_newest(job))

    async def _tell_newest(self, job: Job) -> None:
        """Tell the newest progress until none is left: a slow platform is told less often."""
        courier = self._couriers.get(job.order.place.platform)
        try:
            if courier is not None:
                await self._fence(job.id)
                while (progress := self._newest.pop(job.id, None)) is not None:
                    await courier.progress(job, progress)
        except Exception as error:  # noqa: BLE001  progress may be lost; the result may not
            log.warning("progress-lost", job=str(job.id), error=f"{type(error).__name__}: {error}")
        finally:
            self._newest.pop(job.id, None)
            self._telling.pop(job.id, None)

    def _forget(self, job: UUID) -> None:
        if job not in self._carrying:
            self._newest.pop(job, None)
            self._fenced.pop(job, None)

    async def _stop_telling(self, job: UUID) -> None:
        """Let the last edit of progress end before the result is posted."""
        self._newest.pop(job, None)
        if task := self._telling.get(job):
            await asyncio.wait([task], timeout=POST_SECONDS)

    async def _fence(self, job: UUID) -> None:
        """Wait, once a job, until the bot's own edit of the placeholder is over."""
        if job not in self._fenced:
            self._fenced[job] = asyncio.ensure_future(self._db(partial(fences.hold, job=job)))
        await asyncio.shield(self._fenced[job])

    async def _db(self, work: Callable[[Connection], T], patience: float = 10.0) -> T:
        """One statement, or reading, in a thread."""
        return await asyncio.to_thread(self._database.read, work, patience)


def _read(connection: Connection, job: UUID) -> Job | None:
    """The job, once the bot's own edit of its placeholder is over."""
    fences.hold(connection, job)
    return jobs.read(connection, job)
