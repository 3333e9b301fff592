"""Intercepts a pipeline's denoiser calls, so that they can wait for the device and share batches.

Pipelines of diffusers call their `unet` or `transformer` once or twice per step. A `Denoiser` takes
its place in one request's copy of the pipeline. It passes every call to the request's `DeviceTurn`,
which runs it alone, exactly as the pipeline made it, or in one batch with calls of other requests.
Guidance, noise schedule, previews and generators stay in each request's own pipeline, and requests
join and leave a batch at any step. (Diffusers' modular blocks run whole pipelines of their own, for
few families; their `loop_step` does not combine requests.)
"""

from __future__ import annotations

import copy
from collections.abc import Hashable, Mapping, Sequence
from functools import cached_property
from typing import Any

import torch

from imaging.engine.host_copies import HostCopies
from imaging.engine.model_errors import run_model
from imaging.engine.render_handle import DenoiserCall, RenderHandle

COMPONENTS = ("unet", "transformer")
BATCHED_NETWORKS = frozenset(
    {
        "UNet2DConditionModel",
        "FluxTransformer2DModel",
        "Flux2Transformer2DModel",
        "SD3Transformer2DModel",
        "SanaTransformer2DModel",
        "QwenImageTransformer2DModel",
        "ZImageTransformer2DModel",
    }
)
"""Networks whose batched outputs are tested against single ones."""
LENGTH_MULTIPLES: Mapping[str, int] = {"ZImageTransformer2DModel": 32}
"""Networks that pad the sequences of a list to such a length themselves, without a mask."""
_ITEM = -1  # instead of a batch size: an item of a list, which has no batch dimension


class Denoiser:
    """Stands in for a pipeline's denoising network. Attributes are those of the network."""

    def __init__(self, network: Any, handle: RenderHandle, model: str, *, batched: bool) -> None:
        self._network = network
        self._handle = handle
        self._model = model
        self._batched = batched
        self.held: tuple[torch.Tensor, ...] = ()  # tensors that the pipeline keeps between calls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Run the network when it is the request's turn. Raises the error that settled it."""
        call = NetworkCall(
            self._network, args, kwargs, self._model, batched=self._batched, held=self.held
        )
        return self._handle.turn.call(call)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._network, name)


class NetworkCall:
    """One call of a denoising network: a `DenoiserCall`."""

    def __init__(
        self,
        network: Any,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        model: str,
        *,
        batched: bool,
        held: tuple[torch.Tensor, ...] = (),
    ) -> None:
        self.network = network
        self.args = args
        self.kwargs = kwargs
        self._model = model
        self._batched = batched
        self._held = held
        self._host = HostCopies()
        self.size = _size(args, kwargs)

    def run(self) -> Any:
        """Run it as the pipeline called it."""
        return self.network(*self.args, **self.kwargs)

    def run_with(self, others: tuple[DenoiserCall, ...]) -> tuple[Any, ...]:
        """Run one batch of calls with equal keys. Raises OutOfMemory or ImagingError."""
        calls = (self, *(other for other in others if isinstance(other, NetworkCall)))
        return run_model(lambda: _run_together(calls), self._model)

    def offload(self) -> int:
        """Move its arguments and the pipeline's latents to the host; returns the bytes."""
        weights = (*self.network.parameters(), *self.network.buffers())
        return self._host.take((self.args, self.kwargs, self._held), kept=weights)

    def restore(self) -> None:
        """Move back what was offloaded. Raises OutOfMemory; the rest is then still on the host."""
        run_model(self._host.give_back, self._model)

    @cached_property
    def key(self) -> Hashable | None:
        """The network and all that is not concatenated, with shapes instead of batched values."""
        if not self._batched or self.size == 0 or self.kwargs.get("return_dict") is not False:
            return None
        arguments = (tuple(self.args), tuple(sorted(self.kwargs.items())))
        multiple = LENGTH_MULTIPLES.get(type(self.network).__name__, 1)
        return id(self.network), _signature(arguments, self.size, multiple)


GUIDERS = ("guider", "ocr_guider")
"""Components that apply guidance; they count the steps."""


def isolate(pipe: Any) -> Any:
    """A shallow copy of a pipeline with its own noise schedule and guiders: they hold state."""
    own = copy.copy(pipe)
    for name in ("scheduler", *GUIDERS):
        if getattr(pipe, name, None) is not None:
            # Past `DiffusionPipeline.__setattr__`, which would change the shared config.
            vars(own)[name] = copy.deepcopy(getattr(pipe, name))
    return own


def intercept(pipe: Any, handle: RenderHandle, model: str, *, strict: bool) -> Denoiser | None:
    """Replace the denoiser of an isolated pipeline; None if there is none to replace.

    With `strict`, calls are never batched.
    """
    for name in COMPONENTS:
        network = getattr(pipe, name, None)
        if network is not None:
            batched = not strict and type(network).__name__ in BATCHED_NETWORKS
            # Past `DiffusionPipeline.__setattr__`, which would record the class in the config.
            vars(pipe)[name] = denoiser = Denoiser(network, handle, model, batched=batched)
            return denoiser
    return None


def keeps_state(pipe: Any) -> bool:
    """Whether the denoiser caches activations between calls: calls of two requests must not mix."""
    networks = (getattr(pipe, name, None) for name in COMPONENTS)
    return any(bool(getattr(network, "is_cache_enabled", False)) for network in networks)


# -- concatenating calls ------------------------------------------------------------------------


def _size(args: Sequence[Any], kwargs: Mapping[str, Any]) -> int:
    """Samples in the call's first tensor or list; 0 if there is none."""
    values = (*args, *(kwargs.get(name) for name in ("sample", "hidden_states", "x")))
    for value in values:
        if isinstance(value, (torch.Tensor, list)):
            return len(value)
    return 0


def _signature(value: Any, size: int, multiple: int) -> Hashable:
    """A hashable value that is equal for arguments that can be concatenated.

    `size` is the number of samples, `multiple` the length to which sequences in lists are padded.
    """
    if isinstance(value, torch.Tensor):
        return _tensor_signature(value, size, multiple)
    if isinstance(value, list) and len(value) == size:
        return "list", tuple(sorted({repr(_signature(one, _ITEM, multiple)) for one in value}))
    if isinstance(value, Mapping):
        return tuple((name, _signature(one, size, multiple)) for name, one in sorted(value.items()))
    if isinstance(value, (tuple, list)):
        return tuple(_signature(one, size, multiple) for one in value)
    return repr(value)


def _tensor_signature(value: torch.Tensor, size: int, multiple: int) -> Hashable:
    if value.ndim == 0:
        return "scalar", value.dtype
    if size == _ITEM:
        length = -(-len(value) // multiple) * multiple if value.ndim == 2 else len(value)
        return "item", (length, *value.shape[1:]), value.dtype
    if len(value) == size:
        return "batched", tuple(value.shape[1:]), value.dtype
    # Shared by all samples, such as position ids: the content must agree.
    content = value.detach().cpu().contiguous().view(torch.uint8).numpy().tobytes()
    return "shared", tuple(value.shape), value.dtype, content


def _run_together(calls: Sequence[NetworkCall]) -> tuple[Any, ...]:
    """One call of the network for all, with a timestep for each sample; outputs by call."""
    sizes = [call.size for call in calls]
    first = calls[0]
    args = [_merge(values, sizes) for values in zip(*(call.args for call in calls), strict=True)]
    kwargs = {name: _merge([call.kwargs[name] for call in calls], sizes) for name in first.kwargs}
    output = first.network(*args, **kwargs)[0]
    parts, start = [], 0
    for size in sizes:
        parts.append((output[start : start + size],))
        start += size
    return tuple(parts)


def _merge(values: Sequence[Any], sizes: Sequence[int]) -> Any:
    """One argument for all calls. Scalars become vectors: models take a timestep per sample."""
    first = values[0]
    if isinstance(first, torch.Tensor):
        if first.ndim == 0:
            return torch.cat(
                [value.expand(size) for value, size in zip(values, sizes, strict=True)]
            )
        if len(first) == sizes[0]:
            return torch.cat(list(values))
        return first
    if isinstance(first, list) and len(first) == sizes[0]:
        return [one for value in values for one in value]
    if isinstance(first, Mapping):
        return {key: _merge([value[key] for value in values], sizes) for key in first}
    return first
