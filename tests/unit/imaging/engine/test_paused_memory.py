"""Tensors of paused requests move to the host and back; decodes yield between pictures."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from imaging.bench.parity import Sample
from imaging.bench.tiny_models import make_pipeline
from imaging.engine.autoencoder_slices import SLICED_AUTOENCODERS, slice_autoencoder
from imaging.engine.denoiser import NetworkCall, isolate
from imaging.engine.host_copies import SMALLEST, HostCopies
from imaging.engine.render_handle import RenderHandle
from tests.unit.imaging.pictures import make_request

SLICED = ("sd15", "flux2_klein", "qwen_image", "sana")


def test_tensors_return_from_the_host_unchanged() -> None:
    tensor = torch.randn(2, SMALLEST)
    view, expected = tensor[1], tensor.clone()
    copies = HostCopies()
    assert copies.take({"a": [tensor], "b": (view, None)}) == tensor.nbytes
    assert tensor.untyped_storage().nbytes() == 0
    copies.give_back()
    assert torch.equal(tensor, expected)
    assert torch.equal(view, expected[1])


def test_small_tensors_and_weights_stay() -> None:
    small, weight = torch.zeros(3), torch.zeros(SMALLEST)
    copies = HostCopies()
    assert copies.take((small, weight, weight[5:]), kept=[weight]) == 0
    assert weight.untyped_storage().nbytes()


def test_call_of_a_network_keeps_its_arguments_over_a_stay_on_the_host() -> None:
    network = torch.nn.Linear(SMALLEST, 1)
    sample, latents = torch.randn(1, SMALLEST), torch.randn(SMALLEST)
    call = NetworkCall(network, (sample,), {}, "model", batched=False, held=(latents,))
    expected = call.run()
    assert call.offload() == sample.nbytes + latents.nbytes
    assert call.offload() == 0
    call.restore()
    assert torch.equal(call.run(), expected)
    assert latents.untyped_storage().nbytes() == latents.nbytes


class CountingTurn:
    """A device turn that counts how often the device is yielded."""

    def __init__(self) -> None:
        self.yielded = 0

    def yield_device(self) -> None:
        self.yielded += 1

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(name)


def pictures(pipe: Any, *, tiled: bool | None) -> tuple[Any, int]:
    """Three pictures of one call with a sliced autoencoder (None: untouched), and the yields."""
    own, turn = isolate(pipe), CountingTurn()
    handle = RenderHandle(make_request())
    handle.turn = turn
    if tiled is not None:
        assert slice_autoencoder(own, handle, tiled=tiled)
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in range(3)]
    more = {"num_images_per_prompt": 3, "generator": generators}
    return Sample(pipe, 0, 1, more=more)(own), turn.yielded


@pytest.mark.parametrize("name", SLICED)
def test_decode_yields_between_pictures_and_changes_nothing_visible(name: str) -> None:
    pipe = make_pipeline(name)
    expected, _ = pictures(pipe, tiled=None)
    sliced, yielded = pictures(pipe, tiled=False)
    assert yielded == 2
    assert abs(sliced - expected).max() <= 1e-4
    assert not pipe.vae.use_slicing


def test_all_sliced_autoencoders_are_covered() -> None:
    assert {type(make_pipeline(name).vae).__name__ for name in SLICED} == SLICED_AUTOENCODERS


def test_large_picture_is_decoded_in_tiles() -> None:
    pipe = make_pipeline("sd15")  # whose tiles are of 32 pixels; the pictures have 64
    whole, _ = pictures(pipe, tiled=False)
    tiled, yielded = pictures(pipe, tiled=True)
    assert tiled.shape == whole.shape
    assert yielded > 2


def test_autoencoder_that_is_upcast_for_each_use_does_not_yield() -> None:
    pipe = isolate(make_pipeline("sdxl"))
    pipe.vae.register_to_config(force_upcast=True)
    pipe.vae.half()
    assert not slice_autoencoder(pipe, RenderHandle(make_request()), tiled=False)
