"""Broken models and full memory: that request fails with its reason, and the next is served."""

from __future__ import annotations

import gc
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file

from imaging.engine.engine import Engine
from imaging.engine.faults import guarded, is_out_of_memory
from imaging.errors import (
    EngineStopped,
    ImagingError,
    ModelUnavailable,
    OutOfMemory,
    RenderCancelled,
)
from imaging.profiles import POSTCARD_FOLDER, Profile, profile_for
from imaging.request import Operation, Stage
from tests.unit.imaging.pictures import difference, opened, order

WEIGHTS = "unet/diffusion_pytorch_model.safetensors"


def cut_short(folder: Path) -> None:
    file = folder / WEIGHTS
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(b"")


def not_weights(folder: Path) -> None:
    (folder / "vae/diffusion_pytorch_model.safetensors").write_bytes(b"version https://git-lfs\n")


def without_a_part(folder: Path) -> None:
    shutil.rmtree(folder / "vae")


def without_words(folder: Path) -> None:
    (folder / "text_encoder/model.safetensors").unlink()


def of_an_unknown_class(folder: Path) -> None:
    change(folder / "model_index.json", _class_name="FancyPipeline")


def with_a_foreign_part(folder: Path) -> None:
    change(folder / "model_index.json", unet=["diffusers", "NoSuchModel"])


def with_other_shapes(folder: Path) -> None:
    change(folder / "unet/config.json", block_out_channels=[16, 32])


def change(file: Path, **values: Any) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text("utf-8")), **values}), "utf-8")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The bundled model's folder, to be broken."""
    folder = tmp_path / "broken"
    shutil.copytree(POSTCARD_FOLDER, folder, ignore=shutil.ignore_patterns("edit"))
    change(folder / "atelier.json", edit=None)
    return folder


@pytest.fixture
def make_engine(postcard: Profile) -> Iterator[Callable[..., Engine]]:
    engines: list[Engine] = []

    def make(*profiles: Profile) -> Engine:
        engines.append(Engine([postcard, *profiles], lambda _: b""))
        return engines[-1]

    yield make
    for engine in engines:
        assert engine.stop(60)


def small(profile: str, postcard: Profile, **changes: Any) -> Any:
    width, height = postcard.size("1:1")
    return order(profile=profile, width=width, height=height, **{"steps": 2, **changes})


@pytest.mark.parametrize(
    "harm",
    [
        cut_short,
        empty,
        not_weights,
        without_a_part,
        without_words,
        of_an_unknown_class,
        with_a_foreign_part,
        with_other_shapes,
    ],
)
def test_a_broken_folder_fails_its_requests_and_no_other(
    make_engine: Any, postcard: Profile, copy: Path, harm: Callable[[Path], None]
) -> None:
    profile = profile_for(str(copy))
    harm(copy)
    engine = make_engine(profile)
    rendering = engine.submit(small("broken", postcard))
    with pytest.raises(ModelUnavailable, match="broken") as caught:
        rendering.result(120)
    assert "\n" not in str(caught.value)
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1


def test_a_folder_that_went_away_is_named(make_engine: Any, postcard: Profile, copy: Path) -> None:
    profile = profile_for(str(copy))
    shutil.rmtree(copy)
    with pytest.raises(ModelUnavailable):
        make_engine(profile).submit(small("broken", postcard)).result(120)


def test_a_model_whose_numbers_overflow_gives_no_black_picture(
    make_engine: Any, postcard: Profile, copy: Path
) -> None:
    weights = load_file(copy / WEIGHTS)
    weights["conv_out.bias"] = torch.full_like(weights["conv_out.bias"], float("nan"))
    save_file(weights, copy / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ImagingError, match="overflowed"):
        make_engine(profile_for(str(copy))).submit(small("broken", postcard)).result(120)


def starving(most: int) -> Callable[..., Any]:
    """The denoiser where there is room for `most` samples: beyond that torch itself complains."""
    forward = UNet2DConditionModel.forward

    def starved(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        if len(sample) > most:
            torch.empty(2**60, dtype=torch.uint8)
        return forward(self, sample, *args, **more)

    return starved


def test_a_batch_that_does_not_fit_is_made_in_smaller_ones(
    studio_engine: Engine, make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = small("postcard", postcard, count=4, steps=4)
    plenty = studio_engine.submit(request).result(120)
    engine = make_engine()
    monkeypatch.setattr(UNet2DConditionModel, "forward", starving(2))  # one picture, guided
    rendering = engine.submit(request)
    scarce = rendering.result(120)
    assert [picture.seed for picture in scarce] == [picture.seed for picture in plenty]
    for one, other in zip(plenty, scarce, strict=True):
        assert difference(opened(one.data), opened(other.data)) < 1
    assert rendering.progress.step == rendering.progress.steps == 16


def test_one_picture_too_many_fails_alone(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    with monkeypatch.context() as context:
        context.setattr(UNet2DConditionModel, "forward", starving(0))
        rendering = engine.submit(small("postcard", postcard))
        with pytest.raises(OutOfMemory) as caught:
            rendering.result(120)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None  # nothing holds the tensors of the failed call
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1


def test_memory_short_while_loading_lets_other_models_go(
    make_engine: Any, postcard: Profile, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(profile_for(str(copy)))
    engine.submit(small("postcard", postcard)).result(120)
    tries = []
    load = UNet2DConditionModel.from_pretrained

    def first_without_room(*args: Any, **more: Any) -> Any:
        tries.append(args)
        if len(tries) == 1:
            torch.empty(2**60, dtype=torch.uint8)
        return load(*args, **more)

    monkeypatch.setattr(UNet2DConditionModel, "from_pretrained", first_without_room)
    assert len(engine.submit(small("broken", postcard)).result(120)) == 1
    assert len(tries) == 2


def test_a_fault_inside_the_model_is_told_in_one_sentence(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: Any, **__: Any) -> None:
        raise ValueError("shapes do not fit\nand a long story")

    engine = make_engine()
    with monkeypatch.context() as context:
        context.setattr(UNet2DConditionModel, "forward", failing)
        with pytest.raises(ImagingError, match=r"postcard failed: shapes do not fit$"):
            engine.submit(small("postcard", postcard)).result(120)
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ],
)
def test_every_devices_word_for_full_is_understood(error: Exception) -> None:
    assert is_out_of_memory(error)

    def failing() -> None:
        raise error

    with pytest.raises(OutOfMemory):
        guarded(failing, "postcard")


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory")])
def test_other_errors_are_not_taken_for_it(error: Exception) -> None:
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("step", ["_make", "_decode"])
def test_a_picture_does_not_fail_for_its_previews(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def failing(*_: Any) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(f"imaging.engine.previews.{step}", failing)
    rendering = make_engine().submit(small("postcard", postcard, steps=6))
    assert len(rendering.result(120)) == 1
    assert rendering.progress.preview is None


def test_stopping_in_the_middle_of_a_picture(make_engine: Any, postcard: Profile) -> None:
    engine = make_engine()
    rendering = engine.submit(small("postcard", postcard, steps=200))
    for progress in rendering.updates():
        if progress.stage is Stage.STEPS and progress.step:
            break
    assert engine.stop(60)
    with pytest.raises(EngineStopped):
        rendering.result(0)
    assert rendering.progress.step < 200


def tensors() -> int:
    """How many there are in this process, weights included."""
    gc.collect()
    return sum(1 for thing in gc.get_objects() if type(thing) is torch.Tensor)


def test_requests_that_ended_early_hold_no_device_memory(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    for _ in range(2):  # what libraries keep from a first run is not ours
        engine.submit(small("postcard", postcard)).result(120)
    before = tensors()
    ended = []
    for _ in range(3):
        ended.append(engine.submit(small("postcard", postcard, steps=200)))
        for progress in ended[-1].updates():
            if progress.step >= 2:
                ended[-1].cancel()
    with monkeypatch.context() as context:
        context.setattr(UNet2DConditionModel, "forward", starving(0))
        ended.append(engine.submit(small("postcard", postcard)))
        with pytest.raises(OutOfMemory):
            ended[-1].result(120)
    engine.submit(small("postcard", postcard)).result(120)  # the thread has left the others behind
    assert tensors() <= before
    assert all(rendering.done for rendering in ended)


def test_a_request_cancelled_while_its_model_loads(make_engine: Any, postcard: Profile) -> None:
    engine = make_engine()
    rendering = engine.submit(small("postcard", postcard))
    for progress in rendering.updates():
        if progress.stage is Stage.LOADING:
            rendering.cancel()
    with pytest.raises(RenderCancelled):
        rendering.result(120)
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1
    assert rendering.steps_began_at is None


def test_editing_with_a_missing_model_leaves_painting_alone(
    make_engine: Any, postcard: Profile, copy: Path, stored: dict[str, bytes]
) -> None:
    change(copy / "atelier.json", edit=str(copy / "nowhere"))
    engine = Engine([profile_for(str(copy))], stored.__getitem__)
    try:
        with pytest.raises(ModelUnavailable):
            engine.submit(
                small("broken", postcard, operation=Operation.EDIT, sources=("disc",))
            ).result(120)
        assert len(engine.submit(small("broken", postcard)).result(120)) == 1
    finally:
        assert engine.stop(60)
