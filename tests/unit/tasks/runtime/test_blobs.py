"""Blob storage: names, and bytes by name."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from tasks.runtime.blobs import Blobs, picture_name, source_name


def test_blobs_are_stored_listed_and_deleted(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path.as_uri())
    name = picture_name(uuid4(), uuid4(), 0, "image/png")
    blobs.put(name, b"one")
    blobs.put(name, b"two")
    assert blobs.get(name) == b"two"
    future = datetime.now(UTC) + timedelta(hours=1)
    assert list(blobs.pages_older_than("pictures", future, 10)) == [(name,)]
    assert list(blobs.pages_older_than("pictures", future - timedelta(hours=2), 10)) == []
    blobs.delete(name)
    blobs.delete(name)
    with pytest.raises(FileNotFoundError):
        blobs.get(name)


def test_equal_uploads_have_one_name() -> None:
    assert source_name(b"a") == source_name(b"a") != source_name(b"b")


@pytest.mark.parametrize("name", ["../secret", "pictures/../../secret", "/etc/passwd"])
def test_blob_name_cannot_escape_the_folder(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("key")
    with pytest.raises(FileNotFoundError):
        Blobs((tmp_path / "blobs").as_uri()).get(name)


def test_requests_to_a_bucket_have_time_limits() -> None:
    files = Blobs("s3://bucket/folder")._files
    given = files.config_kwargs
    assert 0 < given["connect_timeout"] <= 10
    assert 0 < given["read_timeout"] <= 60
    assert given["retries"]["total_max_attempts"] <= 3
