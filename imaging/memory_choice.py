"""The operator's choice of a memory plan. Pure; imports no torch."""

from __future__ import annotations

from typing import Literal

MemoryChoice = Literal["auto", "whole", "offload-model", "offload-group", "8-bit", "4-bit"]
"""How a model's parts share the device's memory; "auto" decides by the free memory."""
