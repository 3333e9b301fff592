"""The client of the job system: what bots hold. No SQL, no Celery and no Redis beyond it."""

from __future__ import annotations

from dataclasses import dataclass

import anyio.to_thread

from tasks.admission.service import AdmissionService
from tasks.client.access import AccessControl
from tasks.client.administration import Administration
from tasks.client.async_database import MAX_CALLS, AsyncDatabase
from tasks.client.door_settings import DoorSettings
from tasks.client.export import Exports
from tasks.client.fleet import Fleet
from tasks.client.installs import Installs
from tasks.client.jobs import Jobs
from tasks.client.members import Members
from tasks.client.pictures import Pictures
from tasks.client.reports import Reports
from tasks.client.waitlist import Waitlist
from tasks.policy.config import Policy, find, load
from tasks.runtime.addresses import cipher_of, database_of, redis_of
from tasks.runtime.blobs import Blobs, default_url
from tasks.runtime.encryption import TokenCipher
from tasks.runtime.events import Bus
from tasks.runtime.settings import Settings
from tasks.store.database import Database


@dataclass(frozen=True, slots=True)
class Client:
    """One part for each kind of caller. A process builds one with `connect` and closes it."""

    jobs: Jobs
    pictures: Pictures
    members: Members
    exports: Exports
    waitlist: Waitlist
    admin: Administration
    door_settings: DoorSettings
    fleet: Fleet
    installs: Installs
    access: AccessControl
    reports: Reports

    async def close(self) -> None:
        """Close all connections."""
        await anyio.to_thread.run_sync(self._close)

    def _close(self) -> None:
        self.jobs.admission.close()
        self.jobs.bus.close()
        self.jobs.database.database.close()


async def connect(settings: Settings, policy: Policy | None = None) -> Client:
    """A client of these settings; the policy is read from `atelier.toml` where none is given.

    Raises MissingServer or PolicyError. Servers are connected to when they are first needed.
    """
    return build(
        Database(database_of(settings), size=MAX_CALLS),
        Bus(redis_of(settings)),
        Blobs(settings.blobs_url or default_url(settings.home)),
        policy or load(find(settings.config)),
        cipher_of(settings),
    )


def build(
    database: Database, bus: Bus, blobs: Blobs, policy: Policy, cipher: TokenCipher
) -> Client:
    """A client on these connections, which it owns from now on."""
    shared, admission = AsyncDatabase(database), AdmissionService(database, policy)
    return Client(
        jobs=Jobs(shared, admission, bus),
        pictures=Pictures(shared, blobs, policy.limits.upload_bytes),
        members=Members(shared, blobs, policy),
        exports=Exports(database, blobs),
        waitlist=Waitlist(shared, admission),
        admin=Administration(shared, policy),
        door_settings=DoorSettings(shared, policy),
        fleet=Fleet(shared, policy),
        installs=Installs(shared, cipher),
        access=AccessControl(shared, policy),
        reports=Reports(shared, blobs),
    )
