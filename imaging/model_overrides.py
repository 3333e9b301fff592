"""Schema of a model folder's `atelier.json`. Imports no torch."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, model_validator

from imaging.memory_choice import MemoryChoice

AttentionBackend = Literal[
    "native",
    "_native_cudnn",
    "_native_efficient",
    "_native_flash",
    "_native_math",
    "flash",
    "flash_varlen",
    "flex",
    "sage",
    "sage_varlen",
    "xformers",
]
"""Attention backends of diffusers that run installed code; those of the hub download theirs."""


class CorrectionChoice(BaseModel):
    """How estimates of a picture are corrected: see `imaging.engine.corrections`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    first: int = Field(ge=2)
    last: int = Field(ge=2)
    rounds: int = Field(default=1, ge=1, le=8)
    strength: float = Field(gt=0, le=1)
    momentum: float = Field(default=0.0, ge=0, lt=1)

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.last < self.first:
            raise ValueError("last must not be less than first")
        return self


class CandidateChoice(BaseModel):
    """How candidates of a picture are made and compared: see `imaging.engine.candidates`.

    `selector` is the subfolder of the network that compares them.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    selector: str
    count: int = Field(ge=2, le=8)
    until: int = Field(ge=2)
    correction: CorrectionChoice | None = None

    @model_validator(mode="after")
    def _chosen_first(self) -> Self:
        if self.correction is not None and self.correction.first < self.until:
            raise ValueError("correction.first must not be less than until")
        return self


class ModelOverrides(BaseModel):
    """Values that `atelier.json` may set; the model's family supplies the others.

    Sizes are pixels, `aspects` maps names ("16:9") to (width, height). `edit` is a subfolder or hub
    id of the instruction-editing model, `checker` the folder or hub id of a safety checker, or
    "off". `unknown_words` says whether members are asked before a prompt is drawn whose words are
    not in the model's `vocabulary.json`. `pausable` is false for a model that must finish a request
    once begun. `candidates` are made of each picture from a prompt alone. Unknown keys are ignored,
    so that newer folders load.
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
    unknown_words: Literal["draw", "ask"] | None = None
    edit_guidance: float | None = Field(default=None, ge=0)
    pausable: bool | None = None
    tile_pixels: PositiveInt | None = None
    compile: Literal["inductor", "cudagraphs", "aot_eager", "eager"] | None = None
    attention: AttentionBackend | None = None
    channels_last: bool | None = None
    cpu_dtype: Literal["bfloat16"] | None = None
    prompt_windows: PositiveInt | None = None
    upscaler: str | None = None
    memory: MemoryChoice | None = None
    candidates: CandidateChoice | None = None


class PublishedVocabulary(BaseModel):
    """The content of a model's `vocabulary.json`: see `imaging.vocabulary`."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    things: PositiveInt
    words: dict[str, dict[str, tuple[str, ...]]]
    examples: dict[str, tuple[str, ...]] = Field(default_factory=dict)
