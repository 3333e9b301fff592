"""Which files of a repository in diffusers' layout a model needs. Pure; imports no torch."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import PurePosixPath

from imaging.errors import ModelUnavailable
from imaging.model_files import PICKLES, values_of

INDEX = "model_index.json"
_ROOT = (INDEX, "README.md", "atelier.json", "vocabulary.json")
_NAMES = ("diffusion_pytorch_model", "model")  # of weights: diffusers' and transformers'
_WEIGHTS = re.compile(
    rf"(?:{'|'.join(_NAMES)})"
    r"(?:\.(?P<variant>[A-Za-z0-9_]+))?(?:-\d{5}-of-(?P<shards>\d{5}))?\.safetensors"
)
_SHARD_INDEX = re.compile(
    rf"(?:{'|'.join(_NAMES)})\.safetensors\.index(?:\.(?P<variant>[A-Za-z0-9_]+))?\.json"
)
_TEXTS = frozenset({".json", ".txt", ".model", ".jinja"})

Sizes = Mapping[str, int]
"""The files of a repository: path → bytes."""


def wanted_files(
    files: Sizes,
    index: Mapping[str, object],
    model: str,
    *,
    variant: str | None = None,
    parts: Collection[str] | None = None,
    without_weights: Collection[str] | None = None,
) -> list[str]:
    """The files to fetch, sorted: configs, tokenizers, and one set of weights for each part.

    `variant` is preferred where a part has it. `parts` are those to fetch, None for all of them;
    `without_weights` those of which only the configs are needed. Raises ModelUnavailable for a part
    whose weights are only there as pickles.
    """
    wanted = {name for name in _ROOT if name in files}
    for part in values_of(index):
        if parts is not None and part not in parts:
            continue
        own = {name: size for name, size in files.items() if name.startswith(f"{part}/")}
        wanted |= {name for name in own if _is_text(name)}
        if without_weights is None or part not in without_weights:
            wanted |= _weights(own, part, model, variant)
    return sorted(wanted)


def variants(names: Sequence[str]) -> frozenset[str | None]:
    """The variants of one part's weight files; None for the files without one."""
    found = [_WEIGHTS.fullmatch(PurePosixPath(name).name) for name in names]
    return frozenset(match["variant"] for match in found if match)


def chosen_variant(found: Collection[str | None], preferred: str | None) -> str | None:
    """The preferred variant where it is there, else the plain files, else the first variant."""
    if preferred in found:
        return preferred
    return None if None in found else min(name for name in found if name is not None)


def _is_text(name: str) -> bool:
    """Configs and tokenizers; not the index of one set of shards, and not of other frameworks."""
    path = PurePosixPath(name)
    return path.suffix in _TEXTS and ".index." not in path.name and len(path.parts) == 2


def _weights(own: Sizes, part: str, model: str, preferred: str | None) -> set[str]:
    names = [name for name in own if len(PurePosixPath(name).parts) == 2]
    found = variants(names)
    if not found:
        pickles = [name for name in names if PurePosixPath(name).suffix in PICKLES]
        if pickles:
            raise ModelUnavailable(
                f"{model} has the weights of {part} only as a pickle ({pickles[0]}), which can run "
                "code when it is opened: use a repository or revision with safetensors.",
                model=model,
            )
        return set()  # a scheduler or a tokenizer
    variant = chosen_variant(found, preferred)
    return {name for name in names if _is_of(PurePosixPath(name).name, variant, names)}


def _is_of(name: str, variant: str | None, beside: Sequence[str]) -> bool:
    """Whether a file belongs to a variant's weights; one whole file is preferred to shards."""
    if match := _WEIGHTS.fullmatch(name):
        whole = any(
            other and other["variant"] == variant and other["shards"] is None
            for other in (_WEIGHTS.fullmatch(PurePosixPath(each).name) for each in beside)
        )
        return match["variant"] == variant and not (whole and match["shards"])
    match = _SHARD_INDEX.fullmatch(name)
    return match is not None and match["variant"] == variant
