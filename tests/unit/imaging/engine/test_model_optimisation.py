"""A profile's settings for speed: the loader honours them, and pictures stay the same."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from imaging.bench.parity import Sample, relative_difference
from imaging.bench.tiny_models import model_folder
from imaging.engine.denoiser import isolate
from imaging.engine.devices import Device
from imaging.engine.model_loading import load_model
from imaging.engine.model_optimisation import compute_in
from imaging.errors import ModelUnavailable
from imaging.profiles import profile_for

SETTINGS = {"compile": "aot_eager", "attention": "_native_math", "channels_last": True}


def load(folder: Path, **settings: Any) -> Any:
    """The pipeline of a model folder with these values in its atelier.json."""
    (folder / "atelier.json").write_text(json.dumps({"checker": "off", **settings}))
    profile = profile_for(str(folder))
    return load_model(profile, profile.source, Device(torch.device("cpu"))).base


@pytest.mark.parametrize(
    ("name", "component", "block"),
    [
        ("sd15", "unet", "BasicTransformerBlock"),
        ("flux1", "transformer", "FluxTransformerBlock"),
    ],
)
def test_settings_change_the_network_but_not_its_pictures(
    tmp_path: Path, name: str, component: str, block: str
) -> None:
    folder = model_folder(name, tmp_path)
    usual, fast = load(folder), load(folder, **SETTINGS)
    network = getattr(fast, component)
    blocks = [part for part in network.modules() if type(part).__name__ == block]
    assert blocks
    assert all(part._compiled_call_impl is not None for part in blocks)
    backends = {
        str(part.processor._attention_backend.value)
        for part in network.modules()
        if hasattr(getattr(part, "processor", None), "_attention_backend")
    }
    assert backends == ({"_native_math"} if component == "transformer" else set())
    weight = fast.vae.decoder.conv_in.weight
    assert weight.is_contiguous(memory_format=torch.channels_last)
    expected = Sample(usual, 0, 3)(isolate(usual))
    assert relative_difference(Sample(fast, 0, 3)(isolate(fast)), expected) <= 1e-4


def test_nothing_is_changed_by_default(tmp_path: Path) -> None:
    pipe = load(model_folder("sd15", tmp_path))
    assert all(part._compiled_call_impl is None for part in pipe.unet.modules())
    assert pipe.vae.decoder.conv_in.weight.is_contiguous()


def test_backend_that_is_not_installed_makes_the_model_unavailable(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="sageattention"):
        load(model_folder("flux1", tmp_path), attention="sage")


def test_backend_that_downloads_its_code_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="attention"):
        load(model_folder("flux1", tmp_path), attention="flash_hub")


@pytest.mark.parametrize(("capability", "dtype"), [(True, torch.bfloat16), (False, torch.float32)])
@pytest.mark.parametrize(("name", "component"), [("sd15", "unet"), ("flux1", "transformer")])
def test_denoiser_computes_in_bfloat16_where_the_cpu_has_instructions_for_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capability: bool,
    dtype: torch.dtype,
    name: str,
    component: str,
) -> None:
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": capability})
    folder = model_folder(name, tmp_path)
    usual, fast = load(folder), load(folder, cpu_dtype="bfloat16")
    assert {part.dtype for part in getattr(fast, component).parameters()} == {dtype}
    assert {part.dtype for part in fast.vae.decoder.parameters()} == {dtype}
    assert {part.dtype for part in fast.vae.encoder.parameters()} == {torch.float32}
    expected, found = (Sample(pipe, 0, 3)(isolate(pipe)) for pipe in (usual, fast))
    limit = 0.1 if capability else 1e-6
    assert relative_difference(found, expected) <= limit


def test_outputs_keep_the_dtype_of_the_inputs(tmp_path: Path) -> None:
    network = load(model_folder("sd15", tmp_path)).unet
    compute_in(network, torch.bfloat16)
    sample, states = torch.randn(1, 4, 8, 8), torch.randn(1, 5, network.config.cross_attention_dim)
    with torch.no_grad():
        named = network(sample, torch.tensor(5), encoder_hidden_states=states)
        (listed,) = network(sample, torch.tensor(5), states, return_dict=False)
    assert named.sample.dtype == listed.dtype == torch.float32
    assert torch.equal(named.sample, listed)


def test_pictures_are_encoded_and_decoded_alike_in_reduced_precision(tmp_path: Path) -> None:
    autoencoder = load(model_folder("sd15", tmp_path)).vae
    latents = torch.randn(1, autoencoder.config.latent_channels, 8, 8)
    with torch.no_grad():
        expected = autoencoder.decode(latents).sample
        compute_in(autoencoder.decoder, torch.bfloat16)
        found = autoencoder.decode(latents).sample
    assert found.dtype == torch.float32
    assert torch.allclose(found, expected, atol=0.05 * float(expected.abs().max()))
