"""Hub ids: a real hub cache with networking disabled."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from huggingface_hub import constants

from imaging.bench.tiny_models import model_folder
from imaging.engine.engine import Engine
from imaging.errors import ModelUnavailable
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation

SECONDS = 200


def order(model: str) -> ImageRequest:
    return ImageRequest(Operation.IMAGINE, "a red house", model, 64, 64, 7, steps=2)


def test_hub_id_loads_from_cache_or_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "models--someone--small-model"
    commit = "0123456789abcdef" * 2 + "01234567"
    model_folder("z_image", home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    # What the hub's client made of HF_HUB_OFFLINE and HF_HUB_CACHE when it was imported.
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    # The default picture checker is another download; what loads here is the model alone.
    here = replace(profile_for("someone/small-model"), checker=None)
    absent = replace(profile_for("someone/absent-model"), checker=None)
    assert (here.name, here.family) == ("small-model", "ZImagePipeline")
    assert absent.family == ""
    engine = Engine([here, absent], lambda _name: b"")
    try:
        assert len(engine.submit(order(here.name)).result(SECONDS)) == 1
        with pytest.raises(ModelUnavailable, match=r"^The model absent-model cannot be loaded: "):
            engine.submit(order(absent.name)).result(SECONDS)
    finally:
        engine.stop()
