"""Enlarging with a network: a stand-in of exact behaviour, and a tiny ESRGAN through spandrel."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from imaging.engine.devices import open_device
from imaging.engine.engine import Engine
from imaging.engine.types import RenderInputs
from imaging.engine.upscaler import (
    OVERLAP,
    TILE,
    Upscaler,
    enlarge_with,
    has_spandrel,
    load_upscaler,
)
from imaging.errors import ModelUnavailable, PictureTooLarge
from imaging.profiles import Profile
from imaging.provenance import SourceType, read_provenance
from imaging.request import Operation
from tests.unit.imaging.pictures import make_request, noise, open_image


class Nearest(torch.nn.Module):
    """Doubles a picture exactly, and remembers the sizes that it saw."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[int, int]] = []

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        self.seen.append((values.shape[2], values.shape[3]))
        return torch.nn.functional.interpolate(values, scale_factor=2, mode="nearest")


def doubled(image: Image.Image, times: int) -> Image.Image:
    return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)


@pytest.mark.parametrize("size", [(40, 30), (TILE + 5, 30), (2 * TILE + 1, TILE)])
def test_tiles_join_without_a_seam(size: tuple[int, int]) -> None:
    network, image = Nearest(), noise(size)
    made = Upscaler(network, 2, torch.device("cpu")).once(image, lambda: None)
    assert np.array_equal(np.asarray(made), np.asarray(doubled(image, 2)))
    assert max(max(one) for one in network.seen) <= TILE + 2 * OVERLAP


@pytest.mark.parametrize("factor", [2, 4])
def test_factor_takes_as_many_passes_as_needed(factor: int) -> None:
    image = noise((24, 16))
    request = make_request(Operation.UPSCALE, factor=factor)
    upscaler = Upscaler(Nearest(), 2, torch.device("cpu"))
    (made,) = enlarge_with(upscaler, request, RenderInputs((image,)))
    assert np.array_equal(np.asarray(made.image), np.asarray(doubled(image, factor)))
    assert made.source_type is SourceType.EDITED


def test_result_that_is_too_large_is_refused_before_the_network_runs() -> None:
    network = Nearest()
    large = Image.new("RGB", (5000, 4000))
    with pytest.raises(PictureTooLarge):
        enlarge_with(
            Upscaler(network, 2, torch.device("cpu")),
            make_request(Operation.UPSCALE, factor=4),
            RenderInputs((large,)),
        )
    assert network.seen == []


def test_pickle_is_refused() -> None:
    with pytest.raises(ModelUnavailable, match="safetensors"):
        load_upscaler("RealESRGAN_x4plus.pth", "sdxl", open_device("cpu", None))


@pytest.mark.skipif(has_spandrel(), reason="spandrel is installed")
def test_missing_spandrel_says_what_to_install(
    postcard: Profile, stored: dict[str, bytes], tmp_path: Path
) -> None:
    profile = replace(postcard, upscaler=str(tmp_path / "x4.safetensors"))
    engine = Engine([profile], stored.__getitem__)
    try:
        request = make_request(Operation.UPSCALE, profile=profile.name, sources=("disc",))
        with pytest.raises(ModelUnavailable, match=r"atelier\[upscalers\]"):
            engine.submit(request).result(120)
    finally:
        assert engine.stop(60)


@pytest.mark.skipif(not has_spandrel(), reason="needs atelier[upscalers]")
def test_esrgan_of_random_weights_enlarges(
    postcard: Profile, stored: dict[str, bytes], tmp_path: Path
) -> None:
    from spandrel.architectures.ESRGAN import ESRGAN

    torch.manual_seed(0)
    network = ESRGAN(num_filters=8, num_blocks=1, scale=4)
    file = tmp_path / "x4.safetensors"
    save_file({name: values.contiguous() for name, values in network.state_dict().items()}, file)
    profile = replace(postcard, upscaler=str(file))
    engine = Engine([profile], stored.__getitem__)
    source = open_image(stored["disc"])
    try:
        for factor in (2, 4):
            request = make_request(
                Operation.UPSCALE, profile=profile.name, sources=("disc",), factor=factor
            )
            (made,) = engine.submit(request).result(120)
            assert open_image(made.data).size == (source.width * factor, source.height * factor)
            told = read_provenance(made.data)
            assert told is not None
            assert told.method == "super-resolution"
            assert told.source_type is SourceType.EDITED
    finally:
        assert engine.stop(60)
