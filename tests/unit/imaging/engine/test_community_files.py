"""Checkpoints, LoRAs and textual inversions as people share them draw what they are made of."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import pytest
import torch
from diffusers import StableDiffusionPipeline
from PIL import Image
from safetensors.torch import save_file

from imaging.bench.tiny_models import model_folder
from imaging.engine.engine import Engine
from imaging.engine.settings import EngineSettings
from imaging.errors import ModelUnavailable
from imaging.local_models import LocalModel
from imaging.model_files import Embedding, Lora, ModelFiles
from imaging.profiles import Profile
from imaging.request import ImageRequest, Operation
from tests.unit.imaging.engine.community_files import checkpoint, lora, merge

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


@pytest.mark.parametrize("layout", ["kohya", "diffusers"])
def test_lora_draws_the_picture_of_merged_weights(
    folder: Path, tmp_path: Path, layout: Literal["kohya", "diffusers"]
) -> None:
    pipe = opened(folder)
    file = checkpoint(pipe, tmp_path / "shared.safetensors")
    added = lora(pipe, tmp_path / "style.safetensors", layout)
    merge(added, 0.8)
    pipe.save_pretrained(tmp_path / "merged")
    style = Lora(tmp_path / "style.safetensors", 0.8)
    from_file = draw(model(file, base=str(folder), loras=(style,)))
    merged = draw(model(tmp_path / "merged"))
    assert np.abs(from_file - merged).max() <= 1  # of 255: sums are in another order
    assert np.abs(merged - draw(model(folder))).max() > 8  # it changes the picture
    assert np.abs(draw(model(folder, loras=(style,))) - merged).max() <= 1


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
