"""LoRAs in the layouts that people share: PEFT's, diffusers', kohya's. PEFT does the work.

diffusers converts all of them, except kohya's text encoder tensors where not every projection was
trained: those are renamed here, by the encoder's own modules.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

import torch

_ENCODERS: Mapping[str, str] = {
    "lora_te_": "text_encoder",
    "lora_te1_": "text_encoder",
    "lora_te2_": "text_encoder_2",
}
Tensors = Mapping[str, torch.Tensor]


def load_lora(pipe: Any, tensors: Tensors, name: str) -> bool:
    """Load a LoRA as an adapter called `name`; whether it fits any part of the pipeline.

    Raises ValueError or another exception of the libraries for a layout that nobody knows.
    """
    rest, encoders = _separated(tensors)
    if rest:
        pipe.load_lora_weights(dict(rest), adapter_name=name)
    for part, own in encoders.items():
        encoder = getattr(pipe, part, None)
        if encoder is None:
            raise ValueError(f"it has tensors of {part}, which the model has not")
        pipe.load_lora_into_text_encoder(
            _named_by_module(encoder, part, own),
            network_alphas=None,
            text_encoder=encoder,
            prefix=part,
            adapter_name=name,
            _pipeline=pipe,
        )
    return any(name in adapters for adapters in pipe.get_list_adapters().values())


def _separated(tensors: Tensors) -> tuple[Tensors, Mapping[str, dict[str, torch.Tensor]]]:
    """The tensors that diffusers renames, and kohya's of each text encoder without their prefix."""
    if any("dora_scale" in key and key.startswith(tuple(_ENCODERS)) for key in tensors):
        return tensors, {}
    rest: dict[str, torch.Tensor] = {}
    encoders: dict[str, dict[str, torch.Tensor]] = defaultdict(dict)
    for key, tensor in tensors.items():
        prefix = next((each for each in _ENCODERS if key.startswith(each)), None)
        if prefix is None:
            rest[key] = tensor
        else:
            encoders[_ENCODERS[prefix]][key.removeprefix(prefix)] = tensor
    return rest, encoders


def _named_by_module(encoder: Any, part: str, tensors: Tensors) -> dict[str, torch.Tensor]:
    """PEFT's names and values: the factor alpha / rank is multiplied into the second matrix."""
    modules = {}
    for module, _ in encoder.named_modules():
        modules[module.replace(".", "_")] = module
        modules[f"text_model_{module.replace('.', '_')}"] = module
    renamed = {}
    for key, tensor in tensors.items():
        stem, _, kind = key.partition(".")
        if stem not in modules:
            raise ValueError(f"it has tensors of {stem}, which the {part} has not")
        module = f"{part}.{modules[stem]}"
        if kind == "lora_down.weight":
            renamed[f"{module}.lora_A.weight"] = tensor
        elif kind == "lora_up.weight":
            rank = tensor.shape[1]
            alpha = tensors.get(f"{stem}.alpha", torch.tensor(float(rank)))
            renamed[f"{module}.lora_B.weight"] = tensor * (float(alpha) / rank)
    return renamed
