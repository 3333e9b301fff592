"""Facts of models that people publish: class, licence and size. Pure; imports no torch.

Licences are those of the weights, as their pages on the hub name them; `paid` tells whether they
let you take money for what the model draws. Parts are the numbers of parameters that the authors
publish, in thousands of millions, rounded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class PaidUse(StrEnum):
    """Whether a licence permits an offer that is paid for."""

    YES = "yes"
    LIMITED = "with limits"
    NO = "no"
    CHECK = "check"  # not known for certain


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of a model's weights and the address of its text."""

    name: str
    url: str
    paid: PaidUse


@dataclass(frozen=True, slots=True)
class PublicModel:
    """One model of the hub. `family` is its diffusers class, `parts` its size by component.

    `guidance` is its usual one where that is not its class's.
    """

    hub: str
    family: str
    licence: Licence
    parts: Mapping[str, float]
    guidance: float | None = None

    @property
    def billions(self) -> float:
        """Parameters of all parts, in thousands of millions."""
        return sum(self.parts.values())


_APACHE = Licence("Apache 2.0", "https://www.apache.org/licenses/LICENSE-2.0", PaidUse.YES)
_MIT = Licence("MIT", "https://opensource.org/license/mit", PaidUse.YES)
_RAIL = Licence(
    "CreativeML Open RAIL-M",
    "https://huggingface.co/spaces/CompVis/stable-diffusion-license",
    PaidUse.YES,
)
_RAIL_XL = Licence(
    "CreativeML Open RAIL++-M",
    "https://huggingface.co/stabilityai/stable-diffusion-xl-base-1.0/blob/main/LICENSE.md",
    PaidUse.YES,
)
_STABILITY = Licence("Stability AI Community", "https://stability.ai/license", PaidUse.LIMITED)
_TURBO = Licence(
    "Stability AI (see its page)",
    "https://huggingface.co/stabilityai/sdxl-turbo/blob/main/LICENSE.md",
    PaidUse.CHECK,
)
_FLUX1_DEV = Licence(
    "FLUX.1 [dev] Non-Commercial",
    "https://huggingface.co/black-forest-labs/FLUX.1-dev/blob/main/LICENSE.md",
    PaidUse.NO,
)
_FLUX2_DEV = Licence(
    "FLUX Non-Commercial",
    "https://huggingface.co/black-forest-labs/FLUX.2-dev/blob/main/LICENSE.txt",
    PaidUse.NO,
)
_SANA = Licence(
    "NVIDIA NSCL v2-custom, Gemma terms",
    "https://huggingface.co/Efficient-Large-Model/SANA1.5_1.6B_1024px_diffusers/blob/main/LICENSE.txt",
    PaidUse.CHECK,
)
_HUNYUAN = Licence(
    "Tencent Hunyuan Community",
    "https://huggingface.co/tencent/HunyuanImage-2.1/blob/main/LICENSE",
    PaidUse.LIMITED,
)
_UNKNOWN_LICENCE = "see its page"

_VAE = {"vae": 0.08}
_SD15 = {"unet": 0.86, "text_encoder": 0.12, **_VAE}
_SDXL = {"unet": 2.57, "text_encoder": 0.12, "text_encoder_2": 0.69, **_VAE}
_FLUX1 = {"transformer": 11.9, "text_encoder": 0.12, "text_encoder_2": 4.76, **_VAE}
_SD3_TEXT = {"text_encoder": 0.12, "text_encoder_2": 0.69, "text_encoder_3": 4.76, **_VAE}
_QWEN = {"transformer": 20.4, "text_encoder": 8.29, "vae": 0.13}
_Z_IMAGE = {"transformer": 6.15, "text_encoder": 4.02, **_VAE}
_SANA_PARTS = {"transformer": 1.6, "text_encoder": 2.61, "vae": 0.31}
_LONGCAT = {"transformer": 6.0, "text_encoder": 8.29, **_VAE}
_KANDINSKY = {"transformer": 6.0, "text_encoder": 8.29, "text_encoder_2": 0.12, **_VAE}


def _page(hub: str, paid: PaidUse = PaidUse.CHECK) -> Licence:
    return Licence(_UNKNOWN_LICENCE, f"https://huggingface.co/{hub}", paid)


PUBLIC_MODELS: tuple[PublicModel, ...] = (
    PublicModel(
        "stable-diffusion-v1-5/stable-diffusion-v1-5", "StableDiffusionPipeline", _RAIL, _SD15
    ),
    PublicModel(
        "timbrooks/instruct-pix2pix",
        "StableDiffusionInstructPix2PixPipeline",
        _page("timbrooks/instruct-pix2pix"),
        _SD15,
    ),
    PublicModel(
        "stabilityai/stable-diffusion-xl-base-1.0", "StableDiffusionXLPipeline", _RAIL_XL, _SDXL
    ),
    PublicModel("stabilityai/sdxl-turbo", "StableDiffusionXLPipeline", _TURBO, _SDXL, 0.0),
    PublicModel(
        "diffusers/sdxl-instructpix2pix-768",
        "StableDiffusionXLInstructPix2PixPipeline",
        _page("diffusers/sdxl-instructpix2pix-768"),
        _SDXL,
    ),
    PublicModel(
        "stabilityai/stable-diffusion-3.5-large",
        "StableDiffusion3Pipeline",
        _STABILITY,
        {"transformer": 8.06, **_SD3_TEXT},
    ),
    PublicModel(
        "stabilityai/stable-diffusion-3.5-medium",
        "StableDiffusion3Pipeline",
        _STABILITY,
        {"transformer": 2.47, **_SD3_TEXT},
    ),
    PublicModel("black-forest-labs/FLUX.1-schnell", "FluxPipeline", _APACHE, _FLUX1),
    PublicModel("black-forest-labs/FLUX.1-dev", "FluxPipeline", _FLUX1_DEV, _FLUX1),
    PublicModel("black-forest-labs/FLUX.1-Kontext-dev", "FluxKontextPipeline", _FLUX1_DEV, _FLUX1),
    PublicModel("black-forest-labs/FLUX.1-Fill-dev", "FluxFillPipeline", _FLUX1_DEV, _FLUX1),
    PublicModel(
        "black-forest-labs/FLUX.2-klein-4B",
        "Flux2KleinPipeline",
        _APACHE,
        {"transformer": 3.88, "text_encoder": 4.02, **_VAE},
    ),
    PublicModel(
        "black-forest-labs/FLUX.2-dev",
        "Flux2Pipeline",
        _FLUX2_DEV,
        {"transformer": 32.2, "text_encoder": 24.0, **_VAE},
    ),
    PublicModel("Qwen/Qwen-Image", "QwenImagePipeline", _APACHE, _QWEN),
    PublicModel("Qwen/Qwen-Image-2512", "QwenImagePipeline", _APACHE, _QWEN),
    PublicModel("Qwen/Qwen-Image-Edit", "QwenImageEditPipeline", _APACHE, _QWEN),
    PublicModel("Qwen/Qwen-Image-Edit-2509", "QwenImageEditPlusPipeline", _APACHE, _QWEN),
    PublicModel("Qwen/Qwen-Image-Edit-2511", "QwenImageEditPlusPipeline", _APACHE, _QWEN),
    PublicModel("Tongyi-MAI/Z-Image-Turbo", "ZImagePipeline", _APACHE, _Z_IMAGE),
    PublicModel("Tongyi-MAI/Z-Image", "ZImagePipeline", _APACHE, _Z_IMAGE, 4.0),
    PublicModel(
        "Efficient-Large-Model/SANA1.5_1.6B_1024px_diffusers", "SanaPipeline", _SANA, _SANA_PARTS
    ),
    PublicModel(
        "Efficient-Large-Model/Sana_Sprint_1.6B_1024px_diffusers",
        "SanaSprintPipeline",
        _SANA,
        _SANA_PARTS,
    ),
    PublicModel(
        "lodestones/Chroma1-HD",
        "ChromaPipeline",
        _APACHE,
        {"transformer": 8.9, "text_encoder": 4.76, **_VAE},
    ),
    PublicModel(
        "Alpha-VLLM/Lumina-Image-2.0",
        "Lumina2Pipeline",
        _APACHE,
        {"transformer": 2.61, "text_encoder": 2.61, **_VAE},
    ),
    PublicModel(
        "HiDream-ai/HiDream-I1-Full",
        "HiDreamImagePipeline",
        _MIT,
        {"transformer": 17.1, "text_encoder_4": 8.03, **_SD3_TEXT},
    ),
    PublicModel(
        "hunyuanvideo-community/HunyuanImage-2.1-Diffusers",
        "HunyuanImagePipeline",
        _HUNYUAN,
        {"transformer": 17.4, "text_encoder": 8.29, "text_encoder_2": 0.22, "vae": 0.4},
    ),
    PublicModel("meituan-longcat/LongCat-Image", "LongCatImagePipeline", _APACHE, _LONGCAT),
    PublicModel(
        "meituan-longcat/LongCat-Image-Edit", "LongCatImageEditPipeline", _APACHE, _LONGCAT
    ),
    PublicModel(
        "baidu/ERNIE-Image",
        "ErnieImagePipeline",
        _APACHE,
        {"transformer": 8.0, "text_encoder": 3.8, **_VAE},
    ),
    PublicModel(
        "zai-org/GLM-Image",
        "GlmImagePipeline",
        _page("zai-org/GLM-Image"),
        {"transformer": 7.0, "vision_language_encoder": 9.0, "text_encoder": 0.22, **_VAE},
    ),
    PublicModel(
        "kandinskylab/Kandinsky-5.0-T2I-Lite-sft-Diffusers",
        "Kandinsky5T2IPipeline",
        _MIT,
        _KANDINSKY,
    ),
    PublicModel(
        "kandinskylab/Kandinsky-5.0-I2I-Lite-sft-Diffusers",
        "Kandinsky5I2IPipeline",
        _MIT,
        _KANDINSKY,
    ),
)
_BY_HUB: Mapping[str, PublicModel] = {model.hub: model for model in PUBLIC_MODELS}


def public_model(hub: str) -> PublicModel | None:
    """What is known of a hub id."""
    return _BY_HUB.get(hub)
