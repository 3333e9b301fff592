"""Workflows with placeholders: what is filled in, and the sentence for each mistake."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imaging.engine.servers.comfyui import read_workflows
from imaging.engine.servers.comfyui_workflow import (
    Workflow,
    followed,
    parse_workflow,
    read_workflow,
)
from imaging.errors import ModelUnavailable
from imaging.parameters import Parameter
from imaging.request import Operation
from tests.servers.models import comfyui_model, fill, image_to_image, text_to_image, write

PATH = Path("flow.json")


def parsed(workflow: Any, operation: Operation = Operation.IMAGINE) -> Workflow:
    return parse_workflow(json.dumps(workflow), operation, PATH, "atelier.toml, line 3")


def a_node(**inputs: Any) -> dict[str, Any]:
    return {"1": {"class_type": "Node", "inputs": inputs}}


def test_whole_values_keep_their_type_and_parts_become_text() -> None:
    workflow = parsed(a_node(seed="{{seed}}", text="{{prompt}}, best {{ steps }}", size=3))
    filled = workflow.filled({"seed": 5, "prompt": "a cat", "steps": 9})
    assert filled["1"]["inputs"] == {"seed": 5, "text": "a cat, best 9", "size": 3}


def test_values_inside_lists_and_tables_are_filled() -> None:
    workflow = parsed(a_node(deep={"list": ["{{seed}}", {"text": "{{prompt}}"}]}, link=["2", 0]))
    inputs = workflow.filled({"seed": 5, "prompt": "a cat"})["1"]["inputs"]
    assert inputs == {"deep": {"list": [5, {"text": "a cat"}]}, "link": ["2", 0]}


def test_prompt_cannot_reach_other_values() -> None:
    prompt = '{{seed}} "}}, {"class_type": "Evil"} {{prompt}}'
    workflow = parsed(a_node(text="{{prompt}}", seed="{{seed}}"))
    assert workflow.filled({"prompt": prompt, "seed": 5})["1"]["inputs"]["text"] == prompt


def test_filling_leaves_the_workflow_as_it_was() -> None:
    workflow = parsed(text_to_image())
    values = dict.fromkeys(workflow.placeholders, 1)
    assert workflow.filled(values) != workflow.filled({**values, "seed": 2})
    assert workflow.nodes == text_to_image()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a workflow in ComfyUI's API format"),
        ("{}", "is not a workflow in ComfyUI's API format"),
        ('{"1": {"inputs": {}}}', "is not a workflow in ComfyUI's API format"),
        ('{"nodes": [], "links": []}', "export it in ComfyUI as an API workflow"),
    ],
)
def test_file_that_is_no_workflow_is_named(text: str, sentence: str) -> None:
    with pytest.raises(ModelUnavailable) as wrong:
        parse_workflow(text, Operation.IMAGINE, PATH, "atelier.toml, line 3")
    assert str(wrong.value).startswith("atelier.toml, line 3: the workflow flow.json ")
    assert sentence in str(wrong.value)


def test_unknown_placeholder_is_named() -> None:
    with pytest.raises(ModelUnavailable, match=r"\{\{colour\}\}; known are"):
        parsed(a_node(text="{{colour}}", seed="{{seed}}"))


@pytest.mark.parametrize(
    ("inputs", "operation", "missing"),
    [
        ({"seed": "{{seed}}"}, Operation.IMAGINE, "prompt"),
        ({"text": "{{prompt}}"}, Operation.IMAGINE, "seed"),
        ({"text": "{{prompt}}", "seed": "{{seed}}"}, Operation.EDIT, "reference_1"),
        ({"text": "{{prompt}}", "seed": "{{seed}}", "w": "{{width}}"}, Operation.IMAGINE, "height"),
        (
            {"text": "{{prompt}}", "seed": "{{seed}}", "image": "{{reference_1}}"},
            Operation.FILL,
            "mask",
        ),
    ],
)
def test_missing_placeholder_is_named(
    inputs: dict[str, Any], operation: Operation, missing: str
) -> None:
    with pytest.raises(ModelUnavailable, match=rf"needs the placeholder .*\{{\{{{missing}\}}\}}"):
        parsed(a_node(**inputs), operation)


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailable, match="cannot be read: No such file"):
        read_workflow(tmp_path / "none.json", Operation.IMAGINE, "atelier.toml, line 3")
    (tmp_path / "binary.json").write_bytes(b"\xff\xfe\xff")
    with pytest.raises(ModelUnavailable, match="not text in UTF-8"):
        read_workflow(tmp_path / "binary.json", Operation.IMAGINE, "atelier.toml, line 3")


def test_lora_beyond_the_list_is_named(tmp_path: Path) -> None:
    workflow = text_to_image() | {"8": a_node(name="{{lora_2}}")["1"]}
    files = {Operation.IMAGINE: write(tmp_path, "lora", workflow)}
    with pytest.raises(ModelUnavailable, match=r"has \{\{lora_2\}\}, and models.comfy.loras has 0"):
        read_workflows(comfyui_model("http://127.0.0.1:1", tmp_path, workflows=files))


def test_model_follows_what_all_its_workflows_follow() -> None:
    imagine, vary = parsed(text_to_image()), parsed(image_to_image(), Operation.VARY)
    both = {Operation.IMAGINE: imagine, Operation.VARY: vary}
    assert followed(both) == frozenset(Parameter)
    deaf = fill()
    deaf["3"]["inputs"]["text"] = "blurry"
    three = {**both, Operation.FILL: parsed(deaf, Operation.FILL)}
    assert followed(three) == frozenset(Parameter) - {Parameter.NEGATIVE}
    without = frozenset({Parameter.STRENGTH, Parameter.REFERENCE})
    assert followed({Operation.IMAGINE: imagine}) == frozenset(Parameter) - without
