"""Encryption of what must not be readable from the database alone: workspace tokens."""

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


class DecryptionFailed(Exception):
    """The data cannot be decrypted: the key is another one, or the bytes are damaged."""


class TokenCipher:
    """Encrypts small JSON objects (Fernet: AES-128-CBC with HMAC-SHA256).

    `keys` are one or more keys, separated by commas or white space. The first one encrypts; the
    others decrypt what was encrypted before it was added. The library is imported at the first use:
    most bots never need it, and it takes 7 MB.
    """

    def __init__(self, keys: str) -> None:
        if not are_keys(keys):
            raise ValueError(
                "ATELIER_SECRET_KEY has to be 32 random bytes in url-safe base64, or several such "
                "keys separated by commas with the newest first; leave it unset to have one made "
                "in the data folder"
            )
        self._keys = split_keys(keys)

    def encrypt(self, values: Mapping[str, Any]) -> bytes:
        """Encrypt the values with the newest key."""
        from cryptography.fernet import Fernet

        return Fernet(self._keys[0]).encrypt(json.dumps(values).encode())

    def decrypt(self, data: bytes) -> dict[str, Any]:
        """Decrypt the values with any of the keys. Raises DecryptionFailed."""
        from cryptography.fernet import Fernet, InvalidToken, MultiFernet

        try:
            return dict(json.loads(MultiFernet([Fernet(key) for key in self._keys]).decrypt(data)))
        except InvalidToken as error:
            raise DecryptionFailed(
                "a stored token cannot be read with this key; set ATELIER_SECRET_KEY (or restore "
                f"{KEY_FILE}) to what it was, or install the app anew"
            ) from error

    def is_current(self, data: bytes) -> bool:
        """Whether the newest key encrypted the data."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            Fernet(self._keys[0]).decrypt(data)
        except InvalidToken:
            return False
        return True


def split_keys(text: str) -> list[str]:
    """The keys in a text, newest first."""
    return text.replace(",", " ").split()


def are_keys(text: str) -> bool:
    """Whether a text contains well-formed keys and nothing else."""
    keys = split_keys(text)
    return bool(keys) and all(map(_is_key, keys))


def _is_key(text: str) -> bool:
    try:
        return len(base64.urlsafe_b64decode(text.encode())) == KEY_BYTES
    except (binascii.Error, UnicodeEncodeError):
        return False


def key_of(home: Path, given: str | None) -> str:
    """The given keys, else those of the data folder, where a key is created at the first use.

    Only the file's owner can read it. Processes that start at once agree on one key.
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
            os.link(draft, path)  # atomic, and never replaces another process's key
        except FileExistsError:  # another process created the key first: that one is read below
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()
