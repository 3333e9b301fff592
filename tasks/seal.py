"""Sealing what must not be read from the database alone: tokens of installed workspaces."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

KEY_FILE = "secret.key"
KEY_BYTES = 32


class BrokenSeal(Exception):
    """What was sealed cannot be read: the key is another one, or the bytes are damaged."""


class Seal:
    """Encrypts small JSON objects with one key (Fernet: AES-128-CBC with HMAC-SHA256).

    The library is read when something is first sealed or opened: most bots never do, and it takes
    7 MB of each of them.
    """

    def __init__(self, key: str) -> None:
        if not is_key(key):
            raise ValueError(
                "ATELIER_SECRET_KEY has to be 32 random bytes in url-safe base64; "
                "leave it unset to have one made in the data folder"
            )
        self._key = key.encode()

    def close(self, values: Mapping[str, Any]) -> bytes:
        """The values, unreadable without the key."""
        from cryptography.fernet import Fernet

        return Fernet(self._key).encrypt(json.dumps(values).encode())

    def open(self, sealed: bytes) -> dict[str, Any]:
        """The values again. Raises BrokenSeal."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return dict(json.loads(Fernet(self._key).decrypt(sealed)))
        except InvalidToken as error:
            raise BrokenSeal(
                "a stored token cannot be read with this key; set ATELIER_SECRET_KEY (or restore "
                f"{KEY_FILE}) to what it was, or install the app anew"
            ) from error


def is_key(text: str) -> bool:
    """Whether a text can be a key."""
    try:
        return len(base64.urlsafe_b64decode(text.encode())) == KEY_BYTES
    except (binascii.Error, UnicodeEncodeError):
        return False


def key_of(home: Path, given: str | None) -> str:
    """The key to seal with: the one that was given, else the data folder's, made on first use.

    The file is for its owner's eyes alone. Two processes that start at once agree on one key.
    """
    if given:
        return given
    home.mkdir(parents=True, exist_ok=True)
    path, draft = home / KEY_FILE, home / f"{KEY_FILE}.{os.urandom(4).hex()}"
    if not path.exists():
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(base64.urlsafe_b64encode(os.urandom(KEY_BYTES)))
        try:
            os.link(draft, path)  # whole at once, and never over another process's key
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
