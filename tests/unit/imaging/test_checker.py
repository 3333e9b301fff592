"""The optional picture checker: the real network, small, with weights set to flag or to pass."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor

from imaging.engine.engine import Engine
from imaging.engine.finish import finish
from imaging.engine.work import Painted
from imaging.errors import ModelUnavailable, Unsafe
from imaging.profiles import Profile
from tests.unit.imaging.pictures import difference, noise, opened, order


def checker_folder(folder: Path, threshold: float) -> Path:
    """A checker that flags what is nearer to its concepts than `threshold` (a cosine)."""
    torch.manual_seed(0)
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
    }
    config = CLIPConfig(vision_config=vision, projection_dim=8)
    network = StableDiffusionSafetyChecker(config)
    with torch.no_grad():
        network.concept_embeds_weights.fill_(threshold)
        network.special_care_embeds_weights.fill_(2.0)
    network.save_pretrained(folder / "safety_checker")
    side = {"height": 32, "width": 32}
    CLIPImageProcessor(size=side, crop_size=side).save_pretrained(folder / "feature_extractor")
    return folder


@pytest.fixture
def engines() -> Iterator[list[Engine]]:
    started: list[Engine] = []
    yield started
    for engine in started:
        assert engine.stop(60)


def result(engines: list[Engine], profile: Profile, **changes: Any) -> Any:
    width, height = profile.size("1:1")
    engines.append(Engine([profile], lambda _: b""))
    request = order(profile=profile.name, width=width, height=height, steps=1, **changes)
    return engines[-1].submit(request).result(120)


def test_what_the_checker_flags_is_not_given_out(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    watched = replace(postcard, checker=str(checker_folder(tmp_path, -2.0)))
    with pytest.raises(Unsafe):
        result(engines, watched, count=2)


def test_what_the_checker_passes_is(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    watched = replace(postcard, checker=str(checker_folder(tmp_path, 2.0)))
    assert [picture.flagged for picture in result(engines, watched, count=2)] == [False, False]


def test_without_its_checker_a_profile_gives_nothing(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    with pytest.raises(ModelUnavailable):
        result(engines, replace(postcard, checker=str(tmp_path)))


def test_one_flagged_picture_of_two_is_blurred_beyond_recognition(postcard: Profile) -> None:
    image = noise((256, 128))
    painted = [Painted(image, 1, flagged=True), Painted(image, 2)]
    hidden, shown = finish(painted, order(count=2), postcard)
    assert (hidden.flagged, shown.flagged) == (True, False)
    assert difference(opened(shown.data), image) == 0
    assert np.asarray(opened(hidden.data)).std() < np.asarray(image).std() / 20


def test_who_orders_it_so_is_given_unfit_pictures_as_they_are_and_flagged(
    postcard: Profile,
) -> None:
    image = noise((256, 128))
    (shown,) = finish([Painted(image, 1, flagged=True)], order(show_unfit=True), postcard)
    assert shown.flagged
    assert difference(opened(shown.data), image) == 0
