import time
from threading import Thread

import pytest

from imaging.engine.render_handle import RenderHandle
from imaging.errors import ImagingError, RenderCancelled, RenderTimedOut
from imaging.request import FinishedPicture, Progress, Stage
from tests.unit.imaging.pictures import make_request

PICTURE = FinishedPicture(b"data", "image/png", 1, 1, 7)


def test_handle_settles_once_and_first_outcome_wins() -> None:
    settled: list[RenderHandle] = []
    handle = RenderHandle(make_request(), on_settled=settled.append)
    assert not handle.done
    handle.finish((PICTURE,))
    handle.cancel("too late")
    handle.fail(ImagingError("too late"))
    assert handle.done
    assert handle.result() == (PICTURE,)
    assert settled == [handle]


def test_cancel_is_visible_to_caller_at_once_and_to_engine_at_next_check() -> None:
    handle = RenderHandle(make_request())
    handle.check()
    handle.cancel("by the member")
    with pytest.raises(RenderCancelled, match="by the member") as caught:
        handle.result()
    assert caught.value.details == {"reason": "by the member"}
    with pytest.raises(RenderCancelled):
        handle.check()
    handle.finish((PICTURE,))
    with pytest.raises(RenderCancelled):
        handle.result()


def test_each_check_raises_a_new_exception_object() -> None:
    """A raised error references its frames, and these reference tensors on the device."""
    handle = RenderHandle(make_request())
    handle.cancel()
    errors = []
    for _ in range(2):
        with pytest.raises(RenderCancelled) as caught:
            handle.check()
        errors.append(caught.value)
    with pytest.raises(RenderCancelled) as kept:
        handle.result()
    assert len({id(error) for error in [*errors, kept.value]}) == 3


def test_expired_deadline_fails_every_accessor() -> None:
    past = time.monotonic() - 1
    with pytest.raises(RenderTimedOut):
        RenderHandle(make_request(), deadline=past).result()
    with pytest.raises(RenderTimedOut):
        RenderHandle(make_request(), deadline=past).check()
    assert list(RenderHandle(make_request(), deadline=past).updates()) == []


def test_deadline_expires_while_a_reader_waits() -> None:
    handle = RenderHandle(make_request(), deadline=time.monotonic() + 0.05)
    assert [progress.stage for progress in handle.updates()] == [Stage.WAITING]
    with pytest.raises(RenderTimedOut):
        handle.result()


def test_result_timeout_leaves_request_running() -> None:
    handle = RenderHandle(make_request())
    with pytest.raises(TimeoutError):
        handle.result(timeout=0.01)
    assert not handle.done


def test_reader_gets_latest_progress_and_each_preview_once() -> None:
    handle = RenderHandle(make_request())
    reader = handle.updates()
    assert next(reader) == Progress(Stage.WAITING)
    handle.report(Stage.STEPS, 1, 4)
    handle.report(Stage.STEPS, 2, 4, b"jpeg")
    handle.report(Stage.STEPS, 3, 4)
    assert next(reader) == Progress(Stage.STEPS, 3, 4, b"jpeg")
    handle.report(Stage.STEPS, 4, 4)
    assert next(reader) == Progress(Stage.STEPS, 4, 4, None)
    assert handle.progress.preview == b"jpeg"
    assert handle.progress.share == 1
    handle.finish((PICTURE,))
    assert list(reader) == []


def test_all_readers_are_woken_at_the_end() -> None:
    handle = RenderHandle(make_request())
    seen: list[int] = []
    threads = [Thread(target=lambda: seen.append(len(list(handle.updates())))) for _ in range(4)]
    for thread in threads:
        thread.start()
    handle.report(Stage.STEPS, 1, 4)
    handle.finish((PICTURE,))
    for thread in threads:
        thread.join(10)
    assert len(seen) == 4


def test_sleep_ends_early_when_settled() -> None:
    handle = RenderHandle(make_request())
    Thread(target=handle.cancel).start()
    with pytest.raises(RenderCancelled):
        handle.sleep(3600)
