"""What ComfyUI tells over its websocket and in its history. Pure; imports no torch."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from imaging.errors import ImagingError, ModelUnavailable, OutOfMemory, ServerUnavailable

_PREVIEW, _PREVIEW_WITH_METADATA = 1, 4  # big-endian event types of binary frames
_EXPLAINED = frozenset({"value_not_in_list", "required_input_missing", "return_type_mismatch"})
"""Validation errors whose details name files and inputs, not what a member wrote."""


@dataclass(frozen=True, slots=True)
class Started:
    """A node of our prompt runs."""


@dataclass(frozen=True, slots=True)
class Stepped:
    """The node at work has done `value` of `maximum` steps."""

    value: int
    maximum: int


@dataclass(frozen=True, slots=True)
class Ended:
    """Our prompt has ended, well or not: its history tells."""


@dataclass(frozen=True, slots=True)
class Failed:
    """Our prompt has failed."""

    error: ImagingError


_SHOWN = ("output", "temp")
"""Folders of ComfyUI that pictures of a workflow are in: of nodes that save, and that preview."""

Message = Started | Stepped | Ended | Failed


def read_message(text: str, prompt: str, model: str) -> Message | None:
    """What a text frame says about a prompt; None for everything else."""
    try:
        frame = json.loads(text)
        kind, data = frame["type"], frame["data"]
        ours = data.get("prompt_id", prompt) == prompt
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    if not ours:
        return None
    reader = _READERS.get(kind)
    return reader(data, model) if reader else None


def read_preview(frame: bytes) -> bytes | None:
    """The encoded picture of a binary frame; None for other frames."""
    if len(frame) < 8:
        return None
    kind, number = struct.unpack(">II", frame[:8])
    if kind == _PREVIEW:  # `number` is the picture's format
        return frame[8:]
    if kind == _PREVIEW_WITH_METADATA:  # `number` is the length of the metadata
        return frame[8 + number :] or None
    return None


def execution_error(data: Mapping[str, Any], model: str) -> ImagingError:
    """The error of a node, without its message, which may quote the prompt."""
    kind = str(data.get("exception_type", ""))[:80]
    node = f"{str(data.get('node_type', '?'))[:80]} (node {str(data.get('node_id', '?'))[:40]})"
    if "OutOfMemory" in kind:
        return OutOfMemory(f"ComfyUI ran out of memory in {node}.")
    return ImagingError(
        f"ComfyUI failed in {node} with {kind or 'an error'}: its log has more.", model=model
    )


def interrupted(model: str) -> ServerUnavailable:
    """Somebody else ended our prompt, for example in ComfyUI's own page."""
    return ServerUnavailable(f"The request was interrupted on the server of {model}.")


def history_error(entry: Mapping[str, Any], model: str) -> ImagingError | None:
    """The error of a history entry, or None where it ended well."""
    status = entry.get("status")
    if not isinstance(status, dict) or status.get("status_str") != "error":
        return None
    for message in status.get("messages") or ():
        match message:
            case ["execution_error", dict() as data]:
                return execution_error(data, model)
            case ["execution_interrupted", *_]:
                return interrupted(model)
    return ImagingError(f"ComfyUI failed on {model}: its log has more.", model=model)


def outputs(entry: Mapping[str, Any]) -> list[Mapping[str, str]]:
    """The pictures of a history entry, saved ones before previewed ones: what `/view` takes."""
    found: list[Mapping[str, str]] = []
    nodes = entry.get("outputs")
    for node in nodes.values() if isinstance(nodes, dict) else ():
        images = node.get("images") if isinstance(node, dict) else None
        for image in images if isinstance(images, list) else ():
            if isinstance(image, dict) and image.get("type") in _SHOWN and "filename" in image:
                names = ("filename", "subfolder", "type")
                found.append({name: str(image.get(name, "")) for name in names})
    return sorted(found, key=lambda image: _SHOWN.index(image["type"]))


def validation_error(answer: Mapping[str, Any], model: str) -> ModelUnavailable:
    """The sentence for a refused workflow: each node with what is wrong."""
    faults = [
        f"{node.get('class_type', '?')} (node {id_}): {_explanation(error)}"
        for id_, node in _nodes(answer.get("node_errors"))
        for error in node.get("errors") or ()
        if isinstance(error, dict)
    ]
    if not faults:
        error = answer.get("error")
        faults = [_explanation(error) if isinstance(error, dict) else "the workflow is invalid"]
    return ModelUnavailable(
        f"ComfyUI refuses the workflow of {model}: {'; '.join(faults[:3])}.", model=model
    )


def _explanation(error: Mapping[str, Any]) -> str:
    message = str(error.get("message") or error.get("type") or "invalid")[:200]
    if error.get("type") in _EXPLAINED and error.get("details"):
        return f"{message} ({str(error['details'])[:200]})"
    info = error.get("extra_info")
    name = info.get("input_name") if isinstance(info, dict) else None
    return f"{message} ({name})" if name else message


def _nodes(errors: Any) -> Sequence[tuple[str, Mapping[str, Any]]]:
    if not isinstance(errors, dict):
        return ()
    return [(id_, node) for id_, node in errors.items() if isinstance(node, dict)]


def _stepped(data: Mapping[str, Any]) -> Stepped | None:
    try:
        value, maximum = int(data["value"]), int(data["max"])
    except (KeyError, TypeError, ValueError):
        return None
    return Stepped(min(value, maximum), maximum) if value >= 0 and maximum > 0 else None


def _executing(data: Mapping[str, Any], _: str) -> Message:
    """Without a node the prompt has ended."""
    return Ended() if data.get("node") is None and "prompt_id" in data else Started()


_READERS: Mapping[str, Callable[[Mapping[str, Any], str], Message | None]] = {
    "execution_start": lambda _, __: Started(),
    "executing": _executing,
    "progress": lambda data, _: _stepped(data),
    "execution_success": lambda _, __: Ended(),
    "execution_error": lambda data, model: Failed(execution_error(data, model)),
    "execution_interrupted": lambda _, model: Failed(interrupted(model)),
}
