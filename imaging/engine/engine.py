"""The engine: requests in, pictures out, on one thread that owns every model.

A request's way: `submit` checks it; a hand reads and decodes its sources; it waits its turn; the
engine's thread makes the pictures; a hand writes the files. Hands are a few threads for what needs
no model, so that the device never waits for a download or a PNG. Whatever fails, fails that
request alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from threading import Condition, Thread

from imaging.engine.blank import BlankRunner
from imaging.engine.checks import check_request
from imaging.engine.enlarge import enlarge
from imaging.engine.finish import finish
from imaging.engine.hands import Hands, guarded
from imaging.engine.materials import Reader, read_materials
from imaging.engine.rates import Rate, Rates
from imaging.engine.rendering import Rendering
from imaging.engine.settings import EngineSettings
from imaging.engine.step_scheduler import StepScheduler
from imaging.engine.work import Materials, Painted, Runner
from imaging.errors import (
    EngineStopped,
    ImagingError,
    ModelUnavailable,
    UnknownProfile,
)
from imaging.profiles import BLANK, Profile
from imaging.request import ImageRequest, Operation, Priority, Stage


@dataclass(frozen=True, slots=True)
class EngineLoad:
    """The engine at this moment.

    `running` counts what is on the device or being written, `waiting` what waits for the device,
    by priority. `room` is how many more are worth submitting. `quiet_seconds` is how long the busy
    thread has shown no sign of life: long after the longest step, its process is best ended.
    """

    device: str
    profiles: tuple[str, ...]
    slots: int
    running: int
    waiting: Mapping[Priority, int]
    room: int
    quiet_seconds: float


@dataclass(eq=False, slots=True)
class _Work:
    """A request with all that serving it takes."""

    rendering: Rendering
    profile: Profile
    arrival: int
    materials: Materials


class Engine:
    """Serves the given profiles. Start one per process; `stop` it at the end.

    `read` turns a source's name into its bytes; it may block, and is called on a hand;
    FileNotFoundError means that the picture is gone. `blank` is given by benches and tests only,
    and allows the profile `blank`. Raises UnknownProfile where that profile is among `profiles`
    without it.
    """

    def __init__(
        self,
        profiles: Iterable[Profile],
        read: Reader,
        settings: EngineSettings | None = None,
        *,
        blank: BlankRunner | None = None,
    ) -> None:
        self._profiles = {profile.name: profile for profile in profiles}
        if BLANK in self._profiles and blank is None:
            raise UnknownProfile("The profile blank is for benches only.", name=BLANK)
        self._read = read
        self._settings = settings or EngineSettings()
        self._blank = blank
        self._runner: Runner | None = None
        self._rates = Rates()
        self._changed = Condition()
        self._queue: StepScheduler[_Work] = StepScheduler()
        self._open: dict[Rendering, _Work | None] = {}  # all that are not settled
        self._serving: Rendering | None = None
        self._stopping = False
        self._hands = Hands()
        self._thread = Thread(target=self._run, name="engine", daemon=True)
        self._thread.start()

    # -- for callers ----------------------------------------------------------------------------

    def submit(
        self, request: ImageRequest, *, seconds: float | None = None, previews: bool = True
    ) -> Rendering:
        """Take a request. Returns at once; all that is wrong with it comes out of `result`.

        `seconds` is the most it may take from now on, waiting included. Without `previews` none are
        made, which saves up to a tenth of the time.
        """
        limit = self._settings.longest_seconds if seconds is None else seconds
        deadline = time.monotonic() + limit
        return self._take(
            Rendering(request, deadline=deadline, on_settled=self._let_go, previews=previews)
        )

    def warm_up(self, profile: str) -> Rendering:
        """Load a profile and make a throw-away picture, so that the first real one is not slow.

        `result` gives no picture, or raises what keeps the profile from working. The time that a
        picture takes is in `rates` afterwards.
        """
        known = self._profiles.get(profile)
        width, height = known.size("1:1") if known else (64, 64)
        request = ImageRequest(
            operation=Operation.IMAGINE,
            prompt="a red star on a blue background",
            profile=profile,
            width=width,
            height=height,
            seed=0,
            priority=Priority.EXPRESS,
        )
        return self._take(
            Rendering(request, on_settled=self._let_go, previews=False, rehearsal=True)
        )

    def rates(self) -> tuple[Rate, ...]:
        """Measured device seconds per picture, by profile, operation, size and steps."""
        return self._rates.all()

    def load(self) -> EngineLoad:
        """How busy the engine is."""
        with self._changed:
            waiting = {priority: self._queue.count(priority) for priority in Priority}
            serving = self._serving
            # Loading is not counted: a model of the hub may take an hour to come.
            if serving is not None and serving.progress.stage is Stage.LOADING:
                serving = None
            return EngineLoad(
                device=self._runner.device if self._runner else "",
                profiles=tuple(self._profiles),
                slots=self._settings.slots,
                running=len(self._open) - sum(waiting.values()),
                waiting=waiting,
                room=0 if self._stopping else max(0, self._settings.slots - len(self._open)),
                quiet_seconds=time.monotonic() - serving.touched_at if serving else 0.0,
            )

    def stop(self, timeout: float = 10.0) -> bool:
        """End: every open request fails with EngineStopped now, the thread ends after its step.

        Whether the thread has ended within `timeout` seconds; it never outlives the process.
        """
        with self._changed:
            self._stopping = True
            still_open = list(self._open)
            self._changed.notify_all()
        for rendering in still_open:
            rendering.fail(EngineStopped("The engine was stopped."))
        self._thread.join(timeout)
        self._hands.let_go()
        return not self._thread.is_alive()

    # -- taking a request in --------------------------------------------------------------------

    def _take(self, rendering: Rendering) -> Rendering:
        with self._changed:
            stopping = self._stopping
            arrival = self._queue.arrive()
            if not stopping:
                self._open[rendering] = None
        try:
            if stopping:
                raise EngineStopped("The engine was stopped.")
            profile = self._profile(rendering.request.profile)
            check_request(rendering.request, profile)
        except ImagingError as error:
            rendering.fail(error)
            return rendering
        work = _Work(rendering, profile, arrival, Materials())
        if rendering.request.sources:
            self._hands.read(rendering, lambda: self._make_ready(work))
        else:
            self._enqueue(work)
        return rendering

    def _profile(self, name: str) -> Profile:
        if name not in self._profiles:
            known = ", ".join(self._profiles)
            raise UnknownProfile(
                f"This worker has no model called {name!r}, only {known}.", name=name, known=known
            )
        return self._profiles[name]

    def _make_ready(self, work: _Work) -> None:
        """Read and decode the sources; an enlargement needs no more than that."""
        request = work.rendering.request
        work.materials = read_materials(request, self._read, self._settings.limits)
        work.rendering.check()
        if request.operation is Operation.UPSCALE:
            work.rendering.report(Stage.FINISHING)
            self._deliver(work, enlarge(request, work.materials))
        else:
            self._enqueue(work)

    def _enqueue(self, work: _Work) -> None:
        with self._changed:
            if work.rendering not in self._open:
                return  # settled meanwhile
            self._open[work.rendering] = work
            self._queue.add(work, work.rendering.request.priority, work.arrival)
            self._changed.notify_all()

    def _let_go(self, rendering: Rendering) -> None:
        """It is settled: it waits no longer and is not counted."""
        with self._changed:
            work = self._open.pop(rendering, None)
            if work is not None:
                self._queue.remove(work)

    # -- on the engine's thread -----------------------------------------------------------------

    def _run(self) -> None:
        while (work := self._next()) is not None:
            guarded(work.rendering, lambda work=work: self._serve(work))  # type: ignore[misc]
            with self._changed:
                self._serving = None
        if self._runner is not None:
            self._runner.close()

    def _next(self) -> _Work | None:
        """The next in turn, once there is one; None when the engine stops."""
        with self._changed:
            while not self._stopping:
                work = self._queue.next()
                if work is not None:
                    self._serving = work.rendering
                    return work
                self._changed.wait()
            return None

    def _serve(self, work: _Work) -> None:
        rendering = work.rendering
        began = time.monotonic()
        try:
            rendering.check()
            painted = self._runner_for(work.profile).render(work.profile, rendering, work.materials)
        finally:
            rendering.seconds = time.monotonic() - began
        self._measure(work, len(painted))
        steps = rendering.progress.steps
        rendering.report(Stage.FINISHING, steps, steps)
        self._hands.write(rendering, lambda: self._deliver(work, painted))

    def _runner_for(self, profile: Profile) -> Runner:
        if profile.name == BLANK and self._blank is not None:
            return self._blank
        if self._runner is None:
            try:
                from imaging.engine.libraries import prepare_libraries

                prepare_libraries()
                from imaging.engine.runner import DiffusersRunner
            except ImportError as error:
                raise ModelUnavailable(
                    f"The model libraries are missing ({error}): pip install 'atelier[worker]'.",
                    model=profile.name,
                ) from error
            self._runner = DiffusersRunner(self._settings)
        return self._runner

    def _measure(self, work: _Work, pictures: int) -> None:
        request, began = work.rendering.request, work.rendering.steps_began_at
        if began is None or not pictures:
            return
        self._rates.record(
            Rate(
                profile=work.profile.name,
                operation=request.operation,
                width=request.width,
                height=request.height,
                steps=request.steps or work.profile.steps_of(request.operation),
                seconds=(time.monotonic() - began) / pictures,
                pictures=pictures,
            )
        )

    def _deliver(self, work: _Work, painted: list[Painted]) -> None:
        rendering = work.rendering
        rendering.check()
        if rendering.rehearsal:
            rendering.finish(())
        else:
            rendering.finish(finish(painted, rendering.request, work.profile))
