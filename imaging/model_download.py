"""Fetching all files of a model: from the hub only those that are used. Imports no torch.

Files of the hub are in its cache (`HF_HOME`), those of the web in a folder of the data folder.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx2
import structlog
from huggingface_hub import HfApi, constants, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (
    EntryNotFoundError,
    GatedRepoError,
    HfHubHTTPError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from tqdm.auto import tqdm  # type: ignore[import-untyped]

from imaging.checkpoint_layout import layout_of, read_shapes
from imaging.errors import DownloadFailed, ModelUnavailable
from imaging.hub_files import INDEX, Sizes, chosen_variant, variants, wanted_files
from imaging.local_models import LocalModel
from imaging.model_files import GGUF, HubFile, Location, WebFile, is_single_file, values_of
from imaging.model_folder import read_json
from imaging.web_download import Report, download

log = structlog.get_logger(__name__)
Result = TypeVar("Result")

DENOISERS = frozenset({"unet", "transformer"})
CHECKER_PARTS = frozenset({"safety_checker", "feature_extractor"})
REPORT_SECONDS = 10.0


@dataclass(slots=True)
class LoggedProgress:
    """Logs a download's progress now and then."""

    model: str
    _logged_at: float = field(init=False, default=float("-inf"))

    def __call__(self, name: str, done: int, total: int) -> None:
        """A `Report`."""
        now = time.monotonic()
        if now - self._logged_at < REPORT_SECONDS and done != total:
            return
        self._logged_at = now
        log.info("model-downloading", model=self.model, file=name, bytes=done, of=total)


def fetch(
    model: LocalModel, folder: Path, report: Report | None = None
) -> dict[Location | str, Path]:
    """Fetch what is not here, and tell where each file is. Raises ModelUnavailable."""
    return _Fetch(model, folder, report or LoggedProgress(model.name)).all()


@dataclass(slots=True)
class _Fetch:
    model: LocalModel
    folder: Path
    report: Report
    paths: dict[Location | str, Path] = field(default_factory=dict)

    def all(self) -> dict[Location | str, Path]:
        model, files = self.model, self.model.files
        if isinstance(model.source, WebFile):
            self._location(model.source)
        elif model.source:
            self._repository(model.source, files.revision, files.variant)
        self._base()
        profile = model.profile(self.paths)
        if profile.edit and profile.edit != profile.source:
            self._repository(profile.edit, None, files.variant)
        if profile.checker:
            self._repository(profile.checker, None, files.variant, CHECKER_PARTS)
        locations = [lora.location for lora in files.loras]
        locations += [embedding.location for embedding in files.embeddings]
        for location in (*locations, files.upscaler):
            if location is not None:
                self._location(location)
        return self.paths

    def _base(self) -> None:
        """What a single file lacks: the configs, and the parts that it does not hold."""
        source = self.paths.get(self.model.source, Path(str(self.model.source)))
        if not is_single_file(str(source)) or not source.is_file():
            return
        layout = None
        if source.suffix.lower() != GGUF:
            layout = layout_of(read_shapes(source, self.model.name))
        base = self.model.files.base or (layout.base if layout else None)
        if base is None or Path(base).is_dir():
            return
        whole = layout is not None and layout.whole
        skipped = None if whole else DENOISERS
        self._repository(base, None, self.model.files.variant, None, skipped, configs=whole)

    def _location(self, location: Location) -> None:
        if isinstance(location, WebFile):
            self.paths[location] = download(location, self.folder, self.report)
        elif isinstance(location, HubFile):
            found = _hub(
                self.model.name,
                location.repository,
                lambda: hf_hub_download(
                    location.repository,
                    location.file,
                    revision=location.revision,
                    tqdm_class=_counting(self.report, location.file),
                ),
            )
            self.paths[location] = Path(found)

    def _repository(
        self,
        source: str,
        revision: str | None,
        variant: str | None,
        parts: Collection[str] | None = None,
        skipped: Collection[str] | None = None,
        *,
        configs: bool = False,
    ) -> None:
        """Fetch a hub id; a folder or a file stays where it is."""
        if Path(source).exists() or is_single_file(source):
            return
        name = self.model.name
        cached = try_to_load_from_cache(source, INDEX, revision=revision)
        if isinstance(cached, str):
            folder = Path(cached).parent
            index = read_json(Path(cached), name)
            without = frozenset(values_of(index)) if configs else skipped
            if _is_complete(folder, index, parts, without):
                self.paths[source] = folder
                return
        self.paths[source] = _hub(
            name,
            source,
            lambda: self._download(source, revision, variant, parts, skipped, configs),
        )

    def _download(
        self,
        source: str,
        revision: str | None,
        variant: str | None,
        parts: Collection[str] | None,
        skipped: Collection[str] | None,
        configs: bool,
    ) -> Path:
        info = HfApi().model_info(source, revision=revision, files_metadata=True)
        files = {one.rfilename: one.size or 0 for one in info.siblings or ()}
        if INDEX not in files:
            raise ModelUnavailable(
                f"{source} is not a model in diffusers' layout: it has no {INDEX}. For a single "
                "file of it, set source to that file's address and its sha256.",
                model=self.model.name,
            )
        # By commit: all files are of one state, also where the branch moves meanwhile.
        index_file = hf_hub_download(source, INDEX, revision=info.sha)
        index = read_json(Path(index_file), self.model.name)
        without = frozenset(values_of(index)) if configs else skipped
        wanted = wanted_files(
            files, index, source, variant=variant, parts=parts, without_weights=without
        )
        self._download_files(source, info.sha, {name: files[name] for name in wanted})
        return Path(index_file).parent

    def _download_files(self, source: str, commit: str | None, wanted: Sizes) -> None:
        missing = {
            name: size
            for name, size in wanted.items()
            if not isinstance(try_to_load_from_cache(source, name, revision=commit), str)
        }
        _check_disk(sum(missing.values()), self.model.name)
        for name in missing:
            counting = _counting(self.report, f"{source}/{name}")
            hf_hub_download(source, name, revision=commit, tqdm_class=counting)


def _is_complete(
    folder: Path,
    index: Mapping[str, Any],
    parts: Collection[str] | None,
    without: Collection[str] | None,
) -> bool:
    """Whether a folder of the cache has every part: an interrupted download does not."""
    for part in values_of(index):
        if parts is not None and part not in parts:
            continue
        own = folder / part
        if not own.is_dir() or not any(own.iterdir()):
            return False
        needs_weights = (own / "config.json").is_file() and (without is None or part not in without)
        if needs_weights and not _has_weights(own):
            return False
    return True


def _has_weights(part: Path) -> bool:
    names = [file.name for file in part.iterdir()]
    found = variants(names)
    if not found:
        return False
    variant = chosen_variant(found, None)
    for index in part.glob("*.safetensors.index*.json"):
        shards = set(json.loads(index.read_text(encoding="utf-8")).get("weight_map", {}).values())
        if not shards <= set(names):
            return False
    return variant in found


def _check_disk(size: int, model: str) -> None:
    cache = Path(constants.HF_HUB_CACHE)
    existing = next(folder for folder in (cache, *cache.parents) if folder.exists())
    free = shutil.disk_usage(existing).free
    if size > free:
        raise DownloadFailed(
            f"{model} needs {size / 1e9:.1f} GB and {existing} has {free / 1e9:.1f} GB left: free "
            "some space, or set HF_HOME to a larger disk.",
            model=model,
        )


def _counting(report: Report, name: str) -> Any:
    """A class for the hub's library that reports the bytes instead of drawing a bar."""

    class Counting(tqdm):  # type: ignore[misc]
        def __init__(self, *arguments: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*arguments, **{**options, "disable": False, "file": _nowhere()})

        def update(self, n: float | None = 1) -> Any:
            done = super().update(n)
            report(name, int(self.n), int(self.total or 0))
            return done

    return Counting


def _nowhere() -> Any:
    return open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123 - as long as the bar


def _hub(model: str, repository: str, call: Callable[[], Result]) -> Result:
    """Call the hub. Raises DownloadFailed with one sentence that says what to do."""
    page = f"{constants.ENDPOINT}/{repository}"
    login = "`hf auth login`, or set HF_TOKEN"
    try:
        return call()
    except GatedRepoError as error:
        sentence = (
            f"{repository} is gated: accept its licence at {page} with your account, then {login}."
        )
        raise DownloadFailed(sentence, model=model) from error
    except RevisionNotFoundError as error:
        raise DownloadFailed(f"{repository} has no such revision: see {page}.", model=model) from (
            error
        )
    except LocalEntryNotFoundError as error:
        sentence = (
            f"{repository} is not downloaded, and {constants.ENDPOINT} cannot be reached: connect "
            f"this machine, then `atelier models fetch {model}`."
        )
        raise DownloadFailed(sentence, model=model) from error
    except RepositoryNotFoundError as error:
        sentence = (
            f"There is no {repository} at {constants.ENDPOINT}, or it is private: correct the "
            f"name, or {login} with an account that may read {page}."
        )
        raise DownloadFailed(sentence, model=model) from error
    except EntryNotFoundError as error:
        raise DownloadFailed(f"{repository} has no such file: see {page}.", model=model) from error
    except OfflineModeIsEnabled as error:
        sentence = f"{repository} is not downloaded, and HF_HUB_OFFLINE forbids it: unset that."
        raise DownloadFailed(sentence, model=model) from error
    except httpx2.TransportError as error:
        sentence = (
            f"{repository} is not downloaded, and {constants.ENDPOINT} cannot be reached "
            f"({type(error).__name__}): connect this machine, then `atelier models fetch {model}`."
        )
        raise DownloadFailed(sentence, model=model) from error
    except HfHubHTTPError as error:
        reason = str(error).strip().splitlines()[0]
        raise DownloadFailed(f"{repository} cannot be downloaded: {reason}", model=model) from error
