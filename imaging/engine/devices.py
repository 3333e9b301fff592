"""The device that models run on: which, in what number format, with how much memory."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass

import psutil
import torch


@dataclass(frozen=True, slots=True)
class Device:
    """One device of this process."""

    handle: torch.device

    @property
    def accelerated(self) -> bool:
        """Whether it is a GPU."""
        return self.handle.type != "cpu"

    @property
    def words(self) -> str:
        """For people: the GPU's name, or the CPU and torch's threads."""
        if self.handle.type == "cuda":
            return f"{self.handle} ({torch.cuda.get_device_name(self.handle)})"
        if self.handle.type == "cpu":
            return f"cpu ({torch.get_num_threads()} threads)"
        return str(self.handle)

    def dtype(self, hint: str) -> torch.dtype:
        """The number format for a model: its own on a GPU ("auto": bf16 where the GPU has it).

        Single precision on a CPU, where half precision is slower or missing.
        """
        if not self.accelerated:
            return torch.float32
        if hint == "auto":
            return torch.bfloat16 if self._has_bfloat16() else torch.float16
        wanted: torch.dtype = getattr(torch, hint)
        if wanted is torch.bfloat16 and not self._has_bfloat16():
            return torch.float16
        return wanted

    def memory(self) -> int:
        """All of its memory in bytes."""
        if self.handle.type == "cuda":
            return int(torch.cuda.get_device_properties(self.handle).total_memory)
        if self.handle.type == "mps":
            return int(torch.mps.recommended_max_memory())
        return int(psutil.virtual_memory().total)

    def release(self) -> None:
        """Give freed memory back, after models were let go or a batch did not fit."""
        gc.collect()
        if self.handle.type == "cuda":
            torch.cuda.empty_cache()
        elif self.handle.type == "mps":
            torch.mps.empty_cache()

    def _has_bfloat16(self) -> bool:
        return self.handle.type != "cuda" or torch.cuda.is_bf16_supported(including_emulation=False)


def open_device(name: str | None, threads: int | None) -> Device:
    """The named device, or the best there is; sets torch's threads for the whole process.

    This is the one place that sets them: torch's own default counts hyper-threads, and further
    threads between operators only take turns with the engine's one.
    """
    torch.set_num_threads(threads or _cores())
    return Device(torch.device(name or _best()))


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda"
    if torch.backends.mps.is_available():
        return "mps"
    return "cpu"


def _cores() -> int:
    """Real cores, of those that this process may use."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    real = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(real, allowed or real))
