"""Previews from real schedules and a real autoencoder with random weights."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
)

from imaging.engine.previews import TINY, Glimpse, _fit, make_developer


def a_vae(**changes: Any) -> AutoencoderKL:
    torch.manual_seed(0)
    values = {
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 4,
    }
    return AutoencoderKL(**{**values, **changes}).eval()


def test_the_guess_under_flow_matching_is_the_picture_itself() -> None:
    schedule = FlowMatchEulerDiscreteScheduler()
    schedule.set_timesteps(8)
    chance = torch.Generator().manual_seed(0)
    picture, noise = (torch.randn((1, 4, 8, 8), generator=chance) for _ in range(2))
    sample, glimpse = noise, Glimpse()
    with glimpse.watching(schedule):
        for t in schedule.timesteps:
            sample = schedule.step(noise - picture, t, sample, return_dict=False)[0]
            assert glimpse.latents is not None
            assert torch.allclose(glimpse.latents, picture, atol=1e-4)
    assert "step" not in vars(schedule)


@pytest.mark.parametrize("kind", [DDIMScheduler, EulerDiscreteScheduler])
def test_the_guess_of_a_schedule_that_tells_it_is_taken(kind: Any) -> None:
    schedule = kind(prediction_type="sample")
    schedule.set_timesteps(4)
    picture = torch.full((1, 4, 4, 4), 0.5)
    sample = torch.randn_like(picture) * schedule.init_noise_sigma
    glimpse = Glimpse()
    with glimpse.watching(schedule):
        for t in schedule.timesteps:
            sample = schedule.step(picture, t, sample, return_dict=False)[0]
            assert glimpse.latents is not None
            assert torch.allclose(glimpse.latents, picture, atol=1e-4)


def test_other_schedules_show_their_noisy_sample() -> None:
    schedule = DPMSolverMultistepScheduler()
    schedule.set_timesteps(4)
    sample = torch.randn((1, 4, 4, 4))
    glimpse = Glimpse()
    with glimpse.watching(schedule):
        schedule.step(torch.zeros_like(sample), schedule.timesteps[0], sample, return_dict=False)
    assert glimpse.latents is sample


def test_the_schedule_is_as_before_when_a_step_raises() -> None:
    schedule = DDIMScheduler()
    with pytest.raises(ZeroDivisionError), Glimpse().watching(schedule):
        raise ZeroDivisionError
    assert "step" not in vars(schedule)


def test_a_tiny_autoencoder_decodes_itself() -> None:
    vae = a_vae()
    develop = make_developer(SimpleNamespace(vae=vae))
    assert develop is not None
    latents = torch.randn((1, 4, 6, 10))
    image = develop(latents)
    assert image.size == (20, 12)
    shown = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    middle = ((shown[0, :, 6, 10].clamp(-1, 1) + 1) * 127.5).round().tolist()
    assert list(image.getpixel((10, 6))) == pytest.approx(middle, abs=1)  # type: ignore[call-overload]


def test_a_large_autoencoder_is_replaced_by_a_fitted_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.engine.previews.TINY", 0)
    develop = make_developer(SimpleNamespace(vae=a_vae()))
    assert develop is not None
    assert develop(torch.randn((1, 4, 6, 10))).size == (10, 6)  # a pixel a cell
    assert TINY > 0


def test_the_fitted_map_undoes_an_encoder_that_is_a_linear_map() -> None:
    mixing = torch.randn((4, 3), generator=torch.Generator().manual_seed(3))

    def encode(pictures: torch.Tensor) -> Any:
        cells = torch.nn.functional.avg_pool2d(pictures, 2)
        latents = torch.einsum("lc,nchw->nlhw", mixing, cells) + 0.3
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latents))

    config = SimpleNamespace(block_out_channels=(8, 8), scaling_factor=0.5, shift_factor=0.1)
    vae = SimpleNamespace(config=config, encode=encode, device="cpu", dtype=torch.float32)
    matrix = _fit(vae)
    picture = torch.rand((1, 3, 16, 16)) * 2 - 1
    latents = (encode(picture).latent_dist.mode() - 0.1) * 0.5
    cells = latents[0].movedim(0, -1)
    guess = (cells @ matrix[:-1] + matrix[-1]).movedim(-1, 0)
    assert torch.allclose(guess, torch.nn.functional.avg_pool2d(picture, 2)[0], atol=0.05)


@pytest.mark.parametrize("pipe", [SimpleNamespace(), SimpleNamespace(vae=object())])
def test_what_cannot_be_shown_is_not(pipe: Any) -> None:
    assert make_developer(pipe) is None
