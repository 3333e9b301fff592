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

from imaging.bench.tiny_models import MAKERS
from imaging.engine.latent_preview import (
    TINY_VAE_PARAMETERS,
    LatentCapture,
    fit_colour_projection,
    make_preview_decoder,
)


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


def test_flow_matching_estimate_equals_clean_latents() -> None:
    schedule = FlowMatchEulerDiscreteScheduler()
    schedule.set_timesteps(8)
    chance = torch.Generator().manual_seed(0)
    picture, noise = (torch.randn((1, 4, 8, 8), generator=chance) for _ in range(2))
    sample, glimpse = noise, LatentCapture()
    with glimpse.attached_to(schedule):
        for t in schedule.timesteps:
            sample = schedule.step(noise - picture, t, sample, return_dict=False)[0]
            assert glimpse.latents is not None
            assert torch.allclose(glimpse.latents, picture, atol=1e-4)
    assert "step" not in vars(schedule)


@pytest.mark.parametrize("kind", [DDIMScheduler, EulerDiscreteScheduler])
def test_scheduler_provided_estimate_is_used(kind: Any) -> None:
    schedule = kind(prediction_type="sample")
    schedule.set_timesteps(4)
    picture = torch.full((1, 4, 4, 4), 0.5)
    sample = torch.randn_like(picture) * schedule.init_noise_sigma
    glimpse = LatentCapture()
    with glimpse.attached_to(schedule):
        for t in schedule.timesteps:
            sample = schedule.step(picture, t, sample, return_dict=False)[0]
            assert glimpse.latents is not None
            assert torch.allclose(glimpse.latents, picture, atol=1e-4)


def test_schedulers_without_estimate_fall_back_to_noisy_sample() -> None:
    schedule = DPMSolverMultistepScheduler()
    schedule.set_timesteps(4)
    sample = torch.randn((1, 4, 4, 4))
    glimpse = LatentCapture()
    with glimpse.attached_to(schedule):
        schedule.step(torch.zeros_like(sample), schedule.timesteps[0], sample, return_dict=False)
    assert glimpse.latents is sample


def test_scheduler_is_restored_when_a_step_raises() -> None:
    schedule = DDIMScheduler()
    with pytest.raises(ZeroDivisionError), LatentCapture().attached_to(schedule):
        raise ZeroDivisionError
    assert "step" not in vars(schedule)


def test_tiny_autoencoder_decodes_previews_directly() -> None:
    vae = a_vae()
    decode_preview = make_preview_decoder(SimpleNamespace(vae=vae))
    assert decode_preview is not None
    latents = torch.randn((1, 4, 6, 10))
    image = decode_preview(latents, (20, 12))
    assert image.size == (20, 12)
    shown = vae.decode(latents / vae.config.scaling_factor, return_dict=False)[0]
    middle = ((shown[0, :, 6, 10].clamp(-1, 1) + 1) * 127.5).round().tolist()
    pixel = image.getpixel((10, 6))
    assert isinstance(pixel, tuple)
    assert list(pixel) == pytest.approx(middle, abs=1)


def test_large_autoencoder_uses_linear_projection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.engine.latent_preview.TINY_VAE_PARAMETERS", 0)
    decode_preview = make_preview_decoder(SimpleNamespace(vae=a_vae()))
    assert decode_preview is not None
    assert decode_preview(torch.randn((1, 4, 6, 10)), (20, 12)).size == (
        10,
        6,
    )  # one pixel per cell
    assert TINY_VAE_PARAMETERS > 0


def test_projection_inverts_a_linear_encoder() -> None:
    mixing = torch.randn((4, 3), generator=torch.Generator().manual_seed(3))

    def cells_of(_vae: Any, pictures: torch.Tensor) -> torch.Tensor:
        means = torch.nn.functional.avg_pool2d(pictures, 2).flatten(2)[0].T
        return means @ mixing.T + 0.3

    vae = SimpleNamespace(device="cpu", dtype=torch.float32, config=SimpleNamespace())
    matrix = fit_colour_projection(vae, 2, cells_of)
    picture = torch.rand((1, 3, 16, 16)) * 2 - 1
    guess = cells_of(vae, picture) @ matrix[:-1] + matrix[-1]
    wanted = torch.nn.functional.avg_pool2d(picture, 2).flatten(2)[0].T
    assert torch.allclose(guess, wanted, atol=0.05)


def test_projection_is_fitted_in_float32_when_half_overflows() -> None:
    vae = a_vae(force_upcast=True).half()
    used: list[torch.dtype] = []

    def cells_of(_vae: Any, pictures: torch.Tensor) -> torch.Tensor:
        used.append(vae.dtype)
        return torch.nn.functional.avg_pool2d(pictures, 2).flatten(2)[0].T

    fit_colour_projection(vae, 2, cells_of)
    assert used == [torch.float32]
    assert vae.dtype is torch.float16


@pytest.mark.parametrize(
    "name",
    ["flux1", "flux2_klein", "qwen_image", "sana", "sd15", "sd3", "sdxl", "z_image"],
)
def test_every_family_has_a_preview_decoder(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("imaging.engine.latent_preview.TINY_VAE_PARAMETERS", 0)
    torch.manual_seed(0)
    pipe = MAKERS[name]().to("cpu")
    pipe.vae.eval()
    decode_preview = make_preview_decoder(pipe)
    assert decode_preview is not None
    packed = hasattr(pipe, "_pack_latents")
    channels = (getattr(pipe, "transformer", None) or pipe.unet).config.in_channels
    latents = torch.randn((1, 6 * 10, channels) if packed else (1, channels, 6, 10))
    image = decode_preview(latents, (40, 24))
    assert image.size == (10, 6)
    assert len(set(image.get_flattened_data())) > 20


@pytest.mark.parametrize("name", ["qwen_image", "flux1"])
def test_packed_cells_are_laid_out_by_the_aspect(name: str) -> None:
    pipe = MAKERS[name]().to("cpu")
    decode_preview = make_preview_decoder(pipe)
    assert decode_preview is not None
    cells = torch.randn((1, 6 * 16, pipe.transformer.config.in_channels))
    assert decode_preview(cells, (96, 256)).size == (6, 16)
    assert decode_preview(cells, (160, 60)).size == (16, 6)


@pytest.mark.parametrize("pipe", [SimpleNamespace(), SimpleNamespace(vae=object())])
def test_unsupported_layouts_have_no_preview_decoder(pipe: Any) -> None:
    assert make_preview_decoder(pipe) is None
