"""The words of a model folder's `atelier.json`. Imports no torch."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveInt


class ToldDefaults(BaseModel):
    """What a folder's `atelier.json` may tell; what it leaves out is as its family has it.

    Sizes are pixels, `aspects` maps names ("16:9") to (width, height). `edit` is a folder inside,
    or a hub id, of the model that follows instructions. Other words are left alone: a folder may
    be newer than this program.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    steps: PositiveInt | None = None
    guidance: float | None = Field(default=None, ge=0)
    strength: float | None = Field(default=None, gt=0, le=1)
    image_guidance: float | None = Field(default=None, ge=0)
    guidance_argument: str | None = None
    aspects: dict[str, tuple[PositiveInt, PositiveInt]] = Field(default_factory=dict)
    side: PositiveInt | None = None
    multiple: PositiveInt | None = None
    largest_pixels: PositiveInt | None = None
    dtype: Literal["auto", "float32", "float16", "bfloat16"] | None = None
    checker: str | None = None
    edit: str | None = None
    edit_steps: PositiveInt | None = None
    edit_guidance: float | None = Field(default=None, ge=0)
