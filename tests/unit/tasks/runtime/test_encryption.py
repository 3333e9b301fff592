"""Token encryption: unreadable without the key, and a key file that only its owner can read."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.runtime.encryption import KEY_FILE, DecryptionFailed, TokenCipher, key_of


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none()), max_size=5))
def test_encrypted_values_can_be_decrypted(values: dict[str, object]) -> None:
    cipher = TokenCipher("A" * 43 + "=")
    assert cipher.decrypt(cipher.encrypt(values)) == values


def test_wrong_key_or_damaged_bytes_fail_to_decrypt(tmp_path: Path) -> None:
    sealed = TokenCipher(key_of(tmp_path / "a", None)).encrypt({"bot_token": "xoxb-secret"})
    assert b"xoxb" not in sealed
    with pytest.raises(DecryptionFailed, match="ATELIER_SECRET_KEY"):
        TokenCipher(key_of(tmp_path / "b", None)).decrypt(sealed)
    damaged = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    with pytest.raises(DecryptionFailed):
        TokenCipher(key_of(tmp_path / "a", None)).decrypt(damaged)


def test_concurrent_starts_agree_on_one_private_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_of(tmp_path, None), range(32)))
    assert len(keys) == 1
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_given_key_is_used_and_malformed_key_is_rejected(tmp_path: Path) -> None:
    assert key_of(tmp_path, "given") == "given"
    assert not (tmp_path / KEY_FILE).exists()
    with pytest.raises(ValueError, match="ATELIER_SECRET_KEY"):
        TokenCipher("too short")


def test_newest_key_encrypts_and_older_keys_decrypt() -> None:
    old, new = "A" * 43 + "=", "B" * 42 + "A="
    stored = TokenCipher(old).encrypt({"bot_token": "xoxb-secret"})
    for separator in (",", " ", ", ", "\n"):
        rotated = TokenCipher(f"{new}{separator}{old}")
        assert rotated.decrypt(stored) == {"bot_token": "xoxb-secret"}
        assert not rotated.is_current(stored)
        renewed = rotated.encrypt({"bot_token": "xoxb-renewed"})
        assert rotated.is_current(renewed)
        assert TokenCipher(new).decrypt(renewed) == {"bot_token": "xoxb-renewed"}
        with pytest.raises(DecryptionFailed):
            TokenCipher(old).decrypt(renewed)


@pytest.mark.parametrize("keys", ["", " ", ",", "A" * 43 + "=,short", "é" * 43 + "="])
def test_malformed_key_in_a_list_is_rejected(keys: str) -> None:
    with pytest.raises(ValueError, match="ATELIER_SECRET_KEY"):
        TokenCipher(keys)
