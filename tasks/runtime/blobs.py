"""Blob storage: bytes by name, in a folder or a bucket, through fsspec."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from fsspec.core import url_to_fs

from tasks.runtime.settings import Settings

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}
FOLDERS = ("pictures", "sources")
MARKER = "installation.json"
TIMEOUTS = {"connect_timeout": 5, "read_timeout": 30, "retries": {"total_max_attempts": 3}}
"""Seconds for one request to a bucket, and how often botocore makes it."""


class BlobStoreUnavailable(OSError):
    """The blob store failed; the call may succeed later, or once an operator has corrected it."""


class MarkerDamaged(Exception):
    """The blob store has a marker that cannot be read."""


@dataclass(frozen=True, slots=True)
class StoreMarker:
    """What a blob store says of itself: see `tasks.store.storage_pairing`.

    `advance` names the advance of the generation that wrote it; markers of earlier versions have
    none.
    """

    installation: UUID
    generation: int
    advance: str | None = field(default=None, compare=False)


def picture_name(job: UUID, lease: UUID, index: int, mime: str) -> str:
    """The name of a finished picture; each lease has its own, so attempts never overwrite."""
    return f"pictures/{job}/{lease.hex[:12]}-{index}.{SUFFIXES.get(mime, 'bin')}"


def source_name(data: bytes) -> str:
    """The name of an uploaded picture: equal bytes have one name."""
    return f"sources/{hashlib.sha256(data).hexdigest()}"


def default_url(home: Path) -> str:
    """The default blob storage: a folder in the data folder.

    The path is not percent-encoded, because fsspec does not decode it.
    """
    return f"file://{(home / 'blobs').resolve()}"


def blobs_of(settings: Settings) -> Blobs:
    """The blob storage of these settings."""
    return Blobs(settings.blobs_url or default_url(settings.home))


class Blobs:
    """Blob storage at `url`: `file://…`, `s3://…`, or any other that fsspec supports.

    Every method raises BlobStoreUnavailable where the store fails.
    """

    def __init__(self, url: str) -> None:
        self.name = url.partition("?")[0]
        options: dict[str, Any] = {}
        if url.startswith("s3"):
            options = {"config_kwargs": TIMEOUTS, "use_listings_cache": False}
        self._files, self._root = url_to_fs(url, **options)

    def put(self, name: str, data: bytes) -> None:
        """Store bytes atomically: a local file is written under another name and then renamed."""
        with _translated_errors():
            path = self._path(name)
            if not self._is_local:  # object stores write atomically
                self._files.pipe_file(path, data)
                return
            self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
            draft = f"{path}.{uuid4().hex}.part"
            self._files.pipe_file(draft, data)
            self._files.mv(draft, path)

    def get(self, name: str) -> bytes:
        """The bytes. Raises FileNotFoundError."""
        with _translated_errors(FileNotFoundError):
            return bytes(self._files.cat_file(self._path(name)))

    def delete(self, name: str) -> None:
        """Delete a blob, if it exists."""
        with _translated_errors(FileNotFoundError), contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def exists(self, name: str) -> bool:
        """Whether there is such a blob."""
        with _translated_errors(FileNotFoundError):
            return bool(self._files.exists(self._path(name)))

    def is_empty(self) -> bool:
        """Whether there is no picture and no upload."""
        with _translated_errors():
            return not any(any(True for _ in self._walk(folder)) for folder in FOLDERS)

    def pages_older_than(
        self, folder: str, moment: datetime, size: int
    ) -> Iterator[tuple[str, ...]]:
        """Names below a folder whose last write was before `moment`, up to `size` at a time.

        The listing is read as it is consumed, and never whole.
        """
        old = (name for name, written in self._walk(folder) if written < moment)
        while True:
            with _translated_errors():
                page = tuple(islice(old, size))
            if not page:
                return
            yield page

    def read_marker(self) -> StoreMarker | None:
        """The store's marker; None where it has none. Raises MarkerDamaged."""
        try:
            data = self.get(MARKER)
        except FileNotFoundError:
            return None
        try:
            values = json.loads(data)
            installation, generation = UUID(values["installation"]), int(values["generation"])
            return StoreMarker(installation, generation, values.get("advance"))
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise MarkerDamaged(f"{MARKER}: {error}") from error

    def write_marker(self, marker: StoreMarker) -> None:
        """Write or replace the store's marker."""
        values = {
            "installation": str(marker.installation),
            "generation": marker.generation,
            "advance": marker.advance,
        }
        self.put(MARKER, json.dumps(values).encode())

    @property
    def _is_local(self) -> bool:
        return "file" in self._files.protocol

    def _walk(self, folder: str) -> Iterator[tuple[str, datetime]]:
        """(name, time of its last write) of every blob below a folder."""
        root = self._path(folder)
        if self._is_local:
            found = _local_files(root)
        elif "s3" in self._files.protocol:
            found = _bucket_objects(self._files, root)
        else:
            found = ((path, _written(facts)) for path, facts in _find(self._files, root))
        for path, written in found:
            yield path.removeprefix(self._root).lstrip("/"), written

    def _path(self, name: str) -> str:
        if ".." in name.split("/") or name.startswith("/"):
            raise FileNotFoundError(name)
        return f"{self._root.rstrip('/')}/{name}"


@contextlib.contextmanager
def _translated_errors(*answers: type[Exception]) -> Iterator[None]:
    """Raises BlobStoreUnavailable for what storage libraries raise, except for `answers`.

    A file that is missing is an answer when it is read. When one is written or listed, it is the
    bucket that is missing.
    """
    passed: tuple[type[Exception], ...] = (*answers, BlobStoreUnavailable)
    try:
        yield
    except passed:
        raise
    except Exception as error:
        raise BlobStoreUnavailable(f"{type(error).__name__}: {error}") from error


def _local_files(root: str) -> Iterator[tuple[str, datetime]]:
    for folder, _, names in os.walk(root):
        for name in names:
            path = f"{folder}/{name}"
            with contextlib.suppress(FileNotFoundError):  # deleted since it was listed
                yield path, datetime.fromtimestamp(Path(path).stat().st_mtime, UTC)


def _bucket_objects(files: Any, root: str) -> Iterator[tuple[str, datetime]]:
    """A bucket's objects, a thousand for each request."""
    bucket, _, prefix = root.partition("/")
    request: dict[str, Any] = {"Bucket": bucket, "Prefix": f"{prefix}/"}
    while True:
        answer = files.call_s3("list_objects_v2", **request)
        for one in answer.get("Contents", ()):
            yield f"{bucket}/{one['Key']}", one["LastModified"]
        if not answer.get("IsTruncated"):
            return
        request["ContinuationToken"] = answer["NextContinuationToken"]


def _find(files: Any, root: str) -> Iterable[tuple[str, Mapping[str, object]]]:
    with contextlib.suppress(FileNotFoundError):
        return list(files.find(root, detail=True).items())
    return []


def _written(facts: Mapping[str, object]) -> datetime:
    """The time of a file's last write."""
    for key in ("mtime", "LastModified", "created"):
        value = facts.get(key)
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.now(UTC)
