"""Pictures of other servers pass the same checker as those of the in-process engine."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from imaging.engine.picture_checks import PictureChecks, cpu
from imaging.engine.servers.backends import backend_of
from imaging.engine.servers.server_engine import ServerEngine
from imaging.errors import Unsafe
from imaging.request import ImageRequest, Operation
from imaging.server_models import ServerModel
from tests.servers.comfyui_server import ComfyUIServer
from tests.servers.models import comfyui_model, openai_model
from tests.servers.openai_server import OpenAIServer
from tests.unit.imaging.servers.conftest import PATIENCE, until

CHECKER = "a checker of the tests"
ServeChecked = Callable[[ServerModel, "Checker"], ServerEngine]


class Checker:
    """Flags pictures as it is told; knows how many it was shown."""

    def __init__(self, *flags: bool) -> None:
        self.flags = flags
        self.shown = 0

    def unfit(self, images: Sequence[Image.Image]) -> list[bool]:
        self.shown += len(images)
        return [self.flags[index % len(self.flags)] for index in range(len(images))]


@pytest.fixture
def serve_checked(stored: dict[str, bytes]) -> Iterator[ServeChecked]:
    started: list[ServerEngine] = []

    def start(model: ServerModel, checker: Checker) -> ServerEngine:
        checks = PictureChecks(cpu)
        checks._checkers[CHECKER] = checker
        started.append(ServerEngine(model, backend_of(model, {}), stored.__getitem__, checks))
        return started[-1]

    yield start
    for engine in started:
        assert engine.stop(PATIENCE)


def a_request(profile: str, count: int = 1, *, show_unfit: bool = False) -> ImageRequest:
    return ImageRequest(
        Operation.IMAGINE, "a red house", profile, 64, 64, 7, count, show_unfit=show_unfit
    )


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGB")


def test_flagged_pictures_are_covered_and_a_whole_order_of_them_is_refused(
    serve_checked: ServeChecked,
) -> None:
    with OpenAIServer() as server:
        engine = serve_checked(openai_model(server.url, checker=CHECKER), Checker(False, True))
        pictures = engine.submit(a_request("big", 2)).result(PATIENCE)
        assert [picture.flagged for picture in pictures] == [False, True]
        strict = serve_checked(openai_model(server.url, checker=CHECKER), Checker(True))
        with pytest.raises(Unsafe):
            strict.submit(a_request("big")).result(PATIENCE)
        (shown,) = strict.submit(a_request("big", show_unfit=True)).result(PATIENCE)
        assert shown.flagged


def test_upscaled_upload_is_checked(serve_checked: ServeChecked) -> None:
    checker = Checker(True)
    engine = serve_checked(openai_model("http://127.0.0.1:1", checker=CHECKER), checker)
    request = ImageRequest(Operation.UPSCALE, "", "big", 128, 128, 7, factor=2, sources=("disc",))
    with pytest.raises(Unsafe):
        engine.submit(request).result(PATIENCE)


def test_flagged_previews_are_withheld(serve_checked: ServeChecked, tmp_path: Path) -> None:
    with ComfyUIServer(hold=True) as server:
        checker = Checker(True)
        engine = serve_checked(comfyui_model(server.url, tmp_path, checker=CHECKER), checker)
        handle = engine.submit(a_request("comfy"))
        until(lambda: checker.shown)
        server.release()
        with pytest.raises(Unsafe):
            handle.result(PATIENCE)
        assert handle.progress.preview is None
