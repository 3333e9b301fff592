"""Downloading one file by its address: resumed after an interruption, checked by its SHA-256."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import httpx2
from filelock import FileLock

from imaging.errors import DownloadFailed
from imaging.model_files import WebFile

TIMEOUT = 60.0  # seconds without any data
Report = Callable[[str, int, int], None]
"""Called with a file's name, the bytes that are here, and all of its bytes (0: not known)."""


def download(file: WebFile, folder: Path, report: Report) -> Path:
    """The file's path in `folder`, where it stays. Raises DownloadFailed."""
    target = folder / file.name
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / f"{file.name}.lock"):  # two workers of one folder fetch it once
        if not target.is_file():
            _fetch(file, target, report)
    return target


def _fetch(file: WebFile, target: Path, report: Report) -> None:
    partial = target.with_name(f"{target.name}.partial")
    try:
        _append(file, partial, report)
    except httpx2.HTTPError as error:
        reason = str(error) or type(error).__name__
        raise DownloadFailed(f"{file.url} cannot be downloaded: {reason}", url=file.url) from error
    except OSError as error:
        raise DownloadFailed(f"{partial} cannot be written: {error}", url=file.url) from error
    with partial.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    if digest != file.sha256:
        partial.unlink()
        raise DownloadFailed(
            f"{file.url} has the SHA-256 {digest}, not {file.sha256}: it is another file, or the "
            "setting is wrong.",
            url=file.url,
        )
    partial.replace(target)


def _append(file: WebFile, partial: Path, report: Report) -> None:
    """Download what is missing at the end of a partial file."""
    here = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={here}-"} if here else {}
    with httpx2.stream(
        "GET", file.url, headers=headers, follow_redirects=True, timeout=TIMEOUT
    ) as answer:
        if answer.status_code == httpx2.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here; the checksum tells whether it is right
        answer.raise_for_status()
        if answer.status_code != httpx2.codes.PARTIAL_CONTENT:
            here = 0
        total = here + int(answer.headers.get("Content-Length", 0))
        with partial.open("ab" if here else "wb") as output:
            for chunk in answer.iter_bytes():
                output.write(chunk)
                here += len(chunk)
                report(file.name, here, total)
