"""Stored pictures: bytes by name, in a folder or a bucket, through fsspec."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from fsspec.core import url_to_fs

SUFFIXES = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp"}


def picture_name(job: UUID, lease: UUID, index: int, mime: str) -> str:
    """The name of a finished picture; one lease never writes over what another has made."""
    return f"pictures/{job}/{lease.hex[:12]}-{index}.{SUFFIXES.get(mime, 'bin')}"


def source_name(data: bytes) -> str:
    """The name of an uploaded picture: the same bytes are kept once."""
    return f"sources/{hashlib.sha256(data).hexdigest()}"


def default_url(home: Path) -> str:
    """Where pictures are kept when nothing is set: a folder of the data folder.

    Its name is not percent-encoded: fsspec takes a file's path as it stands.
    """
    return f"file://{(home / 'blobs').resolve()}"


class Blobs:
    """A place for bytes. `url` is `file://…`, `s3://…`, or any other that fsspec reads."""

    def __init__(self, url: str) -> None:
        self._files, self._root = url_to_fs(url)

    def put(self, name: str, data: bytes) -> None:
        """Store. On a disk it is written beside its place and moved in: whole or not at all."""
        path = self._path(name)
        self._files.makedirs(path.rpartition("/")[0], exist_ok=True)
        if "file" not in self._files.protocol:  # a bucket does that by itself
            self._files.pipe_file(path, data)
            return
        beside = f"{path}.{uuid4().hex}.part"
        self._files.pipe_file(beside, data)
        self._files.mv(beside, path)

    def get(self, name: str) -> bytes:
        """The bytes. Raises FileNotFoundError."""
        return bytes(self._files.cat_file(self._path(name)))

    def delete(self, name: str) -> None:
        """Take it away; no trouble where it is gone already."""
        with contextlib.suppress(FileNotFoundError):
            self._files.rm_file(self._path(name))

    def older_than(self, folder: str, moment: datetime) -> Iterator[str]:
        """Names below a folder that were last written before `moment`."""
        with contextlib.suppress(FileNotFoundError):
            for path, facts in self._files.find(self._path(folder), detail=True).items():
                if _written(facts) < moment:
                    yield str(path).removeprefix(self._root).lstrip("/")

    def _path(self, name: str) -> str:
        if ".." in name.split("/") or name.startswith("/"):
            raise FileNotFoundError(name)
        return f"{self._root.rstrip('/')}/{name}"


def _written(facts: dict[str, object]) -> datetime:
    """When a file was written, as the file system tells it."""
    for key in ("mtime", "LastModified", "created"):
        value = facts.get(key)
        if isinstance(value, (int, float)):
            return datetime.fromtimestamp(value, UTC)
        if isinstance(value, datetime):
            return value if value.tzinfo else value.replace(tzinfo=UTC)
    return datetime.now(UTC)
