"""The data folder and the files in it are for their owner only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tasks.runtime.private_files import make_private

FOLDER_MODE = 0o711 if os.geteuid() == 0 else 0o700


def test_new_and_existing_folders_are_restricted(tmp_path: Path) -> None:
    existing = tmp_path / "existing"
    existing.mkdir(mode=0o755)
    for folder in (existing, tmp_path / "made" / "here"):
        make_private(folder)
        assert folder.stat().st_mode & 0o777 == FOLDER_MODE


def test_new_files_are_for_their_owner_only(tmp_path: Path) -> None:
    program = (
        "import pathlib, tasks.runtime.private_files as f; f.restrict_new_files();"
        "pathlib.Path('file').touch(); pathlib.Path('folder').mkdir()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert (tmp_path / "file").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "folder").stat().st_mode & 0o777 == 0o700
