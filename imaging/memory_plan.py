"""How a model fits a device: whole, in parts, or with smaller weights. Pure; imports no torch.

Weights are counted exactly where the files are here. What a picture needs beside them is estimated
from its pixels; the estimates are generous, and a request that runs out of memory all the same is
rendered in smaller batches and decoded in tiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

GIGABYTE = 1_000_000_000
CONTEXT_BYTES = 600_000_000
"""Of the driver and the libraries on an accelerator."""
DENOISE_BYTES = 1_200
"""Per pixel of a picture, while it is denoised."""
DECODE_BYTES = 3_500
"""Per pixel of a picture, while it is decoded undivided."""
TILED_DECODE_BYTES = 700_000_000
"""While a picture is decoded in tiles."""
GROUPS = 40
"""A component is streamed layer by layer; no layer is expected to exceed this part of it."""
SAVED_BY_8_BIT, SAVED_BY_4_BIT = 0.5, 0.3
"""The share of 16-bit weights that is left, with scales and unquantised layers."""


class MemoryPlan(StrEnum):
    """Where a model's weights are. The first that fits is the fastest."""

    WHOLE = "whole"
    TILED = "tiled"  # whole, pictures decoded in tiles
    OFFLOAD_MODEL = "offload-model"  # one component on the device at a time
    EIGHT_BIT = "8-bit"  # so, with quantised weights
    FOUR_BIT = "4-bit"
    OFFLOAD_GROUP = "offload-group"  # a layer or two on the device at a time

    @property
    def offloads(self) -> bool:
        """Whether components move while a picture is made."""
        return self not in (MemoryPlan.WHOLE, MemoryPlan.TILED)

    @property
    def bits(self) -> int:
        """Bits of a quantised weight, 16 where none is."""
        return {MemoryPlan.EIGHT_BIT: 8, MemoryPlan.FOUR_BIT: 4}.get(self, 16)


QUANTISED = (MemoryPlan.EIGHT_BIT, MemoryPlan.FOUR_BIT)


@dataclass(frozen=True, slots=True)
class ModelNeeds:
    """Bytes of a model's components at its dtype, by name, and the pixels of its usual picture.

    Not `quantisable` are the weights of single files: these are loaded as they are.
    """

    components: Mapping[str, int]
    pixels: int
    quantisable: bool = True

    @property
    def total(self) -> int:
        """Bytes of all weights."""
        return sum(self.components.values())

    @property
    def denoise(self) -> int:
        """Bytes beside the weights while a picture is denoised."""
        return CONTEXT_BYTES + self.pixels * DENOISE_BYTES

    @property
    def decode(self) -> int:
        """Bytes beside the weights while a picture is decoded undivided."""
        return CONTEXT_BYTES + self.pixels * DECODE_BYTES

    @property
    def decode_tiled(self) -> int:
        """The same in tiles; a small picture is one tile."""
        return min(self.decode, CONTEXT_BYTES + TILED_DECODE_BYTES)


@dataclass(frozen=True, slots=True)
class Card:
    """A device: its free and total memory, the host's free memory, and what can quantise here."""

    free: int
    total: int
    host_free: int
    quantises: bool = False


@dataclass(frozen=True, slots=True)
class Fit:
    """A plan, the device memory that it is expected to take at most, and the host memory."""

    plan: MemoryPlan
    peak: int
    host: int

    def fits(self, card: Card) -> bool:
        """Whether the device and the host have the memory."""
        return self.peak <= card.free and self.host <= card.host_free


def fit_of(plan: MemoryPlan, needs: ModelNeeds) -> Fit:
    """What a plan is expected to take."""
    beside = max(needs.denoise, needs.decode_tiled)
    if plan is MemoryPlan.WHOLE:
        return Fit(plan, needs.total + max(needs.denoise, needs.decode), 0)
    if plan is MemoryPlan.TILED:
        return Fit(plan, needs.total + beside, 0)
    if plan is MemoryPlan.OFFLOAD_GROUP:
        # Two layers at a time: one computes while the next is copied.
        largest = max(needs.components.values(), default=0)
        return Fit(plan, -(-2 * largest // GROUPS) + beside, needs.total)
    share = {MemoryPlan.EIGHT_BIT: SAVED_BY_8_BIT, MemoryPlan.FOUR_BIT: SAVED_BY_4_BIT}.get(plan, 1)
    smaller = {name: int(size * share) for name, size in needs.components.items()}
    return Fit(plan, max(smaller.values(), default=0) + beside, sum(smaller.values()))


def fits_in_order(needs: ModelNeeds) -> list[Fit]:
    """Every plan with what it takes, the fastest first."""
    return [fit_of(plan, needs) for plan in MemoryPlan]


def choose(needs: ModelNeeds, card: Card, wanted: MemoryPlan | None = None) -> Fit:
    """The fastest plan that fits, or the wanted one; else the one that takes least.

    Quantised weights change the pictures slightly; they are chosen before blocks are streamed,
    which takes many times as long, and only where a quantiser is installed.
    """
    if wanted is not None:
        return fit_of(wanted, needs)
    quantises = card.quantises and needs.quantisable
    possible = [fit for fit in fits_in_order(needs) if quantises or fit.plan not in QUANTISED]
    return next(
        (fit for fit in possible if fit.fits(card)), min(possible, key=lambda fit: fit.peak)
    )


def advice(needs: ModelNeeds, card: Card) -> str:
    """What would make the chosen plan faster or possible; "" where nothing would."""
    chosen = choose(needs, card)
    able = Card(card.free, card.total, card.host_free, quantises=True)
    better = choose(needs, able)
    if not card.quantises and better.plan in QUANTISED and better.fits(able):
        return f"pip install bitsandbytes: {better.plan} weights then fit, and are faster"
    if chosen.fits(card):
        return ""
    if chosen.host > card.host_free:
        return f"it needs {gigabytes(chosen.host)} of free memory on the host"
    return "use a smaller model, or a card with more memory"


def gigabytes(size: float) -> str:
    """A size in bytes as text, such as "7.0 GB"."""
    return f"{size / GIGABYTE:.1f} GB"


def needs_of_parts(parts: Mapping[str, float], pixels: int, bytes_each: int = 2) -> ModelNeeds:
    """The needs of published numbers of parameters, in thousands of millions."""
    sizes = {name: int(count * 1e9 * bytes_each) for name, count in parts.items()}
    return ModelNeeds(sizes, pixels)
