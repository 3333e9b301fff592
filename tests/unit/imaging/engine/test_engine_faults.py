"""Broken models and out-of-memory: only the affected request fails."""

from __future__ import annotations

import gc
import json
import shutil
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import UNet2DConditionModel
from diffusers.models.autoencoders.vae import Decoder
from safetensors.torch import load_file, save_file

from imaging.engine.denoiser import NetworkCall
from imaging.engine.engine import Engine
from imaging.engine.model_errors import is_out_of_memory, run_model
from imaging.errors import (
    EngineStopped,
    ImagingError,
    ModelUnavailable,
    OutOfMemory,
    RenderCancelled,
)
from imaging.profiles import POSTCARD_FOLDER, Profile, profile_for
from imaging.request import Operation, Priority, Stage
from tests.unit.imaging.pictures import make_request, mean_difference, open_image

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
    return make_request(profile=profile, width=width, height=height, **{"steps": 2, **changes})


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
def test_broken_folder_fails_only_its_own_requests(
    make_engine: Any, postcard: Profile, copy: Path, harm: Callable[[Path], None]
) -> None:
    profile = profile_for(str(copy))
    harm(copy)
    engine = make_engine(profile)
    handle = engine.submit(small("broken", postcard))
    with pytest.raises(ModelUnavailable, match="broken") as caught:
        handle.result(120)
    assert "\n" not in str(caught.value)
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1


def test_deleted_folder_makes_model_unavailable(
    make_engine: Any, postcard: Profile, copy: Path
) -> None:
    profile = profile_for(str(copy))
    shutil.rmtree(copy)
    with pytest.raises(ModelUnavailable):
        make_engine(profile).submit(small("broken", postcard)).result(120)


def test_non_finite_output_is_an_error(make_engine: Any, postcard: Profile, copy: Path) -> None:
    weights = load_file(copy / WEIGHTS)
    weights["conv_out.bias"] = torch.full_like(weights["conv_out.bias"], float("nan"))
    save_file(weights, copy / WEIGHTS, metadata={"format": "pt"})
    with pytest.raises(ImagingError, match="overflowed"):
        make_engine(profile_for(str(copy))).submit(small("broken", postcard)).result(120)


def starving(most: int) -> Callable[..., Any]:
    """The denoiser where there is memory for `most` samples; beyond that torch raises."""
    forward = UNet2DConditionModel.forward

    def starved(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        if len(sample) > most:
            torch.empty(2**60, dtype=torch.uint8)
        return forward(self, sample, *args, **more)

    return starved


def test_out_of_memory_batch_is_halved(
    warm_engine: Engine, make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = small("postcard", postcard, count=4, steps=4)
    plenty = warm_engine.submit(request).result(120)
    engine = make_engine()
    monkeypatch.setattr(UNet2DConditionModel, "forward", starving(2))  # one picture, guided
    handle = engine.submit(request)
    scarce = handle.result(120)
    assert [picture.seed for picture in scarce] == [picture.seed for picture in plenty]
    for one, other in zip(plenty, scarce, strict=True):
        assert mean_difference(open_image(one.data), open_image(other.data)) < 1
    assert handle.progress.step == handle.progress.steps == 16


def test_paused_request_makes_room_before_a_batch_is_halved(
    warm_engine: Engine, make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The paid call fails until the paused one's tensors are on the host."""
    free = small("postcard", postcard, count=2, steps=12)
    expected = warm_engine.submit(free).result(120)
    engine = make_engine()
    engine.warm_up("postcard").result(120)
    forward, offload = UNet2DConditionModel.forward, NetworkCall.offload
    moved: list[int] = []
    failures: list[int] = []

    def cramped(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        if len(sample) == 2 and not moved:  # the paid request: one picture, guided
            failures.append(len(sample))
            torch.empty(2**60, dtype=torch.uint8)
        return forward(self, sample, *args, **more)

    def counted(self: NetworkCall) -> int:
        moved.append(offload(self))
        return moved[-1]

    monkeypatch.setattr(UNet2DConditionModel, "forward", cramped)
    monkeypatch.setattr(NetworkCall, "offload", counted)
    handle = engine.submit(free)
    for progress in handle.updates():
        if progress.step >= 2:
            break
    paid = engine.submit(small("postcard", postcard, priority=Priority.EXPRESS))
    assert len(paid.result(120)) == 1
    pictures = handle.result(120)
    assert len(failures) == 1
    assert moved[0] > 0
    for one, other in zip(expected, pictures, strict=True):
        assert mean_difference(open_image(one.data), open_image(other.data)) < 1


def test_picture_that_is_too_large_to_decode_is_decoded_in_tiles(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once: the next picture of this size begins with tiles."""
    decode, sides = Decoder.forward, []

    def starved(self: Any, sample: torch.Tensor, *args: Any, **more: Any) -> Any:
        sides.append(max(sample.shape[-2:]))
        if sides[-1] > 16:  # latent cells: a tile of the bundled model
            torch.empty(2**60, dtype=torch.uint8)
        return decode(self, sample, *args, **more)

    monkeypatch.setattr(Decoder, "forward", starved)
    engine = make_engine()
    wide = replace(small("postcard", postcard), width=224, height=128)
    for _ in range(2):
        (picture,) = engine.submit(wide, previews=False).result(120)
        assert (picture.width, picture.height) == (224, 128)
    assert sides.count(28) == 1


def test_out_of_memory_single_picture_fails_only_that_request(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    with monkeypatch.context() as context:
        context.setattr(UNet2DConditionModel, "forward", starving(0))
        handle = engine.submit(small("postcard", postcard))
        with pytest.raises(OutOfMemory) as caught:
            handle.result(120)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None  # no reference to the tensors of the failed call
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1


def denoisers() -> list[UNet2DConditionModel]:
    """The denoisers in this process."""
    gc.collect()
    return [thing for thing in gc.get_objects() if type(thing) is UNet2DConditionModel]


def test_out_of_memory_while_loading_evicts_other_models(
    make_engine: Any, postcard: Profile, copy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine(profile_for(str(copy)))
    others = set(map(id, denoisers()))
    engine.submit(small("postcard", postcard)).result(120)
    [first] = [weakref.ref(one) for one in denoisers() if id(one) not in others]
    tries = []
    load = UNet2DConditionModel.from_pretrained

    def first_without_room(*args: Any, **more: Any) -> Any:
        tries.append(args)
        if len(tries) == 1:
            torch.empty(2**60, dtype=torch.uint8)
        return load(*args, **more)

    monkeypatch.setattr(UNet2DConditionModel, "from_pretrained", first_without_room)
    assert first() is not None
    assert len(engine.submit(small("broken", postcard)).result(120)) == 1
    assert len(tries) == 2
    gc.collect()
    assert first() is None, "the other model is still in memory"


def test_model_failure_is_reported_in_one_line(
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
def test_out_of_memory_errors_of_every_device_are_recognised(error: Exception) -> None:
    assert is_out_of_memory(error)

    def failing() -> None:
        raise error

    with pytest.raises(OutOfMemory):
        run_model(failing, "postcard")


@pytest.mark.parametrize("error", [RuntimeError("shape mismatch"), ValueError("out of memory")])
def test_other_errors_are_not_out_of_memory(error: Exception) -> None:
    assert not is_out_of_memory(error)


@pytest.mark.parametrize("step", ["_make", "_decode"])
def test_preview_failure_does_not_fail_the_picture(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def failing(*_: Any) -> None:
        raise RuntimeError("CUDA out of memory")

    monkeypatch.setattr(f"imaging.engine.latent_preview.{step}", failing)
    handle = make_engine().submit(small("postcard", postcard, steps=6))
    assert len(handle.result(120)) == 1
    assert handle.progress.preview is None


def test_stop_midway_fails_running_request(make_engine: Any, postcard: Profile) -> None:
    engine = make_engine()
    handle = engine.submit(small("postcard", postcard, steps=200))
    for progress in handle.updates():
        if progress.stage is Stage.STEPS and progress.step:
            break
    assert engine.stop(60)
    with pytest.raises(EngineStopped):
        handle.result(0)
    assert handle.progress.step < 200


def tensors() -> int:
    """The number of tensors in this process, weights included."""
    gc.collect()
    return sum(1 for thing in gc.get_objects() if type(thing) is torch.Tensor)


def test_ended_requests_release_device_memory(
    make_engine: Any, postcard: Profile, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = make_engine()
    for _ in range(2):  # libraries cache tensors on the first run
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
    engine.submit(small("postcard", postcard)).result(
        120
    )  # the thread has dropped the ended requests
    assert tensors() <= before
    assert all(handle.done for handle in ended)


def test_cancel_while_model_loads(make_engine: Any, postcard: Profile) -> None:
    engine = make_engine()
    handle = engine.submit(small("postcard", postcard))
    for progress in handle.updates():
        if progress.stage is Stage.LOADING:
            handle.cancel()
    with pytest.raises(RenderCancelled):
        handle.result(120)
    assert len(engine.submit(small("postcard", postcard)).result(120)) == 1
    assert handle.steps_began_at is None


def test_missing_editing_model_does_not_affect_text_to_image(
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
