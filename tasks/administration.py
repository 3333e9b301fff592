"""What administrators may do for their server. The caller has checked that they are such."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection

from tasks.doors import AutoDoor
from tasks.fairness import RELAXED
from tasks.glance import Glance, look, newcomer_estimate, wait_of
from tasks.handset import EVERYWHERE, SUBJECTS, HandSet, Subject, check_state
from tasks.members import Member
from tasks.policy import ANY, Policy
from tasks.store import audit, day, doors, ledger, members, studio
from tasks.store.database import Database
from tasks.tiers import DoorState, Tier
from tasks.views import (
    AnyDoors,
    AuditEntry,
    Capacity,
    Doors,
    Stretch,
    TierLoad,
    WorkerLoad,
    WorkspaceSettings,
)

OPEN = DoorState.OPEN
STRETCH = timedelta(minutes=10)
STRETCHES = 144  # a day


@dataclass(frozen=True, slots=True)
class Administration:
    """Tier maps, settings, doors, blocks, words, grants; each is written to the audit."""

    database: Database
    policy: Policy

    def map_role(self, by: Member, role: str, tier: Tier | None) -> None:
        """A role gives a tier from now on; None takes the mapping away, the file's too."""

        def work(connection: Connection) -> None:
            members.map_role(connection, by.platform, by.workspace, role, tier)
            audit.write(connection, by, "role", {"role": role, "tier": tier and tier.value})

        self.database.run(work)

    def role_map(self, platform: str, workspace: str) -> Mapping[str, Tier]:
        """Role id → tier: the file's and the administrators', theirs winning."""
        theirs = self.database.run(lambda c: members.role_map(c, platform, workspace))
        merged = {**self.policy.roles_of(platform, workspace), **theirs}
        return {role: tier for role, tier in merged.items() if tier is not None}

    def workspace_settings(self, platform: str, workspace: str) -> WorkspaceSettings:
        """A server's settings."""
        stored = self.database.run(lambda c: members.settings(c, platform, workspace))
        values = dict(stored)
        if "default_tier" in values:
            values["default_tier"] = Tier(values["default_tier"])
        if "channels" in values:
            values["channels"] = frozenset(values["channels"])
        return WorkspaceSettings(**values)

    def set_workspace_settings(self, by: Member, settings: WorkspaceSettings) -> None:
        """Replace a server's settings."""
        values = asdict(settings)
        values |= {
            "default_tier": settings.default_tier.value,
            "channels": sorted(settings.channels),
        }

        def work(connection: Connection) -> None:
            members.set_settings(connection, by.platform, by.workspace, values)
            audit.write(connection, by, "settings", values)

        self.database.run(work)

    def set_doors(self, by: Member, subject: Subject, state: DoorState | None) -> None:
        """Set a door for the administrator's server; None takes back what was set.

        Raises ValueError for a state that this door cannot have.
        """
        if state is not None:
            check_state(subject, state)

        def work(connection: Connection) -> None:
            doors.set_to(connection, (by.platform, by.workspace), subject, state)
            details = {"door": subject.value, "state": state.value if state else None}
            audit.write(connection, by, "doors", details)

        self.database.run(work)

    def doors(self, platform: str, workspace: str) -> Sequence[Doors]:
        """Each tier's doors as a server's members find them."""
        by_hand = self.database.run(lambda c: doors.by_hand(c, platform, workspace))
        glance = self.database.run(look)
        return [self._doors(tier, by_hand, glance) for tier in Tier]

    def _doors(self, tier: Tier, by_hand: HandSet, glance: Glance) -> Doors:
        usual = self.policy.tiers[tier].doors
        state, degraded = by_hand.now(tier, usual, glance.autos.get(tier, AutoDoor()))
        return Doors(tier, by_hand.set_to(tier, usual), state, degraded, wait_of(glance, tier))

    def set_apart(self, platform: str, workspace: str) -> Mapping[Subject, DoorState]:
        """The doors of features, of everything and of new members that are set for a server."""
        by_hand = self.database.run(lambda c: doors.by_hand(c, platform, workspace))
        usual = self.policy.doors
        return {
            subject: by_hand.set_to(subject, usual.of(subject))
            for subject in SUBJECTS
            if not isinstance(subject, Tier) and by_hand.of(subject, usual.of(subject)) != [OPEN]
        }

    def every_door(self, server: tuple[str, str] | None = None) -> Sequence[AnyDoors]:
        """Every door there is, as the operator sees it.

        `now` is how it stands in `server` (platform, workspace), or in one that has set nothing.
        """
        found = self.database.run(doors.all_set)
        automatic = self.database.run(doors.automatic)
        everywhere = {one.subject: one.state for one in found if one.platform == EVERYWHERE}
        here = {one.subject: one.state for one in found if (one.platform, one.workspace) == server}
        by_hand = HandSet(everywhere, here)
        rows = []
        for subject in SUBJECTS:
            usual, auto = self.policy.doors.of(subject), automatic.get(subject)
            now, degraded = by_hand.now(subject, usual, auto.door if auto else AutoDoor())
            servers = {
                f"{one.platform}:{one.workspace}": one.state
                for one in found
                if one.subject is subject and one.platform != EVERYWHERE
            }
            known = auto is not None and auto.predicted_wait < doors.LONGEST_WAIT
            wait = timedelta(seconds=auto.predicted_wait) if auto and known else None
            rows.append(
                AnyDoors(subject, usual, everywhere.get(subject), servers, now, degraded, wait)
            )
        return rows

    def servers(self) -> Sequence[str]:
        """Every server that is known, as `platform:workspace`: by the record or by the file."""
        found = {*self.database.run(doors.servers), *self.policy.roles}
        return sorted(
            f"{platform}:{workspace}" for platform, workspace in found if workspace != ANY
        )

    def capacity(self) -> Capacity:
        """Queue, waits, workers, doors: now."""
        load = self.database.run(studio.load)
        glance = self.database.run(look)
        tiers = [self._tier_load(tier, load.running.get(tier.value, 0), glance) for tier in Tier]
        workers = [
            WorkerLoad(
                name=seen.card.name,
                profiles=list(seen.card.profiles),
                device=seen.card.device,
                running=seen.card.running,
                slots=seen.card.slots,
                seconds_per_picture=seen.card.rates,
                seen_at=seen.seen_at,
            )
            for seen in glance.workers
        ]
        by_hand = self.database.run(lambda c: doors.by_hand(c, EVERYWHERE, EVERYWHERE))
        everywhere = [self._doors(tier, by_hand, glance) for tier in Tier]
        calibration = {
            tier.value: share
            for tier in Tier
            if (share := glance.calibration(tier.value).share) is not None
        }
        now = datetime.now(UTC)
        return Capacity(tiers, workers, everywhere, load.waitlist, calibration, now)

    def day(self) -> Sequence[Stretch]:
        """The last day, ten minutes at a time, oldest first."""
        now = datetime.now(UTC)
        return self.database.run(lambda c: day.day(c, now, STRETCH, STRETCHES))

    def _tier_load(self, tier: Tier, running: int, glance: Glance) -> TierLoad:
        """A tier's lane; relaxed work is counted with the tier that has it."""
        policy = self.policy.tiers[tier]
        names = {tier.value, *((RELAXED,) if policy.relaxed else ())}
        waiting = [one for one in glance.lanes if one.lane in names]
        told = newcomer_estimate(glance, tier)
        return TierLoad(
            tier=tier,
            queued=sum(one.jobs for one in waiting),
            running=running,
            backlog_seconds=sum(one.seconds for one in waiting),
            wait_p50=told.p50 if told else None,
            wait_p90=told.p90 if told else None,
        )

    def block(self, by: Member, member_id: str, blocked: bool) -> None:
        """Block or unblock a member of the administrator's server."""

        def work(connection: Connection) -> None:
            members.block(connection, by.platform, by.workspace, member_id, blocked)
            action = "block" if blocked else "unblock"
            audit.write(connection, by, action, {"member": member_id})

        self.database.run(work)

    def words(self, platform: str, workspace: str) -> Sequence[str]:
        """The server's forbidden words."""
        return self.database.run(lambda c: members.words(c, platform, workspace))

    def set_words(self, by: Member, words: Sequence[str]) -> None:
        """Replace the server's forbidden words."""
        kept = sorted({word.strip() for word in words if word.strip()})

        def work(connection: Connection) -> None:
            members.set_words(connection, by.platform, by.workspace, kept)
            audit.write(connection, by, "words", {"words": kept})

        self.database.run(work)

    def grant(self, by: Member, member_id: str, credits: float, why: str) -> None:
        """Give (or, negative, take) credits: an entry in the ledger."""
        member = Member(by.platform, by.workspace, member_id)

        def work(connection: Connection) -> None:
            ledger.grant(connection, member.key, credits, why, by.key)
            details: dict[str, Any] = {"member": member_id, "credits": credits, "why": why}
            audit.write(connection, by, "grant", details)

        self.database.run(work)

    def audit(self, platform: str, workspace: str, limit: int) -> Sequence[AuditEntry]:
        """What administrators did in a server, newest first."""
        rows = self.database.run(lambda c: audit.newest(c, platform, workspace, limit))
        return [AuditEntry(r["at"], r["actor"], r["action"], r["details"]) for r in rows]
