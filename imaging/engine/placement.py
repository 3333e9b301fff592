"""Where a model's weights are while it draws: chooses a memory plan and applies it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import diffusers
import psutil
import structlog
import torch

from imaging.engine.checkpoints import weight_bytes
from imaging.engine.devices import Device
from imaging.errors import ModelUnavailable
from imaging.memory_plan import (
    CONTEXT_BYTES,
    Card,
    Fit,
    MemoryPlan,
    advice,
    choose,
    fit_of,
    gigabytes,
)
from imaging.model_needs import has_quantiser, needs_of
from imaging.profiles import Profile

log = structlog.get_logger(__name__)

QUANTISED_PARTS = (
    "transformer",
    "unet",
    "text_encoder",
    "text_encoder_2",
    "text_encoder_3",
    "text_encoder_4",
    "vision_language_encoder",
)
"""Components with most of the weights; autoencoders stay as they are."""


def plan_for(profile: Profile, source: str, device: Device) -> Fit:
    """The plan for the profile's model at `source`, by the memory that is free now.

    On a CPU, and for a model of unknown size, it is `whole` unless the profile names another.
    """
    wanted = _wanted(profile)
    needs = needs_of(profile, source, accelerated=device.accelerated)
    if needs is None:
        return Fit(wanted or MemoryPlan.WHOLE, 0, 0)
    if not device.accelerated:
        return fit_of(wanted or MemoryPlan.WHOLE, needs)
    card = card_of(device)
    fit = choose(needs, card, wanted)
    log.info(
        "memory-plan",
        model=source,
        plan=fit.plan.value,
        expected=gigabytes(fit.peak),
        free=gigabytes(card.free),
    )
    if not fit.fits(card):
        log.warning("memory-short", model=source, plan=fit.plan.value, advice=advice(needs, card))
    return fit


def expected_bytes(profile: Profile, source: str, device: Device) -> int:
    """What the model will keep of the device's memory between requests, before it is loaded.

    Where it is moved there in parts, what a picture takes at most.
    """
    needs = needs_of(profile, source, accelerated=device.accelerated)
    if needs is None:
        return weight_bytes(source)
    if not device.accelerated:
        return needs.total
    fit = choose(needs, _empty(device), _wanted(profile))
    return fit.peak if fit.plan.offloads else needs.total


def is_crowded(profile: Profile, source: str, device: Device) -> bool:
    """Whether a faster plan would be chosen if nothing else were on the device."""
    needs = needs_of(profile, source, accelerated=device.accelerated)
    if needs is None or not device.accelerated:
        return False
    now, best, wanted = card_of(device), _empty(device), _wanted(profile)
    return choose(needs, now, wanted).plan is not choose(needs, best, wanted).plan


def _wanted(profile: Profile) -> MemoryPlan | None:
    return None if profile.memory == "auto" else MemoryPlan(profile.memory)


def _empty(device: Device) -> Card:
    """The device without any model."""
    card = card_of(device)
    return replace(card, free=card.total - CONTEXT_BYTES)


def card_of(device: Device) -> Card:
    """The device's memory and the host's, and whether weights can be quantised on it."""
    quantises = device.torch_device.type == "cuda" and has_quantiser()
    host = psutil.virtual_memory().available
    return Card(device.free_memory(), device.memory(), int(host), quantises=quantises)


def quantisation(plan: MemoryPlan, dtype: torch.dtype, model: str) -> dict[str, Any]:
    """The arguments of `from_pretrained` that quantise weights; none for another plan.

    Raises ModelUnavailable where no quantiser is installed.
    """
    if plan.bits == 16:
        return {}
    if not has_quantiser():
        raise ModelUnavailable(
            f"The memory plan {plan} of {model} needs bitsandbytes: pip install bitsandbytes.",
            model=model,
        )
    values: dict[str, Any] = {"load_in_8bit": True}
    if plan.bits == 4:
        values = {
            "load_in_4bit": True,
            "bnb_4bit_quant_type": "nf4",
            "bnb_4bit_compute_dtype": dtype,
        }
    config = diffusers.PipelineQuantizationConfig(
        quant_backend=f"bitsandbytes_{plan.bits}bit",
        quant_kwargs=values,
        components_to_quantize=list(QUANTISED_PARTS),
    )
    return {"quantization_config": config}


def place(pipe: Any, plan: MemoryPlan, device: Device) -> None:
    """Apply the plan to a pipeline that has just been loaded into the host's memory."""
    if plan is not MemoryPlan.WHOLE:
        for ask in ("enable_slicing", "enable_tiling"):
            if hasattr(pipe.vae, ask):
                getattr(pipe.vae, ask)()
    if not plan.offloads:
        pipe.to(device.torch_device)
    elif plan is MemoryPlan.OFFLOAD_GROUP:
        pipe.enable_group_offload(
            onload_device=device.torch_device,
            offload_device=torch.device("cpu"),
            offload_type="leaf_level",
            use_stream=device.torch_device.type == "cuda",
            low_cpu_mem_usage=True,
        )
    else:
        pipe.enable_model_cpu_offload(device=device.torch_device)
