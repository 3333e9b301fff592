"""Sealing: nothing readable without the key, and a key that is its owner's alone."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks.seal import KEY_FILE, BrokenSeal, Seal, key_of


@given(st.dictionaries(st.text(), st.one_of(st.text(), st.integers(), st.none()), max_size=5))
def test_what_was_sealed_can_be_opened(values: dict[str, object]) -> None:
    seal = Seal("A" * 43 + "=")
    assert seal.open(seal.close(values)) == values


def test_another_key_or_a_damaged_byte_opens_nothing(tmp_path: Path) -> None:
    sealed = Seal(key_of(tmp_path / "a", None)).close({"bot_token": "xoxb-secret"})
    assert b"xoxb" not in sealed
    with pytest.raises(BrokenSeal, match="ATELIER_SECRET_KEY"):
        Seal(key_of(tmp_path / "b", None)).open(sealed)
    damaged = sealed[:20] + bytes([sealed[20] ^ 1]) + sealed[21:]
    with pytest.raises(BrokenSeal):
        Seal(key_of(tmp_path / "a", None)).open(damaged)


def test_processes_that_start_at_once_agree_on_one_private_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(lambda _: key_of(tmp_path, None), range(32)))
    assert len(keys) == 1
    assert stat.S_IMODE((tmp_path / KEY_FILE).stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [KEY_FILE]


def test_a_given_key_is_used_and_a_wrong_one_is_named(tmp_path: Path) -> None:
    assert key_of(tmp_path, "given") == "given"
    assert not (tmp_path / KEY_FILE).exists()
    with pytest.raises(ValueError, match="ATELIER_SECRET_KEY"):
        Seal("too short")
