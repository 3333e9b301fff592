import time
from threading import Thread

import pytest

from imaging.engine.rendering import Rendering
from imaging.errors import ImagingError, RenderCancelled, RenderTimedOut
from imaging.request import FinishedPicture, Progress, Stage
from tests.unit.imaging.pictures import order

PICTURE = FinishedPicture(b"data", "image/png", 1, 1, 7)


def test_it_is_settled_once_and_the_first_word_counts() -> None:
    settled: list[Rendering] = []
    rendering = Rendering(order(), on_settled=settled.append)
    assert not rendering.done
    rendering.finish((PICTURE,))
    rendering.cancel("too late")
    rendering.fail(ImagingError("too late"))
    assert rendering.done
    assert rendering.result() == (PICTURE,)
    assert settled == [rendering]


def test_cancelling_is_seen_by_the_caller_at_once_and_by_the_engine_at_its_next_check() -> None:
    rendering = Rendering(order())
    rendering.check()
    rendering.cancel("by the member")
    with pytest.raises(RenderCancelled, match="by the member") as caught:
        rendering.result()
    assert caught.value.details == {"reason": "by the member"}
    with pytest.raises(RenderCancelled):
        rendering.check()
    rendering.finish((PICTURE,))
    with pytest.raises(RenderCancelled):
        rendering.result()


def test_each_check_raises_an_error_of_its_own() -> None:
    """A raised error holds the frames it went through, and those hold tensors on the device."""
    rendering = Rendering(order())
    rendering.cancel()
    errors = []
    for _ in range(2):
        with pytest.raises(RenderCancelled) as caught:
            rendering.check()
        errors.append(caught.value)
    with pytest.raises(RenderCancelled) as kept:
        rendering.result()
    assert len({id(error) for error in [*errors, kept.value]}) == 3


def test_the_deadline_ends_it_for_whoever_looks_first() -> None:
    past = time.monotonic() - 1
    with pytest.raises(RenderTimedOut):
        Rendering(order(), deadline=past).result()
    with pytest.raises(RenderTimedOut):
        Rendering(order(), deadline=past).check()
    assert list(Rendering(order(), deadline=past).updates()) == []


def test_a_deadline_passes_while_someone_waits() -> None:
    rendering = Rendering(order(), deadline=time.monotonic() + 0.05)
    assert [progress.stage for progress in rendering.updates()] == [Stage.WAITING]
    with pytest.raises(RenderTimedOut):
        rendering.result()


def test_waiting_for_the_result_can_be_given_up() -> None:
    rendering = Rendering(order())
    with pytest.raises(TimeoutError):
        rendering.result(timeout=0.01)
    assert not rendering.done


def test_a_reader_sees_what_is_new_and_each_preview_once() -> None:
    rendering = Rendering(order())
    reader = rendering.updates()
    assert next(reader) == Progress(Stage.WAITING)
    rendering.report(Stage.STEPS, 1, 4)
    rendering.report(Stage.STEPS, 2, 4, b"jpeg")
    rendering.report(Stage.STEPS, 3, 4)
    assert next(reader) == Progress(Stage.STEPS, 3, 4, b"jpeg")
    rendering.report(Stage.STEPS, 4, 4)
    assert next(reader) == Progress(Stage.STEPS, 4, 4, None)
    assert rendering.progress.preview == b"jpeg"
    assert rendering.progress.share == 1
    rendering.finish((PICTURE,))
    assert list(reader) == []


def test_many_readers_see_the_end() -> None:
    rendering = Rendering(order())
    seen: list[int] = []
    threads = [Thread(target=lambda: seen.append(len(list(rendering.updates())))) for _ in range(4)]
    for thread in threads:
        thread.start()
    rendering.report(Stage.STEPS, 1, 4)
    rendering.finish((PICTURE,))
    for thread in threads:
        thread.join(10)
    assert len(seen) == 4


def test_a_pause_ends_early_when_it_is_settled() -> None:
    rendering = Rendering(order())
    Thread(target=rendering.cancel).start()
    with pytest.raises(RenderCancelled):
        rendering.pause(3600)
