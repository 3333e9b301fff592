"""Access rights of the data folder: nobody but its owner reads prompts, pictures and keys."""

from __future__ import annotations

import os
from pathlib import Path

PRIVATE_UMASK = 0o077


def restrict_new_files() -> None:
    """Let this process and its children create files that only their owner can read (mode 600)."""
    os.umask(PRIVATE_UMASK)


def make_private(folder: Path) -> None:
    """Create the data folder, or restrict an existing one, to mode 700.

    As root the mode is 711: embedded Postgres runs under another account, which has to pass through
    the folder to its own. A folder of another user is left as it is. Raises OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if folder.stat().st_uid == os.geteuid():
        folder.chmod(0o711 if os.geteuid() == 0 else 0o700)
