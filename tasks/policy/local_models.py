"""`[models.NAME]` of the kind `local`: models that a worker loads itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from imaging.local_models import LocalModel, registered
from imaging.model_files import (
    Embedding,
    HubFile,
    Location,
    Lora,
    ModelFiles,
    WebFile,
    is_single_file,
    pickle_fault,
)
from imaging.parameters import Parameter
from imaging.profiles import names
from imaging.sizes import Size
from tasks.policy.models import (
    LOCAL,
    FileTable,
    ModelTable,
    WrongModel,
    check_keys,
    said_keys,
    size_faults,
)

_HUB = re.compile(r"[\w.-]+/[\w.-]+")
_WEB = re.compile(r"https?://")
_PLACES = ("file", "hub", "url")
_SAME_NAMES = ("steps", "guidance", "edit_steps", "edit_guidance", "strength", "dtype", "memory")
_COPIED = (*_SAME_NAMES, "checker", "side", "multiple")
_NO_GUIDANCE = "none"


def local_models(
    tables: Mapping[str, ModelTable], folder: Path, origins: Mapping[str, str]
) -> Mapping[str, LocalModel]:
    """The local models of the tables. Paths are relative to `folder`. Raises WrongModel."""
    local = {name: table for name, table in tables.items() if table.kind == LOCAL}
    for name, table in local.items():
        check_keys(name, table)
        for fault in _faults(name, table, folder):
            raise fault
    return {name: _model(name, table, folder, origins[name]) for name, table in local.items()}


def _faults(name: str, table: ModelTable, folder: Path) -> Iterator[WrongModel]:
    """What is inconsistent in a table whose values are valid alone."""
    said = said_keys(table)
    source = table.source or ""
    if table.source is None and name not in names():
        sentence = "is missing: a folder, a hub id, a file, or the address of a file"
        yield WrongModel((name, "source"), sentence)
    if fault := pickle_fault(source):
        yield WrongModel((name, "source"), f"cannot be used: {fault}")
    if _WEB.match(source) and table.sha256 is None:
        yield WrongModel((name, "sha256"), "is missing: the SHA-256 of the file at that address")
    if "sha256" in said and not _WEB.match(source):
        yield WrongModel((name, "sha256"), "is for a source that is an address")
    if "revision" in said and not _is_hub(source, folder):
        yield WrongModel((name, "revision"), "is for a source that is a hub id")
    if source.lower().endswith(".gguf") and table.base is None:
        sentence = "is missing: the folder or hub id with the parts that a GGUF file lacks"
        yield WrongModel((name, "base"), sentence)
    if "base" in said and not _is_file(source):
        yield WrongModel((name, "base"), "is for a source that is a single file")
    if table.multiple and "multiple" in said:
        yield from size_faults(name, table)
    for key in ("loras", "embeddings"):
        for number, entry in enumerate(getattr(table, key)):
            yield from _file_faults((name, key, str(number)), entry)
    if table.upscaler is not None:
        yield from _file_faults((name, "upscaler"), table.upscaler)


def _file_faults(path: tuple[str, ...], table: FileTable) -> Iterator[WrongModel]:
    """One of the three ways to name a file, each with what it needs; never a pickle."""
    said = said_keys(table)
    places = [key for key in _PLACES if key in said]
    if "name" in said:
        yield WrongModel((*path, "name"), "is for ComfyUI; set file, hub and file, or url")
    if "url" in said and (places != ["url"] or table.sha256 is None):
        yield WrongModel(path, "needs url and sha256, and no other place")
    if "url" not in said and "file" not in said:
        yield WrongModel(path, "needs file, hub and file, or url and sha256")
    if "sha256" in said and "url" not in said:
        yield WrongModel(path, "has a sha256, which is for an url")
    if "revision" in said and "hub" not in said:
        yield WrongModel(path, "has a revision, which is for a hub id")
    if fault := pickle_fault(table.file or (table.url or "").partition("?")[0]):
        yield WrongModel(path, f"cannot be used: {fault}")


def _model(name: str, table: ModelTable, folder: Path, origin: str) -> LocalModel:
    changes = _changes(table, folder)
    family, variant = table.class_ or "", table.variant
    source = _source(table, folder)
    if source is None:
        source, known, usual = registered(name)
        family = family or known
        variant = variant or usual.get("variant")
        changes = {**usual, **changes}
    files = ModelFiles(
        revision=table.revision,
        base=_place(table.base, folder) if table.base else None,
        variant=variant,
        loras=tuple(Lora(_location(one, folder), one.weight, one.trigger) for one in table.loras),
        embeddings=tuple(Embedding(_location(one, folder), one.token) for one in table.embeddings),
        upscaler=_location(table.upscaler, folder) if table.upscaler else None,
    )
    return LocalModel(
        name=name,
        origin=origin,
        source=source,
        family=family,
        files=files,
        changes=changes,
        licence=table.licence,
        announced=table.source is not None,
    )


def _changes(table: ModelTable, folder: Path) -> dict[str, Any]:
    """The values that the file sets, by their names in a profile."""
    said = said_keys(table)
    changes = {key: getattr(table, key) for key in _COPIED if key in said}
    if "sizes" in said:
        changes["aspects"] = dict[str, Size](table.sizes)
    if table.largest_megapixels is not None:
        changes["largest_pixels"] = int(table.largest_megapixels * 1_000_000)
    if "edit" in said:
        changes["edit"] = _place(table.edit, folder) if isinstance(table.edit, str) else None
    ignored = set()
    if table.guidance_kind is not None:
        none = table.guidance_kind == _NO_GUIDANCE
        changes["guidance_argument"] = "" if none else table.guidance_kind
        ignored |= {Parameter.GUIDANCE} if none else set()
    if table.negative is False:
        ignored.add(Parameter.NEGATIVE)
    if ignored:
        changes["ignored"] = frozenset(ignored)
    return changes


def _source(table: ModelTable, folder: Path) -> str | WebFile | None:
    if table.source is None:
        return None
    if _WEB.match(table.source):
        return WebFile(table.source, table.sha256 or "")
    return _place(table.source, folder)


def _location(table: FileTable, folder: Path) -> Location:
    if table.url is not None:
        return WebFile(table.url, table.sha256 or "")
    if table.hub is not None:
        return HubFile(table.hub, table.file or "", table.revision)
    return folder / Path(table.file or "").expanduser()


def _place(source: str, folder: Path) -> str:
    """A hub id as it is, a path relative to the folder as an absolute one."""
    if source in names() and source != "postcard":
        return registered(source)[0]
    if _is_hub(source, folder):
        return source
    return str((folder / Path(source).expanduser()).absolute())


def _is_hub(source: str, folder: Path) -> bool:
    """Whether a source is a hub id: `owner/name`, and neither a file's name nor a path here."""
    if source.startswith((".", "~", "/")) or is_single_file(source):
        return False
    return bool(_HUB.fullmatch(source)) and not (folder / source).exists()


def _is_file(source: str) -> bool:
    return is_single_file(source) or bool(_WEB.match(source))
