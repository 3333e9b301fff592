"""Doors as administrators and the operator set them, and as members find them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection

from tasks.client.async_database import AsyncDatabase
from tasks.client.views import AnyDoors, Doors
from tasks.jobs.members import Member
from tasks.jobs.tiers import DoorState, Tier
from tasks.policy.config import ANY, Policy
from tasks.policy.door_overrides import (
    EVERYWHERE,
    SUBJECTS,
    DoorOverrides,
    Subject,
    check_state,
)
from tasks.policy.doors import AutoDoor
from tasks.store import audit, doors
from tasks.store.doors import Automatic
from tasks.store.load_snapshot import LoadSnapshot, wait_of
from tasks.store.load_snapshot import read as read_snapshot


@dataclass(frozen=True, slots=True)
class DoorSettings:
    """Every method raises Unavailable where the database cannot be reached."""

    database: AsyncDatabase
    policy: Policy

    async def set(self, by: Member, subject: Subject, state: DoorState | None) -> None:
        """Set a door for the administrator's server; platform and workspace `*` mean all servers.

        None removes the override. Raises ValueError for a state that this door cannot have.
        """
        if state is not None:
            check_state(subject, state)

        def work(connection: Connection) -> None:
            doors.set_to(connection, (by.platform, by.workspace), subject, state)
            details = {"door": subject.value, "state": state.value if state else None}
            audit.write(connection, by, "doors", details)

        await self.database.run(work)

    async def tiers(self, platform: str, workspace: str) -> Sequence[Doors]:
        """Each tier's doors as the members of a server find them."""

        def work(connection: Connection) -> Sequence[Doors]:
            overrides = doors.overrides(connection, platform, workspace)
            return tier_doors(self.policy, overrides, read_snapshot(connection))

        return await self.database.run(work)

    async def others(self, platform: str, workspace: str) -> Mapping[Subject, DoorState]:
        """The doors of features, of everything and of new members that are not open in a server."""
        overrides = await self.database.run(lambda c: doors.overrides(c, platform, workspace))
        usual = self.policy.doors
        return {
            subject: overrides.set_to(subject, usual.of(subject))
            for subject in SUBJECTS
            if not isinstance(subject, Tier)
            and overrides.of(subject, usual.of(subject)) != [DoorState.OPEN]
        }

    async def all(self, server: tuple[str, str] | None = None) -> Sequence[AnyDoors]:
        """Every door, as the operator sees it.

        `now` is the door's state in `server` (platform, workspace), or in one without overrides.
        """
        overrides, automatic = await self.database.run(
            lambda c: (doors.all_set(c), doors.automatic(c))
        )
        return [
            _any_doors(subject, self.policy, server, overrides, automatic.get(subject))
            for subject in SUBJECTS
        ]

    async def servers(self) -> Sequence[str]:
        """Every server in the database or the file, as `platform:workspace`."""
        found = {*await self.database.run(doors.servers), *self.policy.roles}
        return sorted(
            f"{platform}:{workspace}" for platform, workspace in found if workspace != ANY
        )


def tier_doors(policy: Policy, overrides: DoorOverrides, snapshot: LoadSnapshot) -> list[Doors]:
    """Each tier's doors under these overrides."""

    def of(tier: Tier) -> Doors:
        usual = policy.tiers[tier].doors
        state, degraded = overrides.now(tier, usual, snapshot.autos.get(tier, AutoDoor()))
        return Doors(tier, overrides.set_to(tier, usual), state, degraded, wait_of(snapshot, tier))

    return [of(tier) for tier in Tier]


def _any_doors(
    subject: Subject,
    policy: Policy,
    server: tuple[str, str] | None,
    found: Sequence[doors.SetDoor],
    auto: Automatic | None,
) -> AnyDoors:
    everywhere = {one.subject: one.state for one in found if one.platform == EVERYWHERE}
    here = {one.subject: one.state for one in found if (one.platform, one.workspace) == server}
    usual = policy.doors.of(subject)
    now, degraded = DoorOverrides(everywhere, here).now(
        subject, usual, auto.door if auto else AutoDoor()
    )
    servers = {
        f"{one.platform}:{one.workspace}": one.state
        for one in found
        if one.subject is subject and one.platform != EVERYWHERE
    }
    known = auto is not None and auto.predicted_wait < doors.LONGEST_WAIT
    wait = timedelta(seconds=auto.predicted_wait) if auto and known else None
    return AnyDoors(subject, usual, everywhere.get(subject), servers, now, degraded, wait)
