"""A hub id goes through the same code: a real cache of the hub, with the network switched off."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.unit.imaging.models import model_folder

SCRIPT = """
import json
from imaging.engine.engine import Engine
from imaging.errors import ModelUnavailable
from imaging.profiles import profile_for
from imaging.request import ImageRequest, Operation

here, absent = profile_for("someone/small-model"), profile_for("someone/absent-model")
engine = Engine([here, absent], lambda name: b"")
def wish(name):
    return ImageRequest(Operation.IMAGINE, "a red house", name, 64, 64, 7, steps=2)
told = {"family": here.family, "name": here.name, "unknown": absent.family}
told["pictures"] = len(engine.submit(wish(here.name)).result(200))
try:
    engine.submit(wish(absent.name)).result(200)
except ModelUnavailable as error:
    told["error"] = str(error)
engine.stop()
print(json.dumps(told))
"""


def test_a_hub_id_is_loaded_from_the_cache_and_an_absent_one_says_so(tmp_path: Path) -> None:
    home = tmp_path / "models--someone--small-model"
    commit = "0123456789abcdef" * 2 + "01234567"
    model_folder("z_image", home / "snapshots" / commit)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text(commit)
    switched_off = {"HF_HUB_OFFLINE": "1", "HF_HUB_CACHE": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, **switched_off},
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["family"] == "ZImagePipeline"
    assert (told["name"], told["pictures"], told["unknown"]) == ("small-model", 1, "")
    assert told["error"].startswith("The model absent-model cannot be loaded: ")
