"""More families for `tiny_models`: pipelines whose text encoders read pictures, and their kin."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any
from unittest.mock import patch

import diffusers
import torch
import transformers
from transformers.models.glm_image.image_processing_pil_glm_image import GlmImageImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil

from imaging.bench.tiny_models import (
    MAKERS,
    clip,
    flow,
    flux1,
    make_pipeline,
    ready,
    sana,
    sd15,
    tokenizer,
    vae,
)
from imaging.engine.processors import Qwen2VLPictureProcessor
from imaging.pipeline_families import KANDINSKY_SIZES
from imaging.profiles import POSTCARD_FOLDER

VISION_TOKENS = (
    "<|im_start|>",
    "<|im_end|>",
    "<|vision_start|>",
    "<|vision_end|>",
    "<|image_pad|>",
    "<|video_pad|>",
)
GLM_TOKENS = {
    "image_token": "<|image|>",
    "grid_bos_token": "<|grid_bos|>",
    "grid_eos_token": "<|grid_eos|>",
    "image_bos_token": "<|image_bos|>",
}
GLM_CODEBOOK = 32
CHAT = (
    "{% for m in messages %}{% if m['content'] is string %}{{ m['content'] }}{% else %}"
    "{% for c in m['content'] %}{{ c.get('text', IMAGE) }}{% endfor %}{% endif %}{% endfor %}"
)


def words(*special: str, named: Mapping[str, str] | None = None, image: str = "") -> Any:
    """The bundled model's tokenizer with special tokens and a template for lists of contents."""
    tokens = transformers.CLIPTokenizer.from_pretrained(
        str(POSTCARD_FOLDER / "tokenizer"), extra_special_tokens=dict(named or {})
    )
    tokens.add_special_tokens({"additional_special_tokens": list(special)})
    tokens.chat_template = CHAT.replace("IMAGE", repr(image))
    return tokens


def t5(tokens: Any, width: int = 16, size: int | None = None) -> Any:
    config = transformers.T5Config(
        vocab_size=size or len(tokens), d_model=width, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    return transformers.T5EncoderModel(config)


def decoder_text(tokens: Any, layers: int = 1) -> dict[str, Any]:
    """The shape of a language model's decoder."""
    return {
        "vocab_size": len(tokens),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 1,
        "max_position_embeddings": 8192,
    }


def qwen_vl(tokens: Any, layers: int = 1) -> Any:
    """A Qwen2.5-VL that sees pictures, a token for each 28 × 28 pixels."""
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            **decoder_text(tokens, layers),
            "rope_parameters": {
                "mrope_section": [1, 1, 2],
                "rope_type": "default",
                "rope_theta": 1000000.0,
            },
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_heads": 2,
            "out_hidden_size": 16,
            "window_size": 56,
            "fullatt_block_indexes": [0],
        },
        image_token_id=tokens.convert_tokens_to_ids("<|image_pad|>"),
        vision_start_token_id=tokens.convert_tokens_to_ids("<|vision_start|>"),
        vision_end_token_id=tokens.convert_tokens_to_ids("<|vision_end|>"),
    )
    return transformers.Qwen2_5_VLForConditionalGeneration(config)


def qwen_processor(tokens: Any) -> Any:
    """A processor of text and pictures, without the part for videos."""
    seen = Qwen2VLImageProcessorPil(min_pixels=56 * 56, max_pixels=112 * 112)
    return Qwen2VLPictureProcessor(seen, tokens, chat_template=tokens.chat_template)


def deep_vae(kind: Any = diffusers.AutoencoderKL, levels: int = 4, **changes: Any) -> Any:
    """`2 ** (levels - 1)` pixels per latent cell."""
    return vae(
        kind,
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=(4,) * levels,
        **changes,
    )


def _flux_parts(in_channels: int, out_channels: int = 16) -> Mapping[str, Any]:
    """FLUX.1's components with a denoiser of other channels."""
    parts = dict(flux1().components)
    parts["transformer"] = diffusers.FluxTransformer2DModel.from_config(
        parts["transformer"].config, in_channels=in_channels, out_channels=out_channels
    )
    return {name: part for name, part in parts.items() if part is not None}


def flux1_kontext() -> Any:
    return diffusers.FluxKontextPipeline(**_flux_parts(16))


def flux1_fill() -> Any:
    # Noise, the masked picture, and the mask with a channel for each pixel of a cell.
    parts = _flux_parts(16 + 16 + 2 * 2 * 4)
    wanted = {name: part for name, part in parts.items() if "image_encoder" not in name}
    return diffusers.FluxFillPipeline(**wanted)


def sd15_instruct() -> Any:
    base = sd15()
    unet = diffusers.UNet2DConditionModel.from_config(base.unet.config, in_channels=8)
    parts = {name: part for name, part in base.components.items() if name != "unet"}
    return diffusers.StableDiffusionInstructPix2PixPipeline(
        unet=unet, **parts, requires_safety_checker=False
    )


def flux2() -> Any:
    tokens = words()
    text = transformers.Mistral3Config(
        text_config={**decoder_text(tokens, 31), "model_type": "mistral", "head_dim": 8},
        vision_config={
            "model_type": "pixtral",
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "patch_size": 4,
            "image_size": 16,
        },
    )
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=48,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
    )
    return diffusers.Flux2Pipeline(
        scheduler=flow(),
        vae=vae(diffusers.AutoencoderKLFlux2),
        text_encoder=transformers.Mistral3ForConditionalGeneration(text),
        tokenizer=tokens,
        transformer=transformer,
    )


def _qwen_denoiser() -> Any:
    return diffusers.QwenImageTransformer2DModel(
        patch_size=2,
        in_channels=16,
        out_channels=4,
        num_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        guidance_embeds=False,
        axes_dims_rope=(4, 6, 6),
    )


def _qwen_vae(levels: int) -> Any:
    return diffusers.AutoencoderKLQwenImage(
        base_dim=4,
        z_dim=4,
        dim_mult=[1] * (levels + 1),
        num_res_blocks=1,
        temperal_downsample=[False] * levels,
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )


def _qwen_edit(kind: Any) -> Any:
    tokens = words(*VISION_TOKENS, image="<|image_pad|>")
    return kind(
        scheduler=flow(),
        vae=_qwen_vae(2),
        text_encoder=qwen_vl(tokens),
        tokenizer=tokens,
        processor=qwen_processor(tokens),
        transformer=_qwen_denoiser(),
    )


def qwen_image_edit() -> Any:
    return _qwen_edit(diffusers.QwenImageEditPipeline)


def qwen_image_edit_plus() -> Any:
    return _qwen_edit(diffusers.QwenImageEditPlusPipeline)


def sana_sprint() -> Any:
    base = sana()
    guided = diffusers.SanaTransformer2DModel.from_config(
        base.transformer.config, guidance_embeds=True, qk_norm="rms_norm_across_heads"
    )
    parts = {**base.components, "transformer": guided, "scheduler": diffusers.SCMScheduler()}
    return diffusers.SanaSprintPipeline(**parts)


def chroma() -> Any:
    tokens = tokenizer()
    transformer = diffusers.ChromaTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        axes_dims_rope=(4, 6, 6),
        approximator_num_channels=8,
        approximator_hidden_dim=16,
        approximator_layers=1,
    )
    return diffusers.ChromaPipeline(
        scheduler=flow(),
        vae=vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=t5(tokens),
        tokenizer=tokens,
        transformer=transformer,
    )


def lumina2() -> Any:
    tokens = tokenizer()
    text = transformers.Gemma2Config(**decoder_text(tokens, 2), head_dim=8)
    transformer = diffusers.Lumina2Transformer2DModel(
        sample_size=16,
        in_channels=4,
        hidden_size=24,
        num_layers=1,
        num_refiner_layers=1,
        num_attention_heads=2,
        num_kv_heads=1,
        multiple_of=8,
        axes_dim_rope=(4, 4, 4),
        axes_lens=(300, 128, 128),
        cap_feat_dim=16,
    )
    return diffusers.Lumina2Pipeline(
        scheduler=flow(),
        vae=deep_vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=transformers.Gemma2Model(text),
        tokenizer=tokens,
        transformer=transformer,
    )


def hidream() -> Any:
    tokens = tokenizer()
    with_pooled = transformers.CLIPTextModelWithProjection
    llama = transformers.LlamaConfig(**decoder_text(tokens, 2), attn_implementation="eager")
    text_4 = transformers.LlamaForCausalLM(llama)
    transformer = diffusers.HiDreamImageTransformer2DModel(
        patch_size=2,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        caption_channels=[16, 16],
        text_emb_dim=32,
        num_routed_experts=2,
        num_activated_experts=1,
        axes_dims_rope=(4, 6, 6),
        max_resolution=(128, 128),
        llama_layers=[0, 1],
    )
    return diffusers.HiDreamImagePipeline(
        scheduler=flow(),
        vae=vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=clip(tokens, with_pooled, positions=256),
        tokenizer=tokens,
        text_encoder_2=clip(tokens, with_pooled, positions=256),
        tokenizer_2=tokens,
        text_encoder_3=t5(tokens),
        tokenizer_3=tokens,
        text_encoder_4=text_4,
        tokenizer_4=tokenizer(),
        transformer=transformer,
    )


def hunyuan_image() -> Any:
    tokens = words(*VISION_TOKENS)
    letters = transformers.ByT5Tokenizer()
    transformer = diffusers.HunyuanImageTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_attention_heads=2,
        attention_head_dim=8,
        num_layers=1,
        num_single_layers=1,
        num_refiner_layers=1,
        text_embed_dim=16,
        text_embed_2_dim=16,
        rope_axes_dim=(4, 4),
    )
    autoencoder = diffusers.AutoencoderKLHunyuanImage(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(32, 32, 32),
        layers_per_block=1,
        spatial_compression_ratio=4,
        sample_size=32,
        scaling_factor=0.75,
    )
    return diffusers.HunyuanImagePipeline(
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=5.0),
        vae=autoencoder,
        text_encoder=qwen_vl(tokens, 3),
        tokenizer=tokens,
        text_encoder_2=t5(letters, size=384),
        tokenizer_2=letters,
        transformer=transformer,
        guider=diffusers.guiders.AdaptiveProjectedMixGuidance(),
    )


def _longcat(kind: Any) -> Any:
    tokens = words(*VISION_TOKENS, image="<|image_pad|>")
    transformer = diffusers.LongCatImageTransformer2DModel(
        in_channels=64,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=[4, 6, 6],
    )
    return kind(
        scheduler=flow(),
        vae=vae(latent_channels=16, scaling_factor=0.36, shift_factor=0.12),
        text_encoder=qwen_vl(tokens),
        tokenizer=tokens,
        text_processor=qwen_processor(tokens),
        transformer=transformer,
    )


def longcat() -> Any:
    return _longcat(diffusers.LongCatImagePipeline)


def longcat_edit() -> Any:
    return _longcat(diffusers.LongCatImageEditPipeline)


def ernie() -> Any:
    tokens = tokenizer()
    text = transformers.Mistral3Config(
        text_config={**decoder_text(tokens, 2), "model_type": "mistral", "head_dim": 8},
        vision_config={
            "model_type": "pixtral",
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "patch_size": 4,
            "image_size": 16,
        },
    )
    transformer = diffusers.ErnieImageTransformer2DModel(
        hidden_size=32,
        num_attention_heads=2,
        num_layers=1,
        ffn_hidden_size=32,
        in_channels=16,
        out_channels=16,
        text_in_dim=16,
        rope_axes_dim=(4, 6, 6),
    )
    return diffusers.ErnieImagePipeline(
        transformer=transformer,
        vae=vae(diffusers.AutoencoderKLFlux2),
        text_encoder=transformers.Mistral3Model(text),
        tokenizer=tokens,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=4.0),
    )


def glm_image() -> Any:
    tokens = words(GLM_TOKENS["image_bos_token"], named=GLM_TOKENS, image=GLM_TOKENS["image_token"])
    tokens.bos_token = GLM_TOKENS["image_bos_token"]
    letters = transformers.ByT5Tokenizer()
    config = transformers.GlmImageConfig(
        text_config={
            **decoder_text(tokens),
            "vision_vocab_size": GLM_CODEBOOK + 2,
            "head_dim": 8,
            "pad_token_id": tokens.pad_token_id,
            "eos_token_id": GLM_CODEBOOK + 100,  # never drawn: random weights would end early
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10000.0,
                "mrope_section": [1, 1, 2],
                "partial_rotary_factor": 1.0,
            },
        },
        vision_config={
            "depth": 1,
            "hidden_size": 16,
            "num_heads": 2,
            "intermediate_size": 16,
            "image_size": 128,
        },
        vq_config={"embed_dim": 8, "num_embeddings": GLM_CODEBOOK, "latent_channels": 16},
        image_token_id=tokens.convert_tokens_to_ids(GLM_TOKENS["image_token"]),
        image_start_token_id=GLM_CODEBOOK,
        image_end_token_id=GLM_CODEBOOK + 1,
    )
    transformer = diffusers.GlmImageTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        text_embed_dim=16,
        time_embed_dim=16,
        condition_dim=8,
        prior_vq_quantizer_codebook_size=GLM_CODEBOOK + 2,  # random weights draw any token
    )
    return diffusers.GlmImagePipeline(
        tokenizer=letters,
        processor=transformers.GlmImageProcessor(
            image_processor=GlmImageImageProcessorPil(
                patch_size=16, merge_size=1, temporal_patch_size=1
            ),
            tokenizer=tokens,
            chat_template=tokens.chat_template,
        ),
        text_encoder=t5(letters, size=384),
        vision_language_encoder=transformers.GlmImageForConditionalGeneration(config),
        # Prior tokens stand for 32 × 32 pixels, two cells of the denoiser a side.
        vae=deep_vae(levels=4, latents_mean=[0.0] * 4, latents_std=[1.0] * 4),
        transformer=transformer,
        scheduler=flow(),
    )


def _kandinsky5(kind: Any, *, conditioned: bool) -> Any:
    tokens = words(*VISION_TOKENS, image="<|image_pad|>")
    transformer = diffusers.Kandinsky5Transformer3DModel(
        in_visual_dim=4,
        in_text_dim=16,
        in_text_dim2=16,
        time_dim=16,
        out_visual_dim=4,
        model_dim=16,
        ff_dim=16,
        num_text_blocks=1,
        num_visual_blocks=1,
        axes_dims=(4, 6, 6),
        visual_cond=conditioned,
    )
    plain = tokenizer()
    return kind(
        transformer=transformer,
        vae=deep_vae(levels=4, scaling_factor=0.36),
        text_encoder=qwen_vl(tokens),
        tokenizer=qwen_processor(tokens),
        text_encoder_2=clip(plain, positions=77),
        tokenizer_2=plain,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


def kandinsky5() -> Any:
    return _kandinsky5(diffusers.Kandinsky5T2IPipeline, conditioned=False)


def kandinsky5_edit() -> Any:
    return _kandinsky5(diffusers.Kandinsky5I2IPipeline, conditioned=True)


SMALL_AREA = 96 * 96
"""Pixels that `small_references` makes of a megapixel."""
_MEGAPIXEL_MODULES = (
    "diffusers.pipelines.qwenimage.pipeline_qwenimage_edit",
    "diffusers.pipelines.qwenimage.pipeline_qwenimage_edit_plus",
    "diffusers.pipelines.longcat_image.pipeline_longcat_image_edit",
)


@contextmanager
def small_references() -> Iterator[None]:
    """Let the classes that work at a megapixel, whatever is asked, work at less inside."""

    def smaller(whole: Any) -> Any:
        def dimensions(area: float, ratio: float) -> Any:
            return whole(min(area, SMALL_AREA), ratio)

        return dimensions

    kandinsky = tuple((width // 8, height // 8) for width, height in KANDINSKY_SIZES)
    fixed = (
        (diffusers.HiDreamImagePipeline, "default_sample_size", 32),
        (diffusers.Kandinsky5T2IPipeline, "resolutions", kandinsky),
        (diffusers.Kandinsky5I2IPipeline, "resolutions", kandinsky),
    )
    with ExitStack() as stack:
        for kind, name, value in fixed:
            stack.enter_context(patch.object(kind, name, _constant(value), create=True))
        for name in _MEGAPIXEL_MODULES:
            whole = import_module(name).calculate_dimensions
            stack.enter_context(patch(f"{name}.calculate_dimensions", smaller(whole)))
        yield


def _constant(value: Any) -> property:
    """An attribute that keeps its value whatever is assigned."""

    def unchanged(_owner: Any, _value: Any) -> None:
        return None

    return property(lambda _owner: value, unchanged)


MORE = {
    "sd15_instruct": sd15_instruct,
    "flux1_kontext": flux1_kontext,
    "flux1_fill": flux1_fill,
    "flux2": flux2,
    "qwen_image_edit": qwen_image_edit,
    "qwen_image_edit_plus": qwen_image_edit_plus,
    "sana_sprint": sana_sprint,
    "chroma": chroma,
    "lumina2": lumina2,
    "hidream": hidream,
    "hunyuan_image": hunyuan_image,
    "longcat": longcat,
    "longcat_edit": longcat_edit,
    "ernie": ernie,
    "glm_image": glm_image,
    "kandinsky5": kandinsky5,
    "kandinsky5_edit": kandinsky5_edit,
}

FAMILY_MAKERS = {**MAKERS, **MORE}


def family_folder(name: str, folder: Path, **overrides: Any) -> Path:
    """The model folder of any family, created on first use; `overrides` are its `atelier.json`."""
    index = folder / "model_index.json"
    if not index.is_file():
        make_family(name).save_pretrained(str(folder))
        # The name under which a published model has its processor.
        text = index.read_text("utf-8").replace(
            f'"{Qwen2VLPictureProcessor.__module__}"', '"transformers"'
        )
        index.write_text(
            text.replace(Qwen2VLPictureProcessor.__name__, "Qwen2VLProcessor"), "utf-8"
        )
        values = {"checker": "off", **overrides}
        (folder / "atelier.json").write_text(json.dumps(values), "utf-8")
    return folder


def make_family(name: str) -> Any:
    """The family's pipeline, always with the same weights, ready for inference."""
    if name in MAKERS:
        return make_pipeline(name)
    torch.manual_seed(0)
    pipe = MORE[name]()
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            _fill_zeros(part)
    return ready(pipe)


@torch.no_grad()
def _fill_zeros(part: torch.nn.Module) -> None:
    """Give random values to what begins as zeros: such layers would ignore the prompt."""
    for values in part.parameters():
        if not values.any():
            values.normal_(std=0.1)
