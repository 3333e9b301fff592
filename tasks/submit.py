"""Admission as it happens: facts read, decision made, job entered, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any
from uuid import uuid4

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from imaging.request import ImageRequest, Priority
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
from tasks.costs import USUAL_STEPS
from tasks.doors import Decision, Visitor, degrade
from tasks.doors import decide as decide_doors
from tasks.fairness import RELAXED, RELAXED_WEIGHT, lane_of
from tasks.glance import Glance, Glances
from tasks.handset import facts_for
from tasks.job import Accepted, Job, Line, Order, Reason, Refused
from tasks.members import Member
from tasks.policy import Policy
from tasks.store import doors, entry, estimates, facts, jobs, ledger, lines, members, waitlist
from tasks.store.database import Database
from tasks.tiers import Entitlement, Feature, Tier

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Reception:
    """Takes orders in, by the operator's policy and what administrators have set."""

    database: Database
    policy: Policy
    glances: Glances = field(default_factory=Glances)

    def submit(self, order: Order) -> Accepted | Refused:
        """Take the order in once, however often it is asked for."""
        try:
            outcome = self.database.run(lambda connection: self._submit(connection, order))
        except IntegrityError:  # the same key, at the same moment: it is there now
            outcome = self.database.run(lambda connection: self._submit(connection, order))
        _log(order, outcome)
        return outcome

    def entitlement(self, member: Member, known: members.Known) -> Entitlement:
        """Tier and limits of a member, from their roles and what administrators have set."""
        default = Tier(known.settings.get("default_tier", Tier.FREE))
        tier = self.policy.tier_of(member, known.roles, default)
        return Entitlement(tier, self.policy.tiers[tier], known.blocked)

    def feature_refusal(
        self, member: Member, tier: Tier, wanted: Sequence[Feature], today: date
    ) -> Reason | None:
        """The first of these features that is not open to the member, with the tier that has it."""
        table, plan = self.policy.tiers, self.policy.stages

        def open_to(one: Tier, feature: Feature) -> bool:
            return stages.feature_open(feature, table[one], member.key, today, plan)

        for feature in wanted:
            if open_to(tier, feature):
                continue
            if day := stages.opening_day(feature, tier, member.key, today, plan):
                details = {"feature": feature.value, "tier": tier.value, "opens": day.isoformat()}
                return Reason("feature-not-in-tier", details)
            return feature_refusal(feature, tier, [one for one in table if open_to(one, feature)])
        return None

    def lanes(self) -> list[str]:
        """Every lane, the most pressing first."""
        weights = {lane_of(tier, False): p.weight for tier, p in self.policy.tiers.items()}
        weights[RELAXED] = RELAXED_WEIGHT
        return sorted(weights, key=lambda lane: -weights[lane])

    def line(self, connection: Connection, job: Job) -> Line | None:
        """Place in line and estimate of a queued job."""
        before = lines.ahead(connection, job.id)
        return None if before is None else self.glances.now(connection).line(before)[0]

    def _submit(self, connection: Connection, order: Order) -> Accepted | Refused:
        known = members.meet(connection, order.member)
        entitlement = self.entitlement(order.member, known)
        now = self._situation(connection, order, entitlement)
        if now.existing is not None:
            job = jobs.read(connection, now.existing)
            if job is not None:
                return Accepted(self._with_line(connection, job), repeated=True)
        glance = self.glances.now(connection)
        wanted = feature_of(order.command, order.private)
        door = self._door(entitlement.tier, wanted, now, glance)
        model = now.models.get(order.request.profile, {})
        served = self._degraded(order.request, model) if door.degraded else order.request
        cost = cost_of(served, model.get("steps"))
        verdict = decide(self._facts(order, entitlement, known, now, door), cost)
        if isinstance(verdict, Reason):
            return Refused(self._with_return(connection, order.member, entitlement, verdict, now))
        less = _less(order.request, served)
        new = self._new_job(replace(order, request=served), entitlement, verdict, glance)
        invitation = waitlist.enter(connection, order.member.key) if now.invited else None
        job = entry.enter(connection, replace(new, degraded=less, invitation=invitation))
        return Accepted(self._told(connection, job, glance))

    def _degraded(self, request: ImageRequest, model: Mapping[str, Any]) -> ImageRequest:
        """The request as it is served while the doors degrade; limits look at what was asked."""
        return degrade(request, model.get("steps") or USUAL_STEPS, model.get("multiple") or 64)

    def _told(self, connection: Connection, job: Job, glance: Glance) -> Job:
        """The job with its line; what its member is told is written down."""
        before = lines.ahead(connection, job.id)
        if before is None:
            return job
        line, model = glance.line(before)
        if line.estimate is not None:
            estimates.give(connection, job.id, job.tier, before.lane, model, line.estimate)
        return replace(job, line=line)

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
        door: Decision,
    ) -> Facts:
        wanted = feature_of(order.command, order.private)
        return Facts(
            entitlement=entitlement,
            door=door,
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
            feature=wanted[0],
            limits=self.policy.limits,
            largest_megapixels=known.settings.get("largest_megapixels"),
        )

    def _door(
        self, tier: Tier, wanted: Sequence[Feature], now: facts.Situation, glance: Glance
    ) -> Decision:
        """Whether the doors let this member in with what they want."""
        visitor = Visitor(known=now.known, invited=now.invited, paid=tier.paid)
        return decide_doors(
            facts_for(tier, wanted, self.policy.doors, now.doors, glance.autos), visitor
        )

    def kept_out(self, connection: Connection, member: Member, entitlement: Entitlement) -> bool:
        """Whether the doors keep a member from something that their tier has, for now."""
        tier = entitlement.tier
        had_a_job = jobs.any_of(connection, member.key)
        visitor = Visitor(known=had_a_job, paid=tier.paid)
        by_hand = doors.by_hand(connection, member.platform, member.workspace)
        autos = self.glances.now(connection).autos
        found = (
            decide_doors(facts_for(tier, [one], self.policy.doors, by_hand, autos), visitor)
            for one in entitlement.policy.features
        )
        return any(one.code not in ("", "feature-closed") for one in found)

    def _new_job(
        self, order: Order, entitlement: Entitlement, verdict: Admitted, glance: Glance
    ) -> entry.NewJob:
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
            cost_seconds=glance.expected(order.request),
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


def _log(order: Order, outcome: Accepted | Refused) -> None:
    """One line for each order; an accepted one's has the id that all later lines have, too."""
    asked = {"command": order.command, "platform": order.place.platform, "key": order.key}
    if isinstance(outcome, Refused):
        log.info("refused", code=outcome.reason.code, **asked)
    else:
        job = outcome.job
        repeated = {"repeated": True} if outcome.repeated else {}
        log.info("accepted", job=str(job.id), tier=job.tier.value, **asked, **repeated)


def _less(whole: ImageRequest, served: ImageRequest) -> dict[str, Any] | None:
    """What was made less of a request, as the member is told; None where nothing was."""
    changed = {
        name: [getattr(whole, name), getattr(served, name)]
        for name in ("count", "width", "height", "steps")
        if getattr(whole, name) != getattr(served, name)
    }
    return changed or None
