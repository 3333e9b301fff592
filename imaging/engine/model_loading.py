"""Loading models from a folder or the hub."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any

import diffusers
import torch

from imaging.engine.candidate_selector import CandidateSelector
from imaging.engine.checkpoints import open_model
from imaging.engine.devices import Device
from imaging.engine.latent_preview import PreviewDecoder, make_preview_decoder
from imaging.engine.model_errors import run_load
from imaging.engine.model_optimisation import load_selector, optimise
from imaging.engine.placement import place, plan_for, quantisation
from imaging.errors import Unsupported
from imaging.memory_plan import Fit
from imaging.pipeline_families import FAMILIES, UNKNOWN_FAMILY, Family
from imaging.profiles import Profile


@dataclass(slots=True)
class Model:
    """The loaded components of one source and the pipelines that share them."""

    profile: Profile
    source: str
    base: Any
    preview_decoder: PreviewDecoder | None
    fit: Fit
    selector: CandidateSelector | None = None
    derived: dict[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Bytes on the device: of all parameters and buffers, or what is moved there in turn."""
        if self.fit.plan.offloads:
            return self.fit.peak
        return sum(
            tensor.nbytes
            for part in self.base.components.values()
            if isinstance(part, torch.nn.Module)
            for tensor in (*part.parameters(), *part.buffers())
        )

    @property
    def family(self) -> Family:
        """What the pipeline's class can do."""
        return FAMILIES.get(type(self.base).__name__, UNKNOWN_FAMILY)

    def text_to_image(self) -> Any:
        """The base pipeline: text to image, or instruction editing."""
        return self.base

    def image_to_image(self) -> Any:
        """The pipeline that starts from a picture. Raises Unsupported if the class has none.

        Where there is only one for inpainting, that one with a mask of the whole picture.
        """
        return self._shared("picture", self.family.image_class or self.family.inpaint_class)

    def inpainting(self) -> Any:
        """The inpainting pipeline. Raises Unsupported if the class has none."""
        return self._shared("mask", self.family.inpaint_class)

    def _shared(self, source: str, name: str | None) -> Any:
        """A pipeline of another class with the base's components."""
        if name is None:
            raise Unsupported(
                f"The model {self.profile.name} cannot work from a {source}.",
                model=self.profile.name,
            )
        if name == type(self.base).__name__:
            return self.base
        if name not in self.derived:
            self.derived[name] = without_progress_bar(_with_components(name, self.base))
        return self.derived[name]


def _with_components(name: str, base: Any) -> Any:
    """A pipeline of the class `name` with the components and the settings of `base`."""
    pipeline_class: Any = getattr(diffusers, name)
    known = {**base.config, **base.components}
    wanted = set(inspect.signature(pipeline_class.__init__).parameters) & set(known)
    return pipeline_class(**{part: known[part] for part in wanted})


def load_model(profile: Profile, source: str, device: Device) -> Model:
    """Load the model at `source`: the profile's generating or editing model.

    Reads safetensors files only: pickles can run code. Raises ModelUnavailable, OutOfMemory.
    """

    def read() -> Model:
        fit, dtype = plan_for(profile, source, device), device.dtype(profile.dtype)
        pipe = open_model(profile, source, dtype, quantisation(fit.plan, dtype, profile.name))
        previews = make_preview_decoder(pipe, direct=False) if fit.plan.offloads else None
        place(pipe, fit.plan, device)
        optimise(pipe, profile)
        if not fit.plan.offloads:
            previews = make_preview_decoder(pipe)
        # Only pictures from a prompt have candidates, never those of an editing model of its own.
        selector = load_selector(profile, device.torch_device) if source == profile.source else None
        return Model(profile, source, without_progress_bar(pipe), previews, fit, selector)

    return run_load(read, profile.name)


def without_progress_bar(pipe: Any) -> Any:
    """The pipeline, with its terminal progress bar disabled."""
    pipe.set_progress_bar_config(disable=True)
    return pipe


def silence_diffusers() -> None:
    """Disable loading progress bars; log errors only."""
    diffusers.utils.logging.disable_progress_bar()
    diffusers.utils.logging.set_verbosity_error()
