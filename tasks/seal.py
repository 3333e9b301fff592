"""Sealing what must not be read from the database alone: tokens of installed workspaces."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken

KEY_FILE = "secret.key"


class BrokenSeal(Exception):
    """What was sealed cannot be read: the key is another one, or the bytes are damaged."""


class Seal:
    """Encrypts small JSON objects with one key (Fernet: AES-128-CBC with HMAC-SHA256)."""

    def __init__(self, key: str) -> None:
        try:
            self._fernet = Fernet(key.encode())
        except ValueError as error:
            raise ValueError(
                "ATELIER_SECRET_KEY has to be 32 random bytes in url-safe base64; "
                "leave it unset to have one made in the data folder"
            ) from error

    def close(self, values: Mapping[str, Any]) -> bytes:
        """The values, unreadable without the key."""
        return self._fernet.encrypt(json.dumps(values).encode())

    def open(self, sealed: bytes) -> dict[str, Any]:
        """The values again. Raises BrokenSeal."""
        try:
            return dict(json.loads(self._fernet.decrypt(sealed)))
        except InvalidToken as error:
            raise BrokenSeal(
                "a stored token cannot be read with this key; set ATELIER_SECRET_KEY (or restore "
                f"{KEY_FILE}) to what it was, or install the app anew"
            ) from error


def key_of(home: Path, given: str | None) -> str:
    """The key to seal with: the one that was given, else the data folder's, made on first use.

    The file is for its owner's eyes alone. Two processes that start at once agree on one key.
    """
    if given:
        return given
    home.mkdir(parents=True, exist_ok=True)
    path, draft = home / KEY_FILE, home / f"{KEY_FILE}.{os.getpid()}"
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(Fernet.generate_key())
        try:
            os.link(draft, path)  # whole at once, and never over another process's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
