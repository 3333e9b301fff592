"""Reading a model from a folder or the hub, once, for all that it can do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import diffusers
import torch
from diffusers import (
    AutoPipelineForImage2Image,
    AutoPipelineForInpainting,
    AutoPipelineForText2Image,
    DiffusionPipeline,
)

from imaging.engine.devices import Device
from imaging.engine.faults import loading
from imaging.engine.previews import Developer, make_developer
from imaging.errors import Unsupported
from imaging.families import FAMILIES
from imaging.profiles import Profile


@dataclass(slots=True)
class Model:
    """The loaded parts of one source, and the pipelines that share them."""

    profile: Profile
    source: str
    base: Any
    developer: Developer | None
    others: dict[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Memory of all parameters and buffers."""
        return sum(
            tensor.nbytes
            for part in self.base.components.values()
            if isinstance(part, torch.nn.Module)
            for tensor in (*part.parameters(), *part.buffers())
        )

    def from_text(self) -> Any:
        """The pipeline as it was loaded: it paints from words, or follows an instruction."""
        return self.base

    def from_picture(self) -> Any:
        """The pipeline that starts from a picture. Raises Unsupported where the family has none."""
        return self._shared("picture", AutoPipelineForImage2Image.from_pipe)

    def inside_mask(self) -> Any:
        """The pipeline that repaints inside a mask. Raises Unsupported where there is none."""
        family = FAMILIES.get(type(self.base).__name__)
        if family is not None and family.fill_class is not None:
            own = getattr(diffusers, family.fill_class)
            return self._shared("mask", lambda base: own(**base.components))
        return self._shared("mask", AutoPipelineForInpainting.from_pipe)

    def _shared(self, name: str, make: Any) -> Any:
        if name not in self.others:
            try:
                self.others[name] = quiet(make(self.base))
            except ValueError as error:
                raise Unsupported(
                    f"The model {self.profile.name} cannot work from a {name}.",
                    model=self.profile.name,
                ) from error
        return self.others[name]


def load_model(profile: Profile, source: str, device: Device) -> Model:
    """Read the model at `source`, which is the profile's own or its editing model.

    Only safetensors files are read: a pickle can run code. Raises ModelUnavailable, OutOfMemory.
    """

    def read() -> Model:
        kind = AutoPipelineForText2Image if source == profile.source else DiffusionPipeline
        pipe = kind.from_pretrained(source, **_options(profile, source, device)).to(device.handle)
        return Model(profile, source, quiet(pipe), make_developer(pipe))

    return loading(read, profile.name)


def weight_of(source: str) -> int:
    """Bytes of a folder's weight files, as a first guess of its size in memory; 0 for a hub id."""
    folder = Path(source)
    return sum(file.stat().st_size for file in folder.glob("*/*.safetensors"))


def quiet(pipe: Any) -> Any:
    """The pipeline, without a progress bar on the worker's terminal."""
    pipe.set_progress_bar_config(disable=True)
    return pipe


def quiet_diffusers() -> None:
    """No progress bars while files load, and warnings only of what is wrong."""
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()


def _options(profile: Profile, source: str, device: Device) -> Mapping[str, Any]:
    options: dict[str, Any] = {"dtype": device.dtype(profile.dtype), "use_safetensors": True}
    if Path(source).is_dir():
        options["local_files_only"] = True
    elif source == profile.source and profile.variant and device.accelerated:
        options["variant"] = profile.variant
    return options
