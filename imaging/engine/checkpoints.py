"""Opening a model's files: folders, single files of the community, and quantised denoisers.

Safetensors and GGUF only: pickles can run code. Nothing is downloaded here.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import diffusers
import torch
from diffusers import DiffusionPipeline
from safetensors import SafetensorError
from safetensors.torch import load_file

from imaging.checkpoint_layout import layout_of, read_shapes
from imaging.engine.loras import load_lora
from imaging.engine.processors import replaced_processors
from imaging.errors import ModelUnavailable
from imaging.hub_files import INDEX, chosen_variant, variants
from imaging.model_files import GGUF, PICKLES, is_single_file, values_of
from imaging.model_folder import read_json
from imaging.pipeline_families import FAMILIES, UNKNOWN_FAMILY
from imaging.profiles import Profile

_DENOISERS = ("transformer", "unet")
_WHOLE_FILES = frozenset({"StableDiffusionPipeline", "StableDiffusionXLPipeline"})


def open_model(
    profile: Profile,
    source: str,
    dtype: torch.dtype,
    quantisation: Mapping[str, Any] = MappingProxyType({}),
) -> Any:
    """The pipeline of a profile's source, or of its editing model. Raises ModelUnavailable.

    `quantisation` are further arguments of diffusers; a single file cannot be quantised.
    """
    if is_single_file(source):
        if quantisation:
            raise ModelUnavailable(
                f"{source} is loaded with the weights that it has: set `memory` of {profile.name} "
                "to another plan than 8-bit or 4-bit, or use a GGUF file.",
                model=profile.name,
            )
        pipe = _open_file(profile, Path(source), dtype)
    else:
        pipe = _open_folder(profile, source, dtype, quantisation)
    if source == profile.source:
        _add_loras(pipe, profile)
        _add_embeddings(pipe, profile)
    return pipe


def folder_options(folder: Path, model: str, preferred: str | None) -> dict[str, Any]:
    """How to load a folder: its variant where there are no plain files, never from the hub.

    Raises ModelUnavailable where a part has its weights as pickles only.
    """
    found: set[str] = set()
    for part in values_of(read_json(folder / INDEX, model)):
        own = folder / part
        names = [file.name for file in own.iterdir()] if own.is_dir() else []
        kinds = variants(names)
        pickles = sorted(name for name in names if Path(name).suffix in PICKLES)
        if pickles and not kinds:
            raise ModelUnavailable(
                f"{own / pickles[0]} is a pickle, which can run code when it is opened, and "
                f"there is no safetensors file beside it: convert the model {model}.",
                model=model,
            )
        if kinds and (chosen := chosen_variant(kinds, preferred)) is not None:
            found.add(chosen)
    options: dict[str, Any] = {"local_files_only": True}
    if found:
        options["variant"] = preferred if preferred in found else min(found)
    return options


def _open_folder(
    profile: Profile, source: str, dtype: torch.dtype, quantisation: Mapping[str, Any]
) -> Any:
    options: dict[str, Any] = {"dtype": dtype, "use_safetensors": True}
    variant = profile.files.variant
    if Path(source).is_dir():
        preferred = variant if dtype is not torch.float32 else None
        options |= folder_options(Path(source), profile.name, preferred)
    elif source == profile.source:
        options |= {"revision": profile.files.revision}
        if variant and dtype is not torch.float32:
            options["variant"] = variant
    if source == profile.source:
        options |= dict.fromkeys(FAMILIES.get(profile.family, UNKNOWN_FAMILY).omitted)
    return DiffusionPipeline.from_pretrained(
        source, **options, **replaced_processors(source, options), **quantisation
    )


def _open_file(profile: Profile, path: Path, dtype: torch.dtype) -> Any:
    """A whole checkpoint, or a denoiser with the other parts of `base`."""
    base = profile.files.base
    if base is None:
        raise ModelUnavailable(
            f"{path} needs the configs that it was made with: set `base`.", model=profile.name
        )
    quantised = path.suffix.lower() == GGUF
    layout = None if quantised else layout_of(read_shapes(path, profile.name))
    family = _family(base, profile)
    if layout is not None and layout.whole and family in _WHOLE_FILES:
        opener = getattr(diffusers, family)
        return opener.from_single_file(str(path), config=base, local_files_only=True, dtype=dtype)
    part, kind = _denoiser(base, profile)
    more: dict[str, Any] = {}
    if quantised:
        more["quantization_config"] = _gguf(path, profile, dtype)
    denoiser = getattr(diffusers, kind).from_single_file(
        str(path), config=base, subfolder=part, dtype=dtype, local_files_only=True, **more
    )
    options = {"dtype": dtype, "use_safetensors": True}
    options |= folder_options(Path(base), profile.name, None)
    options |= dict.fromkeys(FAMILIES.get(profile.family, UNKNOWN_FAMILY).omitted)
    return DiffusionPipeline.from_pretrained(
        base, **{part: denoiser}, **options, **replaced_processors(base, options)
    )


def _gguf(path: Path, profile: Profile, dtype: torch.dtype) -> Any:
    if importlib.util.find_spec("gguf") is None:
        raise ModelUnavailable(
            f"{path} needs the package gguf: pip install 'atelier[worker]'.", model=profile.name
        )
    return diffusers.GGUFQuantizationConfig(compute_dtype=dtype)


def _family(base: str, profile: Profile) -> str:
    return profile.family or str(_index(base, profile).get("_class_name", ""))


def _denoiser(base: str, profile: Profile) -> tuple[str, str]:
    """The name and the class of the denoiser of a base model."""
    parts = values_of(_index(base, profile))
    for name in _DENOISERS:
        if name in parts:
            return name, parts[name][1]
    raise ModelUnavailable(f"{base} has no denoiser for {profile.name}.", model=profile.name)


def _index(base: str, profile: Profile) -> Mapping[str, Any]:
    if not Path(base).is_dir():
        raise ModelUnavailable(
            f"{base} is not downloaded: atelier models fetch {profile.name}.", model=profile.name
        )
    return read_json(Path(base) / INDEX, profile.name)


# -- what is added to a model ---------------------------------------------------------------------


def _tensors(location: Any, profile: Profile) -> dict[str, torch.Tensor]:
    """The tensors of a safetensors file on this machine."""
    if not isinstance(location, Path) or not location.is_file():
        raise ModelUnavailable(
            f"{location} is not here: atelier models fetch {profile.name}.", model=profile.name
        )
    try:
        return load_file(location)
    except (SafetensorError, OSError) as error:
        raise ModelUnavailable(
            f"{location} cannot be read as safetensors: {error}", model=profile.name
        ) from error


def _add_loras(pipe: Any, profile: Profile) -> None:
    """Load the LoRAs, and merge them into the weights where these are not quantised."""
    loras = profile.files.loras
    if not loras:
        return
    if not hasattr(pipe, "load_lora_weights"):
        sentence = f"{type(pipe).__name__} takes no LoRA: remove loras from {profile.name}."
        raise ModelUnavailable(sentence, model=profile.name)
    if importlib.util.find_spec("peft") is None:
        sentence = "LoRAs need the package peft: pip install 'atelier[worker]'."
        raise ModelUnavailable(sentence, model=profile.name)
    names = [f"lora-{number}" for number in range(len(loras))]
    for name, lora in zip(names, loras, strict=True):
        if not load_lora(pipe, _tensors(lora.location, profile), name):
            raise ModelUnavailable(
                f"{lora.location} fits no part of {profile.name}: it is a LoRA of another model.",
                model=profile.name,
            )
    pipe.set_adapters(names, [lora.weight for lora in loras])
    if not _is_quantised(pipe):
        parts = [part for part in pipe.get_list_adapters() if getattr(pipe, part, None) is not None]
        pipe.fuse_lora(components=parts, adapter_names=names)
        pipe.unload_lora_weights()


def _is_quantised(pipe: Any) -> bool:
    return any(getattr(part, "hf_quantizer", None) is not None for part in pipe.components.values())


def _add_embeddings(pipe: Any, profile: Profile) -> None:
    """Load the textual inversions; one for SDXL has a tensor for each of its text encoders."""
    for embedding in profile.files.embeddings:
        if not hasattr(pipe, "load_textual_inversion"):
            sentence = f"{type(pipe).__name__} takes no textual inversion."
            raise ModelUnavailable(sentence, model=profile.name)
        tensors = _tensors(embedding.location, profile)
        if {"clip_l", "clip_g"} <= set(tensors):
            for key, encoder, tokenizer in (
                ("clip_l", pipe.text_encoder, pipe.tokenizer),
                ("clip_g", pipe.text_encoder_2, pipe.tokenizer_2),
            ):
                pipe.load_textual_inversion(
                    {embedding.token: tensors[key]}, text_encoder=encoder, tokenizer=tokenizer
                )
        else:
            key = next(iter(tensors))
            vectors = tensors.get("emb_params", tensors[key])
            pipe.load_textual_inversion({embedding.token: vectors})


def weight_bytes(source: str) -> int:
    """Bytes of a source's weight files, an estimate of its size in memory; 0 for a hub id."""
    path = Path(source)
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.glob("*/*.safetensors"))
