"""Model folders of other families: the real classes at minimal size, with random weights."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import diffusers
import torch
import transformers

from imaging.profiles import POSTCARD_FOLDER


def tokenizer() -> Any:
    """The bundled model's tokenizer with a chat template, which some pipelines need."""
    tokens = transformers.CLIPTokenizer.from_pretrained(str(POSTCARD_FOLDER / "tokenizer"))
    tokens.chat_template = "{% for m in messages %}{{ m['content'] }}{% endfor %}"
    return tokens


def clip(tokens: Any, kind: Any = transformers.CLIPTextModel, positions: int = 0) -> Any:
    config = transformers.CLIPTextConfig(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        max_position_embeddings=positions or tokens.model_max_length,
        projection_dim=16,
        bos_token_id=tokens.bos_token_id,
        eos_token_id=tokens.eos_token_id,
        pad_token_id=tokens.pad_token_id,
    )
    return kind(config)


def qwen3(tokens: Any, layers: int) -> Any:
    config = transformers.Qwen3Config(
        vocab_size=len(tokens),
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
    """Two pixels per latent cell."""
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
    """FLUX's noise schedule."""
    return diffusers.FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=True)


def sdxl() -> Any:
    tokens = tokenizer()
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
        text_encoder=clip(tokens),
        text_encoder_2=clip(tokens, transformers.CLIPTextModelWithProjection),
        tokenizer=tokens,
        tokenizer_2=tokens,
        unet=unet,
        scheduler=diffusers.EulerDiscreteScheduler(),
    )


def flux1() -> Any:
    tokens = tokenizer()
    t5 = transformers.T5Config(
        vocab_size=len(tokens), d_model=16, d_kv=8, d_ff=16, num_layers=1, num_heads=2
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
        text_encoder=clip(tokens),
        tokenizer=tokens,
        text_encoder_2=transformers.T5EncoderModel(t5),
        tokenizer_2=tokens,
        transformer=transformer,
    )


def flux2_klein() -> Any:
    tokens = tokenizer()
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
        text_encoder=qwen3(tokens, 28),
        tokenizer=tokens,
        transformer=transformer,
        is_distilled=True,
    )


def z_image() -> Any:
    tokens = tokenizer()
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
        text_encoder=qwen3(tokens, 2),
        tokenizer=tokens,
        transformer=transformer,
    )


def sd15() -> Any:
    tokens = tokenizer()
    unet = diffusers.UNet2DConditionModel(
        sample_size=32,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
        block_out_channels=(8, 16),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=2,
        norm_num_groups=4,
    )
    return diffusers.StableDiffusionPipeline(
        vae=vae(),
        text_encoder=clip(tokens),
        tokenizer=tokens,
        unet=unet,
        scheduler=diffusers.PNDMScheduler(skip_prk_steps=True, steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def sdxl_instruct() -> Any:
    """SDXL's InstructPix2Pix, the pipeline without a step callback."""
    base = sdxl()
    unet = diffusers.UNet2DConditionModel.from_config(base.unet.config, in_channels=8)
    parts = {name: part for name, part in base.components.items() if name != "unet"}
    wanted = inspect.signature(diffusers.StableDiffusionXLInstructPix2PixPipeline).parameters
    parts = {name: part for name, part in parts.items() if name in wanted}
    return diffusers.StableDiffusionXLInstructPix2PixPipeline(unet=unet, **parts)


def sd3() -> Any:
    tokens = tokenizer()
    t5 = transformers.T5Config(
        vocab_size=len(tokens), d_model=32, d_kv=8, d_ff=16, num_layers=1, num_heads=2
    )
    transformer = diffusers.SD3Transformer2DModel(
        sample_size=16,
        patch_size=1,
        in_channels=16,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        joint_attention_dim=32,
        caption_projection_dim=16,
        pooled_projection_dim=32,
        out_channels=16,
    )
    return diffusers.StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(),
        vae=vae(latent_channels=16, shift_factor=0.06, scaling_factor=1.5),
        text_encoder=clip(tokens, transformers.CLIPTextModelWithProjection),
        tokenizer=tokens,
        text_encoder_2=clip(tokens, transformers.CLIPTextModelWithProjection),
        tokenizer_2=tokens,
        text_encoder_3=transformers.T5EncoderModel(t5),
        tokenizer_3=tokens,
    )


def qwen_image() -> Any:
    tokens = tokenizer()
    config = transformers.Qwen2_5_VLConfig(
        text_config={
            "vocab_size": len(tokens),
            "hidden_size": 16,
            "intermediate_size": 16,
            "num_hidden_layers": 1,
            "num_attention_heads": 2,
            "num_key_value_heads": 1,
            "max_position_embeddings": 2048,
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
        },
    )
    transformer = diffusers.QwenImageTransformer2DModel(
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
    autoencoder = diffusers.AutoencoderKLQwenImage(
        base_dim=8,
        z_dim=4,
        dim_mult=[1, 1, 1, 1],
        num_res_blocks=1,
        temperal_downsample=[False, True, True],
        latents_mean=[0.0] * 4,
        latents_std=[1.0] * 4,
    )
    return diffusers.QwenImagePipeline(
        scheduler=flow(),
        vae=autoencoder,
        text_encoder=transformers.Qwen2_5_VLForConditionalGeneration(config),
        tokenizer=tokens,
        transformer=transformer,
    )


def sana() -> Any:
    tokens = tokenizer()
    text = transformers.Gemma2Config(
        vocab_size=len(tokens),
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_key_value_heads=1,
        head_dim=8,
    )
    transformer = diffusers.SanaTransformer2DModel(
        in_channels=4,
        out_channels=4,
        num_layers=1,
        num_attention_heads=2,
        attention_head_dim=4,
        num_cross_attention_heads=2,
        cross_attention_head_dim=4,
        cross_attention_dim=8,
        caption_channels=16,
        mlp_ratio=2.0,
        patch_size=1,
        sample_size=16,
    )
    autoencoder = diffusers.AutoencoderDC(
        in_channels=3,
        latent_channels=4,
        attention_head_dim=2,
        encoder_block_types=("ResBlock", "EfficientViTBlock"),
        decoder_block_types=("ResBlock", "EfficientViTBlock"),
        encoder_block_out_channels=(8, 8),
        decoder_block_out_channels=(8, 8),
        encoder_qkv_multiscales=((), (5,)),
        decoder_qkv_multiscales=((), (5,)),
        encoder_layers_per_block=(1, 1),
        decoder_layers_per_block=(1, 1),
        downsample_block_type="conv",
        upsample_block_type="interpolate",
        decoder_norm_types="rms_norm",
        decoder_act_fns="silu",
        scaling_factor=0.41,
    )
    return diffusers.SanaPipeline(
        tokenizer=tokens,
        text_encoder=transformers.Gemma2Model(text),
        vae=autoencoder,
        transformer=transformer,
        scheduler=diffusers.FlowMatchEulerDiscreteScheduler(shift=3.0),
    )


MAKERS = {
    "sd15": sd15,
    "sdxl": sdxl,
    "sdxl_instruct": sdxl_instruct,
    "sd3": sd3,
    "flux1": flux1,
    "flux2_klein": flux2_klein,
    "qwen_image": qwen_image,
    "z_image": z_image,
    "sana": sana,
}


def make_pipeline(name: str) -> Any:
    """The family's pipeline, always with the same weights, ready for inference."""
    torch.manual_seed(0)
    return ready(MAKERS[name]())


def ready(pipe: Any) -> Any:
    """The pipeline in evaluation mode, without a progress bar."""
    for part in pipe.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval()
    pipe.set_progress_bar_config(disable=True)
    return pipe


def model_folder(name: str, folder: Path) -> Path:
    """The family's model folder, created on first use."""
    if not (folder / "model_index.json").is_file():
        make_pipeline(name).save_pretrained(str(folder))
        (folder / "atelier.json").write_text('{"checker": "off"}')  # it would be downloaded
    return folder
