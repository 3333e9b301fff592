"""The images API against a loopback server, faults included."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from PIL import Image

from imaging.engine.servers import server_client, server_engine
from imaging.errors import (
    EngineStopped,
    ImagingError,
    ModelUnavailable,
    ParameterUnsupported,
    RenderCancelled,
    ServerRefused,
    ServerUnavailable,
    Unsafe,
    Unsupported,
)
from imaging.provenance import SourceType, read_provenance
from imaging.request import ImageRequest, Operation, Priority, Stage
from imaging.server_models import Field
from tests.servers.models import openai_model
from tests.servers.openai_server import (
    Fault,
    OpenAIServer,
    colour,
    failing,
    half_a_picture,
    half_an_answer,
    invalid_base64,
    too_few,
    wrong_size,
)
from tests.unit.imaging.servers.conftest import PATIENCE, Serve, until


@pytest.fixture
def server() -> Iterator[OpenAIServer]:
    with OpenAIServer() as server:
        yield server


def a_request(**changes: Any) -> ImageRequest:
    values: dict[str, Any] = {
        "operation": Operation.IMAGINE,
        "prompt": "a red house",
        "profile": "big",
        "width": 64,
        "height": 64,
        "seed": 7,
        **changes,
    }
    return ImageRequest(**values)


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_picture_is_drawn_by_prompt_size_and_seed(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    (picture,) = engine.submit(a_request(negative="trees", width=72, height=48)).result(PATIENCE)
    (asked,) = server.asked
    assert asked.path == "/v1/images/generations"
    assert asked.fields == {
        "model": "big-model",
        "prompt": "a red house",
        "negative_prompt": "trees",
        "size": "72x48",
        "n": 1,
        "seed": 7,
        "num_inference_steps": 20,
        "guidance_scale": 0.0,
        "response_format": "b64_json",
    }
    assert opened(picture.data).getpixel((3, 3)) == colour(asked, 7)
    assert (picture.width, picture.height, picture.seed) == (72, 48, 7)


def test_provenance_is_that_of_the_in_process_engine(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    (picture,) = engine.submit(a_request()).result(PATIENCE)
    found = read_provenance(picture.data)
    assert found is not None
    assert (found.model, found.prompt, found.seed, found.steps) == ("big", "a red house", 7, 20)
    assert found.source_type is SourceType.MADE


def test_server_is_told_only_what_it_takes(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url, takes=frozenset({Field.SIZE}), model=""))
    pictures = engine.submit(a_request(count=2)).result(PATIENCE)
    assert [one.fields for one in server.asked] == [{"prompt": "a red house", "size": "64x64"}] * 2
    found = read_provenance(pictures[1].data)
    assert found is not None
    assert (found.steps, found.guidance) == (None, None)  # unknown, so not claimed


def test_negative_prompt_is_refused_where_it_would_be_ignored(
    server: OpenAIServer, serve: Serve
) -> None:
    engine = serve(openai_model(server.url, takes=frozenset({Field.SIZE})))
    with pytest.raises(ParameterUnsupported) as refused:
        engine.submit(a_request(negative="trees")).result(PATIENCE)
    assert refused.value.details == {"model": "big", "parameter": "negative"}
    assert server.asked == []


def test_each_picture_can_be_drawn_again_by_its_seed(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    pictures = engine.submit(a_request(count=3)).result(PATIENCE)
    assert [picture.seed for picture in pictures] == [7, 8, 9]
    assert [asked.fields["seed"] for asked in server.asked] == [7, 8, 9]


def test_pictures_without_seeds_come_in_one_call(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url, takes=frozenset({Field.SIZE, Field.COUNT})))
    assert len(engine.submit(a_request(count=3)).result(PATIENCE)) == 3
    assert [asked.fields["n"] for asked in server.asked] == [3]


def test_edit_uploads_the_source(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    request = a_request(operation=Operation.EDIT, prompt="make it blue", sources=("disc",))
    (picture,) = engine.submit(request).result(PATIENCE)
    (asked,) = server.asked
    assert asked.path == "/v1/images/edits"
    assert opened(asked.files["image"][0]).size == (64, 64)
    found = read_provenance(picture.data)
    assert found is not None
    assert found.source_type is SourceType.EDITED


def test_blend_uploads_several_sources(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    engine.submit(a_request(operation=Operation.BLEND, sources=("disc", "noise"))).result(PATIENCE)
    assert len(server.asked[0].files["image[]"]) == 2


def test_fill_keeps_the_source_outside_the_mask(
    server: OpenAIServer, serve: Serve, stored: dict[str, bytes]
) -> None:
    engine = serve(openai_model(server.url))
    request = a_request(operation=Operation.FILL, sources=("noise",), mask="mask")
    (picture,) = engine.submit(request).result(PATIENCE)
    mask = Image.open(io.BytesIO(server.asked[0].files["mask"][0])).getchannel("A")
    assert [mask.getpixel((x, 9)) for x in (2, 60)] == [0, 255]  # transparent: drawn anew
    assert opened(picture.data).getpixel((60, 9)) == opened(stored["noise"]).getpixel((60, 9))
    assert opened(picture.data).getpixel((2, 9)) == colour(server.asked[0], 7)


def test_upscale_needs_no_server(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    request = a_request(operation=Operation.UPSCALE, sources=("disc",), factor=2)
    (picture,) = engine.submit(request).result(PATIENCE)
    assert (picture.width, picture.height) == (128, 128)
    assert server.asked == []


def test_server_with_few_sizes_is_asked_for_the_nearest(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url, only_sizes=True))
    (picture,) = engine.submit(a_request(width=96, height=54)).result(PATIENCE)
    assert server.asked[0].fields["size"] == "80x48"
    assert (picture.width, picture.height) == (96, 54)


def test_operation_that_is_not_set_is_refused(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    with pytest.raises(Unsupported):
        engine.submit(a_request(operation=Operation.VARY, sources=("disc",))).result(PATIENCE)


@pytest.mark.parametrize(
    "fault",
    [
        failing(429, headers={"Retry-After": "0"}),
        failing(500),
        failing(503, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}),
        failing(529),
    ],
)
def test_busy_server_is_asked_again(server: OpenAIServer, serve: Serve, fault: Fault) -> None:
    server.faults.extend([fault, fault])
    engine = serve(openai_model(server.url))
    assert len(engine.submit(a_request()).result(PATIENCE)) == 1
    assert len(server.asked) == 3


@pytest.mark.parametrize(
    "fault",
    [failing(429, headers={"Retry-After": "3000"}), failing(503, headers={"Retry-After": "60"})],
)
def test_server_that_stays_busy_is_a_temporary_error(
    server: OpenAIServer, serve: Serve, fault: Fault
) -> None:
    server.faults.append(fault)
    engine = serve(openai_model(server.url))
    with pytest.raises(ServerUnavailable, match="busy") as busy:
        engine.submit(a_request()).result(PATIENCE)
    assert not busy.value.permanent
    assert len(server.asked) == 1  # no repeat fits into the request's time


def test_server_that_is_away_is_a_temporary_error(serve: Serve) -> None:
    with OpenAIServer() as gone:
        url = gone.url
    engine = serve(openai_model(url, timeout=0.2))
    with pytest.raises(ServerUnavailable):
        engine.submit(a_request()).result(PATIENCE)


def test_server_that_does_not_answer_in_time_is_a_temporary_error(serve: Serve) -> None:
    with OpenAIServer(hold=True) as slow:
        engine = serve(openai_model(slow.url, timeout=0.3))
        with pytest.raises(ServerUnavailable, match="in time"):
            engine.submit(a_request()).result(PATIENCE)
        until(lambda: slow.asked[0].disconnected)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (half_a_picture, "no whole picture"),
        (invalid_base64, "invalid base64"),
        (half_an_answer, "cut off"),
        (too_few, "0 of 1 pictures"),
    ],
)
def test_damaged_answer_is_a_temporary_error(
    server: OpenAIServer, serve: Serve, fault: Fault, words: str
) -> None:
    server.faults.append(fault)
    engine = serve(openai_model(server.url))
    with pytest.raises(ServerUnavailable, match=words):
        engine.submit(a_request()).result(PATIENCE)


def test_picture_of_another_size_is_not_delivered(server: OpenAIServer, serve: Serve) -> None:
    server.faults.append(wrong_size)
    engine = serve(openai_model(server.url))
    with pytest.raises(ServerRefused, match="8 × 8 instead of 64 × 64"):
        engine.submit(a_request()).result(PATIENCE)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (failing(400, "content_policy_violation"), Unsafe),
        (failing(400, "moderation_blocked"), Unsafe),
        (failing(451), Unsafe),
        (failing(400, "invalid_size"), ServerRefused),
        (failing(422), ServerRefused),
        (failing(404), ModelUnavailable),
        (failing(302, headers={"Location": "http://127.0.0.1:9/"}), ServerRefused),
    ],
)
def test_refused_request_fails_for_good(
    server: OpenAIServer, serve: Serve, fault: Fault, error: type[ImagingError]
) -> None:
    server.faults.append(fault)
    engine = serve(openai_model(server.url))
    with pytest.raises(error) as refused:
        engine.submit(a_request(prompt="a secret wish")).result(PATIENCE)
    assert refused.value.permanent
    assert "secret wish" not in str(refused.value)
    assert len(server.asked) == 1


def test_key_is_sent_and_a_wrong_one_is_named(serve: Serve) -> None:
    with OpenAIServer(key="sk-right") as server:
        assert serve(openai_model(server.url), "sk-right").submit(a_request()).result(PATIENCE)
        engine = serve(openai_model(server.url), "sk-wrong")
        with pytest.raises(ModelUnavailable, match="refuses the key"):
            engine.submit(a_request()).result(PATIENCE)
        with pytest.raises(ModelUnavailable, match="refuses the key"):
            engine.warm_up("big").result(PATIENCE)


def test_neither_key_nor_prompt_is_logged(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (server_client, server_engine):  # their loggers keep the first configuration
        monkeypatch.setattr(module, "log", structlog.get_logger())
    with structlog.testing.capture_logs() as logged, OpenAIServer(key="sk-right") as server:
        server.faults.extend([failing(500), failing(400, "content_policy_violation")])
        engine = serve(openai_model(server.url), "sk-right")
        with pytest.raises(Unsafe):
            engine.submit(a_request(prompt="a secret wish")).result(PATIENCE)
    assert any(one["event"] == "server-busy" for one in logged)
    assert "sk-right" not in str(logged)
    assert "secret wish" not in str(logged)


def test_warm_up_asks_for_the_models_and_draws_nothing(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    assert engine.warm_up("big").result(PATIENCE) == ()
    assert server.asked == []


def test_warm_up_names_a_model_that_the_server_lacks(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url, model="other"))
    with pytest.raises(ModelUnavailable, match="only big-model"):
        engine.warm_up("big").result(PATIENCE)


def test_progress_has_no_invented_steps(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url))
        handle = engine.submit(a_request())
        until(lambda: server.in_flight == 1)
        assert (handle.progress.stage, handle.progress.steps) == (Stage.STEPS, 0)
        server.release()
        handle.result(PATIENCE)


def test_cancel_disconnects(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url))
        handle = engine.submit(a_request())
        until(lambda: server.in_flight == 1)
        handle.cancel()
        with pytest.raises(RenderCancelled):
            handle.result(PATIENCE)
        until(lambda: server.asked[0].disconnected)
        until(lambda: engine.load().free_slots == 1)


def test_stop_fails_what_is_open(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url))
        handles = [engine.submit(a_request()) for _ in range(2)]
        until(lambda: server.in_flight == 1)
        assert engine.stop(PATIENCE)
        for handle in (*handles, engine.submit(a_request())):
            with pytest.raises(EngineStopped):
                handle.result(PATIENCE)


def test_paid_work_goes_first_within_the_bound(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url))
        first = engine.submit(a_request(prompt="first", priority=Priority.NORMAL))
        until(lambda: server.in_flight == 1)
        later = [
            engine.submit(a_request(prompt=prompt, priority=priority))
            for prompt, priority in (
                ("relaxed", Priority.RELAXED),
                ("free", Priority.NORMAL),
                ("paid", Priority.EXPRESS),
            )
        ]
        load = engine.load()
        assert (load.running, load.waiting[Priority.NORMAL]) == (1, 1)
        assert len(server.asked) == 1
        server.release()
        for handle in (first, *later):
            handle.result(PATIENCE)
        order = [asked.fields["prompt"] for asked in server.asked]
        assert order == ["first", "paid", "free", "relaxed"]


def test_free_request_in_flight_gives_way_and_is_drawn_again(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url, restarts=True))
        free = engine.submit(a_request(prompt="free", priority=Priority.NORMAL))
        until(lambda: server.in_flight == 1)
        paid = engine.submit(a_request(prompt="paid", priority=Priority.EXPRESS))
        until(lambda: len(server.asked) == 2)
        assert server.asked[0].disconnected
        assert server.asked[1].fields["prompt"] == "paid"
        assert free.progress.stage is Stage.WAITING
        server.release()
        assert len(paid.result(PATIENCE)) == 1
        (picture,) = free.result(PATIENCE)  # the same handle: the job never left its worker
        assert picture.seed == 7
        assert [one.fields["prompt"] for one in server.asked] == ["free", "paid", "free"]


def test_without_the_option_nothing_gives_way(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url))
        free = engine.submit(a_request(priority=Priority.NORMAL))
        until(lambda: server.in_flight == 1)
        paid = engine.submit(a_request(priority=Priority.EXPRESS))
        server.release()
        free.result(PATIENCE)
        paid.result(PATIENCE)
        assert not server.asked[0].disconnected


def test_cancelled_while_it_waits_again_is_not_sent(serve: Serve) -> None:
    with OpenAIServer(hold=True) as server:
        engine = serve(openai_model(server.url, restarts=True))
        free = engine.submit(a_request(prompt="free", priority=Priority.NORMAL))
        until(lambda: server.in_flight == 1)
        paid = engine.submit(a_request(prompt="paid", priority=Priority.EXPRESS))
        until(lambda: len(server.asked) == 2 and engine.load().waiting[Priority.NORMAL])
        free.cancel()
        server.release()
        paid.result(PATIENCE)
        assert [one.fields["prompt"] for one in server.asked] == ["free", "paid"]


def test_time_of_a_drawn_picture_is_measured(server: OpenAIServer, serve: Serve) -> None:
    engine = serve(openai_model(server.url))
    handle = engine.submit(a_request(count=2))
    handle.result(PATIENCE)
    (measured,) = engine.render_times()
    assert (measured.profile, measured.pictures) == ("big", 2)
    assert handle.seconds > 0
