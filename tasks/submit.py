"""Admission as it happens: facts read, decision made, job entered, in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from uuid import uuid4

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from imaging.request import Priority
from tasks import stages
from tasks.admission import (
    Admitted,
    Facts,
    cost_of,
    decide,
    feature_of,
    feature_refusal,
    when_affordable,
)
from tasks.doors import AutoDoor, Decision, DoorFacts, Visitor, now_of
from tasks.doors import decide as decide_doors
from tasks.fairness import RELAXED, RELAXED_WEIGHT, lane_of
from tasks.job import Accepted, Job, Line, Order, Reason, Refused
from tasks.members import Member
from tasks.policy import Policy
from tasks.store import entry, facts, jobs, ledger, lines, members
from tasks.store.database import Database
from tasks.tiers import Entitlement, Feature, Tier


@dataclass(frozen=True, slots=True)
class Reception:
    """Takes orders in, by the operator's policy and what administrators have set."""

    database: Database
    policy: Policy

    def submit(self, order: Order) -> Accepted | Refused:
        """Take the order in once, however often it is asked for."""
        try:
            return self.database.run(lambda connection: self._submit(connection, order))
        except IntegrityError:  # the same key, at the same moment: it is there now
            return self.database.run(lambda connection: self._submit(connection, order))

    def entitlement(self, member: Member, known: members.Known) -> Entitlement:
        """Tier and limits of a member, from their roles and what administrators have set."""
        default = Tier(known.settings.get("default_tier", Tier.FREE))
        tier = self.policy.tier_of(member, known.roles, default)
        return Entitlement(tier, self.policy.tiers[tier], known.blocked)

    def feature_refusal(
        self, member: Member, tier: Tier, wanted: Sequence[Feature], today: date
    ) -> Reason | None:
        """The first of these features that is not open to the member, with the tier that has it."""
        policy = self.policy
        for feature in wanted:
            if not stages.feature_open(
                feature, policy.tiers[tier], member.key, today, policy.stages
            ):
                refusal = feature_refusal(feature, tier, policy.tiers)
                day = stages.opening_day(feature, tier, today, policy.stages)
                opens = {"opens": day.isoformat()} if day else {}
                return Reason(refusal.code, {**refusal.details, **opens})
        return None

    def lanes(self) -> list[str]:
        """Every lane, the most pressing first."""
        weights = {lane_of(tier, False): p.weight for tier, p in self.policy.tiers.items()}
        weights[RELAXED] = RELAXED_WEIGHT
        return sorted(weights, key=lambda lane: -weights[lane])

    def line(self, connection: Connection, job: Job) -> Line | None:
        """Place in line and estimate of a queued job."""
        position = lines.position(connection, job.id, self.lanes())
        return None if position is None else Line(position, None)

    def _submit(self, connection: Connection, order: Order) -> Accepted | Refused:
        known = members.meet(connection, order.member)
        entitlement = self.entitlement(order.member, known)
        now = self._situation(connection, order, entitlement)
        if now.existing is not None:
            job = jobs.read(connection, now.existing)
            if job is not None:
                return Accepted(self._with_line(connection, job), repeated=True)
        model = now.models.get(order.request.profile, {})
        cost = cost_of(order.request, model.get("steps"))
        verdict = decide(self._facts(order, entitlement, known, now), cost)
        if isinstance(verdict, Reason):
            return Refused(self._with_return(connection, order.member, entitlement, verdict, now))
        job = entry.enter(connection, self._new_job(order, entitlement, verdict))
        return Accepted(self._with_line(connection, job))

    def _situation(
        self, connection: Connection, order: Order, entitlement: Entitlement
    ) -> facts.Situation:
        policy, member = entitlement.policy, order.member
        pool = policy.pool or policy.quota
        return facts.situation(
            connection,
            key=order.key,
            member=(member.platform, member.workspace, member.key),
            windows=(policy.quota.window.total_seconds(), pool.window.total_seconds()),
            parent=order.parent,
        )

    def _facts(
        self,
        order: Order,
        entitlement: Entitlement,
        known: members.Known,
        now: facts.Situation,
    ) -> Facts:
        wanted = feature_of(order.command, order.private)
        return Facts(
            entitlement=entitlement,
            door=self.door(entitlement.tier, now),
            feature_refusal=self.feature_refusal(
                order.member, entitlement.tier, wanted, now.now.date()
            ),
            request=order.request,
            waiting=now.queued,
            running=now.running,
            standing=now.standing,
            pool=now.pool if entitlement.policy.pool else None,
            words=(*self.policy.words, *known.words),
            models=sorted(now.models),
            parent_exists=now.parent_exists,
            limits=self.policy.limits,
            largest_megapixels=known.settings.get("largest_megapixels"),
        )

    def door(self, tier: Tier, now: facts.Situation) -> Decision:
        """Whether the doors let this member in."""
        set_to = now.doors.get(tier, self.policy.tiers[tier].doors)
        state, degraded = now_of(set_to, AutoDoor())
        visitor = Visitor(known=now.known, invited=now.invited, paid=tier.paid)
        return decide_doors(DoorFacts(state, degraded), visitor)

    def _new_job(self, order: Order, entitlement: Entitlement, verdict: Admitted) -> entry.NewJob:
        tier = entitlement.tier
        priority = (
            Priority.RELAXED
            if verdict.relaxed
            else Priority.EXPRESS
            if tier.paid
            else Priority.NORMAL
        )
        place = order.place
        return entry.NewJob(
            id=uuid4(),
            order=replace(order, request=order.request.with_priority(priority)),
            tier=tier,
            lane=lane_of(tier, verdict.relaxed),
            at_once=entitlement.policy.running,
            cost=verdict.cost,
            cost_seconds=verdict.cost,
            relaxed=verdict.relaxed,
            pool=f"{place.platform}:{place.workspace}" if entitlement.policy.pool else None,
        )

    def _with_line(self, connection: Connection, job: Job) -> Job:
        return replace(job, line=self.line(connection, job))

    def _with_return(
        self,
        connection: Connection,
        member: Member,
        entitlement: Entitlement,
        reason: Reason,
        now: facts.Situation,
    ) -> Reason:
        """A spent quota's reason with the moment from which this order fits."""
        if reason.code != "quota-spent":
            return reason
        policy = entitlement.policy
        seconds = policy.quota.window.total_seconds()
        own = ledger.entries(connection, member.key, seconds)
        pool = None
        if policy.pool:
            name = f"{member.platform}:{member.workspace}"
            rows = ledger.pool_entries(connection, name, policy.pool.window.total_seconds())
            pool = (rows, now.pool)
        cost = float(reason.details["cost"])
        moment = when_affordable(policy, (own, now.standing), pool, cost, now.now)
        return Reason(reason.code, {**reason.details, "returns_at": moment})
