"""Of a repository only what a model needs: one set of weights, shards with their index."""

from __future__ import annotations

import pytest

from imaging.errors import ModelUnavailable
from imaging.hub_files import wanted_files

INDEX = {
    "_class_name": "FluxPipeline",
    "transformer": ["diffusers", "FluxTransformer2DModel"],
    "vae": ["diffusers", "AutoencoderKL"],
    "safety_checker": [None, None],
}
FILES = dict.fromkeys(
    [
        "model_index.json",
        "README.md",
        "flux1-dev.safetensors",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        "transformer/diffusion_pytorch_model.fp16.safetensors",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model.bin",
        "vae/other/config.json",
        "safety_checker/model.safetensors",
    ],
    10,
)


def test_plain_weights_come_with_their_shards_and_index() -> None:
    assert wanted_files(FILES, INDEX, "flux") == [
        "README.md",
        "model_index.json",
        "transformer/config.json",
        "transformer/diffusion_pytorch_model-00001-of-00002.safetensors",
        "transformer/diffusion_pytorch_model-00002-of-00002.safetensors",
        "transformer/diffusion_pytorch_model.safetensors.index.json",
        "vae/config.json",
        "vae/diffusion_pytorch_model.safetensors",
    ]


def test_variant_is_preferred_where_a_part_has_it() -> None:
    wanted = wanted_files(FILES, INDEX, "flux", variant="fp16")
    assert [name for name in wanted if name.endswith(".safetensors")] == [
        "transformer/diffusion_pytorch_model.fp16.safetensors",
        "vae/diffusion_pytorch_model.safetensors",
    ]


def test_parts_and_configs_alone() -> None:
    only = wanted_files(FILES, INDEX, "flux", parts={"vae"}, without_weights={"vae"})
    assert only == ["README.md", "model_index.json", "vae/config.json"]


def test_part_with_pickles_only_is_refused() -> None:
    files = {name: size for name, size in FILES.items() if name != "vae/config.json"}
    del files["vae/diffusion_pytorch_model.safetensors"]
    with pytest.raises(ModelUnavailable, match="weights of vae only as a pickle"):
        wanted_files(files, INDEX, "flux")
