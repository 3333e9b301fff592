"""Several engines as one, and the engines of a worker."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from imaging.engine.blank_runner import BlankRunner
from imaging.errors import ModelUnavailable, UnknownProfile
from imaging.local_models import LocalModel
from imaging.profiles import BLANK, POSTCARD_FOLDER
from imaging.request import ImageRequest, Operation
from tasks.worker.engines import WorkerModels, combined, engines_of
from tasks.worker.process import names_of
from tests.servers.comfyui_server import ComfyUIServer
from tests.servers.models import comfyui_model, openai_model
from tests.servers.openai_server import OpenAIServer

NOTHING: dict[str, bytes] = {}
PATIENCE = 30.0


def a_request(profile: str) -> ImageRequest:
    return ImageRequest(Operation.IMAGINE, "a red house", profile, 64, 64, 7)


def test_each_request_goes_to_the_engine_of_its_profile(tmp_path: Path) -> None:
    with OpenAIServer() as openai, ComfyUIServer() as comfyui:
        servers = {
            "big": openai_model(openai.url, in_flight=3),
            "comfy": comfyui_model(comfyui.url, tmp_path),
        }
        models = WorkerModels(BLANK, servers, {})
        engines = engines_of(models, NOTHING.__getitem__, blank=BlankRunner())
        assert [[one.name for one in each.profiles] for each in engines] == [
            [BLANK],
            ["big"],
            ["comfy"],
        ]
        engine = combined(engines)
        for name in (BLANK, "big", "comfy"):
            engine.warm_up(name).result(PATIENCE)
            assert len(engine.submit(a_request(name)).result(PATIENCE)) == 1
        assert (len(openai.asked), len(comfyui.prompts)) == (1, 1)
        with pytest.raises(UnknownProfile):
            engine.submit(a_request("other")).result(PATIENCE)
        load = engine.load()
        assert load.profiles == (BLANK, "big", "comfy")
        assert load.slots == 2 + 3 + 1
        assert {one.profile for one in engine.render_times()} == {BLANK, "big", "comfy"}
        assert engine.stop(PATIENCE)


def test_worker_with_a_server_model_by_default_loads_none_itself() -> None:
    servers = {"big": openai_model("http://127.0.0.1:1")}
    (only,) = engines_of(WorkerModels("big", servers, {}), NOTHING.__getitem__)
    assert only.engine.load().profiles == ("big",)
    assert only.engine.stop(PATIENCE)


def test_key_comes_from_the_environment() -> None:
    servers = {"big": openai_model("http://127.0.0.1:1", key_env="BIG_KEY")}
    with pytest.raises(ModelUnavailable, match=r"atelier\.toml, line 1: the variable BIG_KEY"):
        engines_of(WorkerModels("big", servers, {"BIG_KEY": " "}), NOTHING.__getitem__)


def local(name: str, **changes: Any) -> LocalModel:
    return LocalModel(name, "atelier.toml, line 1", str(POSTCARD_FOLDER), **changes)


def test_worker_serves_its_default_and_what_the_file_announces() -> None:
    models = {
        "mine": local("mine"),
        "sdxl": local("sdxl", announced=False),
        "other": local("other"),
    }
    wanted = WorkerModels("postcard", {}, {}, models)
    assert wanted.names == ["postcard", "mine", "other"]
    assert [model.name for model in wanted.to_load] == ["postcard", "mine", "other"]
    only = WorkerModels("postcard", {}, {}, models, names_of(" other, sdxl "))
    assert [model.name for model in only.to_load] == ["other", "sdxl"]
    assert names_of(None) is None
    assert names_of(" , ") is None


def test_one_engine_loads_all_local_models_and_prepares_each() -> None:
    models = {"mine": local("mine", changes={"steps": 3})}
    (one,) = engines_of(WorkerModels("postcard", {}, {}, models), lambda _: b"")
    assert [profile.name for profile in one.profiles] == ["postcard", "mine"]
    assert one.engine.load().profiles == ("postcard", "mine")
    assert one.prepare(one.profiles[1]).steps == 3
    assert one.engine.stop()


def test_broken_local_model_keeps_no_worker_from_starting() -> None:
    broken = LocalModel("torn", "atelier.toml, line 1", "/no/such/file.safetensors")
    (one,) = engines_of(WorkerModels("postcard", {}, {}, {"torn": broken}), lambda _: b"")
    with pytest.raises(ModelUnavailable, match="There is no file /no/such/file"):
        one.prepare(one.profiles[1])
    assert one.engine.stop()
