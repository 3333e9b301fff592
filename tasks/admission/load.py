"""Step 1 of admission: read everything that the decisions depend on.

Orders that affect each other (same key, member or pool) are loaded in successive groups, each
after the group before it has been entered, so that limits hold inside one batch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Connection

from imaging.profile_card import profile_of_card
from imaging.profiles import Profile
from tasks.admission.entitlements import entitlement_of
from tasks.jobs.job import Job, Order
from tasks.jobs.tiers import Entitlement
from tasks.policy.access import REMOTE
from tasks.policy.config import Policy
from tasks.store import access, admission_context, jobs, ledger, members
from tasks.store.admission_context import AdmissionContext, AdmissionQuery
from tasks.store.load_snapshot import LoadSnapshot, LoadSnapshotCache


@dataclass(frozen=True, slots=True)
class AdmissionRequest:
    """An order with its member's record; `number` is its place in the batch."""

    number: int
    order: Order
    known: members.MemberRecord
    entitlement: Entitlement

    @property
    def pool(self) -> str | None:
        """The credit pool that the member's workspace shares, where the tier has one."""
        member = self.order.member
        return f"{member.platform}:{member.workspace}" if self.entitlement.policy.pool else None

    @property
    def shared_account(self) -> str | None:
        """The person, where the quota counts their orders in every server: in unpaid tiers."""
        member = self.order.member
        if self.entitlement.tier.paid or member.account == member.key:
            return None
        return member.account

    @property
    def shared(self) -> set[str]:
        """The credit pool and the account whose other orders change what is left."""
        return {name for name in (self.pool, self.shared_account) if name}

    @property
    def conflict_keys(self) -> set[str]:
        """Requests that share one of these keys are admitted one after the other."""
        return {self.order.key, self.order.member.key} | self.shared


@dataclass(frozen=True, slots=True)
class LoadedRequest:
    """All inputs of one decision. `existing` is the job that already has the order's key.

    `profile` is the model as a worker describes it; None where none has, or in an older version.
    """

    request: AdmissionRequest
    context: AdmissionContext
    snapshot: LoadSnapshot
    existing: Job | None
    profile: Profile | None


def load_groups(
    connection: Connection, orders: Sequence[Order], policy: Policy, snapshots: LoadSnapshotCache
) -> Iterator[list[LoadedRequest]]:
    """Groups of loaded requests without conflicts inside a group.

    Locks the members, accounts and pools of all orders until the transaction ends. Each group is
    read when it is asked for: enter the group before it first.
    """
    known = _meet(connection, orders, policy)
    requests = [
        AdmissionRequest(
            number,
            order,
            known[order.member.key],
            entitlement_of(policy, order.member, known[order.member.key]),
        )
        for number, order in enumerate(orders)
    ]
    ledger.hold_shared(connection, set().union(*(request.shared for request in requests)))
    described = _Profiles()
    for group in conflict_free_groups(requests):
        queries = [_query(request) for request in group]
        contexts = admission_context.read(connection, queries)
        snapshot = snapshots.now(connection)
        yield [
            LoadedRequest(
                request,
                context,
                snapshot,
                _existing(connection, context),
                described.of(request.order.request.profile, context.models),
            )
            for request in group
            for context in (contexts[request.order.key],)
        ]


class _Profiles:
    """The models' cards, each parsed once for all orders of a batch."""

    def __init__(self) -> None:
        self._parsed: dict[str, tuple[Mapping[str, Any], Profile | None]] = {}

    def of(self, name: str, models: Mapping[str, Mapping[str, Any]]) -> Profile | None:
        """The profile of one model; None where no card describes it."""
        card = models.get(name, {})
        known = self._parsed.get(name)
        if known is None or known[0] != card:
            known = self._parsed[name] = (card, profile_of_card(name, card))
        return known[1]


def _meet(
    connection: Connection, orders: Sequence[Order], policy: Policy
) -> dict[str, members.MemberRecord]:
    """Record the members, and their servers at the first order from there."""
    known = members.upsert(connection, (order.member for order in orders))
    for order in orders:
        member = order.member
        if member.platform in REMOTE and known[member.key].server is None:
            record = access.meet(connection, member.platform, member.workspace, policy.access)
            known[member.key] = replace(known[member.key], server=record)
    return known


def conflict_free_groups(requests: Sequence[AdmissionRequest]) -> Iterator[list[AdmissionRequest]]:
    """The requests in groups without shared keys, each request after those it conflicts with."""
    left = [(request, request.conflict_keys) for request in requests]
    while left:
        taken: set[str] = set()
        group: list[AdmissionRequest] = []
        later: list[tuple[AdmissionRequest, set[str]]] = []
        for request, keys in left:
            if taken.isdisjoint(keys):
                group.append(request)
            else:
                later.append((request, keys))
            taken |= keys
        yield group
        left = later


def _query(request: AdmissionRequest) -> AdmissionQuery:
    policy, member = request.entitlement.policy, request.order.member
    pool = policy.pool or policy.quota
    return AdmissionQuery(
        key=request.order.key,
        member=(member.platform, member.workspace, member.key),
        person=member.id if request.shared_account else None,
        windows=(policy.quota.window.total_seconds(), pool.window.total_seconds()),
        parent=request.order.parent,
    )


def _existing(connection: Connection, context: AdmissionContext) -> Job | None:
    return None if context.existing is None else jobs.read(connection, context.existing)
