"""Stable Diffusion's safety checker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from diffusers.pipelines.stable_diffusion.safety_checker import StableDiffusionSafetyChecker
from PIL import Image
from transformers import CLIPImageProcessor

from imaging.engine.devices import Device
from imaging.engine.model_errors import run_load


class ConceptChecker:
    """Compares a picture's CLIP embedding with unsafe concepts (Rando et al. 2022)."""

    def __init__(
        self, network: StableDiffusionSafetyChecker, processor: CLIPImageProcessor
    ) -> None:
        self._network = network
        self._processor = processor

    @torch.no_grad()
    def unfit(self, images: Sequence[Image.Image]) -> list[bool]:
        """For each picture, whether it must not be shown."""
        device = next(self._network.parameters()).device
        pixels = self._processor(list(images), return_tensors="pt").pixel_values.to(device)
        blank = [np.zeros((1, 1, 3)) for _ in images]  # the network blackens flagged images
        _, flags = self._network(clip_input=pixels, images=blank)
        return [bool(flag) for flag in flags]


def load_checker(source: str, model: str, device: Device) -> ConceptChecker:
    """Load the components `safety_checker` and `feature_extractor` of a folder or hub id.

    Raises ModelUnavailable, OutOfMemory.
    """

    def read() -> ConceptChecker:
        network = StableDiffusionSafetyChecker.from_pretrained(
            source, subfolder="safety_checker", use_safetensors=True
        )
        processor = CLIPImageProcessor.from_pretrained(source, subfolder="feature_extractor")
        return ConceptChecker(network.to(device.torch_device).eval(), processor)

    return run_load(read, model)
