"""Distilled models of a class have few steps and no guidance, their base models many."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from imaging.checkpoint_layout import layout_of
from imaging.local_models import LocalModel
from imaging.profiles import profile_for


def folder(path: Path, index: dict[str, Any], **configs: dict[str, Any]) -> Path:
    path.mkdir()
    (path / "model_index.json").write_text(json.dumps(index))
    for part, values in configs.items():
        (path / part).mkdir()
        name = "scheduler_config.json" if part == "scheduler" else "config.json"
        (path / part / name).write_text(json.dumps(values))
    return path


@pytest.mark.parametrize(
    ("index", "configs", "steps", "guidance"),
    [
        ("FluxPipeline", {"transformer": {"guidance_embeds": False}}, 4, 0.0),
        ("FluxPipeline", {"transformer": {"guidance_embeds": True}}, 28, 3.5),
        ("StableDiffusionXLPipeline", {"scheduler": {"timestep_spacing": "trailing"}}, 4, 0.0),
        ("StableDiffusionXLPipeline", {"scheduler": {"timestep_spacing": "leading"}}, 30, 6.0),
        (
            "StableDiffusionXLPipeline",
            {"scheduler": {"timestep_spacing": "trailing", "prediction_type": "v_prediction"}},
            30,
            6.0,
        ),
        ("StableDiffusionPipeline", {"scheduler": {"_class_name": "LCMScheduler"}}, 4, 1.0),
        ("ZImagePipeline", {"scheduler": {"shift": 3.0}}, 8, 0.0),
        ("ZImagePipeline", {"scheduler": {"shift": 6.0}}, 50, 4.0),
    ],
)
def test_configs_tell_distilled_models(
    tmp_path: Path, index: str, configs: dict[str, Any], steps: int, guidance: float
) -> None:
    made = folder(tmp_path / "model", {"_class_name": index}, **configs)
    profile = profile_for(str(made))
    assert (profile.steps, profile.guidance) == (steps, guidance)


@pytest.mark.parametrize(("distilled", "steps"), [(True, 4), (False, 50)])
def test_klein_tells_by_its_index(tmp_path: Path, distilled: bool, steps: int) -> None:
    index = {"_class_name": "Flux2KleinPipeline", "is_distilled": distilled}
    assert profile_for(str(folder(tmp_path / "model", index))).steps == steps


def test_settings_win_over_what_the_configs_tell(tmp_path: Path) -> None:
    made = folder(
        tmp_path / "model",
        {"_class_name": "FluxPipeline"},
        transformer={"guidance_embeds": False},
    )
    (made / "atelier.json").write_text('{"steps": 6}')
    assert profile_for(str(made)).steps == 6
    model = LocalModel("x", "atelier.toml, line 1", str(made), changes={"steps": 7})
    assert model.profile().steps == 7


def test_licence_is_that_of_the_readme(tmp_path: Path) -> None:
    made = folder(tmp_path / "model", {"_class_name": "FluxPipeline"})
    assert profile_for(str(made)).licence is None
    (made / "README.md").write_text("---\nlicense: other\nlicense_name: flux-dev\n---\n# A model\n")
    assert profile_for(str(made)).licence == "flux-dev"
    (made / "README.md").write_text("---\nlicense: mit\n---\n")
    assert profile_for(str(made)).licence == "mit"


@pytest.mark.parametrize(
    ("names", "family", "whole", "distilled"),
    [
        (["cond_stage_model.transformer.x", "first_stage_model.y"], "Stable", True, None),
        (["conditioner.embedders.0.x", "first_stage_model.y"], "StableDiffusionXL", True, None),
        (["conditioner.embedders.0.x"], "StableDiffusionXL", False, None),
        (["double_blocks.0.img_attn.norm.key_norm.scale"], "Flux", False, True),
        (
            [
                "model.diffusion_model.double_blocks.0.img_attn.norm.key_norm.scale",
                "model.diffusion_model.guidance_in.in_layer.bias",
            ],
            "Flux",
            False,
            False,
        ),
    ],
)
def test_tensors_tell_the_layout(
    names: list[str], family: str, whole: bool, distilled: bool | None
) -> None:
    layout = layout_of(dict.fromkeys(names, (1,)))
    assert layout is not None
    assert layout.family.startswith(family)
    assert (layout.whole, layout.distilled) == (whole, distilled)


def test_unknown_tensors_have_no_layout() -> None:
    assert layout_of({"weight": (1,)}) is None
