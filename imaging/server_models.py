"""Models that other image servers draw, as the operator describes them. Pure; imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from math import log
from pathlib import Path

from imaging.parameters import Parameter
from imaging.profiles import Profile
from imaging.request import Operation
from imaging.sizes import Size


class ServerKind(StrEnum):
    """The API that a server speaks."""

    OPENAI = "openai"  # the images API, POST …/images/generations and …/images/edits
    COMFYUI = "comfyui"


class Field(StrEnum):
    """An optional field of the images API, by its setting's name."""

    COUNT = "n"
    SIZE = "size"
    RESPONSE_FORMAT = "response_format"
    SEED = "seed"
    NEGATIVE = "negative_prompt"
    STEPS = "num_inference_steps"
    GUIDANCE = "guidance_scale"


PARAMETERS: Mapping[Field, Parameter] = {
    Field.SEED: Parameter.SEED,
    Field.NEGATIVE: Parameter.NEGATIVE,
    Field.STEPS: Parameter.STEPS,
    Field.GUIDANCE: Parameter.GUIDANCE,
}
"""What a request asks for with a field."""


@dataclass(frozen=True, slots=True)
class Lora:
    """A LoRA file by the server's own name, and its weight."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, slots=True)
class ServerModel:
    """One `[models.NAME]`.

    `origin` tells where it is set ("atelier.toml, line 12"). `url` has no trailing slash. `model`
    is the server's own name of it, "" for the server's default. `key_env` names the environment
    variable with the key, None for none. `timeout` is seconds for one request from its turn on.
    With `restarts`, a less pressing request in flight is dropped for a more pressing one and sent
    again. With `only_sizes`, the server draws no sizes but `sizes`; others are cut from them.
    `workflows` maps operations to files (comfyui only), `takes` lists the optional fields that the
    server accepts (openai only).
    """

    name: str
    origin: str
    kind: ServerKind
    url: str
    sizes: Mapping[str, Size]
    multiple: int
    operations: frozenset[Operation]
    largest_pixels: int
    model: str = ""
    key_env: str | None = None
    workflows: Mapping[Operation, Path] = field(default_factory=dict)
    takes: frozenset[Field] = frozenset()
    loras: tuple[Lora, ...] = ()
    only_sizes: bool = False
    steps: int = 20
    guidance: float = 0.0
    strength: float = 0.6
    checker: str | None = None
    in_flight: int = 1
    restarts: bool = False
    timeout: float = 300.0
    licence: str | None = None

    @property
    def source(self) -> str:
        """The profile's source: the kind and the URL."""
        return f"{self.kind}:{self.url}"

    @property
    def parameters(self) -> frozenset[Parameter]:
        """What the images API is told; a workflow's own are known once it is read."""
        followed = {PARAMETERS[taken] for taken in self.takes if taken in PARAMETERS}
        if Operation.EDIT in self.operations:
            followed.add(Parameter.REFERENCE)
        return frozenset(followed)

    def profile(self, parameters: frozenset[Parameter] | None = None) -> Profile:
        """The profile; `parameters` are those of its workflows."""
        return Profile(
            name=self.name,
            source=self.source,
            family="",
            sizes=self.sizes,
            multiple=self.multiple,
            largest_pixels=self.largest_pixels,
            steps=self.steps,
            guidance=self.guidance,
            strength=self.strength,
            operations=self.operations | {Operation.UPSCALE},
            edit=self.source if Operation.EDIT in self.operations else None,
            checker=self.checker,
            pausable=False,
            licence=self.licence,
            parameters=self.parameters if parameters is None else parameters,
        )

    def drawn_size(self, wanted: Size) -> Size:
        """The size to ask the server for: `wanted`, or its own size of the nearest aspect."""
        if not self.only_sizes:
            return wanted
        ratio = wanted[0] / wanted[1]
        return min(self.sizes.values(), key=lambda size: abs(log(size[0] / size[1] / ratio)))
