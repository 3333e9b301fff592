"""What all models of one diffusers pipeline class have in common. Imports no torch.

Sizes, steps and guidance are the recommendations of the model cards. A class that is not listed
draws from a prompt and does nothing else: what it can do beside that is not known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from imaging.parameters import Parameter
from imaging.request import Operation
from imaging.sizes import Size


@dataclass(frozen=True, slots=True)
class Family:
    """Defaults and abilities of a pipeline class.

    `side` is the side of the training resolution in pixels, `max_area_factor` the largest supported
    multiple of its area. Sides are divisible by `multiple`, which a folder's files may tell more
    exactly, and always by `divisor`. `drawn_sizes` are the only ones that the class draws, where it
    has a list; others are cut from them.

    `draws` tells whether it draws from a prompt alone, `edits` whether it edits by instruction,
    `references` how many pictures it takes beside a prompt. `image_class` is the diffusers class
    for image to image with a strength, `inpaint_class` the one for inpainting, both of the same
    components; None where there is none.

    `guidance_argument` is the argument of the guidance scale, `cfg_above` the scale above which a
    negative prompt is followed, None where it never is. `arguments` are further ones of every call,
    `other_steps_arguments` of calls with other than the usual steps. `omitted` components are not
    loaded. `prompt_tokens` are read of a prompt; None where no prompt that members can type is
    longer, and longer ones are encoded in up to `prompt_windows` windows. Where not
    `batched`, each picture takes a call of its own.
    """

    side: int
    multiple: int
    steps: int
    guidance: float
    strength: float = 0.6
    dtype: str = "bfloat16"
    divisor: int = 1
    sizes: Mapping[str, Size] = field(default_factory=dict)
    drawn_sizes: tuple[Size, ...] = ()
    max_area_factor: float = 1.5
    draws: bool = True
    edits: bool = False
    references: int = 0
    image_class: str | None = None
    inpaint_class: str | None = None
    guidance_argument: str = "guidance_scale"
    cfg_above: float | None = 1.0
    arguments: Mapping[str, Any] = field(default_factory=dict)
    other_steps_arguments: Mapping[str, Any] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()
    prompt_tokens: int | None = None
    prompt_windows: int = 1
    batched: bool = True

    def defaults(self) -> dict[str, Any]:
        """The values that a model may override, by their keys in `atelier.json`."""
        return {
            "side": self.side,
            "multiple": self.multiple,
            "steps": self.steps,
            "guidance": self.guidance,
            "strength": self.strength,
            "dtype": self.dtype,
            "guidance_argument": self.guidance_argument,
            "prompt_windows": self.prompt_windows,
        }

    @property
    def operations(self) -> frozenset[Operation]:
        """What the class can do; editing with a model of its own is the profile's."""
        can = {
            Operation.IMAGINE: self.draws,
            Operation.VARY: self.draws and (self.follows_strength or self.references > 0),
            Operation.BLEND: self.follows_strength or self.references > 1,
            Operation.EDIT: self.edits,
            Operation.FILL: self.inpaint_class is not None,
        }
        return frozenset({Operation.UPSCALE, *(one for one, able in can.items() if able)})

    @property
    def follows_strength(self) -> bool:
        """Whether a picture can be its starting point; inpainting of the whole picture is alike."""
        return self.draws and (self.image_class or self.inpaint_class) is not None

    def parameters(self, guidance: float) -> frozenset[Parameter]:
        """What the class follows of a request, at the model's usual guidance."""
        ignored = set()
        if self.cfg_above is None or guidance <= self.cfg_above:
            ignored.add(Parameter.NEGATIVE)
        if not self.follows_strength:
            ignored.add(Parameter.STRENGTH)
        if not self.draws or not (self.follows_strength or self.references):
            ignored.add(Parameter.REFERENCE)
        return frozenset(Parameter) - ignored


# SDXL's training buckets (Podell et al. 2023, appendix I), the nearest to each aspect.
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

KANDINSKY_SIZES: tuple[Size, ...] = (
    (1024, 1024),
    (640, 1408),
    (1408, 640),
    (768, 1280),
    (1280, 768),
    (896, 1152),
    (1152, 896),
)
_QWEN = "true_cfg_scale"
_CLIP_TOKENS = 77
_CLIP_WINDOWS = 4
"""As many as a prompt of the usual length takes; states beyond them weaken one another."""

UNKNOWN_FAMILY = Family(side=1024, multiple=16, steps=30, guidance=4.0, dtype="auto")

FAMILIES: Mapping[str, Family] = {
    # Far above its training resolution SD 1.5 repeats the subject.
    "StableDiffusionPipeline": Family(
        side=512,
        multiple=8,
        divisor=8,
        steps=25,
        guidance=7.5,
        dtype="float16",
        sizes=_SD15_SIZES,
        image_class="StableDiffusionImg2ImgPipeline",
        inpaint_class="StableDiffusionInpaintPipeline",
        prompt_tokens=_CLIP_TOKENS,
        prompt_windows=_CLIP_WINDOWS,
    ),
    "StableDiffusionInstructPix2PixPipeline": Family(
        side=512,
        multiple=8,
        divisor=8,
        steps=25,
        guidance=7.5,
        dtype="float16",
        sizes=_SD15_SIZES,
        draws=False,
        edits=True,
        prompt_tokens=_CLIP_TOKENS,
        prompt_windows=_CLIP_WINDOWS,
    ),
    "StableDiffusionXLPipeline": Family(
        side=1024,
        multiple=32,
        divisor=8,
        steps=30,
        guidance=6.0,
        dtype="float16",
        sizes=_SDXL_SIZES,
        image_class="StableDiffusionXLImg2ImgPipeline",
        inpaint_class="StableDiffusionXLInpaintPipeline",
        prompt_tokens=_CLIP_TOKENS,
        prompt_windows=_CLIP_WINDOWS,
    ),
    "StableDiffusionXLInstructPix2PixPipeline": Family(
        side=768,
        multiple=32,
        divisor=8,
        steps=30,
        guidance=3.0,
        dtype="float16",
        draws=False,
        edits=True,
        prompt_tokens=_CLIP_TOKENS,
        prompt_windows=_CLIP_WINDOWS,
    ),
    "StableDiffusion3Pipeline": Family(
        side=1024,
        multiple=16,
        steps=28,
        guidance=4.5,
        image_class="StableDiffusion3Img2ImgPipeline",
        inpaint_class="StableDiffusion3InpaintPipeline",
        prompt_tokens=256,
    ),
    # FLUX.1 follows a negative prompt only with a second guidance, at twice the time.
    "FluxPipeline": Family(
        side=1024,
        multiple=16,
        steps=28,
        guidance=3.5,
        cfg_above=None,
        max_area_factor=2.0,
        image_class="FluxImg2ImgPipeline",
        inpaint_class="FluxInpaintPipeline",
    ),
    "FluxKontextPipeline": Family(
        side=1024,
        multiple=16,
        steps=28,
        guidance=2.5,
        cfg_above=None,
        edits=True,
        references=1,
        arguments={"_auto_resize": False},  # to a list of sizes, which would distort the picture
    ),
    "FluxFillPipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=30.0,
        cfg_above=None,
        max_area_factor=2.0,
        draws=False,
        inpaint_class="FluxFillPipeline",
    ),
    "Flux2KleinPipeline": Family(
        side=1024,
        multiple=16,
        steps=4,
        guidance=1.0,
        cfg_above=None,
        edits=True,
        references=4,
        inpaint_class="Flux2KleinInpaintPipeline",
        max_area_factor=4.0,
    ),
    "Flux2Pipeline": Family(
        side=1024,
        multiple=16,
        steps=28,
        guidance=4.0,
        cfg_above=None,
        edits=True,
        references=4,
        max_area_factor=4.0,
    ),
    "ZImagePipeline": Family(
        side=1024,
        multiple=16,
        steps=8,
        guidance=0.0,
        cfg_above=0.0,
        max_area_factor=2.0,
        image_class="ZImageImg2ImgPipeline",
        inpaint_class="ZImageInpaintPipeline",
    ),
    "QwenImagePipeline": Family(
        side=1328,
        multiple=16,
        steps=50,
        guidance=4.0,
        guidance_argument=_QWEN,
        sizes=_QWEN_SIZES,
        image_class="QwenImageImg2ImgPipeline",
        inpaint_class="QwenImageInpaintPipeline",
    ),
    "QwenImageEditPipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=4.0,
        guidance_argument=_QWEN,
        max_area_factor=2.0,
        draws=False,
        edits=True,
    ),
    "QwenImageEditPlusPipeline": Family(
        side=1024,
        multiple=16,
        steps=40,
        guidance=4.0,
        guidance_argument=_QWEN,
        max_area_factor=2.0,
        draws=False,
        edits=True,
        references=4,
    ),
    "SanaPipeline": Family(
        side=1024,
        multiple=32,
        divisor=32,
        steps=20,
        guidance=4.5,
        # Its list of sizes is enlarged to the wanted one after the decode.
        arguments={"use_resolution_binning": False},
        prompt_tokens=300,
    ),
    "SanaSprintPipeline": Family(
        side=1024,
        multiple=32,
        divisor=32,
        steps=2,
        guidance=4.5,
        cfg_above=None,
        strength=0.5,
        image_class="SanaSprintImg2ImgPipeline",
        arguments={"use_resolution_binning": False},
        other_steps_arguments={"intermediate_timesteps": None},
        prompt_tokens=300,
    ),
    # Its class for inpainting asks the denoiser for a setting that Chroma's does not have.
    "ChromaPipeline": Family(
        side=1024,
        multiple=16,
        steps=40,
        guidance=3.0,
        image_class="ChromaImg2ImgPipeline",
    ),
    "Lumina2Pipeline": Family(side=1024, multiple=16, steps=50, guidance=4.0, prompt_tokens=256),
    # It draws about a megapixel whatever it is asked for.
    "HiDreamImagePipeline": Family(
        side=1024, multiple=16, steps=50, guidance=5.0, max_area_factor=1.0, prompt_tokens=128
    ),
    "HunyuanImagePipeline": Family(
        side=2048,
        multiple=32,
        steps=50,
        guidance=3.5,
        guidance_argument="guider",
        max_area_factor=1.0,
    ),
    # A language model would rewrite the prompt: it is drawn as the member wrote it.
    "LongCatImagePipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=4.5,
        arguments={"enable_prompt_rewrite": False},
    ),
    "LongCatImageEditPipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=4.5,
        draws=False,
        edits=True,
        max_area_factor=1.0,
    ),
    "ErnieImagePipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=4.0,
        arguments={"use_pe": False},
        omitted=("pe", "pe_tokenizer"),
    ),
    # A language model draws a plan first, from the first picture's seed. Pictures beside the prompt
    # fail with transformers 5.23, whose vision tower returns them in another shape.
    "GlmImagePipeline": Family(
        side=1024,
        multiple=32,
        divisor=32,
        steps=50,
        guidance=1.5,
        cfg_above=None,
        batched=False,
    ),
    "Kandinsky5T2IPipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=3.5,
        drawn_sizes=KANDINSKY_SIZES,
        max_area_factor=1.0,
    ),
    "Kandinsky5I2IPipeline": Family(
        side=1024,
        multiple=16,
        steps=50,
        guidance=3.5,
        drawn_sizes=KANDINSKY_SIZES,
        max_area_factor=1.0,
        draws=False,
        edits=True,
        batched=False,
    ),
}
