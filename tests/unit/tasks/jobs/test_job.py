"""Jobs: states, their transitions, and who may see a job."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from imaging.request import ImageRequest, Operation
from tasks.jobs.job import Job, Order
from tasks.jobs.members import Member, Place
from tasks.jobs.states import ENDED, TRANSITIONS, JobState
from tasks.jobs.tiers import Tier
from tasks.store.transitions import ImpossibleTransition, check


def test_ended_states_have_no_transitions() -> None:
    assert {state for state, to in TRANSITIONS.items() if not to} == ENDED
    assert set(TRANSITIONS) == set(JobState)


def test_impossible_transition_raises() -> None:
    assert check([JobState.QUEUED], JobState.RUNNING) == ["queued"]
    with pytest.raises(ImpossibleTransition, match="done → running"):
        check([JobState.QUEUED, JobState.DONE], JobState.RUNNING)


ANNA = Member("discord", "guild", "anna")
BORIS = Member("discord", "guild", "boris")
ELSEWHERE = Member("discord", "other guild", "boris")
NAMESAKE = Member("slack", "guild", "boris")


def job_of(owner: Member, *, private: bool) -> Job:
    request = ImageRequest(Operation.IMAGINE, "a red house", "postcard", 64, 64, 1)
    place = Place(owner.platform, owner.workspace, "channel")
    order = replace(Order("key", "imagine", owner, place, request), private=private)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    return Job(uuid4(), order, Tier.FREE, JobState.QUEUED, 0, 1.0, moment)


@pytest.mark.parametrize(
    ("member", "public", "private"),
    [(ANNA, True, True), (BORIS, True, False), (ELSEWHERE, False, False), (NAMESAKE, False, False)],
)
def test_members_see_their_own_jobs_and_public_ones_of_their_server(
    member: Member, public: bool, private: bool
) -> None:
    assert job_of(ANNA, private=False).visible_to(member) is public
    assert job_of(ANNA, private=True).visible_to(member) is private


def test_a_private_job_still_belongs_to_its_server() -> None:
    job = job_of(ANNA, private=True)
    found = [each for each in (ANNA, BORIS, ELSEWHERE, NAMESAKE) if job.in_workspace_of(each)]
    assert found == [ANNA, BORIS]
