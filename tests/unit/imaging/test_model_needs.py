"""What a single file needs of a device, by its header: nothing is loaded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import save_file

from bots.operator.doctor_checks.memory import check_memory, supposed_card
from imaging.bench.tiny_models import model_folder
from imaging.engine.checkpoints import open_model
from imaging.engine.devices import Device, open_device
from imaging.engine.placement import expected_bytes, is_crowded, plan_for
from imaging.errors import ModelUnavailable
from imaging.local_models import LocalModel
from imaging.memory_plan import GIGABYTE, Card, MemoryPlan, ModelNeeds, choose, fit_of
from imaging.model_files import ModelFiles
from imaging.model_needs import needs_of
from imaging.profiles import Profile, profile_for
from tests.unit.imaging.engine.community_files import checkpoint
from tests.unit.imaging.engine.test_quantised_files import quantised

HOST = 64 * GIGABYTE


def model(source: Path, base: str | None = None) -> Profile:
    files = ModelFiles(base=base)
    return LocalModel("tiny", "atelier.toml, line 1", str(source), "", files).profile()


def needs(profile: Profile, source: str | None = None) -> ModelNeeds:
    found = needs_of(profile, source or profile.source)
    assert found is not None
    return found


def header(path: Path, tensors: Mapping[str, int]) -> Path:
    """A safetensors file of half-precision tensors with so many weights each, and no data."""
    entries = {
        name: {"dtype": "F16", "shape": [count], "data_offsets": [0, 0]}
        for name, count in tensors.items()
    }
    text = json.dumps(entries).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    return path


@pytest.fixture
def sdxl(tmp_path: Path) -> Path:
    """A checkpoint of SDXL's size, with averaged weights that are not loaded."""
    return header(
        tmp_path / "sdxl.safetensors",
        {
            "model.diffusion_model.input_blocks.0.0.weight": 2_570_000_000,
            "conditioner.embedders.0.transformer.text_model.weight": 120_000_000,
            "conditioner.embedders.1.model.weight": 690_000_000,
            "first_stage_model.decoder.weight": 80_000_000,
            "model_ema.input_blocks00weight": 2_570_000_000,
            "alphas_cumprod": 1000,
        },
    )


def test_whole_checkpoint_needs_what_its_folder_needs(tmp_path: Path) -> None:
    folder = model_folder("sd15", tmp_path / "sd15")
    file = checkpoint(DiffusionPipeline.from_pretrained(str(folder)), tmp_path / "one.safetensors")
    of_file, of_folder = needs(model(file, str(folder))), needs(profile_for(str(folder)))
    assert of_file.components == of_folder.components
    assert of_file.pixels == of_folder.pixels
    device = open_device("cpu", None)
    assert expected_bytes(model(file, str(folder)), str(file), device) == 2 * of_folder.total


def test_denoiser_needs_the_other_parts_of_its_base(tmp_path: Path) -> None:
    folder = model_folder("flux1", tmp_path / "flux1")
    transformer = DiffusionPipeline.from_pretrained(str(folder)).transformer
    save_file(transformer.state_dict(), tmp_path / "flux.safetensors")
    whole = needs(profile_for(str(folder))).components
    found = needs(model(tmp_path / "flux.safetensors", str(folder))).components
    assert found.pop("denoiser") == whole["transformer"]  # type: ignore[attr-defined]
    assert found == {name: size for name, size in whole.items() if name != "transformer"}


def test_quantised_denoiser_needs_what_its_file_has(tmp_path: Path) -> None:
    folder = model_folder("flux1", tmp_path / "flux1")
    file = quantised(folder, tmp_path / "tiny.gguf")
    found = needs(model(file, str(folder)))
    assert found.components["denoiser"] == file.stat().st_size
    assert found.components["vae"] == needs(profile_for(str(folder))).components["vae"]


def test_base_that_is_not_downloaded_counts_by_its_published_size(tmp_path: Path) -> None:
    file = header(
        tmp_path / "flux.safetensors",
        {"double_blocks.0.img_attn.norm.key_norm.scale": 11_900_000_000, "vae.decoder": 10},
    )
    found = needs(model(file))
    assert found.components["denoiser"] == 2 * 11_900_000_000
    assert found.total == needs(profile_for("flux1-schnell")).total


@pytest.mark.parametrize(("gb", "plan"), [(8, "offload-model"), (12, "whole")])
def test_doctor_names_the_plan_of_a_file(sdxl: Path, gb: float, plan: str) -> None:
    """The same as for the model of the hub."""
    for profile in (model(sdxl), profile_for("sdxl")):
        card = replace(supposed_card(gb), host_free=HOST, quantises=True)
        (finding, *_) = check_memory(profile, card)
        assert f"plan {plan}" in finding.text


def test_plan_of_a_file_is_no_quantised_one(tmp_path: Path) -> None:
    weights = {"double_blocks.0.img_attn.norm.key_norm.scale": 11_900_000_000}
    file = header(tmp_path / "flux.safetensors", weights)
    card = Card(int(14 * GIGABYTE), 16 * GIGABYTE, HOST, quantises=True)
    assert choose(needs(model(file)), card).plan is MemoryPlan.OFFLOAD_GROUP
    assert choose(needs(profile_for("flux1-schnell")), card).plan is MemoryPlan.EIGHT_BIT
    with pytest.raises(ModelUnavailable, match="another plan than 8-bit or 4-bit"):
        open_model(model(file), str(file), torch.float16, {"quantization_config": object()})


@dataclass(frozen=True)
class SupposedDevice(Device):
    """A card that this machine does not have, with so many gigabytes in all and free."""

    total: float = 12.0
    free: float = 12.0

    @property
    def accelerated(self) -> bool:
        return True

    def memory(self) -> int:
        return int(self.total * GIGABYTE)

    def free_memory(self) -> int:
        return int(self.free * GIGABYTE)


@pytest.mark.parametrize(
    ("total", "free", "crowded"),
    [(12.0, 11.4, False), (12.0, 9.0, True), (6.0, 5.4, False), (24.0, 12.0, False)],
)
def test_device_is_crowded_where_other_models_cost_a_faster_plan(
    sdxl: Path, total: float, free: float, crowded: bool
) -> None:
    device = SupposedDevice(torch.device("cpu"), total, free)
    profile = model(sdxl)
    assert is_crowded(profile, str(sdxl), device) is crowded
    assert not is_crowded(replace(profile, memory="offload-group"), str(sdxl), device)


def test_model_that_is_moved_in_parts_is_expected_to_take_these(sdxl: Path) -> None:
    profile = model(sdxl)
    whole = SupposedDevice(torch.device("cpu"), 24.0, 24.0)
    assert expected_bytes(profile, str(sdxl), whole) == needs(profile).total
    moved = replace(profile, memory="offload-group")
    taken = fit_of(MemoryPlan.OFFLOAD_GROUP, needs(profile)).peak
    assert expected_bytes(moved, str(sdxl), whole) == taken < needs(profile).total


def test_damaged_file_has_no_known_size(sdxl: Path) -> None:
    profile = model(sdxl)
    sdxl.write_bytes(b"\xff" * 20)
    assert needs_of(profile, str(sdxl)) is None
    assert plan_for(profile, str(sdxl), open_device("cpu", None)).plan is MemoryPlan.WHOLE
