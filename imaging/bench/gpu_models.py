"""Configurations of public denoisers, to build them with random weights at their true sizes.

The values are those of `unet/config.json` or `transformer/config.json` in the models' repositories
on the hub: stable-diffusion-v1-5/stable-diffusion-v1-5, stabilityai/stable-diffusion-xl-base-1.0,
black-forest-labs/FLUX.2-klein-4B, Qwen/Qwen-Image.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

TINY_SIDE = 64


@dataclass(frozen=True, slots=True)
class Case:
    """A model at one size. `samples` is the number of samples per picture, 2 with guidance.

    `tiny` are the changes that make the model small enough to try on a CPU.
    """

    name: str
    network: str  # a class of diffusers
    side: int  # pixels
    samples: int
    config: Mapping[str, Any]
    tiny: Mapping[str, Any]


_SD15: Mapping[str, Any] = {"sample_size": 64, "cross_attention_dim": 768}
_SDXL: Mapping[str, Any] = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
_KLEIN: Mapping[str, Any] = {
    "in_channels": 128,
    "num_layers": 5,
    "num_single_layers": 20,
    "attention_head_dim": 128,
    "num_attention_heads": 24,
    "joint_attention_dim": 7680,
    "guidance_embeds": False,
}
_QWEN: Mapping[str, Any] = {"in_channels": 64, "out_channels": 16, "guidance_embeds": False}

_TINY_UNET: Mapping[str, Any] = {"block_out_channels": (32, 32, 32, 32), "cross_attention_dim": 32}
_TINY_SDXL: Mapping[str, Any] = {
    "block_out_channels": (32, 32, 32),
    "attention_head_dim": 8,
    "cross_attention_dim": 32,
    "transformer_layers_per_block": 1,
}
_TINY_TRANSFORMER: Mapping[str, Any] = {
    "num_layers": 1,
    "num_attention_heads": 1,
    "joint_attention_dim": 32,
}
_TINY_KLEIN: Mapping[str, Any] = {**_TINY_TRANSFORMER, "num_single_layers": 1}

CASES = (
    Case("sd15", "UNet2DConditionModel", 512, 2, _SD15, _TINY_UNET),
    Case("sdxl", "UNet2DConditionModel", 1024, 2, _SDXL, _TINY_SDXL),
    Case("flux2-klein", "Flux2Transformer2DModel", 512, 1, _KLEIN, _TINY_KLEIN),
    Case("flux2-klein", "Flux2Transformer2DModel", 1024, 1, _KLEIN, _TINY_KLEIN),
    Case("qwen-image", "QwenImageTransformer2DModel", 512, 2, _QWEN, _TINY_TRANSFORMER),
    Case("qwen-image", "QwenImageTransformer2DModel", 1024, 2, _QWEN, _TINY_TRANSFORMER),
)


def build_network(case: Case, device: Any, dtype: Any, *, tiny: bool) -> Any:
    """The denoiser with random weights, created on the device."""
    import diffusers
    import torch

    config = {**case.config, **case.tiny} if tiny else dict(case.config)
    usual = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(device):
            network = getattr(diffusers, case.network)(**config)
    finally:
        torch.set_default_dtype(usual)
    network = network.eval().requires_grad_(False)
    if case.network == "UNet2DConditionModel":
        network = network.to(memory_format=torch.channels_last)
    return network


def inputs_for(case: Case, pictures: int, device: Any, dtype: Any, *, tiny: bool) -> dict[str, Any]:
    """Arguments of one denoiser call for so many pictures."""
    config = {**case.config, **case.tiny} if tiny else dict(case.config)
    side = TINY_SIDE if tiny else case.side
    size = pictures * case.samples
    makers = {
        "UNet2DConditionModel": _unet_inputs,
        "Flux2Transformer2DModel": _klein_inputs,
        "QwenImageTransformer2DModel": _qwen_inputs,
    }
    import torch

    def random(*shape: int) -> Any:
        return torch.randn(*shape, device=device, dtype=dtype)

    timestep = torch.full((size,), 0.5, device=device, dtype=dtype)
    arguments: dict[str, Any] = makers[case.network](config, side, size, random)
    return {"timestep": timestep, **arguments, "return_dict": False}


def _unet_inputs(config: Mapping[str, Any], side: int, size: int, random: Any) -> dict[str, Any]:
    arguments = {
        "sample": random(size, 4, side // 8, side // 8),
        "encoder_hidden_states": random(size, 77, config["cross_attention_dim"]),
    }
    if config.get("addition_embed_type"):
        arguments["added_cond_kwargs"] = {
            "text_embeds": random(size, 1280),
            "time_ids": random(size, 6),
        }
    return arguments


def _klein_inputs(config: Mapping[str, Any], side: int, size: int, random: Any) -> dict[str, Any]:
    cells = (side // 16) ** 2
    return {
        "hidden_states": random(size, cells, config["in_channels"]),
        "encoder_hidden_states": random(size, 512, config["joint_attention_dim"]),
        "img_ids": random(cells, 4).abs().round(),
        "txt_ids": random(512, 4).abs().round(),
    }


def _qwen_inputs(config: Mapping[str, Any], side: int, size: int, random: Any) -> dict[str, Any]:
    cells = side // 16
    return {
        "hidden_states": random(size, cells * cells, config["in_channels"]),
        "encoder_hidden_states": random(size, 128, config.get("joint_attention_dim", 3584)),
        "img_shapes": [[(1, cells, cells)]] * size,
    }
