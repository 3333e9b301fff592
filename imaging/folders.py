"""Model folders in diffusers' layout, as far as their JSON files tell. Imports no torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from imaging.errors import ModelUnavailable


def told_defaults(folder: Path, name: str) -> Mapping[str, Any]:
    """What `atelier.json` tells, only what is there. Raises ModelUnavailable for a wrong value."""
    file = folder / "atelier.json"
    if not file.is_file():
        return {}
    from pydantic import ValidationError

    from imaging.told import ToldDefaults

    try:
        told = ToldDefaults.model_validate(read_json(file, name))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ModelUnavailable(f"{file}: {where}: {first['msg']}.", model=name) from error
    return told.model_dump(exclude_unset=True)


def read_json(path: Path, name: str) -> Mapping[str, Any]:
    """A JSON object of the model `name`. Raises ModelUnavailable where there is none to be read."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ModelUnavailable(
            f"{path.parent} is no model folder: it has no {path.name}.", model=name
        ) from error
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}.", model=name) from error
    if not isinstance(values, dict):
        raise ModelUnavailable(f"{path} must hold a JSON object.", model=name)
    return values


def measures_of(folder: Path) -> Mapping[str, int]:
    """What the folder's configs say of its sizes, as `multiple` and `side`; else nothing.

    Sides must be divisible by the autoencoder's scale times the denoiser's halvings: a UNet halves
    once a block but one, a transformer takes patches of two. `sample_size` is the trained square in
    cells.
    """
    try:
        scale = 2 ** (len(_config(folder, "vae")["block_out_channels"]) - 1)
        if not (folder / "unet").is_dir():
            return {"multiple": scale * 2}
        unet = _config(folder, "unet")
        multiple = scale * 2 ** (len(unet["block_out_channels"]) - 1)
        return {"multiple": multiple, "side": int(unet["sample_size"]) * scale}
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # a layout of another kind: the family's own numbers hold


def family_in_cache(hub: str) -> str:
    """The pipeline class of a hub id that was downloaded before; "" where that is not known."""
    try:
        from huggingface_hub import try_to_load_from_cache
    except ImportError:  # a bot has no model libraries
        return ""
    path = try_to_load_from_cache(hub, "model_index.json")
    if not isinstance(path, str):
        return ""
    return str(read_json(Path(path), hub).get("_class_name", ""))


def _config(folder: Path, part: str) -> Mapping[str, Any]:
    values: Mapping[str, Any] = json.loads((folder / part / "config.json").read_text("utf-8"))
    return values
