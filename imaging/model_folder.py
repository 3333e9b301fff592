"""Metadata of model folders in diffusers' layout, read from their JSON files. Imports no torch."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imaging.errors import ModelUnavailable

_FRONT_MATTER = re.compile(r"---\s*\n(.*?)\n---", re.DOTALL)
_LICENCE = re.compile(r"^(license|license_name):\s*[\"']?([^\s\"'#]+)", re.MULTILINE)


def read_overrides(folder: Path, name: str) -> Mapping[str, Any]:
    """The values set in `atelier.json`. Raises ModelUnavailable for an invalid value."""
    file = folder / "atelier.json"
    if not file.is_file():
        return {}
    from pydantic import ValidationError

    from imaging.model_overrides import ModelOverrides

    try:
        overrides = ModelOverrides.model_validate(read_json(file, name))
    except ValidationError as error:
        first = error.errors()[0]
        location = ".".join(str(part) for part in first["loc"])
        raise ModelUnavailable(f"{file}: {location}: {first['msg']}.", model=name) from error
    values = overrides.model_dump(exclude_unset=True)
    # Null means the default, except for `edit`: there it means that the model does not edit.
    return {key: value for key, value in values.items() if value is not None or key == "edit"}


def read_json(path: Path, name: str) -> Mapping[str, Any]:
    """A JSON object of the model `name`. Raises ModelUnavailable if it cannot be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnavailable(
            f"{path.parent} is not a model folder: it has no {path.name}.", model=name
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}.", model=name) from error
    if not isinstance(values, dict):
        raise ModelUnavailable(f"{path} must hold a JSON object.", model=name)
    return values


def size_constraints(folder: Path) -> Mapping[str, int]:
    """`multiple` and `side` in pixels from the folder's configs; empty for an unknown layout.

    Sides must be divisible by the autoencoder's scale times the denoiser's downsampling: a UNet
    halves in every block but one, a transformer uses 2 × 2 patches. `sample_size` is the side of
    the training resolution in latent cells.
    """
    try:
        scale = _autoencoder_scale(_config(folder, "vae"))
        if not (folder / "unet").is_dir():
            return {"multiple": scale * 2}
        unet = _config(folder, "unet")
        multiple = scale * 2 ** (len(unet["block_out_channels"]) - 1)
        return {"multiple": multiple, "side": int(unet["sample_size"]) * scale}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # the family's defaults apply


def _autoencoder_scale(config: Mapping[str, Any]) -> int:
    """Pixels of a latent cell's side. Raises KeyError for an unknown kind of autoencoder."""
    if "spatial_compression_ratio" in config:
        return int(config["spatial_compression_ratio"])
    if "temperal_downsample" in config:  # as the library spells it
        return int(2 ** len(config["temperal_downsample"]))
    if "encoder_block_out_channels" in config:
        return int(2 ** (len(config["encoder_block_out_channels"]) - 1))
    return int(2 ** (len(config["block_out_channels"]) - 1))


def licence_of(folder: Path) -> str | None:
    """The licence that the front matter of a folder's README.md names, as on the hub."""
    try:
        text = (folder / "README.md").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    front = _FRONT_MATTER.match(text)
    found = dict(_LICENCE.findall(front[1])) if front else {}
    name = found.get("license_name") if found.get("license") in (None, "other") else None
    return name or found.get("license")


def cached_family(hub: str) -> str:
    """The pipeline class of a hub id in the local cache; "" if it is not cached."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:  # bots install no model libraries
        return ""
    path = try_to_load_from_cache(hub, "model_index.json")
    if not isinstance(path, str):
        return ""
    return str(read_json(Path(path), hub).get("_class_name", ""))


def _config(folder: Path, part: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = json.loads((folder / part / "config.json").read_text("utf-8"))
    return values
