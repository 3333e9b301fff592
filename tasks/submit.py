"""Admission as it happens: facts read, decisions made, jobs entered, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from tasks.store.together import Together
from tasks.tiers import Entitlement, Feature, Tier

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """An order, with what is known of its member."""

    order: Order
    known: members.Known
    entitlement: Entitlement

    @property
    def pool(self) -> str | None:
        """The pool of credits that the member's workspace shares, where it does."""
        member = self.order.member
        return f"{member.platform}:{member.workspace}" if self.entitlement.policy.pool else None

    @property
    def bears_on(self) -> set[str]:
        """What its admission changes: orders that have one of these too are admitted after it."""
        own = {self.order.key, self.order.member.key}
        return own | {self.pool} if self.pool else own


@dataclass(slots=True)
class Reception:
    """Takes orders in, by the operator's policy and what administrators have set."""

    database: Database
    policy: Policy
    glances: Glances = field(default_factory=Glances)
    _admitting: Together[Order, Accepted | Refused] = field(init=False)
    _threads: ThreadPoolExecutor = field(init=False)

    def __post_init__(self) -> None:
        self._admitting = Together(self.admit)
        self._threads = ThreadPoolExecutor(1, "admission")

    def submit(self, order: Order) -> Accepted | Refused:
        """Take the order in once, however often it is asked for."""
        return self._admitting(order)

    def submit_soon(self, order: Order) -> Future[Accepted | Refused]:
        """The same without waiting: orders that come while others are admitted go together."""
        return self._admitting.soon(order, self._threads)

    def close(self) -> None:
        """Take no more; what is being admitted goes on."""
        self._threads.shutdown(wait=False)

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
        before = lines.ahead(connection, [job.id]).get(job.id)
        return None if before is None else self.glances.now(connection).line(before)[0]

    def admit(self, orders: Sequence[Order]) -> list[Accepted | Refused]:
        """Take several orders in, each once, in one transaction."""
        try:
            outcomes = self.database.run(lambda connection: self._submit(connection, orders))
        except IntegrityError:
            if len(orders) > 1:
                raise  # and each is admitted alone
            # The same key, at the same moment, in another process: it is there now.
            outcomes = self.database.run(lambda connection: self._submit(connection, orders))
        for order, outcome in zip(orders, outcomes, strict=True):
            _log(order, outcome)
        return outcomes

    def _submit(self, connection: Connection, orders: Sequence[Order]) -> list[Accepted | Refused]:
        """All in one transaction; of those that bear on each other, one after the other."""
        known = members.meet(connection, (order.member for order in orders))
        visits = [self._visit(order, known[order.member.key]) for order in orders]
        ledger.hold_pools(connection, {visit.pool for visit in visits if visit.pool})
        outcomes: dict[int, Accepted | Refused] = {}
        for group in _apart(visits):
            outcomes |= zip(map(id, group), self._submit_apart(connection, group), strict=True)
        return [outcomes[id(visit)] for visit in visits]

    def _visit(self, order: Order, known: members.Known) -> Visit:
        return Visit(order, known, self.entitlement(order.member, known))

    def _submit_apart(
        self, connection: Connection, visits: Sequence[Visit]
    ) -> list[Accepted | Refused]:
        """Admission of orders that do not bear on each other."""
        found = facts.situations(connection, [_question(visit) for visit in visits])
        glance = self.glances.now(connection)
        decided = [
            self._decide(connection, visit, found[visit.order.key], glance) for visit in visits
        ]
        new = [one for one in decided if isinstance(one, entry.NewJob)]
        entered = iter(self._enter(connection, new, glance) if new else ())
        return [
            Accepted(next(entered)) if isinstance(one, entry.NewJob) else one for one in decided
        ]

    def _decide(
        self, connection: Connection, visit: Visit, now: facts.Situation, glance: Glance
    ) -> entry.NewJob | Accepted | Refused:
        order, entitlement = visit.order, visit.entitlement
        if now.existing is not None:
            job = jobs.read(connection, now.existing)
            if job is not None:
                return Accepted(self._with_line(connection, job), repeated=True)
        wanted = feature_of(order.command, order.private)
        door = self._door(entitlement.tier, wanted, now, glance)
        model = now.models.get(order.request.profile, {})
        served = self._degraded(order.request, model) if door.degraded else order.request
        cost = cost_of(served, model.get("steps"))
        verdict = decide(self._facts(visit, now, door), cost)
        if isinstance(verdict, Reason):
            return Refused(self._with_return(connection, visit, verdict, now))
        new = self._new_job(visit, served, verdict, glance)
        invitation = waitlist.enter(connection, order.member.key) if now.invited else None
        return replace(new, degraded=_less(order.request, served), invitation=invitation)

    def _degraded(self, request: ImageRequest, model: Mapping[str, Any]) -> ImageRequest:
        """The request as it is served while the doors degrade; limits look at what was asked."""
        return degrade(request, model.get("steps") or USUAL_STEPS, model.get("multiple") or 64)

    def _enter(
        self, connection: Connection, new: Sequence[entry.NewJob], glance: Glance
    ) -> list[Job]:
        """The jobs, each with its line; what their members are told is written down."""
        entered = entry.enter(connection, new)
        before = lines.ahead(connection, (job.id for job in entered))
        told: list[Job] = []
        given: list[estimates.Given] = []
        for job in entered:
            ahead = before.get(job.id)
            if ahead is None:
                told.append(job)
                continue
            line, model = glance.line(ahead)
            told.append(replace(job, line=line))
            if line.estimate is not None:
                given.append(estimates.Given(job.id, job.tier, ahead.lane, model, line.estimate))
        if given:
            estimates.give(connection, given)
        return told

    def _facts(self, visit: Visit, now: facts.Situation, door: Decision) -> Facts:
        order, entitlement, known = visit.order, visit.entitlement, visit.known
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
            pool=now.pool if visit.pool else None,
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
        self, visit: Visit, served: ImageRequest, verdict: Admitted, glance: Glance
    ) -> entry.NewJob:
        tier = visit.entitlement.tier
        priority = (
            Priority.RELAXED
            if verdict.relaxed
            else Priority.EXPRESS
            if tier.paid
            else Priority.NORMAL
        )
        return entry.NewJob(
            id=uuid4(),
            order=replace(visit.order, request=served.with_priority(priority)),
            tier=tier,
            lane=lane_of(tier, verdict.relaxed),
            at_once=visit.entitlement.policy.running,
            cost=verdict.cost,
            cost_seconds=glance.expected(served),
            relaxed=verdict.relaxed,
            pool=visit.pool,
        )

    def _with_line(self, connection: Connection, job: Job) -> Job:
        return replace(job, line=self.line(connection, job))

    def _with_return(
        self, connection: Connection, visit: Visit, reason: Reason, now: facts.Situation
    ) -> Reason:
        """A spent quota's reason with the moment from which this order fits."""
        if reason.code != "quota-spent":
            return reason
        policy = visit.entitlement.policy
        seconds = policy.quota.window.total_seconds()
        own = ledger.entries(connection, visit.order.member.key, seconds)
        pool = None
        if policy.pool and visit.pool:
            length = policy.pool.window.total_seconds()
            pool = (ledger.pool_entries(connection, visit.pool, length), now.pool)
        cost = float(reason.details["cost"])
        moment = when_affordable(policy, (own, now.standing), pool, cost, now.now)
        return Reason(reason.code, {**reason.details, "returns_at": moment})


def _apart(visits: Sequence[Visit]) -> Iterator[list[Visit]]:
    """The visits in groups, in each of which none bears on another, in the order they came."""
    left = list(visits)
    while left:
        taken: set[str] = set()
        group: list[Visit] = []
        later: list[Visit] = []
        for visit in left:
            (group if taken.isdisjoint(visit.bears_on) else later).append(visit)
            taken |= visit.bears_on
        yield group
        left = later


def _question(visit: Visit) -> facts.Question:
    """What has to be known to admit it."""
    policy, member = visit.entitlement.policy, visit.order.member
    pool = policy.pool or policy.quota
    return facts.Question(
        key=visit.order.key,
        member=(member.platform, member.workspace, member.key),
        windows=(policy.quota.window.total_seconds(), pool.window.total_seconds()),
        parent=visit.order.parent,
    )


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
