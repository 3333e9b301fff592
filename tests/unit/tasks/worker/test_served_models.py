"""A model is announced once it has drawn, withdrawn when it fails, and tried again ever later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from queue import Queue
from unittest.mock import create_autospec

import pytest

from imaging.engine.protocol import ImageEngine
from imaging.engine.render_handle import RenderHandle
from imaging.errors import EngineStopped, ImagingError, ModelFailed, ModelUnavailable
from imaging.profiles import Profile, profile_for
from imaging.request import ImageRequest, Operation
from tasks.jobs.model_fault import ModelFault
from tasks.worker.served_models import AllServedModels, Backoff, ServedModels

PATIENCE = 60.0
GOOD = profile_for("postcard")
OTHER = replace(GOOD, name="other", edit=None, operations=GOOD.operations - {Operation.EDIT})
QUICK = Backoff(0.001, 0.002)
NEVER = Backoff(3600.0, 3600.0)


class Fleet:
    """One worker's models on an engine whose tries end as `outcomes` says, by model."""

    def __init__(self) -> None:
        self.outcomes: dict[tuple[str, Operation], ImagingError | None] = {}
        self.tries: Counter[tuple[str, Operation]] = Counter()
        self.changes: Queue[None] = Queue()
        self.engine = create_autospec(ImageEngine, instance=True)
        self.engine.warm_up.side_effect = self._warm_up
        self.parts: list[ServedModels] = []

    def _warm_up(self, name: str, operation: Operation = Operation.IMAGINE) -> RenderHandle:
        self.tries[name, operation] += 1
        handle = RenderHandle(ImageRequest(operation, "", name, 1, 1, seed=0))
        error = self.outcomes.get((name, operation))
        if error is None:
            handle.finish(())
        else:
            handle.fail(error)
        return handle

    def start(
        self,
        *profiles: Profile,
        backoff: Backoff = NEVER,
        prepare: Callable[[Profile], Profile] = lambda profile: profile,
    ) -> ServedModels:
        models = ServedModels(self.engine, profiles, prepare, backoff=backoff)
        self.parts.append(models)
        models.changed = lambda: self.changes.put(None)
        models.start()
        return models

    def wait(self, true: Callable[[], bool]) -> None:
        """Wait until it is true, looking after each change."""
        while not true():
            self.changes.get(timeout=PATIENCE)


@pytest.fixture
def fleet() -> Iterator[Fleet]:
    opened = Fleet()
    yield opened
    for part in opened.parts:
        part.stop()


def test_model_is_served_once_it_and_its_editing_model_have_drawn(fleet: Fleet) -> None:
    models = fleet.start(GOOD)
    fleet.wait(lambda: models.all_tried)
    assert fleet.tries == {("postcard", Operation.EDIT): 1, ("postcard", Operation.IMAGINE): 1}
    assert models.profiles() == {"postcard": GOOD}
    assert not models.faults()


def test_models_are_pending_until_they_are_tried() -> None:
    models = ServedModels(create_autospec(ImageEngine, instance=True), (GOOD, OTHER))
    assert models.pending() == ["postcard", "other"]
    assert AllServedModels([models]).pending() == ["postcard", "other"]


def test_broken_model_is_not_served_and_keeps_no_other_from_it(fleet: Fleet) -> None:
    fleet.outcomes["other", Operation.IMAGINE] = ModelUnavailable("No file.")
    models = fleet.start(OTHER, GOOD)
    fleet.wait(lambda: models.all_tried)
    assert models.pending() == []
    assert models.names() == ("postcard",)
    fault = models.faults()["other"]
    assert (fault.reason, fault.code, fault.part) == ("No file.", "model-unavailable", None)
    assert fault.next_try is not None
    assert fault.next_try > fault.since
    assert ModelFault.from_json(fault.to_json()) == fault


def test_broken_model_is_tried_until_it_draws(fleet: Fleet) -> None:
    fleet.outcomes["other", Operation.IMAGINE] = ModelUnavailable("No file.")
    models = fleet.start(OTHER, backoff=QUICK)
    fleet.wait(lambda: fleet.tries["other", Operation.IMAGINE] >= 4)
    first = models.faults()["other"].since
    fleet.wait(lambda: fleet.tries["other", Operation.IMAGINE] >= 6)
    assert models.faults()["other"].since == first
    fleet.outcomes.clear()
    fleet.wait(lambda: models.names() == ("other",))
    assert not models.faults()


def test_without_its_editing_model_a_model_serves_the_rest(fleet: Fleet) -> None:
    fleet.outcomes["postcard", Operation.EDIT] = ModelUnavailable("No editing model.")
    models = fleet.start(GOOD)
    fleet.wait(lambda: models.all_tried)
    assert models.profiles()["postcard"].operations == GOOD.operations - {Operation.EDIT}
    assert models.faults()["postcard"].part == "edit"


def test_model_that_fails_in_a_job_is_pending_until_its_first_try_is_over() -> None:
    """Orders wait for that try; where it fails, they are refused until a later one succeeds."""
    models = ServedModels(create_autospec(ImageEngine, instance=True), (GOOD, OTHER))
    for name, profile in (("postcard", GOOD), ("other", OTHER)):
        models._succeeded(name, profile, None)
    assert models.pending() == []
    models.withdraw("other", ModelFailed("Lost."))
    assert models.pending() == ["other"]
    models._failed("other", ModelFailed("Still lost."))
    assert models.pending() == []
    models._succeeded("other", OTHER, None)
    models.withdraw("other", ModelFailed("Lost again."))  # without a job in between
    assert models.pending() == []


def test_failure_in_a_job_withdraws_until_a_try_has_succeeded(fleet: Fleet) -> None:
    models = fleet.start(OTHER)
    fleet.wait(lambda: bool(models.names()))
    fleet.outcomes["other", Operation.IMAGINE] = ModelFailed("The device is lost.")
    assert models.pending() == []
    models.withdraw("other", ModelFailed("Lost."))
    assert not models.names()
    fleet.wait(lambda: fleet.tries["other", Operation.IMAGINE] == 2)
    fleet.wait(lambda: models.faults()["other"].reason == "The device is lost.")
    assert not models.names()


def test_model_that_fails_in_jobs_only_comes_back_later_each_time(fleet: Fleet) -> None:
    models = fleet.start(OTHER)
    fleet.wait(lambda: bool(models.names()))
    models.withdraw("other", ModelFailed("Lost."))  # the first try is at once
    fleet.wait(lambda: bool(models.names()))
    models.confirm("other")
    models.withdraw("other", ModelFailed("Lost."))
    fleet.wait(lambda: bool(models.names()))
    models.withdraw("other", ModelFailed("Lost."))  # no job has succeeded since
    fault = models.faults()["other"]
    assert fault.next_try is not None
    assert (fault.next_try - fault.since).total_seconds() >= 2000
    assert not models.names()


def test_profile_is_announced_as_its_files_describe_it(fleet: Fleet) -> None:
    models = fleet.start(OTHER, prepare=lambda profile: replace(profile, steps=3))
    fleet.wait(lambda: models.all_tried)
    assert models.profiles()["other"].steps == 3


def test_unexpected_error_of_a_try_is_a_fault(fleet: Fleet) -> None:
    def prepare(profile: Profile) -> Profile:
        raise ZeroDivisionError("one / zero")

    models = fleet.start(OTHER, prepare=prepare)
    fleet.wait(lambda: models.all_tried)
    assert models.faults()["other"].reason == "ZeroDivisionError: one / zero"


def test_engine_that_stops_ends_the_tries(fleet: Fleet) -> None:
    fleet.outcomes["other", Operation.IMAGINE] = EngineStopped("The engine was stopped.")
    models = fleet.start(OTHER)
    assert models._thread is not None
    models._thread.join(PATIENCE)
    assert not models._thread.is_alive()
    assert not models.faults()


def test_worker_is_settled_once_all_were_tried_and_one_is_served(fleet: Fleet) -> None:
    fleet.outcomes["other", Operation.IMAGINE] = ModelUnavailable("No file.")
    broken = fleet.start(OTHER)
    fleet.wait(lambda: broken.all_tried)
    assert not AllServedModels([broken]).settled
    good = fleet.start(GOOD)
    both = AllServedModels([broken, good])
    fleet.wait(lambda: both.settled)
    assert set(both.profiles()) == {"postcard"}
    assert set(both.faults()) == {"other"}


def test_pauses_grow_to_a_limit() -> None:
    pauses = [Backoff(5.0, 600.0).pause(failures) for failures in (1, 2, 3, 9, 1000)]
    for pause, longest in zip(pauses, (5, 10, 20, 600, 600), strict=True):
        assert 0.75 * longest <= pause <= longest


def test_fault_survives_json() -> None:
    fault = ModelFault("No file.", "model-unavailable", datetime(2026, 1, 1, tzinfo=UTC))
    assert ModelFault.from_json(fault.to_json()) == fault
