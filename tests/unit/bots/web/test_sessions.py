"""The secret's file is its owner's alone, whatever the process's umask is."""

from __future__ import annotations

import os
from pathlib import Path

from bots.web.sessions import SECRET_FILE, load_secret


def test_generated_secret_is_its_owners_alone(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        secret, generated = load_secret(tmp_path / "home", None)
    finally:
        os.umask(before)
    assert generated
    assert load_secret(tmp_path / "home", None) == (secret, False)
    assert (tmp_path / "home" / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "home").stat().st_mode & 0o777 == 0o700
