"""Families: what all models of one diffusers pipeline class have in common. Imports no torch.

Sizes, steps and guidance are those that the makers recommend on the models' cards.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imaging.request import Operation
from imaging.sizes import Size

_FROM_PICTURE = frozenset({Operation.VARY, Operation.BLEND})
_ALWAYS = frozenset({Operation.IMAGINE, Operation.UPSCALE})
_USUAL = _ALWAYS | _FROM_PICTURE | {Operation.FILL}


@dataclass(frozen=True, slots=True)
class Family:
    """Defaults of a pipeline class.

    `side` is the square it was trained on, `stretch` how many times that area it still does well;
    `fill_class` a diffusers class for masks where `AutoPipelineForInpainting` knows none.
    """

    side: int
    multiple: int
    steps: int
    guidance: float
    strength: float = 0.6
    dtype: str = "auto"
    guidance_argument: str = "guidance_scale"
    sizes: Mapping[str, Size] = field(default_factory=dict)
    operations: frozenset[Operation] = _USUAL
    edits_itself: bool = False
    stretch: float = 2.0
    fill_class: str | None = None

    def defaults(self) -> dict[str, Any]:
        """The values that a model of this family may override, by their names in `atelier.json`."""
        return {
            "side": self.side,
            "multiple": self.multiple,
            "steps": self.steps,
            "guidance": self.guidance,
            "strength": self.strength,
            "dtype": self.dtype,
            "guidance_argument": self.guidance_argument,
        }


# The buckets that SDXL was trained on (Podell et al. 2023, appendix I), nearest to each aspect.
_SDXL_SIZES: Mapping[str, Size] = {
    "1:1": (1024, 1024),
    "3:2": (1216, 832),
    "2:3": (832, 1216),
    "4:5": (896, 1152),
    "16:9": (1344, 768),
    "9:16": (768, 1344),
}
_SD15_SIZES: Mapping[str, Size] = {
    "1:1": (512, 512),
    "3:2": (768, 512),
    "2:3": (512, 768),
    "4:5": (512, 640),
    "16:9": (768, 432),
    "9:16": (432, 768),
}
_QWEN_SIZES: Mapping[str, Size] = {
    "1:1": (1328, 1328),
    "3:2": (1584, 1056),
    "2:3": (1056, 1584),
    "4:5": (1184, 1472),
    "16:9": (1664, 928),
    "9:16": (928, 1664),
}

UNKNOWN_FAMILY = Family(side=1024, multiple=16, steps=30, guidance=4.0)

FAMILIES: Mapping[str, Family] = {
    # Beyond its square SD 1.5 repeats its subject, so it is not stretched far.
    "StableDiffusionPipeline": Family(
        side=512,
        multiple=8,
        steps=25,
        guidance=7.5,
        dtype="float16",
        sizes=_SD15_SIZES,
        stretch=1.5,
    ),
    "StableDiffusionXLPipeline": Family(
        side=1024,
        multiple=32,
        steps=30,
        guidance=6.0,
        dtype="float16",
        sizes=_SDXL_SIZES,
        stretch=1.5,
    ),
    "StableDiffusion3Pipeline": Family(
        side=1024, multiple=16, steps=28, guidance=4.5, dtype="bfloat16", stretch=1.5
    ),
    "FluxPipeline": Family(side=1024, multiple=16, steps=28, guidance=3.5, dtype="bfloat16"),
    "Flux2KleinPipeline": Family(
        side=1024,
        multiple=16,
        steps=4,
        guidance=1.0,
        dtype="bfloat16",
        edits_itself=True,
        fill_class="Flux2KleinInpaintPipeline",
        stretch=4.0,
    ),
    "Flux2Pipeline": Family(
        side=1024,
        multiple=16,
        steps=28,
        guidance=4.0,
        dtype="bfloat16",
        edits_itself=True,
        operations=_ALWAYS | _FROM_PICTURE,
        stretch=4.0,
    ),
    "ZImagePipeline": Family(
        side=1024, multiple=16, steps=8, guidance=0.0, dtype="bfloat16", stretch=2.0
    ),
    "QwenImagePipeline": Family(
        side=1328,
        multiple=16,
        steps=50,
        guidance=4.0,
        dtype="bfloat16",
        guidance_argument="true_cfg_scale",
        sizes=_QWEN_SIZES,
        stretch=1.5,
    ),
}
