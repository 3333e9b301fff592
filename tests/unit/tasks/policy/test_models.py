"""`[models.NAME]`: what it may say, and the sentence for each mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from imaging.parameters import Parameter
from imaging.profiles import CHECKER
from imaging.request import Operation
from imaging.server_models import Field, Lora, ServerKind, ServerModel
from tasks.policy.config import PolicyError, load, read

OPENAI = """
[models.fast]
kind = "openai"
url = "https://images.example/v1/"
model = "Qwen/Qwen-Image"
key_env = "IMAGES_KEY"
operations = ["imagine", "edit"]
takes = ["size", "seed", "negative_prompt"]
side = 1328
sizes = { "16:9" = [1664, 928] }
checker = "off"
in_flight = 4
preempt = "restart"
timeout = "90s"
"""
COMFYUI = """
[models.comfy]
kind = "comfyui"
url = "http://127.0.0.1:8188"
workflow = "flows/sdxl.json"
loras = [{ name = "ink.safetensors", weight = 0.8 }]
steps = 28

[models.comfy.workflows]
edit = "flows/edit.json"
"""


A_COMFYUI = '[models.x]\nkind = "comfyui"\nurl = "http://a"\nworkflow = "a"\n'


def model_of(text: str) -> ServerModel:
    (model,) = read(text).models.values()
    return model


def test_images_api_is_read() -> None:
    model = model_of(OPENAI)
    assert (model.name, model.kind, model.source) == (
        "fast",
        ServerKind.OPENAI,
        "openai:https://images.example/v1",
    )
    assert model.origin == "atelier.toml, line 2"
    assert (model.in_flight, model.restarts, model.timeout) == (4, True, 90.0)
    assert model.takes == {Field.SIZE, Field.SEED, Field.NEGATIVE}
    profile = model.profile()
    assert profile.operations == {Operation.IMAGINE, Operation.EDIT, Operation.UPSCALE}
    assert profile.parameters == {Parameter.SEED, Parameter.NEGATIVE, Parameter.REFERENCE}
    assert (profile.sizes["1:1"], profile.sizes["16:9"]) == ((1328, 1328), (1664, 928))
    assert profile.checker is None


def test_comfyui_is_read_with_files_beside_the_policy(tmp_path: Path) -> None:
    file = tmp_path / "atelier.toml"
    file.write_text(COMFYUI)
    model = load(file).models["comfy"]
    assert model.workflows == {
        Operation.IMAGINE: tmp_path / "flows/sdxl.json",
        Operation.EDIT: tmp_path / "flows/edit.json",
    }
    assert model.operations == {Operation.IMAGINE, Operation.EDIT}
    assert model.loras == (Lora("ink.safetensors", 0.8),)
    assert (model.in_flight, model.restarts, model.timeout) == (1, False, 300.0)
    assert model.profile().checker == CHECKER  # a model is checked unless that is turned off


def test_both_kinds_may_be_set() -> None:
    assert set(read(OPENAI + COMFYUI).models) == {"fast", "comfy"}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ('[models.x]\nurl = "http://a"', "line 1: models.x.kind is missing: openai or comfyui"),
        (
            '[models.x]\nkind = "diffusers"\nurl = "http://a"',
            "line 2: models.x.kind is 'diffusers'; expected 'local', 'openai' or 'comfyui'.",
        ),
        ('[models.X]\nkind = "openai"\nurl = "http://a"', "small letters"),
        (
            '[models.postcard]\nkind = "openai"\nurl = "http://a"',
            "line 1: models.postcard is the name of a model of Atelier",
        ),
        ('[models.x]\nkind = "openai"\nurl = "ftp://a"', "expected an address such as"),
        ('[models.x]\nkind = "openai"\nurl = "http://a:99999"', "expected an address such as"),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nkey = "sk-1"',
            "line 4: models.x.key is not a valid key here; expected one of kind, source, revision",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nworkflow = "a.json"',
            "line 4: models.x.workflow is not a key of the kind openai; expected",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\noperations = ["vary"]',
            "line 4: models.x.operations has vary; the images API has",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\noperations = ["paint"]',
            "line 4: models.x.operations.0 is 'paint'; expected an operation out of",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\ntakes = ["size", "quality"]',
            "line 4: models.x.takes.1 is 'quality'; expected",
        ),
        (
            '[models.x]\nkind = "comfyui"\nurl = "http://a"',
            "line 1: models.x.workflow is missing",
        ),
        (
            '[models.x]\nkind = "comfyui"\nurl = "http://a"\nworkflow = "a"\ntakes = ["seed"]',
            "line 5: models.x.takes is not a key of the kind comfyui; expected",
        ),
        (
            A_COMFYUI + '[models.x.workflows]\nimagine = "b"',
            "line 4: models.x.workflow is set twice",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nsizes = { "1:1" = [100, 100] }',
            "models.x.sizes.1:1 is 100 × 100, and both must be multiples of 16.",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nsizes = { "5:1" = [128, 128] }',
            "expected an aspect out of",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nsizes = { "1:1" = [128] }',
            "expected [width, height] in pixels",
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\nonly_sizes = true',
            'line 4: models.x.only_sizes needs sizes, at least one for "1:1".',
        ),
        (
            '[models.x]\nkind = "openai"\nurl = "http://a"\npreempt = "drop"',
            "line 4: models.x.preempt is 'drop'; expected 'wait' or 'restart'.",
        ),
        ('[models.x]\nkind = "openai"\nurl = "http://a"\nin_flight = 0', "line 4"),
        ('[models.x]\nkind = "openai"\nurl = "http://a"\ntimeout = "0s"', "above 0"),
        (
            A_COMFYUI + 'loras = [{ name = "b", strength = 1 }]',
            "expected one of file, hub, revision, url, sha256, name, weight, trigger",
        ),
    ],
)
def test_mistake_names_line_key_and_what_is_expected(text: str, sentence: str) -> None:
    with pytest.raises(PolicyError) as wrong:
        read(text)
    assert sentence in str(wrong.value)


@pytest.mark.parametrize(
    "line",
    [
        'key_env = "sk-secret-0123"',
        'url = "http://me:sk-secret-0123@host/v1"',
        'url = "http://host/v1?key=sk-secret-0123"',
        'key = "sk-secret-0123"',
    ],
)
def test_pasted_key_is_not_repeated(line: str) -> None:
    url = "" if line.startswith("url") else 'url = "http://a"\n'
    with pytest.raises(PolicyError) as wrong:
        read(f'[models.x]\nkind = "openai"\n{url}{line}')
    assert "sk-secret" not in str(wrong.value)
