"""Interrupted and batched calls of the real pipeline classes against uninterrupted ones."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
import torch
from diffusers import DiffusionPipeline

from imaging.bench.parity import batched_difference, interrupted_difference
from imaging.bench.tiny_models import MAKERS, make_pipeline
from imaging.engine.denoiser import NetworkCall
from imaging.profiles import POSTCARD_FOLDER

BATCHED = (
    "sd15",
    "sdxl",
    "sdxl_instruct",
    "postcard",
    "postcard_edit",
    "flux1",
    "flux2_klein",
    "sd3",
    "sana",
    "qwen_image",
    "z_image",
)


@cache
def pipeline(name: str) -> Any:
    """The bundled model, or a family's class with random weights."""
    if name in MAKERS:
        return make_pipeline(name)
    folder = {"postcard": POSTCARD_FOLDER, "postcard_edit": POSTCARD_FOLDER / "edit"}[name]
    pipe = DiffusionPipeline.from_pretrained(str(folder), use_safetensors=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


@pytest.mark.parametrize("name", ["postcard", *MAKERS])
@pytest.mark.parametrize("seed", [0, 1])
def test_interrupted_call_is_bitwise_equal(name: str, seed: int) -> None:
    assert interrupted_difference(pipeline(name), seed=seed) == 0.0


@pytest.mark.parametrize("name", ["postcard", *MAKERS])
def test_call_is_bitwise_equal_after_a_stay_on_the_host(name: str) -> None:
    assert interrupted_difference(pipeline(name), seed=2, offload=True) == 0.0


@pytest.mark.parametrize("name", BATCHED)
def test_batched_calls_are_nearly_equal(name: str) -> None:
    difference, shared = batched_difference(pipeline(name))
    assert difference <= 1e-4
    assert shared >= 5  # of the others' steps


LENGTHS = ("a red house", "a blue boat at night", "two green trees left of a small yellow star")


def test_prompts_of_other_lengths_share_calls_where_the_network_pads_them() -> None:
    difference, shared = batched_difference(pipeline("z_image"), prompts=LENGTHS)
    assert difference <= 1e-4
    assert shared >= 5


def test_prompts_of_other_lengths_do_not_share_calls_where_a_mask_would_differ() -> None:
    assert batched_difference(pipeline("qwen_image"), prompts=LENGTHS) == (0.0, 0)


def call(size: int = 2, *, channels: int = 4, length: int = 7, **more: Any) -> NetworkCall:
    """A UNet's call with `size` samples."""
    arguments = {
        "encoder_hidden_states": torch.zeros(size, length, 16),
        "timestep_cond": None,
        "added_cond_kwargs": {"time_ids": torch.zeros(size, 6)},
        "return_dict": False,
        **more,
    }
    sample = torch.zeros(size, channels, 8, 8)
    return NetworkCall(object, (sample, torch.tensor(5)), arguments, "model", batched=True)


def test_batch_key_ignores_values_timesteps_and_batch_size() -> None:
    other = call(4, encoder_hidden_states=torch.ones(4, 7, 16))
    other.args = (other.args[0], torch.tensor(900))
    assert call().key == call(4).key == other.key


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": 9},
        {"length": 8},
        {"added_cond_kwargs": {"time_ids": torch.zeros(2, 5)}},
        {"encoder_attention_mask": torch.ones(2, 7)},
        {"timestep_cond": torch.zeros(2, 3)},
        {"position_ids": torch.zeros(9, 3)},
    ],
)
def test_batch_key_covers_all_that_must_agree(changes: dict[str, Any]) -> None:
    assert call(**changes).key != call().key


def test_shared_tensors_must_have_equal_content() -> None:
    one, other = (call(position_ids=torch.full((9, 3), value)) for value in (0.0, 1.0))
    assert one.key != other.key
    assert one.key == call(position_ids=torch.zeros(9, 3)).key


def test_call_that_returns_an_object_is_not_batched() -> None:
    assert call(return_dict=True).key is None
