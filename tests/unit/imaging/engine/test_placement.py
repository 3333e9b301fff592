"""Every memory plan draws the picture of the whole model; on a CPU both ends are the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from imaging.bench.tiny_models import model_folder
from imaging.engine.devices import Device, open_device
from imaging.engine.engine import Engine
from imaging.engine.model_loading import load_model
from imaging.engine.placement import card_of, plan_for, quantisation
from imaging.engine.settings import EngineSettings
from imaging.errors import ModelUnavailable
from imaging.memory_choice import MemoryChoice
from imaging.memory_plan import MemoryPlan
from imaging.model_needs import has_quantiser
from imaging.profiles import Profile, profile_for
from imaging.request import Operation
from tests.unit.imaging.pictures import make_request, open_image

CHOICES: Mapping[MemoryPlan, MemoryChoice] = {
    MemoryPlan.OFFLOAD_MODEL: "offload-model",
    MemoryPlan.OFFLOAD_GROUP: "offload-group",
    MemoryPlan.EIGHT_BIT: "8-bit",
    MemoryPlan.FOUR_BIT: "4-bit",
}
CPU = MemoryPlan.WHOLE, MemoryPlan.OFFLOAD_MODEL, MemoryPlan.OFFLOAD_GROUP


@pytest.fixture(scope="module")
def device() -> Device:
    return open_device("cpu", None)


@pytest.fixture(scope="module", params=["sdxl", "flux1"])
def profile(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Profile:
    return profile_for(str(model_folder(request.param, tmp_path_factory.mktemp("m") / "model")))


def picture(pipe: Any, side: int = 32) -> Any:
    return pipe(
        "a red house",
        width=side,
        height=side,
        num_inference_steps=2,
        generator=torch.Generator().manual_seed(3),
        output_type="np",
    ).images[0]


@pytest.mark.parametrize("plan", CPU[1:])
def test_plan_draws_the_same_picture(profile: Profile, device: Device, plan: MemoryPlan) -> None:
    whole = load_model(profile, profile.source, device)
    other = load_model(replace(profile, memory=CHOICES[plan]), profile.source, device)
    assert other.fit.plan is plan
    first, second = picture(whole.base), picture(other.base)
    assert np.abs(first - second).max() < 1e-4
    assert np.abs(first - picture(other.base)).max() < 1e-4  # and again, with hooks renewed
    assert other.preview_decoder is not None


def test_cpu_holds_a_model_whole(profile: Profile, device: Device) -> None:
    fit = plan_for(profile, profile.source, device)
    assert fit.plan is MemoryPlan.WHOLE
    assert fit.peak > 0
    assert card_of(device).free > 0
    assert not card_of(device).quantises


QUANTISED = [(MemoryPlan.EIGHT_BIT, 8), (MemoryPlan.FOUR_BIT, 4)]


@pytest.mark.skipif(not has_quantiser(), reason="bitsandbytes is not installed")
@pytest.mark.parametrize(("plan", "bits"), QUANTISED)
def test_quantised_plans_load_the_large_parts_in_fewer_bits(plan: MemoryPlan, bits: int) -> None:
    config = quantisation(plan, torch.bfloat16, "x")["quantization_config"]
    assert config.quant_kwargs[f"load_in_{bits}bit"]
    assert "transformer" in config.components_to_quantize
    assert "vae" not in config.components_to_quantize


@pytest.mark.skipif(has_quantiser(), reason="bitsandbytes is installed")
@pytest.mark.parametrize("plan", [plan for plan, _ in QUANTISED])
def test_quantised_plan_without_a_quantiser_says_what_to_install(
    profile: Profile, device: Device, plan: MemoryPlan
) -> None:
    with pytest.raises(ModelUnavailable, match="pip install bitsandbytes"):
        load_model(replace(profile, memory=CHOICES[plan]), profile.source, device)


@pytest.mark.parametrize("plan", CPU)
def test_plans_without_quantised_weights_ask_for_none(plan: MemoryPlan) -> None:
    assert quantisation(plan, torch.bfloat16, "x") == {}


@pytest.mark.parametrize("plan", CPU[1:])
def test_requests_of_a_model_whose_parts_move_do_not_interleave(
    profile: Profile, plan: MemoryPlan, stored: dict[str, bytes]
) -> None:
    def pictures(engine: Engine) -> list[bytes]:
        wanted = [
            make_request(
                operation,
                profile=profile.name,
                seed=seed,
                steps=4,
                sources=sources,
                width=32,  # one tile of the autoencoder
                height=32,
            )
            for operation, sources in ((Operation.IMAGINE, ()), (Operation.VARY, ("disc",)))
            for seed in (1, 2)
        ]
        handles = [engine.submit(one) for one in wanted]
        return [open_image(handle.result(120)[0].data).tobytes() for handle in handles]

    whole = Engine([profile], stored.__getitem__, EngineSettings(strict=True, slots=4))
    moved = Engine([replace(profile, memory=CHOICES[plan])], stored.__getitem__)
    try:
        first, second = pictures(whole), pictures(moved)
        for one, other in zip(first, second, strict=True):
            assert abs(sum(one) - sum(other)) / len(one) < 0.5
        assert moved.device_statistics().pauses == 0
    finally:
        assert whole.stop(60)
        assert moved.stop(60)
