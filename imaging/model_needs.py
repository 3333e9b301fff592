"""What a profile's model needs of a device: by its files where they are here. Imports no torch."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from math import prod
from pathlib import Path

from imaging.checkpoint_layout import DENOISER, layout_of, parts_of, read_shapes
from imaging.errors import ModelUnavailable
from imaging.memory_plan import ModelNeeds, needs_of_parts
from imaging.model_files import GGUF, is_single_file
from imaging.pipeline_families import FAMILIES, UNKNOWN_FAMILY
from imaging.profiles import Profile
from imaging.public_models import public_model

DENOISERS = frozenset({"unet", "transformer"})
SIXTEEN_BITS, THIRTY_TWO_BITS = 2, 4  # bytes of a weight


def needs_of(profile: Profile, source: str, *, accelerated: bool = True) -> ModelNeeds | None:
    """The needs of the profile's model at `source`; None where its size is not known.

    Published sizes stand in for files that are not downloaded yet. Weights are converted to the
    profile's dtype when they are loaded: their number counts, not the file's own dtype.
    """
    width = THIRTY_TWO_BITS if profile.dtype == "float32" or not accelerated else SIXTEEN_BITS
    if is_single_file(source):
        sizes = _file_sizes(profile, Path(source), width)
    else:
        sizes = _sizes(source, width)
    if not sizes:
        return None
    omitted = FAMILIES.get(profile.family, UNKNOWN_FAMILY).omitted
    kept = {name: size for name, size in sizes.items() if name not in omitted}
    return ModelNeeds(kept, profile.native_area, quantisable=not is_single_file(source))


def _sizes(source: str, width: int) -> Mapping[str, int]:
    """Bytes of the components of a folder or a hub id; none where they are not known."""
    folder = _folder(source)
    if folder and (counts := weight_counts(folder)):
        return {name: count * width for name, count in counts.items()}
    known = public_model(source)
    return needs_of_parts(known.parts, 0, width).components if known else {}


def _file_sizes(profile: Profile, path: Path, width: int) -> Mapping[str, int]:
    """Bytes of the components of a single file and of its base; none where they are not known.

    A quantised denoiser stays as it is in the file.
    """
    base = profile.files.base
    if path.suffix.lower() == GGUF:
        own = {DENOISER: path.stat().st_size} if path.is_file() else {}
    else:
        own = {name: count * width for name, count in _file_counts(path).items()}
    if not own or DENOISER not in own:
        return own
    others = _sizes(base, width) if base else {}
    return {**{name: size for name, size in others.items() if name not in DENOISERS}, **own}


def _file_counts(path: Path) -> Mapping[str, int]:
    """The number of weights of each component in a checkpoint; none for a damaged one."""
    try:
        shapes = read_shapes(path, path.name)
    except ModelUnavailable:
        return {}  # loading it says what is wrong
    return parts_of(shapes, layout_of(shapes))


def has_quantiser() -> bool:
    """Whether bitsandbytes is installed."""
    return importlib.util.find_spec("bitsandbytes") is not None


def weight_counts(folder: Path) -> Mapping[str, int]:
    """The number of weights of each component in a model folder, without its checker's.

    Of files that exist in more than one variant, the plain ones are counted.
    """
    counts: dict[str, int] = {}
    for part in sorted(path for path in folder.iterdir() if path.is_dir()):
        files = sorted(part.glob("*.safetensors"))
        plain = [file for file in files if not _is_variant(file)]
        found = sum(_weights(file) for file in plain or files)
        if found and part.name != "safety_checker":
            counts[part.name] = found
    return counts


def _folder(source: str) -> Path | None:
    """Where the files of a folder or of a downloaded hub id are."""
    if Path(source).is_dir():
        return Path(source)
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:  # bots install no model libraries
        return None
    try:
        index = try_to_load_from_cache(source, "model_index.json")
    except HFValidationError:
        return None
    return Path(index).parent if isinstance(index, str) else None


def _is_variant(file: Path) -> bool:
    """Whether it is, for example, `model.fp16.safetensors`."""
    return any(word in file.name for word in (".fp16.", ".bf16.", ".non_ema."))


def _weights(file: Path) -> int:
    """The number of weights in a safetensors file, by its header; 0 for one that is damaged."""
    try:
        return sum(prod(shape) for shape in read_shapes(file, file.name).values())
    except ModelUnavailable:
        return 0  # loading it says what is wrong
