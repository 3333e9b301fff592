"""Models that a worker loads itself, as the operator describes them. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from imaging.checkpoint_layout import Layout, layout_of, read_shapes
from imaging.errors import ModelUnavailable, UnknownProfile
from imaging.model_files import (
    GGUF,
    Location,
    ModelFiles,
    WebFile,
    is_single_file,
    pickle_fault,
)
from imaging.profiles import (
    NAMED,
    POSTCARD_FOLDER,
    Profile,
    build_profile,
    folder_profile,
    known_source,
    names,
    profile_for,
)

Paths = Mapping[Location | str, Path]
"""Where fetched files lie: the location, or the hub id, and the path on this machine."""


@dataclass(frozen=True, slots=True)
class LocalModel:
    """One `[models.NAME]` of the kind `local`.

    `origin` tells where it is set ("atelier.toml, line 12"). `source` is a folder, a hub id, the
    path of a single file, or a file of the web. `family` is the pipeline class, "" where the files
    tell it. `changes` are values over those of the class and of the files, by their names in
    `Profile`.
    """

    name: str
    origin: str
    source: str | WebFile
    family: str = ""
    files: ModelFiles = field(default_factory=ModelFiles)
    changes: Mapping[str, Any] = field(default_factory=dict)
    licence: str | None = None
    announced: bool = True  # by every worker that reads the file, not only where it is named

    def profile(self, paths: Paths | None = None) -> Profile:
        """The profile, as far as the files are here; `paths` tells where fetched ones lie.

        Raises ModelUnavailable for files that cannot be used.
        """
        found = _Described(self, paths or {}).profile()
        known = profile_for(self.name).licence if self.name in names() else None
        where = paths or {}
        base = self.files.base or (found.files.base if found.files else None)
        files = _here(replace(self.files, base=_at(base, where)), where)
        enlarged = isinstance(files.upscaler, Path)  # else it is fetched before the model is loaded
        return replace(
            found,
            name=self.name,
            edit=_at(found.edit, where),
            checker=_at(found.checker, where),
            licence=self.licence or found.licence or known,
            files=files,
            upscaler=str(files.upscaler) if enlarged else found.upscaler,
        )


def model_called(name: str) -> LocalModel:
    """A model that no `[models.NAME]` describes: a registered name, a folder, a file, or a hub id.

    Raises UnknownProfile for any other name, ModelUnavailable for a folder that is not a model.
    """
    if is_single_file(name) and not Path(name).expanduser().is_file():
        raise UnknownProfile(f"There is no file {name}.", name=name, known=", ".join(names()))
    if fault := pickle_fault(name):
        raise ModelUnavailable(f"{fault}.", model=name)
    if is_single_file(name):
        path = Path(name).expanduser().resolve()
        return LocalModel(path.stem.lower(), "ATELIER_MODEL", str(path))
    known = profile_for(name)
    usual = registered(known.name)[2] if known.name in names() else {}
    files = ModelFiles(variant=known.files.variant)
    return LocalModel(known.name, "ATELIER_MODEL", known.source, known.family, files, usual)


@dataclass(frozen=True, slots=True)
class _Described:
    """One model, described by what its files say."""

    model: LocalModel
    paths: Paths

    def profile(self) -> Profile:
        model, source = self.model, _at(self.model.source, self.paths)
        if source is None:
            return build_profile(model.name, "", model.family, model.changes)
        if is_single_file(source):
            return self._of_file(Path(source))
        if Path(source).is_dir():
            return folder_profile(model.name, Path(source), model.changes, model.family)
        hub = known_source(source)
        return build_profile(model.name, hub, model.family, model.changes)

    def _of_file(self, path: Path) -> Profile:
        model = self.model
        if not path.is_file():
            raise ModelUnavailable(f"There is no file {path} ({model.origin}).", model=model.name)
        layout = None if path.suffix.lower() == GGUF else layout_of(read_shapes(path, model.name))
        base = _at(model.files.base or (layout.base if layout else None), self.paths)
        changes = {**(layout.changes if layout else {}), **model.changes}
        if base is not None and Path(base).is_dir():
            described = folder_profile(model.name, Path(base), changes, self._family(layout))
            edit = str(path) if described.edits_natively else described.edit
            files = replace(described.files, base=base)
            return replace(described, source=str(path), edit=edit, files=files)
        family = self._family(layout)
        if not family and base is None:
            raise ModelUnavailable(
                f"{path} has an unknown layout: set `base` to the folder or hub id that it was "
                f"made from ({model.origin}).",
                model=model.name,
            )
        built = build_profile(model.name, str(path), family, changes)
        return replace(built, files=replace(built.files, base=base))

    def _family(self, layout: Layout | None) -> str:
        return self.model.family or (layout.family if layout else "")


def _at(source: str | WebFile | None, paths: Paths) -> str | None:
    """Where a source lies on this machine; a hub id that is not fetched stays one."""
    if source is None or source in paths:
        return None if source is None else str(paths[source])
    return None if isinstance(source, WebFile) else source


def _here(files: ModelFiles, paths: Paths) -> ModelFiles:
    """The files with the paths of what was fetched."""
    return replace(
        files,
        loras=tuple(
            replace(one, location=paths.get(one.location, one.location)) for one in files.loras
        ),
        embeddings=tuple(
            replace(one, location=paths.get(one.location, one.location)) for one in files.embeddings
        ),
        upscaler=None if files.upscaler is None else paths.get(files.upscaler, files.upscaler),
    )


def registered(name: str) -> tuple[str, str, Mapping[str, Any]]:
    """The source, the class and the values of a registered name."""
    if name in NAMED:
        return NAMED[name].hub, NAMED[name].family, NAMED[name].changes
    return str(POSTCARD_FOLDER), "", {"dtype": "float32"}
