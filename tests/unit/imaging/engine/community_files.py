"""Files as the community shares them, made from a model in diffusers' layout.

The names of the tensors are those of the programs that people use: Stability's for a whole Stable
Diffusion 1.5 checkpoint; those of kohya, diffusers (before it used PEFT) and PEFT for a LoRA.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from safetensors.torch import save_file

Tensors = dict[str, torch.Tensor]
RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
OUTER = {
    "time_embedding.linear_1.": "time_embed.0.",
    "time_embedding.linear_2.": "time_embed.2.",
    "conv_in.": "input_blocks.0.0.",
    "conv_norm_out.": "out.0.",
    "conv_out.": "out.2.",
    "mid_block.resnets.0.": "middle_block.0.",
    "mid_block.attentions.0.": "middle_block.1.",
    "mid_block.resnets.1.": "middle_block.2.",
}
ATTENTION = {
    "group_norm": "norm",
    "to_q": "q",
    "to_k": "k",
    "to_v": "v",
    "to_out.0": "proj_out",
}
ALPHA, RANK = 2.0, 4
TRAINED = re.compile(
    r"\.(to_[qkv]|to_out\.0|ff\.net\.0\.proj|ff\.net\.2|proj_in|proj_out)$"
    r"|\.([qkv]_proj|out_proj|fc[12])$"
)
"""The layers that the training programs adapt."""
LoraLayout = Literal["kohya", "kohya-sdxl", "diffusers", "peft"]
"""kohya names SDXL's denoiser as Stability does, that of 1.5 as diffusers does."""
ADAPTED = ("unet", "text_encoder", "text_encoder_2")
KOHYA = {"unet": "unet", "text_encoder": "te1", "text_encoder_2": "te2"}


def checkpoint(pipe: Any, path: Path) -> Path:
    """A whole Stable Diffusion 1.5 checkpoint in one file."""
    unet = {_unet_name(name, pipe.unet.config): one for name, one in _named(pipe.unet)}
    vae = dict(_vae_names(pipe.vae))
    text = {_text_name(name): one for name, one in _named(pipe.text_encoder)}
    tensors = {
        **_prefixed("model.diffusion_model.", unet),
        **_prefixed("first_stage_model.", vae),
        **_prefixed("cond_stage_model.transformer.", text),
    }
    save_file({name: one.contiguous() for name, one in tensors.items()}, path)
    return path


def lora(
    pipe: Any, path: Path, layout: LoraLayout, *, alpha: float = ALPHA
) -> Mapping[str, tuple[Any, torch.Tensor]]:
    """Save a LoRA of all projections; returns what it adds at weight 1, by module and name."""
    chance = torch.Generator().manual_seed(11)
    tensors: Tensors = {}
    added: dict[str, tuple[Any, torch.Tensor]] = {}
    parts = [part for part in ADAPTED if part in pipe.components]
    for part in parts:
        for name, layer in getattr(pipe, part).named_modules():
            if not TRAINED.search(name):
                continue
            shape = layer.weight.shape  # (out, in), of a convolution of one pixel (out, in, 1, 1)
            down = torch.randn((RANK, *shape[1:]), generator=chance) * 0.3
            up = torch.randn((shape[0], RANK, *shape[2:]), generator=chance) * 0.3
            change = (up.flatten(1) @ down.flatten(1)).reshape(shape)
            added[f"{part}.{name}"] = (layer, alpha / RANK * change)
            shared = name if part == "unet" else _text_name(name)
            if layout == "kohya-sdxl" and part == "unet":
                shared = _unet_name(name, pipe.unet.config)
            stem = KOHYA[part] if "text_encoder_2" in parts else KOHYA[part].replace("te1", "te")
            kohya = f"lora_{stem}_{shared.replace('.', '_')}"
            tensors |= _lora_tensors(layout, f"{part}.{shared}", kohya, (down, up), alpha)
    save_file(tensors, path)
    return added


def _lora_tensors(
    layout: LoraLayout,
    name: str,
    kohya: str,
    matrices: tuple[torch.Tensor, torch.Tensor],
    alpha: float,
) -> Tensors:
    """One layer's tensors. Only kohya's have an alpha; otherwise it is in the matrices."""
    down, up = matrices
    if layout.startswith("kohya"):
        return {
            f"{kohya}.lora_down.weight": down,
            f"{kohya}.lora_up.weight": up,
            f"{kohya}.alpha": torch.tensor(alpha),
        }
    kinds = {
        "peft": ("lora_A", "lora_B"),
        "diffusers": ("lora.down", "lora.up")
        if name.startswith("unet.")
        else ("lora_linear_layer.down", "lora_linear_layer.up"),
    }[layout]
    return {
        f"{name}.{kinds[0]}.weight": down,
        f"{name}.{kinds[1]}.weight": up * (alpha / RANK),
    }


def merge(added: Mapping[str, tuple[Any, torch.Tensor]], weight: float) -> None:
    """Add a LoRA to the layers that it was made for."""
    with torch.no_grad():
        for layer, change in added.values():
            layer.weight += weight * change


def _named(module: Any) -> Iterator[tuple[str, torch.Tensor]]:
    yield from module.state_dict().items()


def _prefixed(prefix: str, tensors: Tensors) -> Tensors:
    return {prefix + name: one for name, one in tensors.items()}


def _text_name(name: str) -> str:
    """Under `text_model`, whether or not this version of transformers has that level."""
    return name if name.startswith("text_model.") else f"text_model.{name}"


def _unet_name(name: str, config: Any) -> str:
    for ours, theirs in OUTER.items():
        if name.startswith(ours):
            return theirs + _resnet(name.removeprefix(ours))
    layers = config.layers_per_block
    match = re.fullmatch(r"(down|up)_blocks\.(\d+)\.(\w+?)\.(\d+)\.(.+)", name)
    assert match is not None, name
    side, block, kind, number, rest = match[1], int(match[2]), match[3], int(match[4]), match[5]
    if side == "down":
        if kind == "downsamplers":
            return f"input_blocks.{(layers + 1) * (block + 1)}.0.op.{rest.removeprefix('conv.')}"
        place = f"input_blocks.{(layers + 1) * block + number + 1}"
    elif kind == "upsamplers":
        attends = "CrossAttn" in config.up_block_types[block]
        last = (layers + 1) * block + layers
        return f"output_blocks.{last}.{2 if attends else 1}.{rest}"
    else:
        place = f"output_blocks.{(layers + 1) * block + number}"
    return f"{place}.0.{_resnet(rest)}" if kind == "resnets" else f"{place}.1.{rest}"


def _resnet(rest: str) -> str:
    part, dot, last = rest.rpartition(".")
    return f"{RESNET.get(part, part)}{dot}{last}"


def _vae_names(vae: Any) -> Iterator[tuple[str, torch.Tensor]]:
    levels = len(vae.config.block_out_channels)
    for name, tensor in _named(vae):
        renamed = name.replace("conv_norm_out", "norm_out").replace("conv_shortcut", "nin_shortcut")
        renamed = renamed.replace("mid_block.resnets.0", "mid.block_1")
        renamed = renamed.replace("mid_block.resnets.1", "mid.block_2")
        renamed = re.sub(r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block.", renamed)
        renamed = re.sub(r"down_blocks\.(\d+)\.downsamplers\.0", r"down.\1.downsample", renamed)
        renamed = re.sub(
            r"up_blocks\.(\d+)\.(resnets\.|upsamplers\.0)",
            lambda match: (
                f"up.{levels - 1 - int(match[1])}."
                f"{'block.' if match[2] == 'resnets.' else 'upsample'}"
            ),
            renamed,
        )
        if ".mid_block.attentions.0." in renamed:
            before, after = renamed.split("mid_block.attentions.0.")
            part, _, last = after.rpartition(".")
            renamed = f"{before}mid.attn_1.{ATTENTION[part]}.{last}"
            # A convolution of one pixel there, a linear layer here.
            matrix = last == "weight" and part != "group_norm"
            yield renamed, tensor[:, :, None, None] if matrix else tensor
        else:
            yield renamed, tensor
