"""An operator's ComfyUI workflow with placeholders. Pure, apart from reading its file; no torch.

A workflow in the API format is a JSON object: node id → `class_type` and `inputs`. A text value
`{{name}}` in an input is replaced by the value itself, a number as a number; inside a longer text
by the value's text. Values are put in once: a prompt that contains `{{seed}}` stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from imaging.errors import ModelUnavailable
from imaging.parameters import Parameter
from imaging.request import Operation

Value = str | int | float

_PLACEHOLDER = re.compile(r"\{\{\s*([a-z0-9_]+)\s*\}\}")
REFERENCES = 4
LORAS = 8
KNOWN = frozenset(
    {"prompt", "negative", "seed", "width", "height", "steps", "guidance", "strength", "mask"}
    | {f"reference_{number}" for number in range(1, REFERENCES + 1)}
    | {f"lora_{number}" for number in range(1, LORAS + 1)}
    | {f"lora_{number}_weight" for number in range(1, LORAS + 1)}
)
_NEEDED: Mapping[Operation, frozenset[str]] = {
    Operation.IMAGINE: frozenset({"prompt", "seed"}),
    Operation.VARY: frozenset({"seed", "reference_1"}),
    Operation.EDIT: frozenset({"prompt", "seed", "reference_1"}),
    Operation.FILL: frozenset({"prompt", "seed", "reference_1", "mask"}),
    Operation.BLEND: frozenset({"seed", "reference_1", "reference_2"}),
}


@dataclass(frozen=True, slots=True)
class Workflow:
    """One workflow and the names of its placeholders."""

    nodes: Mapping[str, Any]
    placeholders: frozenset[str]

    @property
    def class_types(self) -> frozenset[str]:
        """The kinds of node in it."""
        return frozenset(str(node["class_type"]) for node in self.nodes.values())

    @property
    def parameters(self) -> frozenset[Parameter]:
        """The parameters of a request that it follows."""
        return frozenset(one for one in Parameter if one.value in self.placeholders)

    @property
    def references(self) -> int:
        """How many reference pictures it takes."""
        return sum(name.startswith("reference_") for name in self.placeholders)

    @property
    def loras(self) -> int:
        """The largest number of a LoRA placeholder."""
        numbers = [name.split("_")[1] for name in self.placeholders if name.startswith("lora_")]
        return max(map(int, numbers), default=0)

    def filled(self, values: Mapping[str, Value]) -> dict[str, Any]:
        """The workflow with its placeholders replaced. Raises KeyError for a missing value."""
        return {
            id_: {**node, "inputs": _filled(node["inputs"], values)}
            for id_, node in self.nodes.items()
        }


def read_workflow(path: Path, operation: Operation, origin: str) -> Workflow:
    """The workflow of a file. Raises ModelUnavailable with what to correct, and `origin`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text in UTF-8"
        raise _wrong(path, origin, f"cannot be read: {reason}") from None
    return parse_workflow(text, operation, path, origin)


def parse_workflow(text: str, operation: Operation, path: Path, origin: str) -> Workflow:
    """The workflow of a text, checked. Raises ModelUnavailable."""
    try:
        nodes = json.loads(text)
    except ValueError as error:
        raise _wrong(path, origin, f"is not JSON: {error}") from None
    if isinstance(nodes, dict) and isinstance(nodes.get("nodes"), list):
        raise _wrong(
            path, origin, "is in the editor's format: export it in ComfyUI as an API workflow"
        )
    if not _is_workflow(nodes):
        raise _wrong(path, origin, "is not a workflow in ComfyUI's API format")
    found = frozenset(name for node in nodes.values() for name in _names(node["inputs"]))
    if unknown := sorted(found - KNOWN):
        known = ", ".join(sorted(KNOWN))
        raise _wrong(path, origin, f"has the placeholder {{{{{unknown[0]}}}}}; known are {known}")
    needed = _NEEDED[operation]
    if ("width" in found) != ("height" in found):
        needed |= {"width", "height"}
    if missing := sorted(needed - found):
        names = ", ".join(f"{{{{{name}}}}}" for name in missing)
        raise _wrong(path, origin, f"needs the placeholder {names} for {operation}")
    return Workflow(nodes, found)


def followed(workflows: Mapping[Operation, Workflow]) -> frozenset[Parameter]:
    """What a model with these workflows follows: what all of them do; strength where it varies."""
    shared = frozenset(Parameter)
    for workflow in workflows.values():
        shared &= workflow.parameters | {Parameter.STRENGTH, Parameter.REFERENCE}
    varies = workflows.get(Operation.VARY)
    if varies is None:
        return shared - {Parameter.STRENGTH, Parameter.REFERENCE}
    return shared if Parameter.STRENGTH in varies.parameters else shared - {Parameter.STRENGTH}


def _is_workflow(nodes: Any) -> bool:
    return (
        isinstance(nodes, dict)
        and bool(nodes)
        and all(
            isinstance(node, dict)
            and isinstance(node.get("class_type"), str)
            and isinstance(node.get("inputs"), dict)
            for node in nodes.values()
        )
    )


def _names(value: Any) -> Iterator[str]:
    """The names of the placeholders in a value."""
    if isinstance(value, str):
        yield from _PLACEHOLDER.findall(value)
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _names(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _names(inner)


def _filled(value: Any, values: Mapping[str, Value]) -> Any:
    if isinstance(value, str):
        whole = _PLACEHOLDER.fullmatch(value.strip())
        if whole is not None:
            return values[whole[1]]
        return _PLACEHOLDER.sub(lambda match: str(values[match[1]]), value)
    if isinstance(value, dict):
        return {name: _filled(inner, values) for name, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, values) for inner in value]
    return value


def _wrong(path: Path, origin: str, what: str) -> ModelUnavailable:
    return ModelUnavailable(f"{origin}: the workflow {path} {what}.", model=path.stem)
