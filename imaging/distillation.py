"""Distilled and base models of one pipeline class, told apart by their configs. No torch.

A distilled model takes few steps and no guidance, where the base model of its class takes many.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FEW_STEPS: Mapping[str, Any] = {"steps": 4, "guidance": 0.0}
_CONSISTENCY = frozenset({"LCMScheduler", "TCDScheduler"})
_LATENT_DIFFUSION = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})


def usual_values(folder: Path, index: Mapping[str, Any]) -> Mapping[str, Any]:
    """Steps and guidance of a model folder that differ from those of its class; else empty."""
    family = index.get("_class_name", "")
    if family == "FluxPipeline":
        guided = _config(folder, "transformer").get("guidance_embeds")
        return FEW_STEPS if guided is False else {}  # FLUX.1 schnell
    if family == "Flux2KleinPipeline":
        return {} if index.get("is_distilled") is not False else {"steps": 50, "guidance": 4.0}
    schedule = _config(folder, "scheduler")
    if family == "ZImagePipeline":  # Turbo has a shift of 3
        return {"steps": 50, "guidance": 4.0} if _number(schedule.get("shift")) >= 6 else {}
    if schedule.get("_class_name") in _CONSISTENCY:
        return {"steps": 4, "guidance": 1.0}
    if family in _LATENT_DIFFUSION and _ends_at_the_last_step(schedule):
        return FEW_STEPS  # SD and SDXL Turbo, Lightning
    return {}


def _ends_at_the_last_step(schedule: Mapping[str, Any]) -> bool:
    """Whether it is the schedule of few steps; models of v-prediction have it for other reasons."""
    trailing = schedule.get("timestep_spacing") == "trailing"
    return trailing and schedule.get("prediction_type", "epsilon") == "epsilon"


def _config(folder: Path, part: str) -> Mapping[str, Any]:
    name = "scheduler_config.json" if part == "scheduler" else "config.json"
    try:
        values = json.loads((folder / part / name).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
