"""Checkpoints, LoRAs and textual inversions as people share them draw what they are made of."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers import DiffusionPipeline, StableDiffusionPipeline
from PIL import Image
from safetensors.torch import save_file

from imaging.bench.tiny_models import model_folder
from imaging.engine.checkpoints import open_model
from imaging.engine.engine import Engine
from imaging.engine.settings import EngineSettings
from imaging.errors import ModelUnavailable
from imaging.local_models import LocalModel
from imaging.model_files import Embedding, Lora, ModelFiles
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation
from tests.unit.imaging.engine.community_files import (
    ADAPTED,
    RANK,
    LoraLayout,
    checkpoint,
    lora,
    merge,
)

Picture = npt.NDArray[np.int16]
PATIENCE = 120.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny Stable Diffusion 1.5 in diffusers' layout."""
    torch.manual_seed(5)
    made = model_folder("sd15", tmp_path_factory.mktemp("sd15"))
    (made / "atelier.json").write_text(json.dumps({"checker": "off", "steps": 4}))
    return made


def model(source: Path, **changes: object) -> Profile:
    """A `[models.tiny]` of this source."""
    files = ModelFiles(**changes)  # type: ignore[arg-type]
    values = {"checker": "off", "steps": 4}
    return LocalModel("tiny", "atelier.toml, line 1", str(source), "", files, values).profile()


def draw(profile: Profile, prompt: str = "a red star") -> Picture:
    engine = Engine([profile], lambda name: b"", EngineSettings(device="cpu", strict=True))
    try:
        width, height = profile.size("1:1")
        asked = ImageRequest(Operation.IMAGINE, prompt, profile.name, width, height, seed=3)
        (picture,) = engine.submit(asked).result(PATIENCE)
    finally:
        engine.stop()
    return np.asarray(Image.open(io.BytesIO(picture.data)).convert("RGB"), dtype=np.int16)


def opened(folder: Path) -> StableDiffusionPipeline:
    return StableDiffusionPipeline.from_pretrained(str(folder), safety_checker=None)


def test_single_file_draws_the_picture_of_its_folder(folder: Path, tmp_path: Path) -> None:
    file = checkpoint(opened(folder), tmp_path / "shared.safetensors")
    profile = model(file, base=str(folder))
    assert profile.family == "StableDiffusionPipeline"
    assert profile.sizes == model(folder).sizes
    assert np.array_equal(draw(profile), draw(model(folder)))


LAYOUTS: tuple[LoraLayout, ...] = ("kohya", "diffusers", "peft")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_lora_draws_the_picture_of_merged_weights(
    folder: Path, tmp_path: Path, layout: LoraLayout
) -> None:
    """Exactly: alpha over rank is a power of two, which no multiplication rounds."""
    pipe = opened(folder)
    file = checkpoint(pipe, tmp_path / "shared.safetensors")
    merge(lora(pipe, tmp_path / "style.safetensors", layout), 0.8)
    pipe.save_pretrained(tmp_path / "merged")
    style = Lora(tmp_path / "style.safetensors", 0.8)
    merged = draw(model(tmp_path / "merged"))
    assert np.array_equal(draw(model(file, base=str(folder), loras=(style,))), merged)
    assert np.array_equal(draw(model(folder, loras=(style,))), merged)
    assert np.abs(merged - draw(model(folder))).max() > 8  # it changes the picture


@pytest.mark.parametrize("alpha", [2.0, 3.0])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_lora_is_merged_into_the_weights(
    folder: Path, tmp_path: Path, layout: LoraLayout, alpha: float
) -> None:
    """Bitwise; where alpha over rank is rounded, within a rounding of float32."""
    pipe = opened(folder)
    before = states(pipe)
    added = lora(pipe, tmp_path / "style.safetensors", layout, alpha=alpha)
    merge(added, 0.8)
    loaded = open_model(
        model(folder, loras=(Lora(tmp_path / "style.safetensors", 0.8),)),
        str(folder),
        torch.float32,
    )
    wanted, found = states(pipe), states(loaded)
    assert set(found) == set(wanted)
    for name, weight in wanted.items():
        if alpha / RANK == 0.5:
            assert torch.equal(found[name], weight), name
        else:
            assert torch.allclose(found[name], weight, rtol=1e-6, atol=1e-6), name
    changed = {name for name in wanted if not torch.equal(wanted[name], before[name])}
    assert changed == {f"{name}.weight" for name in added}


@pytest.mark.parametrize("layout", ["kohya", "kohya-sdxl", "diffusers", "peft"])
def test_lora_of_sdxl_is_merged_into_both_text_encoders(tmp_path: Path, layout: LoraLayout) -> None:
    source = model_folder("sdxl", tmp_path / "sdxl")
    pipe = DiffusionPipeline.from_pretrained(str(source))
    added = lora(pipe, tmp_path / "style.safetensors", layout)
    assert {name.partition(".")[0] for name in added} == set(ADAPTED)
    merge(added, 0.8)
    style = Lora(tmp_path / "style.safetensors", 0.8)
    loaded = open_model(model(source, loras=(style,)), str(source), torch.float32)
    wanted, found = states(pipe), states(loaded)
    assert set(found) == set(wanted)
    assert all(torch.equal(found[name], weight) for name, weight in wanted.items())


def states(pipe: Any) -> dict[str, torch.Tensor]:
    """Copies of the weights that a LoRA can change, by component and name."""
    return {
        f"{part}.{name}": tensor.clone()
        for part in ADAPTED
        if part in pipe.components
        for name, tensor in getattr(pipe, part).state_dict().items()
    }


def test_trigger_words_are_added_where_they_are_missing(folder: Path, tmp_path: Path) -> None:
    lora(opened(folder), tmp_path / "style.safetensors", "kohya")
    style = Lora(tmp_path / "style.safetensors", 0.5, "a blue house")
    profile = model(folder, loras=(style,))
    plain = model(folder, loras=(replace(style, trigger=""),))
    typed = draw(plain, "a blue house, a red star")
    assert np.array_equal(draw(profile, "a red star"), typed)
    assert np.array_equal(draw(profile, "a blue house, a red star"), typed)
    assert not np.array_equal(draw(plain, "a red star"), typed)


def test_textual_inversion_stands_for_its_word(folder: Path, tmp_path: Path) -> None:
    width = opened(folder).text_encoder.config.hidden_size
    file = tmp_path / "thing.safetensors"
    save_file({"emb_params": torch.ones(2, width)}, file)
    with_word = model(folder, embeddings=(Embedding(file, "zork"),))
    assert not np.array_equal(draw(with_word, "a zork"), draw(model(folder), "a zork"))
    assert np.array_equal(draw(with_word, "a red star"), draw(model(folder), "a red star"))


def test_folder_with_one_variant_only_is_read(folder: Path, tmp_path: Path) -> None:
    opened(folder).save_pretrained(tmp_path / "half", variant="fp16")
    assert not list((tmp_path / "half").glob("*/*model.safetensors"))
    assert np.array_equal(draw(model(tmp_path / "half")), draw(model(folder)))


def test_folder_with_pickles_only_is_refused(folder: Path, tmp_path: Path) -> None:
    opened(folder).save_pretrained(tmp_path / "old", safe_serialization=False)
    weights = tmp_path / "old" / "unet" / "diffusion_pytorch_model.safetensors"
    if weights.exists():
        weights.rename(weights.with_name("diffusion_pytorch_model.bin"))
    with pytest.raises(ModelUnavailable, match=r"\.bin is a pickle, which can run code"):
        draw(model(tmp_path / "old"))


def test_cut_off_file_and_foreign_lora_are_refused(folder: Path, tmp_path: Path) -> None:
    file = checkpoint(opened(folder), tmp_path / "whole.safetensors")
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(file.read_bytes()[:1000])
    with pytest.raises(ModelUnavailable, match="cut off"):
        model(cut, base=str(folder))
    foreign = tmp_path / "foreign.safetensors"
    save_file({"transformer.blocks.0.attn.lora_A.weight": torch.ones(4, 8)}, foreign)
    with pytest.raises(ModelUnavailable, match=r"cannot be loaded|LoRA of another model"):
        draw(model(folder, loras=(Lora(foreign),)))


def test_unknown_layout_needs_a_base(tmp_path: Path) -> None:
    file = tmp_path / "strange.safetensors"
    save_file({"weight": torch.ones(1)}, file)
    with pytest.raises(ModelUnavailable, match="set `base`"):
        model(file)
