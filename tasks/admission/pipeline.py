"""Admission of a batch of orders in one transaction: load, decide, enter, report."""

from __future__ import annotations

from collections.abc import Sequence

import structlog
from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from tasks.admission.decision import decide
from tasks.admission.enter import enter
from tasks.admission.load import load_groups
from tasks.jobs.job import Accepted, Order, Refused
from tasks.policy.config import Policy
from tasks.store.database import Database
from tasks.store.load_snapshot import LoadSnapshotCache

log = structlog.get_logger(__name__)

Outcome = Accepted | Refused


def admit(
    database: Database, policy: Policy, snapshots: LoadSnapshotCache, orders: Sequence[Order]
) -> list[Outcome]:
    """Admit several orders, each once, in one transaction; the outcomes are in their order.

    Raises IntegrityError where another process entered one of several keys meanwhile: the caller
    then admits each order alone.
    """

    def transaction(connection: Connection) -> list[Outcome]:
        outcomes: dict[int, Outcome] = {}
        for group in load_groups(connection, orders, policy, snapshots):
            decisions = [decide(loaded, policy) for loaded in group]
            entered = enter(connection, group, decisions)
            outcomes |= zip((one.request.number for one in group), entered, strict=True)
        return [outcomes[number] for number in range(len(orders))]

    try:
        outcomes = database.run(transaction)
    except IntegrityError:
        if len(orders) > 1:
            raise
        outcomes = database.run(transaction)  # the other process's job exists now
    for order, outcome in zip(orders, outcomes, strict=True):
        _report(order, outcome)
    return outcomes


def _report(order: Order, outcome: Outcome) -> None:
    """Log one event for each order; "job" links an accepted one to its later events."""
    asked = {"command": order.command, "platform": order.place.platform, "key": order.key}
    if isinstance(outcome, Refused):
        log.info("order-refused", code=outcome.reason.code, **asked)
    else:
        job = outcome.job
        repeated = {"repeated": True} if outcome.repeated else {}
        log.info("order-accepted", job=str(job.id), tier=job.tier.value, **asked, **repeated)
