"""Postcard's networks, built from stock diffusers and transformers classes, and their export."""

import json
import shutil
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer


@dataclass(frozen=True)
class Shape:
    """Network sizes. `side` is that of the square picture in pixels; each autoencoder block but one
    halves it.
    """

    side: int = 128
    latent_channels: int = 4  # required by the stock inpainting pipeline
    # Group norm is many times slower on a CPU with fewer than 16 channels a group.
    vae_channels: tuple[int, ...] = (32, 32, 64, 96)
    vae_groups: int = 2
    unet_channels: tuple[int, ...] = (64, 192)
    unet_heads: tuple[int, ...] = (2, 6)
    unet_groups: int = 4
    text_width: int = 128
    text_layers: int = 4
    text_heads: int = 4
    text_length: int = 40

    @property
    def scale(self) -> int:
        """Pixels along one side of a latent cell."""
        return int(2 ** (len(self.vae_channels) - 1))

    @property
    def half_size(self) -> "Shape":
        """The shape for half-size pictures, without the autoencoder's outermost block. The size of
        the latents is the same.
        """
        return replace(self, side=self.side // 2, vae_channels=self.vae_channels[1:])


def build_vae(shape: Shape) -> AutoencoderKL:
    """The autoencoder: pictures `(n, 3, h, w)` in -1…1 to latents
    `(n, latent_channels, h / scale, w / scale)` and back.
    """
    blocks = len(shape.vae_channels)
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * blocks,
        up_block_types=("UpDecoderBlock2D",) * blocks,
        block_out_channels=shape.vae_channels,
        layers_per_block=1,
        latent_channels=shape.latent_channels,
        norm_num_groups=shape.vae_groups,
        sample_size=shape.side,
        # Attention over the whole picture would tie the autoencoder to the size it was trained on.
        mid_block_add_attention=False,
    )
    init_identity(vae)
    return vae


@torch.no_grad()
def init_identity(vae: AutoencoderKL) -> None:
    """Initialise the weights so that the untrained autoencoder passes mean colours through.

    Residual branches start at zero; changes of width and of size start at the identity, with
    averaging where the size is halved. Training then only has to add the edges.
    """
    for name, module in vae.named_modules():
        if not isinstance(module, nn.Conv2d):
            continue
        if name.endswith("conv2"):
            module.weight.zero_()
        elif "samplers" in name or name.endswith(("conv_shortcut", "quant_conv")):
            module.weight.mul_(0.1)
            spread = module.weight.new_zeros(module.weight.shape)
            nn.init.dirac_(spread)
            if "downsamplers" in name:
                spread[..., :2, :2] = spread[..., 1:2, 1:2] / 4
                spread[..., 2, :] = 0
                spread[..., :, 2] = 0
            module.weight.add_(spread)
        else:
            continue
        if module.bias is not None:
            module.bias.zero_()


def build_unet(shape: Shape, *, edit: bool = False) -> UNet2DConditionModel:
    """The denoiser; with `edit` it takes the latents of the picture to edit as additional input
    channels.
    """
    outer = len(shape.unet_channels) - 1
    return UNet2DConditionModel(
        sample_size=shape.side // shape.scale,
        in_channels=shape.latent_channels * (2 if edit else 1),
        out_channels=shape.latent_channels,
        # Cross-attention at the coarsest level only: at finer ones it would take most of the time.
        down_block_types=("DownBlock2D",) * outer + ("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",) + ("UpBlock2D",) * outer,
        mid_block_type=None,
        block_out_channels=shape.unet_channels,
        layers_per_block=1,
        cross_attention_dim=shape.text_width,
        attention_head_dim=shape.unet_heads,
        norm_num_groups=shape.unet_groups,
        use_linear_projection=True,
    )


def build_text_encoder(shape: Shape, tokenizer: CLIPTokenizer) -> CLIPTextModel:
    """The text encoder: token ids `(n, text_length)` to states `(n, text_length, text_width)`."""
    config = CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=shape.text_width,
        intermediate_size=shape.text_width * 4,
        num_hidden_layers=shape.text_layers,
        num_attention_heads=shape.text_heads,
        max_position_embeddings=shape.text_length,
        projection_dim=shape.text_width,
        hidden_act="quick_gelu",
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    encoder = CLIPTextModel(config)
    init_positional_heads(encoder)
    return encoder


@torch.no_grad()
def init_positional_heads(encoder: CLIPTextModel) -> None:
    """Initialise three heads of the first layer to attend one, two and three words back.

    Word order decides which colour belongs to which thing. Position embeddings are sinusoids in a
    part of the width of their own; a head whose keys are the sinusoids rotated by k positions
    attends to the k-th word before. With the usual initialisation the encoder ignores word order
    for thousands of steps.
    """
    # Older releases of transformers nest the layers one attribute deeper.
    inner = getattr(encoder, "text_model", encoder)
    layer, embeddings = inner.encoder.layers[0].self_attn, inner.embeddings
    words, places = embeddings.token_embedding.weight, embeddings.position_embedding.weight
    width = words.shape[1]
    part = width // encoder.config.num_attention_heads
    rates = torch.linspace(0.2, 2.8, part // 2)
    phases = torch.arange(places.shape[0])[:, None] * rates
    scale = 1.4 * float(words[:, : width - part].std())
    words[:, width - part :] = 0
    places[:, width - part :] = torch.cat([phases.cos(), phases.sin()], 1) * scale
    eye = torch.eye(part // 2)
    for head in range(min(3, encoder.config.num_attention_heads - 1)):
        rows = slice(head * part, (head + 1) * part)
        turn = rates * (head + 1)
        cos, sin = eye * turn.cos(), eye * turn.sin()
        forward = torch.cat([torch.cat([cos, -sin], 1), torch.cat([sin, cos], 1)], 0)
        for projection, matrix in ((layer.q_proj, torch.eye(part)), (layer.k_proj, forward)):
            projection.weight[rows] = 0
            projection.weight[rows, width - part :] = matrix * 1.3
            projection.bias[rows] = 0
        layer.v_proj.weight[rows] *= 2


def build_scheduler() -> DDIMScheduler:
    """The noise schedule of training and sampling.

    It uses v-prediction (Salimans & Ho 2022) with zero terminal signal-to-noise ratio and trailing
    timesteps (Lin et al. 2024). Without these, pictures drift to medium brightness and night scenes
    are never dark.
    """
    return DDIMScheduler(
        num_train_timesteps=1000,
        beta_schedule="scaled_linear",
        beta_start=0.00085,
        beta_end=0.012,
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
        clip_sample=False,
        set_alpha_to_one=True,
        steps_offset=1,
    )


PATHS = frozenset({"_name_or_path", "name_or_path"})
"""Keys of configs that hold the folder that a network was loaded from."""


@dataclass(frozen=True)
class Networks:
    """The networks of one diffusers folder."""

    tokenizer: CLIPTokenizer
    text_encoder: CLIPTextModel
    vae: AutoencoderKL
    unet: UNet2DConditionModel

    def save(self, folder: Path, *, edit: bool = False) -> None:
        """Write the folder in half precision, for the `from_pretrained` of diffusers' Stable
        Diffusion pipelines. The networks themselves aren't changed.
        """
        kind = StableDiffusionInstructPix2PixPipeline if edit else StableDiffusionPipeline
        pipeline = kind(
            vae=deepcopy(self.vae).half(),
            text_encoder=deepcopy(self.text_encoder).half(),
            tokenizer=self.tokenizer,
            unet=deepcopy(self.unet).half(),
            scheduler=build_scheduler(),
            safety_checker=None,
            feature_extractor=None,
            requires_safety_checker=False,
        )
        pipeline.save_pretrained(str(folder), safe_serialization=True)
        # transformers writes a single tokenizer file; older releases read these two.
        for name in ("vocab.json", "merges.txt"):
            shutil.copy(Path(self.tokenizer.name_or_path) / name, folder / "tokenizer" / name)
        for weights in folder.rglob("*.safetensors"):
            weights.chmod(0o644)
        # diffusers loads half-precision files in single precision by default; transformers follows
        # this config. The text encoder and the denoiser must agree.
        settings = folder / "text_encoder" / "config.json"
        text = json.loads(settings.read_text(encoding="utf-8"))
        settings.write_text(
            json.dumps({**text, "dtype": "float32"}, indent=2) + "\n", encoding="utf-8"
        )
        _remove_paths(folder)


def _remove_paths(folder: Path) -> None:
    """Remove the path that a network was loaded from, which the libraries write into configs."""
    for file in folder.glob("*/*.json"):
        values = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(values, dict) and PATHS & values.keys():
            kept = {name: value for name, value in values.items() if name not in PATHS}
            file.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


def write_defaults(
    folder: Path, shape: Shape, asked: dict[str, float], aspects: dict[str, tuple[int, int]]
) -> None:
    """Write `atelier.json`, the default arguments for these weights.

    `asked` holds the steps and guidance scales by name; the sizes of `aspects` are in pixels.
    """
    defaults = {
        **asked,
        "size": [shape.side, shape.side],
        "aspects": {name: list(size) for name, size in aspects.items()},
        "edit": "edit",
        "checker": "off",  # draws only its own vocabulary; a checker would need a download
    }
    (folder / "atelier.json").write_text(json.dumps(defaults, indent=2) + "\n", encoding="utf-8")
