"""A worker with models of `atelier.toml`: those that load are served, the others tell why."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline

from imaging.bench.tiny_models import model_folder
from imaging.profile_card import profile_of_card
from tasks.jobs.model_fault import ModelFault
from tasks.jobs.states import JobState
from tasks.store import workers
from tasks.store.workers import WorkerCard
from tests.integration.stack import GENEROUS, Deployment, order, request
from tests.unit.imaging.engine.community_files import checkpoint

MODELS = """
[models.shared]
source = "shared.safetensors"
base = "./sd15"
checker = "off"
steps = 2
licence = "creativeml-openrail-m"
price = 2.0

[models.torn]
source = "torn.safetensors"
base = "./sd15"

[models.dear]
source = "./sd15"
checker = "off"
tiers = ["pro"]
"""


def test_models_of_the_file_are_served_or_tell_why(
    build_deployment: Callable[..., Deployment], tmp_path: Path
) -> None:
    deployment = build_deployment(GENEROUS + MODELS)
    torch.manual_seed(5)
    folder = model_folder("sd15", deployment.home / "sd15")
    pipe = StableDiffusionPipeline.from_pretrained(str(folder), safety_checker=None)
    file = checkpoint(pipe, deployment.home / "shared.safetensors")
    shutil.copy(file, deployment.home / "torn.safetensors")
    (deployment.home / "torn.safetensors").write_bytes(file.read_bytes()[:5000])
    deployment.start_clock()
    deployment.start_worker(kind="model", model="postcard")
    deployment.wait(lambda: len(card(deployment).profiles) == 3, "three models are served")
    served = card(deployment)
    assert set(served.profiles) == {"postcard", "shared", "dear"}
    profile = profile_of_card("shared", served.profiles["shared"])
    assert profile is not None
    assert (profile.steps, profile.licence) == (2, "creativeml-openrail-m")
    torn = ModelFault.from_json(served.model_faults["torn"])
    assert "torn.safetensors cannot be read as safetensors" in torn.reason
    width, height = profile.size("1:1")
    asked = request(profile="shared", width=width, height=height, steps=None)
    job = deployment.submit(order(request=asked))
    assert job.cost == 2.0
    (ended,) = deployment.wait_ended(job.id)
    assert ended.state is JobState.DONE
    dear = request(profile="dear", width=width, height=height)
    assert deployment.refused(order(request=dear)) == "model-not-in-tier"
    deployment.assert_consistent()


def card(deployment: Deployment) -> WorkerCard:
    deployment.wait(lambda: bool(deployment.database.run(workers.alive)), "the worker is up")
    return deployment.database.run(workers.alive)[0].card
