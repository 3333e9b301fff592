"""The device that models run on: selection, dtype, memory."""

from __future__ import annotations

import gc
import os
from dataclasses import dataclass

import psutil
import torch


@dataclass(frozen=True, slots=True)
class Device:
    """One device of this process."""

    torch_device: torch.device

    @property
    def accelerated(self) -> bool:
        """Whether it is a GPU."""
        return self.torch_device.type != "cpu"

    @property
    def description(self) -> str:
        """Display text: the GPU's name, or the CPU and torch's thread count."""
        if self.torch_device.type == "cuda":
            return f"{self.torch_device} ({torch.cuda.get_device_name(self.torch_device)})"
        if self.torch_device.type == "cpu":
            return f"cpu ({torch.get_num_threads()} threads)"
        return str(self.torch_device)

    def dtype(self, hint: str) -> torch.dtype:
        """The dtype for a model: `hint` on a GPU ("auto": bf16 if supported), float32 on a CPU."""
        if not self.accelerated:
            return torch.float32
        if hint == "auto":
            return torch.bfloat16 if self._has_bfloat16() else torch.float16
        wanted: torch.dtype = getattr(torch, hint)
        if wanted is torch.bfloat16 and not self._has_bfloat16():
            return torch.float16
        return wanted

    def memory(self) -> int:
        """Total memory in bytes."""
        if self.torch_device.type == "cuda":
            return int(torch.cuda.get_device_properties(self.torch_device).total_memory)
        if self.torch_device.type == "mps":
            return int(torch.mps.recommended_max_memory())
        return int(psutil.virtual_memory().total)

    def free_memory(self) -> int:
        """Bytes that can be allocated now, torch's own cache included."""
        if self.torch_device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(self.torch_device)
            cached = torch.cuda.memory_reserved(self.torch_device)
            return int(free + cached - torch.cuda.memory_allocated(self.torch_device))
        if self.torch_device.type == "mps":
            return self.memory() - int(torch.mps.current_allocated_memory())
        return int(psutil.virtual_memory().available)

    def free_cached_memory(self) -> None:
        """Return cached memory to the device, after an eviction or a failed allocation."""
        gc.collect()
        if self.torch_device.type == "cuda":
            torch.cuda.empty_cache()
        elif self.torch_device.type == "mps":
            torch.mps.empty_cache()

    def _has_bfloat16(self) -> bool:
        return self.torch_device.type != "cuda" or torch.cuda.is_bf16_supported(
            including_emulation=False
        )


def open_device(name: str | None, threads: int | None) -> Device:
    """The named device, or the best available; sets torch's thread count for the process.

    Torch's default counts hyper-threads, which slow CPU inference down.
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
    """Physical cores, limited by the process's CPU affinity."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    real = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    return max(1, min(real, allowed or real))
