"""Moves tensors to the host and back, in place: whoever references them keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import torch

SMALLEST = 4096
"""Bytes below which moving a tensor frees nothing worth the copy."""


class HostCopies:
    """Copies of device storages that are empty meanwhile.

    The tensors must belong to one request: whoever uses one before `give_back` finds no data.
    """

    def __init__(self) -> None:
        self._copies: list[tuple[torch.UntypedStorage, torch.UntypedStorage]] = []

    def take(self, values: Any, *, kept: Iterable[torch.Tensor] = ()) -> int:
        """Move the tensors in nested `values`, but no storage of `kept`; returns the bytes."""
        seen = {tensor.untyped_storage().data_ptr() for tensor in kept}
        moved = 0
        for tensor in _tensors(values):
            storage = tensor.untyped_storage()
            size = storage.nbytes()
            if size < SMALLEST or storage.data_ptr() in seen or not storage.resizable():
                continue
            seen.add(storage.data_ptr())
            copy = torch.empty(size, dtype=torch.uint8).untyped_storage()
            copy.copy_(storage)
            storage.resize_(0)
            self._copies.append((storage, copy))
            moved += size
        return moved

    def give_back(self) -> None:
        """Fill the storages again. Raises torch's error if memory is short; then call it again."""
        while self._copies:
            storage, copy = self._copies[-1]
            storage.resize_(copy.nbytes())
            storage.copy_(copy)
            self._copies.pop()


def _tensors(values: Any) -> Iterator[torch.Tensor]:
    if isinstance(values, torch.Tensor):
        yield values
    elif isinstance(values, Mapping):
        for value in values.values():
            yield from _tensors(value)
    elif isinstance(values, (tuple, list)):
        for value in values:
            yield from _tensors(value)
