"""Server models and workflows for tests."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from imaging.request import Operation
from imaging.server_models import Field, ServerKind, ServerModel

SIZES = {"1:1": (64, 64), "3:2": (72, 48), "16:9": (80, 48)}


def openai_model(url: str, **changes: Any) -> ServerModel:
    """A model behind the images API, which takes every optional field."""
    model = ServerModel(
        name="big",
        origin="atelier.toml, line 1",
        kind=ServerKind.OPENAI,
        url=url + "/v1",
        sizes=SIZES,
        multiple=8,
        operations=frozenset({Operation.IMAGINE, Operation.EDIT, Operation.FILL, Operation.BLEND}),
        largest_pixels=256 * 256,
        model="big-model",
        takes=frozenset(Field),
        timeout=30.0,
    )
    return replace(model, **changes)


def comfyui_model(url: str, folder: Path, **changes: Any) -> ServerModel:
    """A model on ComfyUI with workflows for `imagine`, `vary` and `fill`, written to `folder`."""
    model = ServerModel(
        name="comfy",
        origin="atelier.toml, line 9",
        kind=ServerKind.COMFYUI,
        url=url,
        sizes=SIZES,
        multiple=8,
        operations=frozenset({Operation.IMAGINE, Operation.VARY, Operation.FILL}),
        largest_pixels=256 * 256,
        workflows={
            Operation.IMAGINE: write(folder, "imagine", text_to_image()),
            Operation.VARY: write(folder, "vary", image_to_image()),
            Operation.FILL: write(folder, "fill", fill()),
        },
        steps=4,
        guidance=5.0,
        timeout=30.0,
    )
    return replace(model, **changes)


def write(folder: Path, name: str, workflow: dict[str, Any]) -> Path:
    """Write a workflow to a file."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(workflow))
    return path


def text_to_image() -> dict[str, Any]:
    """A workflow for text to image, with every common placeholder."""
    return {
        "1": _node("CheckpointLoaderSimple", ckpt_name="base.safetensors"),
        "2": _node("CLIPTextEncode", text="{{prompt}}", clip=["1", 1]),
        "3": _node("CLIPTextEncode", text="blurry, {{negative}}", clip=["1", 1]),
        "4": _node("EmptyLatentImage", width="{{width}}", height="{{height}}", batch_size=1),
        "5": _node(
            "KSampler",
            seed="{{seed}}",
            steps="{{steps}}",
            cfg="{{guidance}}",
            denoise=1.0,
            positive=["2", 0],
            negative=["3", 0],
            latent_image=["4", 0],
        ),
        "6": _node("VAEDecode", samples=["5", 0], vae=["1", 2]),
        "9": _node("SaveImage", images=["6", 0], filename_prefix="atelier"),
    }


def image_to_image() -> dict[str, Any]:
    """The same from a reference, at a strength; the size is the reference's."""
    workflow = text_to_image()
    workflow["4"] = _node("LoadImage", image="{{reference_1}}")
    workflow["7"] = _node("EmptyLatentImage", width="{{width}}", height="{{height}}")
    workflow["5"]["inputs"] |= {"denoise": "{{strength}}", "latent_image": ["4", 0]}
    return workflow


def fill() -> dict[str, Any]:
    """The same inside a mask."""
    workflow = image_to_image()
    workflow["8"] = _node("LoadImageMask", image="{{mask}}", channel="red")
    return workflow


def _node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}
