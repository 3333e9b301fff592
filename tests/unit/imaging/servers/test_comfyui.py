"""ComfyUI against a loopback server, faults included."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from PIL import Image

from imaging.errors import (
    ImagingError,
    ModelUnavailable,
    OutOfMemory,
    ParameterUnsupported,
    RenderCancelled,
    RenderTimedOut,
    ServerRefused,
    ServerUnavailable,
    Unsupported,
)
from imaging.parameters import Parameter
from imaging.provenance import read_provenance
from imaging.request import ImageRequest, Operation, Priority, Progress, Stage
from imaging.server_models import Lora
from tests.servers.comfyui_server import ComfyUIServer, colour_of
from tests.servers.models import comfyui_model, text_to_image, write
from tests.unit.imaging.servers.conftest import PATIENCE, Serve, until


@pytest.fixture
def server() -> Iterator[ComfyUIServer]:
    with ComfyUIServer() as server:
        yield server


def a_request(**changes: Any) -> ImageRequest:
    values: dict[str, Any] = {
        "operation": Operation.IMAGINE,
        "prompt": "a red house",
        "profile": "comfy",
        "width": 64,
        "height": 64,
        "seed": 7,
        **changes,
    }
    return ImageRequest(**values)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_workflow_is_filled_and_its_picture_fetched(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    engine = serve(comfyui_model(server.url, tmp_path))
    request = a_request(negative="trees", width=72, height=48, steps=3, guidance=2.5)
    (picture,) = engine.submit(request).result(PATIENCE)
    (prompt,) = server.prompts
    sampler = prompt.workflow["5"]["inputs"]
    assert (sampler["seed"], sampler["steps"], sampler["cfg"]) == (7, 3, 2.5)
    assert prompt.workflow["3"]["inputs"]["text"] == "blurry, trees"
    assert opened(picture.data).getpixel((3, 3)) == colour_of(prompt.workflow)
    assert (picture.width, picture.height) == (72, 48)
    found = read_provenance(picture.data)
    assert found is not None
    assert (found.model, found.prompt, found.steps) == ("comfy", "a red house", 3)


def test_progress_and_previews_are_those_of_the_sampler(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path))
        handle = engine.submit(a_request(count=2))
        found = until(lambda: handle.progress if handle.progress.preview else None)
        assert isinstance(found, Progress)
        assert (found.stage, found.step, found.steps) == (Stage.STEPS, 1, 8)
        assert opened(found.preview or b"").size == (16, 16)
        server.release()
        handle.result(PATIENCE)


def test_each_picture_is_a_prompt_with_its_own_seed(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    engine = serve(comfyui_model(server.url, tmp_path))
    pictures = engine.submit(a_request(count=2)).result(PATIENCE)
    assert [picture.seed for picture in pictures] == [7, 8]
    assert [one.workflow["5"]["inputs"]["seed"] for one in server.prompts] == [7, 8]
    assert pictures[0].data != pictures[1].data


def test_waiting_in_the_servers_queue_is_waiting(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path, in_flight=2))
        first = engine.submit(a_request())
        until(lambda: server.running)
        second = engine.submit(a_request())
        until(lambda: server.pending)
        assert second.progress.stage is Stage.WAITING
        server.release()
        first.result(PATIENCE)
        second.result(PATIENCE)


def test_variation_uploads_the_source_and_passes_the_strength(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    engine = serve(comfyui_model(server.url, tmp_path))
    request = a_request(operation=Operation.VARY, sources=("disc",), strength=0.3)
    engine.submit(request).result(PATIENCE)
    ((name, data),) = server.uploads.items()
    assert opened(data).size == (64, 64)
    workflow = server.prompts[0].workflow
    assert workflow["4"]["inputs"]["image"] == f"atelier/{name} [temp]"
    assert workflow["5"]["inputs"]["denoise"] == 0.3


def test_reference_of_an_imagine_uses_the_variation(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    engine = serve(comfyui_model(server.url, tmp_path))
    engine.submit(a_request(sources=("disc",))).result(PATIENCE)
    assert len(server.uploads) == 1


def test_fill_keeps_the_source_outside_the_mask(
    server: ComfyUIServer, serve: Serve, tmp_path: Path, stored: dict[str, bytes]
) -> None:
    engine = serve(comfyui_model(server.url, tmp_path))
    request = a_request(operation=Operation.FILL, sources=("noise",), mask="mask")
    (picture,) = engine.submit(request).result(PATIENCE)
    assert len(server.uploads) == 2
    assert opened(picture.data).getpixel((60, 9)) == opened(stored["noise"]).getpixel((60, 9))


def test_lora_is_named_by_the_setting(server: ComfyUIServer, serve: Serve, tmp_path: Path) -> None:
    workflow = text_to_image()
    inputs = {"lora_name": "{{lora_1}}", "strength_model": "{{lora_1_weight}}"}
    workflow["8"] = {"class_type": "LoraLoader", "inputs": inputs}
    files = {Operation.IMAGINE: write(tmp_path, "lora", workflow)}
    loras = (Lora("ink.safetensors", 0.7),)
    model = comfyui_model(server.url, tmp_path, workflows=files, loras=loras)
    serve(model).submit(a_request()).result(PATIENCE)
    assert server.prompts[0].workflow["8"]["inputs"] == {
        "lora_name": "ink.safetensors",
        "strength_model": 0.7,
    }


def test_operations_and_parameters_are_those_of_the_workflows(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    workflow = text_to_image()
    workflow["3"]["inputs"]["text"] = "blurry"
    files = {Operation.IMAGINE: write(tmp_path, "plain", workflow)}
    imagine = frozenset({Operation.IMAGINE})
    engine = serve(comfyui_model(server.url, tmp_path, workflows=files, operations=imagine))
    assert engine.profile.operations == {Operation.IMAGINE, Operation.UPSCALE}
    assert engine.profile.parameters == {Parameter.SEED, Parameter.STEPS, Parameter.GUIDANCE}
    with pytest.raises(ParameterUnsupported):
        engine.submit(a_request(negative="trees")).result(PATIENCE)
    with pytest.raises(ParameterUnsupported):
        engine.submit(a_request(sources=("disc",))).result(PATIENCE)
    with pytest.raises(Unsupported):
        engine.submit(a_request(operation=Operation.EDIT, sources=("disc",))).result(PATIENCE)


def test_running_prompt_is_interrupted_by_its_id(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path))
        handle = engine.submit(a_request())
        running = until(lambda: server.running)
        handle.cancel()
        with pytest.raises(RenderCancelled):
            handle.result(PATIENCE)
        until(lambda: server.running is None)
        assert server.interrupts == [running]


def test_pending_prompt_is_deleted_and_others_go_on(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path, in_flight=2))
        first = engine.submit(a_request())
        until(lambda: server.running)
        second = engine.submit(a_request())
        (waiting,) = until(lambda: server.pending)
        second.cancel()
        until(lambda: server.deleted)
        assert (server.deleted, server.interrupts) == ([waiting], [])
        server.release()
        first.result(PATIENCE)


def test_free_prompt_gives_way_and_is_drawn_again(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path, restarts=True))
        free = engine.submit(a_request(prompt="free", priority=Priority.NORMAL))
        until(lambda: server.running)
        paid = engine.submit(a_request(prompt="paid", priority=Priority.EXPRESS))
        until(lambda: len(server.prompts) == 2)
        assert len(server.interrupts) == 1
        server.release()
        paid.result(PATIENCE)
        free.result(PATIENCE)
        texts = [one.workflow["2"]["inputs"]["text"] for one in server.prompts]
        assert texts == ["free", "paid", "free"]


@pytest.mark.parametrize("own_ids", [False, True])
def test_dropped_websocket_costs_progress_only(serve: Serve, tmp_path: Path, own_ids: bool) -> None:
    with ComfyUIServer(own_ids=own_ids) as server:
        server.drop_websockets = True
        engine = serve(comfyui_model(server.url, tmp_path))
        assert len(engine.submit(a_request()).result(PATIENCE)) == 1


def test_websocket_is_opened_again(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        server.drop_websockets = True
        engine = serve(comfyui_model(server.url, tmp_path))
        handle = engine.submit(a_request())
        until(lambda: server.connections >= 2)
        server.drop_websockets = False
        server.release()
        handle.result(PATIENCE)


def test_server_without_websocket_is_polled(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.refuse_websockets = True
    engine = serve(comfyui_model(server.url, tmp_path))
    assert len(engine.submit(a_request()).result(PATIENCE)) == 1


def test_full_queue_is_tried_again(server: ComfyUIServer, serve: Serve, tmp_path: Path) -> None:
    server.statuses = [429, 503]
    engine = serve(comfyui_model(server.url, tmp_path))
    assert len(engine.submit(a_request()).result(PATIENCE)) == 1


def test_queue_that_stays_full_is_a_temporary_error(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.statuses = [503] * 1000
    engine = serve(comfyui_model(server.url, tmp_path, timeout=0.5))
    with pytest.raises(ServerUnavailable):
        engine.submit(a_request()).result(PATIENCE)


def test_refused_workflow_names_the_node(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    workflow = text_to_image()
    workflow["1"]["inputs"]["ckpt_name"] = "missing.safetensors"
    files = {Operation.IMAGINE: write(tmp_path, "missing", workflow)}
    engine = serve(comfyui_model(server.url, tmp_path, workflows=files))
    with pytest.raises(ModelUnavailable, match=r"CheckpointLoaderSimple.*missing\.safetensors"):
        engine.submit(a_request()).result(PATIENCE)


def test_refusal_does_not_repeat_what_the_member_wrote(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    workflow = text_to_image()
    workflow["5"]["inputs"]["seed"] = "{{prompt}} {{seed}}"
    files = {Operation.IMAGINE: write(tmp_path, "wrong", workflow)}
    with structlog.testing.capture_logs() as logged:
        engine = serve(comfyui_model(server.url, tmp_path, workflows=files))
        with pytest.raises(ModelUnavailable, match=r"Failed to convert \(seed\)") as refused:
            engine.submit(a_request(prompt="a secret wish")).result(PATIENCE)
    assert "secret wish" not in f"{refused.value}{logged}"


@pytest.mark.parametrize(
    ("exception", "error"),
    [("torch.OutOfMemoryError", OutOfMemory), ("ValueError", ImagingError)],
)
def test_error_of_a_node_fails_for_good(
    server: ComfyUIServer, serve: Serve, tmp_path: Path, exception: str, error: type[ImagingError]
) -> None:
    server.failing_node = {
        "node_id": "5",
        "node_type": "KSampler",
        "exception_type": exception,
        "exception_message": "no room for a secret wish",
    }
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(error, match=r"KSampler \(node 5\)") as failed:
        engine.submit(a_request()).result(PATIENCE)
    assert failed.value.permanent
    assert "secret wish" not in str(failed.value)
    assert server.interrupts == []  # it has ended by itself


def test_error_of_a_node_is_found_without_a_websocket(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.refuse_websockets = True
    server.failing_node = {"node_id": "5", "node_type": "KSampler", "exception_type": "ValueError"}
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(ImagingError, match="KSampler"):
        engine.submit(a_request()).result(PATIENCE)


def test_prompt_that_the_server_lost_is_a_temporary_error(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.forget_prompts = True
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(ServerUnavailable, match="lost the request"):
        engine.submit(a_request()).result(PATIENCE)


def test_prompt_interrupted_by_somebody_else_is_a_temporary_error(
    serve: Serve, tmp_path: Path
) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path))
        handle = engine.submit(a_request())
        until(lambda: server.running)
        server.on_loop(server.interrupt_running)
        with pytest.raises(ServerUnavailable, match="interrupted"):
            handle.result(PATIENCE)


def test_prompt_that_takes_too_long_is_interrupted(serve: Serve, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        engine = serve(comfyui_model(server.url, tmp_path, timeout=0.6))
        with pytest.raises(RenderTimedOut):
            engine.submit(a_request()).result(PATIENCE)
        until(lambda: server.interrupts)


def test_half_a_picture_is_a_temporary_error(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.half_a_picture = True
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(ServerUnavailable, match="no whole picture"):
        engine.submit(a_request()).result(PATIENCE)


def test_picture_of_another_size_is_not_delivered(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.size = (32, 32)
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(ServerRefused, match="32 × 32 instead of 64 × 64"):
        engine.submit(a_request()).result(PATIENCE)


def test_workflow_without_a_picture_is_named(
    server: ComfyUIServer, serve: Serve, tmp_path: Path
) -> None:
    server.without_outputs = True
    engine = serve(comfyui_model(server.url, tmp_path))
    with pytest.raises(ServerRefused, match="without a picture"):
        engine.submit(a_request()).result(PATIENCE)


def test_warm_up_finds_missing_nodes(server: ComfyUIServer, serve: Serve, tmp_path: Path) -> None:
    assert serve(comfyui_model(server.url, tmp_path)).warm_up("comfy").result(PATIENCE) == ()
    workflow = text_to_image()
    workflow["8"] = {"class_type": "UnetLoaderGGUF", "inputs": {}}
    files = {Operation.IMAGINE: write(tmp_path, "gguf", workflow)}
    engine = serve(comfyui_model(server.url, tmp_path, workflows=files))
    with pytest.raises(ModelUnavailable, match="no node UnetLoaderGGUF"):
        engine.warm_up("comfy").result(PATIENCE)
    assert server.prompts == []
