"""Settings of a profile that make one request faster: compiled blocks, attention, memory layout."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

from imaging.engine.denoiser import COMPONENTS
from imaging.profiles import Profile


def optimise(pipe: Any, profile: Profile) -> None:
    """Apply the profile's settings to a loaded pipeline.

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


def _denoisers(pipe: Any) -> Iterator[Any]:
    for name in COMPONENTS:
        network = getattr(pipe, name, None)
        if network is not None:
            yield network
