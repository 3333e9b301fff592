"""The doctor's and the start's checks of models that other servers draw."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bots.operator.doctor_checks.finding import Finding, Level
from bots.operator.doctor_checks.models import check_models
from bots.operator.errors import WrongSettings
from bots.operator.settings_errors import check_model
from imaging.request import Operation
from imaging.server_models import ServerModel
from tasks.runtime.settings import Settings
from tests.servers.comfyui_server import ComfyUIServer
from tests.servers.models import comfyui_model, openai_model, text_to_image, write
from tests.servers.openai_server import OpenAIServer


def found(model: ServerModel, key: str = "") -> Finding:
    """The first finding about a model."""
    return next(check_models([model], {"KEY": key}))


def test_answering_servers_are_ok(tmp_path: Path) -> None:
    with OpenAIServer(key="sk-right") as server:
        finding = found(openai_model(server.url, key_env="KEY"), "sk-right")
        assert (finding.level, finding.subject) == (Level.OK, "big")
        assert "serves 1 model" in finding.text
        wrong = found(openai_model(server.url, key_env="KEY"), "sk-wrong")
        assert wrong.level is Level.FAIL
        assert "refuses the key" in wrong.text
        assert "sk-wrong" not in f"{wrong.text}{wrong.fix}"
    with ComfyUIServer() as comfyui:
        finding = found(comfyui_model(comfyui.url, tmp_path))
        assert finding.level is Level.OK
        assert "ComfyUI 0.3.76, with every node" in finding.text


def test_server_that_does_not_answer_is_a_failure() -> None:
    with OpenAIServer() as gone:
        url = gone.url
    finding = found(openai_model(url))
    assert finding.level is Level.FAIL
    assert "cannot be reached" in finding.text
    assert "models.big.url" in finding.fix


def test_missing_node_key_and_workflow_are_named(tmp_path: Path) -> None:
    workflow = text_to_image() | {"8": {"class_type": "UnetLoaderGGUF", "inputs": {}}}
    files = {Operation.IMAGINE: write(tmp_path, "gguf", workflow)}
    with ComfyUIServer() as server:
        model = comfyui_model(server.url, tmp_path, workflows=files)
        assert "no node UnetLoaderGGUF" in found(model).text
    unset = found(openai_model("http://127.0.0.1:1", key_env="KEY"))
    assert "the variable KEY" in unset.text
    missing = replace(model, workflows={Operation.IMAGINE: tmp_path / "none.json"})
    assert "none.json cannot be read" in found(missing).text


def test_unchecked_pictures_and_keys_in_clear_are_warnings() -> None:
    model = openai_model("http://images.invalid", key_env="KEY")
    texts = [one.text for one in check_models([model], {"KEY": "sk"}) if one.level is Level.WARN]
    assert texts == ["its key is sent without encryption", "big has its picture checker off"]


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        ('kind = "comfyui"\nworkflow = "none.json"', "none.json cannot be read"),
        ('kind = "openai"\nkey_env = "ATELIER_TEST_UNSET"', "variable ATELIER_TEST_UNSET"),
    ],
)
def test_start_stops_with_the_line(tmp_path: Path, lines: str, sentence: str) -> None:
    policy = tmp_path / "atelier.toml"
    policy.write_text(f'[models.x]\nurl = "http://127.0.0.1:1"\n{lines}\n')
    settings = Settings(_env_file=None, home=tmp_path, config=policy)
    with pytest.raises(WrongSettings) as wrong:
        check_model(settings)
    assert f"{policy}, line 1: " in str(wrong.value)
    assert sentence in str(wrong.value)


def test_default_model_may_be_a_servers(tmp_path: Path) -> None:
    policy = tmp_path / "atelier.toml"
    policy.write_text('[models.x]\nkind = "openai"\nurl = "http://127.0.0.1:1"\n')
    check_model(Settings(_env_file=None, home=tmp_path, config=policy, model="x"))
