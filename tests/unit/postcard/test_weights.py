"""The shipped weights: stock pipelines load them, they are small, they paint what is asked."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import (
    AutoencoderKL,
    StableDiffusionImg2ImgPipeline,
    StableDiffusionInpaintPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from PIL import Image
from transformers import CLIPTextModel, CLIPTokenizer

from imaging.postcard import vocabulary as words
from imaging.postcard.networks import Networks
from imaging.postcard.pipelines import WEIGHTS, defaults, randomize_weights

MEGABYTE = 1_000_000
Pixels = np.ndarray[Any, np.dtype[np.float64]]


@pytest.fixture(scope="module")
def given() -> dict[str, Any]:
    return defaults(WEIGHTS)


@pytest.fixture(scope="module")
def generator() -> StableDiffusionPipeline:
    pipeline = StableDiffusionPipeline.from_pretrained(str(WEIGHTS))
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="module")
def picture(generator: StableDiffusionPipeline, given: dict[str, Any]) -> Image.Image:
    return paint(generator, given, ["a red star on a blue background"])[0]


def paint(
    pipeline: StableDiffusionPipeline, given: dict[str, Any], prompts: list[str], **more: Any
) -> list[Image.Image]:
    noise = [torch.Generator().manual_seed(seed) for seed in range(len(prompts))]
    made = pipeline(
        prompts,
        num_inference_steps=given["steps"],
        guidance_scale=given["guidance"],
        generator=noise,
        **more,
    )
    return list(made.images)


def nearest(pixels: Pixels) -> list[str]:
    """The colour of the vocabulary nearest to each pixel of `(n, 3)`."""
    names = list(words.COLOURS)
    table = np.array([words.COLOURS[name] for name in names], dtype=np.float64)
    apart = ((pixels[:, None] - table[None]) ** 2).sum(2)
    return [names[place] for place in apart.argmin(1)]


def rim(picture: Image.Image) -> Pixels:
    """Pixels of the picture's border, where a thing in the middle does not reach."""
    pixels = np.asarray(picture, dtype=np.float64)
    band = max(2, picture.height // 24)
    parts = (pixels[:band], pixels[-band:], pixels[:, :band], pixels[:, -band:])
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def test_the_folder_is_small_and_safe() -> None:
    files = [path for path in WEIGHTS.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 40 * MEGABYTE
    assert {path.suffix for path in files} <= {".json", ".txt", ".safetensors"}


def test_defaults_fit_the_model(given: dict[str, Any], generator: StableDiffusionPipeline) -> None:
    side = generator.unet.config.sample_size * generator.vae_scale_factor
    assert given["size"] == [side, side] == given["aspects"]["1:1"]
    assert set(given["aspects"]) == set(words.ASPECTS)
    assert given["steps"] <= 8
    # Down to a latent cell of the coarsest level.
    step = generator.vae_scale_factor * 2 ** (len(generator.unet.config.block_out_channels) - 1)
    for name, (width, height) in given["aspects"].items():
        across, down = (int(part) for part in name.split(":"))
        assert width % step == height % step == 0
        assert width / height == pytest.approx(across / down, rel=0.08)


def test_the_noise_schedule_is_written_out() -> None:
    for folder in (WEIGHTS, WEIGHTS / "edit"):
        text = (folder / "scheduler" / "scheduler_config.json").read_text(encoding="utf-8")
        settings = json.loads(text)
        assert settings["prediction_type"] == "v_prediction"
        assert settings["rescale_betas_zero_snr"] is True
        assert settings["timestep_spacing"] == "trailing"


def test_parts_agree_on_precision(generator: StableDiffusionPipeline) -> None:
    assert generator.unet.dtype == generator.text_encoder.dtype == generator.vae.dtype


def test_a_seed_is_a_picture(generator: StableDiffusionPipeline, given: dict[str, Any]) -> None:
    first = paint(generator, given, ["a green tree"])[0]
    second = paint(generator, given, ["a green tree"])[0]
    assert first.tobytes() == second.tobytes()


def test_a_red_star_on_blue(picture: Image.Image) -> None:
    ground = nearest(rim(picture))
    assert ground.count("blue") > 0.85 * len(ground)
    inside = nearest(np.asarray(picture, dtype=np.float64).reshape(-1, 3))
    assert inside.count("red") > 0.02 * len(inside)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_grounds_have_the_colour_they_were_asked_for(
    generator: StableDiffusionPipeline, given: dict[str, Any], language: str
) -> None:
    grounds = ["blue", "green", "yellow", "white", "red", "black"]
    if language == "en":
        prompts = [f"a pink circle on a {ground} background" for ground in grounds]
    else:
        prompts = [f"un cercle rose sur un fond {words.COLOURS_FR[g][0][0]}" for g in grounds]
    for ground, made in zip(grounds, paint(generator, given, prompts), strict=True):
        seen = nearest(rim(made))
        assert seen.count(ground) > 0.8 * len(seen), ground


def test_an_untrained_model_fails_the_same_test(given: dict[str, Any]) -> None:
    pipeline = randomize_weights(StableDiffusionPipeline.from_pretrained(str(WEIGHTS)))
    pipeline.set_progress_bar_config(disable=True)
    seen = nearest(rim(paint(pipeline, given, ["a red star on a blue background"])[0]))
    assert seen.count("blue") < 0.85 * len(seen)


def test_night_is_dark_and_day_is_light(
    generator: StableDiffusionPipeline, given: dict[str, Any]
) -> None:
    prompts = ["a red house in a meadow at night", "a red house in a meadow, by day"]
    night, day = paint(generator, given, prompts)
    assert np.asarray(night).mean() + 30 < np.asarray(day).mean()


@pytest.mark.parametrize("prompt", ["", "☃ zyzzyva 中文 \x00", "a " * 500, "UN GROS CHAT!!!"])
def test_no_prompt_breaks_it(
    generator: StableDiffusionPipeline, given: dict[str, Any], prompt: str
) -> None:
    made = paint(generator, given, [prompt], negative_prompt=["trees"])[0]
    assert np.asarray(made).std() > 0


def test_every_aspect(generator: StableDiffusionPipeline, given: dict[str, Any]) -> None:
    for width, height in given["aspects"].values():
        made = paint(
            generator, given, ["a yellow sun on a blue background"], width=width, height=height
        )
        assert made[0].size == (width, height)


def test_vary_stays_near_at_low_strength(picture: Image.Image, given: dict[str, Any]) -> None:
    pipeline = StableDiffusionImg2ImgPipeline.from_pretrained(str(WEIGHTS))
    pipeline.set_progress_bar_config(disable=True)
    apart = []
    for strength in (0.25, 1.0):
        made = pipeline(
            "a yellow boat in the desert",
            image=picture,
            strength=strength,
            num_inference_steps=given["steps"],
            guidance_scale=given["guidance"],
            generator=torch.Generator().manual_seed(0),
        ).images[0]
        apart.append(
            np.abs(np.asarray(made, dtype=float) - np.asarray(picture, dtype=float)).mean()
        )
    assert apart[0] < apart[1]


def test_a_mask_is_filled_and_the_rest_kept(picture: Image.Image, given: dict[str, Any]) -> None:
    pipeline = StableDiffusionInpaintPipeline.from_pretrained(str(WEIGHTS))
    pipeline.set_progress_bar_config(disable=True)
    width, height = picture.size
    mask = Image.new("L", picture.size, 0)
    mask.paste(255, (width // 2, 0, width, height))
    made = pipeline(
        "a yellow background",
        image=picture,
        mask_image=mask,
        width=width,
        height=height,
        num_inference_steps=given["steps"],
        guidance_scale=given["guidance"],
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    gap = np.abs(np.asarray(made, dtype=float) - np.asarray(picture, dtype=float)).mean(2)
    # One latent cell on either side of the mask's border may be mixed.
    assert gap[:, : width // 2 - width // 8].mean() < gap[:, width // 2 + width // 8 :].mean()


def test_an_instruction_makes_a_picture(picture: Image.Image, given: dict[str, Any]) -> None:
    folder: Path = WEIGHTS / given["edit"]
    pipeline = StableDiffusionInstructPix2PixPipeline.from_pretrained(str(folder))
    pipeline.set_progress_bar_config(disable=True)
    made = pipeline(
        "make the background green",
        image=picture,
        num_inference_steps=given["steps"],
        guidance_scale=given["edit_guidance"],
        image_guidance_scale=given["image_guidance"],
        generator=torch.Generator().manual_seed(0),
    ).images[0]
    assert made.size == picture.size
    assert made.tobytes() != picture.tobytes()


def with_path(folder: Path) -> list[str]:
    """The JSON files of a model folder that tell where a network was loaded from."""
    return sorted(
        str(file.relative_to(folder))
        for file in folder.rglob("*.json")
        if "name_or_path" in file.read_text(encoding="utf-8")
    )


def test_shipped_files_tell_no_path() -> None:
    assert with_path(WEIGHTS) == []


def test_exported_networks_are_the_loaded_ones_and_tell_no_path(
    generator: StableDiffusionPipeline, tmp_path: Path
) -> None:
    tokens = CLIPTokenizer.from_pretrained(str(WEIGHTS / "tokenizer"))
    parts = {
        name: kind.from_pretrained(str(WEIGHTS / name))
        for name, kind in (
            ("text_encoder", CLIPTextModel),
            ("vae", AutoencoderKL),
            ("unet", UNet2DConditionModel),
        )
    }
    assert parts["unet"].config["_name_or_path"]
    Networks(tokens, parts["text_encoder"], parts["vae"], parts["unet"]).save(tmp_path)
    assert with_path(tmp_path) == []
    opened = StableDiffusionPipeline.from_pretrained(str(tmp_path))
    for name in parts:
        kept, state = getattr(opened, name).state_dict(), getattr(generator, name).state_dict()
        assert kept.keys() == state.keys()
        assert all(torch.equal(kept[key], state[key]) for key in state)
