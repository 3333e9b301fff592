"""A fleet of three workers, one of which cannot serve its model: no job fails because of it."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from bots.operator.doctor_checks.finding import Finding, Level
from bots.operator.doctor_checks.served_models import check_served_models
from imaging.profiles import POSTCARD_FOLDER
from tasks.jobs.job import Accepted, Refused
from tasks.jobs.model_fault import ModelFault
from tasks.jobs.states import JobState
from tasks.store import workers
from tasks.store.workers import WorkerCard
from tests.integration.stack import Deployment, member, order, request

JOBS = 12
LOADING = 280.0  # seconds; three processes load torch at once


def cards(deployment: Deployment) -> list[WorkerCard]:
    return [seen.card for seen in deployment.database.run(workers.alive)]


def fleet(deployment: Deployment, *kinds: tuple[str, str]) -> None:
    """Start a worker for each kind and model, in a home of its own."""
    deployment.start_clock()
    for number, (kind, model) in enumerate(kinds):
        home = deployment.home / f"worker-{number}"
        deployment.start_worker(0.02, home, kind=kind, model=model)
    deployment.wait(lambda: len(cards(deployment)) == len(kinds), "the fleet is up")


def findings(deployment: Deployment) -> list[Finding]:
    """What `atelier doctor` says of the workers."""
    return list(check_served_models(deployment.settings))


def broken_copy(folder: Path) -> Path:
    """Postcard, with a truncated denoiser, under its own name."""
    copy = shutil.copytree(POSTCARD_FOLDER, folder / "postcard")
    weights = copy / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:10_000])
    return copy


@pytest.mark.timeout(600)
def test_worker_that_cannot_load_its_model_gets_no_jobs(
    deployment: Deployment, tmp_path: Path
) -> None:
    broken = str(broken_copy(tmp_path))
    fleet(deployment, ("model", "postcard"), ("model", broken), ("model", "postcard"))
    asked = request(profile="postcard", width=128, height=128, steps=2)
    jobs = [deployment.submit(order(member(f"m{k}"), request=asked)) for k in range(JOBS)]
    deployment.wait(
        lambda: (
            any(card.model_faults for card in cards(deployment))
            and sum("postcard" in card.profiles for card in cards(deployment)) == 2
        ),
        "two serve, and one says why not",
        LOADING,
    )
    ended = deployment.wait_ended(*(job.id for job in jobs))
    assert [job.state for job in ended] == [JobState.DONE] * JOBS
    assert [job.attempt for job in ended] == [1] * JOBS
    (fault,) = [card for card in cards(deployment) if card.model_faults]
    assert not fault.profiles
    told = ModelFault.from_json(fault.model_faults["postcard"])
    assert told.code == "model-unavailable"
    assert "postcard cannot be loaded" in told.reason
    (failed,) = [one for one in findings(deployment) if one.level is Level.FAIL]
    assert fault.name in failed.text
    assert told.reason in failed.text
    deployment.assert_consistent()


def test_worker_whose_model_breaks_in_a_job_gives_it_to_another(deployment: Deployment) -> None:
    fleet(deployment, ("broken", "blank"), ("blank", "blank"), ("blank", "blank"))
    deployment.wait(
        lambda: all("blank" in card.profiles for card in cards(deployment)), "all three serve"
    )
    jobs = [deployment.submit(order(member(f"m{k}"))) for k in range(JOBS)]
    ended = deployment.wait_ended(*(job.id for job in jobs))
    assert [job.state for job in ended] == [JobState.DONE] * JOBS
    assert " model-withdrawn " in deployment.log()
    deployment.assert_consistent()


@pytest.mark.parametrize("model", ["no-such-model", "/no/such/folder"])
def test_worker_of_an_unknown_model_ends_with_a_sentence(
    deployment: Deployment, model: str
) -> None:
    worker = deployment.start_worker(kind="model", model=model)
    assert worker.wait(120) == 1
    assert f"No model is called '{model}'" in deployment.log()
    assert "Traceback" not in deployment.log()


def register(
    deployment: Deployment,
    profiles: Sequence[str] = (),
    pending: Sequence[str] = (),
    faulty: Sequence[str] = (),
) -> None:
    """Announce one worker's models, by their state."""
    cards = {name: {"steps": 4} for name in profiles}
    fault = ModelFault("No file.", "model-unavailable", datetime.now(UTC)).to_json()
    faults = dict.fromkeys(faulty, fault)
    card = WorkerCard("w", uuid4(), "cpu", cards, 4, 0, {}, {}, faults, pending)
    deployment.database.run(lambda connection: workers.register(connection, card))


@pytest.mark.parametrize("others", [(), ("big",)])
def test_withdrawn_model_is_waited_for_once_and_then_refused(
    deployment: Deployment, others: tuple[str, ...]
) -> None:
    """Whether or not the worker serves another one."""
    register(deployment, ("blank", *others))
    assert isinstance(deployment.admission.submit(order()), Accepted)
    register(deployment, others, pending=("blank",), faulty=("blank",))  # its first try is not over
    assert isinstance(deployment.admission.submit(order(member("b"))), Accepted)
    register(deployment, others, faulty=("blank",))
    refused = deployment.admission.submit(order(member("c")))
    assert isinstance(refused, Refused)
    assert refused.reason.code == "unknown-model"
    assert refused.reason.details == {"model": "blank", "models": list(others)}


async def test_model_that_a_starting_worker_has_not_tried_yet_is_not_refused(
    deployment: Deployment,
) -> None:
    """A worker that was killed announces its models one after the other."""

    client = deployment.client()
    register(deployment, ("big",), ("blank", "other"))
    assert isinstance(deployment.admission.submit(order()), Accepted)
    assert await client.fleet.models() == ["big"]
    assert await client.fleet.orderable_models() == ["big", "blank", "other"]
    await client.close()
    register(deployment, ("big",), ("other",))  # tried, and not served
    refused = deployment.admission.submit(order())
    assert isinstance(refused, Refused)
    assert refused.reason.code == "unknown-model"
    assert refused.reason.details["models"] == ["big", "other"]
    with deployment.database.begin() as connection:
        connection.exec_driver_sql("UPDATE workers SET seen_at = now() - interval '5 minutes'")
    asked = order(request=request(profile="other"))
    assert isinstance(deployment.admission.submit(asked), Refused)  # that worker is gone
