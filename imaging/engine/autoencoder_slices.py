"""Decodes and encodes one picture, or one tile of a large one, at a time, and yields in between.

A batch of pictures would otherwise keep the device for all of them at once. The slices and tiles
are those of diffusers' autoencoders; a stand-in for the encoder and the decoder network yields the
device before each but the first.
"""

from __future__ import annotations

import copy
from typing import Any

import torch

from imaging.engine.render_handle import RenderHandle

SLICED_AUTOENCODERS = frozenset(
    {"AutoencoderKL", "AutoencoderKLFlux2", "AutoencoderDC", "AutoencoderKLQwenImage"}
)
"""Autoencoders whose slices are tested against whole batches."""


class _YieldingNetwork:
    """Stands in for an encoder or a decoder network. Attributes are those of the network."""

    def __init__(self, network: Any, handle: RenderHandle) -> None:
        self._network = network
        self._handle = handle
        self._begun = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self._begun:
            self._handle.turn.yield_device()
        self._begun = True
        return self._network(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


def slice_autoencoder(pipe: Any, handle: RenderHandle, *, tiled: bool) -> bool:
    """Give an isolated pipeline an autoencoder that yields; whether it has one that can.

    The copy shares the weights. With `tiled`, large pictures are decoded in overlapping tiles,
    which takes less memory and changes pictures slightly. A float16 autoencoder that is upcast for
    each use changes its shared weights meanwhile, and therefore does not yield.
    """
    vae: Any = getattr(pipe, "vae", None)
    if type(vae).__name__ not in SLICED_AUTOENCODERS or _is_upcast(vae):
        return False
    own: Any = copy.copy(vae)
    own.use_slicing, own.use_tiling = True, tiled
    for name in ("encoder", "decoder"):
        network = vae._modules[name]  # not a stand-in of an earlier call
        # Past `Module.__setattr__`, which accepts modules only; found before the shared module.
        vars(own)[name] = _YieldingNetwork(network, handle)
    vars(pipe)["vae"] = own
    return True


def _is_upcast(vae: Any) -> bool:
    return vae.dtype is torch.float16 and bool(getattr(vae.config, "force_upcast", False))
