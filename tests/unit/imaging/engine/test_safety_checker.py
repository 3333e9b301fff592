"""The optional safety checker: the real network at minimal size, set to flag or to pass."""

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

from imaging.engine.encode import encode_pictures
from imaging.engine.engine import Engine
from imaging.engine.types import RawImage
from imaging.errors import ModelUnavailable, Unsafe
from imaging.profiles import Profile
from imaging.request import Operation
from tests.unit.imaging.pictures import (
    disc,
    encode_image,
    make_request,
    mean_difference,
    noise,
    open_image,
)


def checker_folder(folder: Path, threshold: float) -> Path:
    """A checker that flags embeddings above the cosine similarity `threshold`."""
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
    request = make_request(profile=profile.name, width=width, height=height, steps=1, **changes)
    return engines[-1].submit(request).result(120)


def test_flagged_pictures_are_withheld(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    checked = replace(postcard, checker=str(checker_folder(tmp_path, -2.0)))
    with pytest.raises(Unsafe):
        result(engines, checked, count=2)


def test_unflagged_pictures_are_returned(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    checked = replace(postcard, checker=str(checker_folder(tmp_path, 2.0)))
    assert [picture.flagged for picture in result(engines, checked, count=2)] == [
        False,
        False,
    ]


def test_missing_checker_makes_profile_unavailable(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    with pytest.raises(ModelUnavailable):
        result(engines, replace(postcard, checker=str(tmp_path)))


def test_flagged_picture_in_batch_is_blurred(postcard: Profile) -> None:
    image = noise((256, 128))
    raw = [RawImage(image, 1, flagged=True), RawImage(image, 2)]
    hidden, shown = encode_pictures(raw, make_request(count=2), postcard)
    assert (hidden.flagged, shown.flagged) == (True, False)
    assert mean_difference(open_image(shown.data), image) == 0
    assert np.asarray(open_image(hidden.data)).std() < np.asarray(image).std() / 20


def test_show_unfit_returns_flagged_pictures_unblurred(
    postcard: Profile,
) -> None:
    image = noise((256, 128))
    (shown,) = encode_pictures(
        [RawImage(image, 1, flagged=True)], make_request(show_unfit=True), postcard
    )
    assert shown.flagged
    assert mean_difference(open_image(shown.data), image) == 0


def test_flagged_upload_is_not_upscaled(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    checked = replace(postcard, checker=str(checker_folder(tmp_path, -2.0)))
    engines.append(Engine([checked], lambda _: encode_image(disc())))
    request = make_request(
        Operation.UPSCALE, profile=checked.name, width=128, height=128, factor=2, sources=("disc",)
    )
    with pytest.raises(Unsafe):
        engines[-1].submit(request).result(120)


def test_unflagged_upload_is_upscaled_after_the_check(
    tmp_path: Path, engines: list[Engine], postcard: Profile
) -> None:
    checked = replace(postcard, checker=str(checker_folder(tmp_path, 2.0)))
    engines.append(Engine([checked], lambda _: encode_image(disc())))
    request = make_request(
        Operation.UPSCALE, profile=checked.name, width=128, height=128, factor=2, sources=("disc",)
    )
    (picture,) = engines[-1].submit(request).result(120)
    assert (picture.width, picture.flagged) == (128, False)


@pytest.mark.parametrize(
    ("threshold", "show_unfit", "published"),
    [(-2.0, False, False), (-2.0, True, True), (2.0, False, True)],
    ids=["flagged", "flagged and shown", "unflagged"],
)
def test_flagged_previews_are_withheld(
    tmp_path: Path,
    engines: list[Engine],
    postcard: Profile,
    threshold: float,
    show_unfit: bool,
    published: bool,
) -> None:
    checked = replace(postcard, checker=str(checker_folder(tmp_path, threshold)))
    width, height = checked.size("1:1")
    engines.append(Engine([checked], lambda _: b""))
    request = make_request(
        profile=checked.name, width=width, height=height, steps=6, show_unfit=show_unfit
    )
    seen = list(engines[-1].submit(request).updates())
    assert any(progress.preview for progress in seen) == published


def test_picture_made_from_a_flagged_one_is_flagged(postcard: Profile) -> None:
    raw = [RawImage(noise((64, 64)), 1)]
    with pytest.raises(Unsafe):
        encode_pictures(raw, make_request(from_flagged=True), postcard)
    (shown,) = encode_pictures(raw, make_request(from_flagged=True, show_unfit=True), postcard)
    assert shown.flagged
