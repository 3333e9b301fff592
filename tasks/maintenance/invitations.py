"""Invites members from the waitlist, as many as there is capacity for."""

from __future__ import annotations

import structlog
from sqlalchemy import Connection

from tasks.jobs.tiers import Tier
from tasks.policy.config import Policy
from tasks.policy.waitlist import INVITATION_LASTS, batch_size
from tasks.queue import wait_estimate
from tasks.queue.fairness import lane_of
from tasks.store import waitlist
from tasks.store.load_snapshot import LoadSnapshot, job_seconds

log = structlog.get_logger(__name__)


def invite_members(
    connection: Connection, snapshot: LoadSnapshot, policy: Policy, tier: Tier
) -> None:
    """Expire old invitations of a tier, then invite the first who wait."""
    waitlist.lapse(connection, tier)
    limits = policy.auto_doors
    seconds = job_seconds(snapshot, tier)
    longest = limits.longest_wait * limits.return_at
    capacity = wait_estimate.spare_seconds(snapshot.load(), lane_of(tier, False), seconds, longest)
    batch = batch_size(capacity, seconds, waitlist.invited(connection, tier))
    invited = waitlist.invite(connection, tier, batch, INVITATION_LASTS)
    if invited:
        log.info("members-invited", tier=tier.value, members=invited)
