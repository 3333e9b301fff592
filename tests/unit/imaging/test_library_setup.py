"""Environment variables that the model libraries read on import."""

from __future__ import annotations

import os

import pytest

from imaging.engine.library_setup import SPINS, configure_libraries


@pytest.mark.parametrize(
    ("given", "spins"),
    [
        ({}, str(SPINS)),
        ({"OMP_WAIT_POLICY": "PASSIVE"}, None),
        ({"GOMP_SPINCOUNT": "7"}, "7"),
    ],
    ids=["default", "operator-policy", "operator-count"],
)
def test_operators_decide_how_threads_wait(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, str], spins: str | None
) -> None:
    for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT"):
        monkeypatch.setenv(name, "")  # so that what the code sets is undone
        monkeypatch.delenv(name)
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    configure_libraries()
    assert os.environ.get("GOMP_SPINCOUNT") == spins
    assert os.environ.get("OMP_WAIT_POLICY") == given.get("OMP_WAIT_POLICY")
