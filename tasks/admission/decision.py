"""Step 2 of admission: what becomes of each order. Reads nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from imaging.request import ImageRequest
from tasks.admission import rules
from tasks.admission.entitlements import unavailable_feature
from tasks.admission.load import LoadedRequest
from tasks.jobs.job import Job, Reason
from tasks.jobs.tiers import Feature
from tasks.policy import doors
from tasks.policy.config import Policy
from tasks.policy.door_overrides import door_inputs
from tasks.policy.model_rules import ANY_MODEL
from tasks.queue.costs import USUAL_STEPS
from tasks.queue.fairness import lane_of, priority_of
from tasks.store.job_insert import NewJob


@dataclass(frozen=True, slots=True)
class Enter:
    """The order becomes this job; `invited` where it uses up an invitation from the waitlist."""

    job: NewJob
    invited: bool


@dataclass(frozen=True, slots=True)
class Repeat:
    """The order's key has this job already."""

    job: Job


@dataclass(frozen=True, slots=True)
class Refuse:
    """The order is not taken."""

    reason: Reason


Decision = Enter | Repeat | Refuse


def decide(loaded: LoadedRequest, policy: Policy) -> Decision:
    """What becomes of one order. Limits apply to the request as asked, not as degraded."""
    if loaded.existing is not None:
        return Repeat(loaded.existing)
    asked = loaded.request.order.request
    wanted = rules.feature_of(loaded.request.order.command, loaded.request.order.private)
    door = _door(loaded, policy, wanted)
    model = loaded.context.models.get(asked.profile, {})
    served = _degraded(asked, model) if door.degraded else asked
    price = policy.model_rules.get(asked.profile, ANY_MODEL).price
    cost = rules.cost_of(served, model.get("steps"), price)
    verdict = rules.decide(_inputs(loaded, policy, wanted, door), cost)
    if isinstance(verdict, Reason):
        return Refuse(verdict)
    return Enter(_new_job(loaded, served, verdict), loaded.context.invited)


def _door(loaded: LoadedRequest, policy: Policy, wanted: tuple[Feature, ...]) -> doors.Decision:
    tier, context = loaded.request.entitlement.tier, loaded.context
    visitor = doors.Visitor(known=context.known, invited=context.invited, paid=tier.paid)
    inputs = door_inputs(tier, wanted, policy.doors, context.doors, loaded.snapshot.autos)
    return doors.decide(inputs, visitor)


def _inputs(
    loaded: LoadedRequest, policy: Policy, wanted: tuple[Feature, ...], door: doors.Decision
) -> rules.AdmissionInputs:
    request, context = loaded.request, loaded.context
    order, known, entitlement = request.order, request.known, request.entitlement
    return rules.AdmissionInputs(
        entitlement=entitlement,
        door=door,
        feature_refusal=unavailable_feature(
            policy, order.member, entitlement.tier, wanted, context.now.date()
        ),
        request=order.request,
        waiting=context.queued,
        running=context.running,
        standing=context.standing,
        pool=context.pool if request.pool else None,
        words=(*policy.words, *known.words),
        models=sorted({*context.models, *context.pending_models}),
        faulty_models=context.faulty_models,
        parent_exists=context.parent_exists,
        feature=wanted[0],
        limits=policy.limits,
        largest_megapixels=known.settings.get("largest_megapixels"),
        profile=loaded.profile,
        model_refusal=policy.model_rules.get(order.request.profile, ANY_MODEL).refusal(
            order.request.profile, entitlement.tier
        ),
    )


def _degraded(request: ImageRequest, model: Mapping[str, Any]) -> ImageRequest:
    return doors.degrade(request, model.get("steps") or USUAL_STEPS, model.get("multiple") or 64)


def _new_job(loaded: LoadedRequest, served: ImageRequest, verdict: rules.Admitted) -> NewJob:
    request = loaded.request
    order, tier = request.order, request.entitlement.tier
    lane = lane_of(tier, verdict.relaxed)
    return NewJob(
        id=uuid4(),
        order=replace(order, request=served.with_priority(priority_of(lane))),
        tier=tier,
        lane=lane,
        at_once=request.entitlement.policy.running,
        cost=verdict.cost,
        cost_seconds=loaded.snapshot.expected(served),
        relaxed=verdict.relaxed,
        pool=request.pool,
        degraded=_reductions(order.request, served),
    )


def _reductions(asked: ImageRequest, served: ImageRequest) -> dict[str, Any] | None:
    """What degrading changed: name → [asked, served]; None where nothing was changed."""
    changed = {
        name: [getattr(asked, name), getattr(served, name)]
        for name in ("count", "width", "height", "steps")
        if getattr(asked, name) != getattr(served, name)
    }
    return changed or None
