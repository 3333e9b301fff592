"""Prompts beyond CLIP's window, with the real pipelines at minimal size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from imaging.bench.tiny_models import make_pipeline, model_folder
from imaging.engine.engine import Engine
from imaging.engine.long_prompts import embedded
from imaging.profiles import profile_for
from imaging.request import Operation
from tests.unit.imaging.pictures import make_request, open_image

SHORT = "a red house left of a green tree"
LONG = " ".join(["a red house left of a green tree under a yellow sun"] * 5)
ROOM = 38  # tokens of the bundled tokenizer's window, without start and end


@pytest.fixture(scope="module", params=["sd15", "sdxl"])
def name(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def test_one_window_is_what_the_pipeline_encodes(name: str) -> None:
    pipe = make_pipeline(name)
    assert embedded(pipe, SHORT, "a blue boat", 4) == {}
    found = embedded(pipe, LONG, "a blue boat", 4)
    ids = pipe.tokenizer(LONG, add_special_tokens=False).input_ids
    assert len(ids) > ROOM
    first = pipe.tokenizer.decode(ids[:ROOM])
    expected: Any = pipe.encode_prompt(
        first, device="cpu", num_images_per_prompt=1, do_classifier_free_guidance=False
    )
    length = ROOM + 2
    assert torch.allclose(found["prompt_embeds"][:, :length], expected[0], atol=1e-5)
    windows = -(-len(ids) // ROOM)
    assert found["prompt_embeds"].shape[1] == windows * length
    assert found["negative_prompt_embeds"].shape == found["prompt_embeds"].shape
    if name == "sdxl":
        assert torch.allclose(found["pooled_prompt_embeds"], expected[2], atol=1e-5)


def test_no_more_windows_than_asked(name: str) -> None:
    pipe = make_pipeline(name)
    assert embedded(pipe, LONG * 20, "", 3)["prompt_embeds"].shape[1] == 3 * (ROOM + 2)


@pytest.mark.parametrize("operation", [Operation.IMAGINE, Operation.VARY, Operation.FILL])
def test_end_of_a_long_prompt_changes_the_picture(
    name: str, operation: Operation, tmp_path: Path, stored: dict[str, bytes]
) -> None:
    folder = model_folder(name, tmp_path / name)
    profile = profile_for(str(folder))
    assert profile.prompt_limit is not None
    assert profile.prompt_limit.unread(LONG) == ""
    engine = Engine([profile], stored.__getitem__)

    def picture(prompt: str, count: int = 1) -> list[bytes]:
        request = make_request(
            operation,
            profile=profile.name,
            prompt=prompt,
            negative="a boat",
            steps=4,
            count=count,
            sources=() if operation is Operation.IMAGINE else ("disc",),
            mask="mask" if operation is Operation.FILL else None,
        )
        return [open_image(one.data).tobytes() for one in engine.submit(request).result(120)]

    try:
        (plain,) = picture(LONG)
        (other,) = picture(f"{LONG} and a black cat")
        assert plain != other
        assert len(picture(LONG, count=2)) == 2
    finally:
        assert engine.stop(60)
