"""Settings of a profile that make one request faster: compiled blocks, attention, memory layout,
precision on a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import wraps
from typing import Any

import torch

from imaging.engine.candidate_selector import CandidateSelector
from imaging.engine.denoiser import COMPONENTS
from imaging.profiles import Profile

BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""Capabilities of a CPU that compute in bfloat16: of x86, then of ARM."""


def optimise(pipe: Any, profile: Profile) -> None:
    """Apply the profile's settings to a loaded pipeline, whose components are on their device.

    Raises ValueError or another exception of the libraries where a setting cannot be used here.
    """
    for network in _denoisers(pipe):
        if profile.attention is not None:
            network.set_attention_backend(profile.attention)
        if profile.compile is not None:
            # Without `fullgraph`: a shape that cannot be compiled runs uncompiled.
            network.compile_repeated_blocks(backend=profile.compile)
    if profile.channels_last:
        for network in (*_denoisers(pipe), getattr(pipe, "vae", None)):
            if network is not None:
                network.to(memory_format=torch.channels_last)
    if profile.cpu_dtype is not None and computes_bfloat16():
        for network in (*_denoisers(pipe), getattr(getattr(pipe, "vae", None), "decoder", None)):
            if network is not None and next(network.parameters()).device.type == "cpu":
                compute_in(network, getattr(torch, profile.cpu_dtype))


def load_selector(profile: Profile, device: torch.device | str) -> CandidateSelector | None:
    """The network that compares the profile's candidates, None where it makes none."""
    if profile.candidates is None:
        return None
    network = CandidateSelector.from_pretrained(profile.candidates.selector)
    selector: CandidateSelector = network.to(device).eval().requires_grad_(False)
    # It computes as the denoiser does; only the detector's convolutions take time.
    if profile.channels_last:
        # The types of torch lack this form of `to`.
        selector.detector.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if profile.cpu_dtype is not None and computes_bfloat16() and selector.device.type == "cpu":
        compute_in(selector.detector, getattr(torch, profile.cpu_dtype))
    return selector


def computes_bfloat16() -> bool:
    """Whether this CPU has instructions for bfloat16. Others emulate it, which is slower."""
    found = torch.cpu.get_capabilities()
    return any(found.get(name) for name in BFLOAT16)


def compute_in(network: torch.nn.Module, dtype: torch.dtype) -> None:
    """Let the network compute in `dtype`; its inputs and outputs keep the dtype of the inputs.

    Its output is a tensor, a tuple, or an output class of diffusers.
    """
    own_forward = vars(network).get("forward")  # of an earlier wrapper of this network

    @wraps(network.forward)
    def computed(*args: Any, **kwargs: Any) -> Any:
        values = (*args, *kwargs.values())
        own = next(v.dtype for v in values if torch.is_tensor(v) and v.is_floating_point())
        cast = tuple(_cast(value, dtype) for value in args)
        named = {name: _cast(value, dtype) for name, value in kwargs.items()}
        if own_forward is not None:
            output = own_forward(*cast, **named)
        else:
            output = type(network).forward(network, *cast, **named)
        if torch.is_tensor(output):
            return output.to(own)
        if isinstance(output, tuple):
            return tuple(_cast(value, own) for value in output)
        return type(output)(**{name: _cast(value, own) for name, value in output.items()})

    # Not the method of diffusers' models, which warns of layers that must keep their precision.
    torch.nn.Module.to(network, dtype)
    # Past the type of a method: an attribute of this network only.
    vars(network)["forward"] = computed


def _cast(value: Any, dtype: torch.dtype) -> Any:
    return value.to(dtype) if torch.is_tensor(value) and value.is_floating_point() else value


def _denoisers(pipe: Any) -> Iterator[Any]:
    for name in COMPONENTS:
        network = getattr(pipe, name, None)
        if network is not None:
            yield network
