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

from imaging.engine.previews import TINY, Glimpse, fit_colours, make_developer
from tests.unit.imaging.models import MAKERS


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
    image = develop(latents, (20, 12))
    assert image.size == (20, 12)
    shown = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    middle = ((shown[0, :, 6, 10].clamp(-1, 1) + 1) * 127.5).round().tolist()
    assert list(image.getpixel((10, 6))) == pytest.approx(middle, abs=1)  # type: ignore[call-overload]


def test_a_large_autoencoder_is_replaced_by_a_fitted_map(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.engine.previews.TINY", 0)
    develop = make_developer(SimpleNamespace(vae=a_vae()))
    assert develop is not None
    assert develop(torch.randn((1, 4, 6, 10)), (20, 12)).size == (10, 6)  # a pixel a cell
    assert TINY > 0


def test_the_fitted_map_undoes_an_encoder_that_is_a_linear_map() -> None:
    mixing = torch.randn((4, 3), generator=torch.Generator().manual_seed(3))

    def cells_of(_vae: Any, pictures: torch.Tensor) -> torch.Tensor:
        means = torch.nn.functional.avg_pool2d(pictures, 2).flatten(2)[0].T
        return means @ mixing.T + 0.3

    vae = SimpleNamespace(device="cpu", dtype=torch.float32, config=SimpleNamespace())
    matrix = fit_colours(vae, 2, cells_of)
    picture = torch.rand((1, 3, 16, 16)) * 2 - 1
    guess = cells_of(vae, picture) @ matrix[:-1] + matrix[-1]
    wanted = torch.nn.functional.avg_pool2d(picture, 2).flatten(2)[0].T
    assert torch.allclose(guess, wanted, atol=0.05)


def test_an_autoencoder_that_overflows_in_half_precision_is_fitted_in_single() -> None:
    vae = a_vae(force_upcast=True).half()
    used: list[torch.dtype] = []

    def cells_of(_vae: Any, pictures: torch.Tensor) -> torch.Tensor:
        used.append(vae.dtype)
        return torch.nn.functional.avg_pool2d(pictures, 2).flatten(2)[0].T

    fit_colours(vae, 2, cells_of)
    assert used == [torch.float32]
    assert vae.dtype is torch.float16


@pytest.mark.parametrize("name", sorted(MAKERS))
def test_every_familys_latents_can_be_shown(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.engine.previews.TINY", 0)
    torch.manual_seed(0)
    pipe = MAKERS[name]().to("cpu")
    pipe.vae.eval()
    develop = make_developer(pipe)
    assert develop is not None
    packed = hasattr(pipe, "_pack_latents")
    latents = torch.randn((1, 6 * 10, 16) if packed else (1, 4, 6, 10))
    size = (40, 24) if packed else (20, 12)
    image = develop(latents, size)
    assert image.size == (10, 6)
    assert len(set(image.get_flattened_data())) > 20


@pytest.mark.parametrize("pipe", [SimpleNamespace(), SimpleNamespace(vae=object())])
def test_what_cannot_be_shown_is_not(pipe: Any) -> None:
    assert make_developer(pipe) is None
