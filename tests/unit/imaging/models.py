"""Model folders of other families, with random weights: the real classes, as small as they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from imaging.profiles import POSTCARD_FOLDER


def tokenizer() -> Any:
    """The bundled model's, which is as good as any, with a chat template for those who want one."""
    words = transformers.CLIPTokenizer.from_pretrained(str(POSTCARD_FOLDER / "tokenizer"))
    words.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return words


def clip(words: Any, kind: Any = transformers.CLIPTextModel) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=words.model_max_length,
        projection_dim=16,
        bos_token_id=words.bos_token_id,
        eos_token_id=words.eos_token_id,
        pad_token_id=words.pad_token_id,
    )
    return kind(config)


def qwen3(words: Any, layers: int) -> Any:
    config = transformers.Qwen3Config(
        vocab_size=len(words),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
        max_position_embeddings=512,
    )
    return transformers.Qwen3ForCausalLM(config)


def vae(kind: Any = diffusers.AutoencoderKL, **changes: Any) -> Any:
    """Two pixels a cell."""
    values = {
        "down_block_types": ("DownEncoderBlock2D",) * 2,
        "up_block_types": ("UpDecoderBlock2D",) * 2,
        "block_out_channels": (8, 8),
        "layers_per_block": 1,
        "latent_channels": 4,
        "norm_num_groups": 4,
        "sample_size": 32,
    }
    return kind(**{**values, **changes})


def flow() -> Any:
    return diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)


def sdxl() -> Any:
    words = tokenizer()
    unet = diffusers.UNet2DConditionModel(
        sample_size=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=32,
        attention_head_dim=(1, 2),
        norm_num_groups=4,
        use_linear_projection=True,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=8 * 6 + 16,
    )
    return diffusers.StableDiffusionXLPipeline(
        vae=vae(),
        text_encoder=clip(words),
        text_encoder_2=clip(words, transformers.CLIPTextModelWithProjection),
        tokenizer=words,
        tokenizer_2=words,
        unet=unet,
        scheduler=diffusers.EulerDiscreteScheduler(),
    )


def flux1() -> Any:
    words = tokenizer()
    t5 = transformers.T5Config(
        vocab_size=len(words), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    transformer = diffusers.FluxTransformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=16,
        pooled_projection_dim=16,
        axes_dims_rope=(4, 6, 6),
    )
    return diffusers.FluxPipeline(
        scheduler=flow(),
        vae=vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=clip(words),
        tokenizer=words,
        text_encoder_2=transformers.T5EncoderModel(t5),
        tokenizer_2=words,
        transformer=transformer,
    )


def flux2_klein() -> Any:
    words = tokenizer()
    transformer = diffusers.Flux2Transformer2DModel(
        in_channels=16,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=1,
        joint_attention_dim=48,
        timestep_guidance_channels=16,
        axes_dims_rope=(4, 4, 4, 4),
        guidance_embeds=False,
    )
    return diffusers.Flux2KleinPipeline(
        scheduler=flow(),
        vae=vae(diffusers.AutoencoderKLFlux2),
        text_encoder=qwen3(words, 28),
        tokenizer=words,
        transformer=transformer,
        is_distilled=True,
    )


def z_image() -> Any:
    words = tokenizer()
    transformer = diffusers.ZImageTransformer2DModel(
        in_channels=4,
        dim=32,
        n_layers=1,
        n_refiner_layers=1,
        n_heads=2,
        n_kv_heads=2,
        cap_feat_dim=16,
        axes_dims=[4, 6, 6],
        axes_lens=[1024, 64, 64],
    )
    return diffusers.ZImagePipeline(
        scheduler=flow(),
        vae=vae(scaling_factor=0.36, shift_factor=0.12),
        text_encoder=qwen3(words, 2),
        tokenizer=words,
        transformer=transformer,
    )


MAKERS = {"sdxl": sdxl, "flux1": flux1, "flux2_klein": flux2_klein, "z_image": z_image}


def model_folder(name: str, folder: Path) -> Path:
    """The family's folder, written once."""
    if not (folder / "model_index.json").is_file():
        torch.manual_seed(0)
        MAKERS[name]().save_pretrained(str(folder))
    return folder
