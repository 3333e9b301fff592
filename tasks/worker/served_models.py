"""Which models a worker serves: each once it has loaded and drawn, until it fails.

A model is tried before its first job. One that cannot be used is tried again, later each time, and
gets no jobs meanwhile; so is one that fails in a job. Every engine has a thread of its own for it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from threading import Condition, Thread

import structlog

from imaging.engine.protocol import ImageEngine
from imaging.errors import EngineStopped, ImagingError
from imaging.profiles import Profile
from imaging.request import Operation
from tasks.jobs.model_fault import ModelFault

log = structlog.get_logger(__name__)

FIRST_PAUSE, LONGEST_PAUSE = 5.0, 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between tries in seconds: doubled each time, and spread by up to a quarter."""

    first: float = FIRST_PAUSE
    longest: float = LONGEST_PAUSE

    def pause(self, failures: int) -> float:
        """The pause after so many failures in a row, at least one."""
        exact: float = min(self.longest, self.first * 2.0 ** min(failures - 1, 30))
        return exact * random.uniform(0.75, 1.0)  # noqa: S311 - spreads load only


@dataclass(slots=True)
class _Model:
    """`profile` is what is announced, None while nothing is. `due` is when it is tried again.

    Orders wait while it is `pending`: it is not tried yet, or its first try after a failure in a
    job is not over.
    """

    wanted: Profile
    profile: Profile | None = None
    tried: bool = False
    pending: bool = True
    failures: int = 0
    due: datetime | None = None
    fault: ModelFault | None = None


class ServedModels:
    """The models of one engine. Every method may be called from any thread.

    `prepare` fetches a model's files and returns its profile as they describe it. `changed` is
    called after each change, on the thread that made it. `clock` tells the time in UTC.
    """

    def __init__(
        self,
        engine: ImageEngine,
        profiles: Sequence[Profile],
        prepare: Callable[[Profile], Profile] = lambda profile: profile,
        *,
        backoff: Backoff = Backoff(),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._engine = engine
        self._prepare = prepare
        self._backoff = backoff
        self._clock = clock
        self._models = {profile.name: _Model(profile, due=clock()) for profile in profiles}
        self._state = Condition()
        self._stopping = False
        self._thread: Thread | None = None
        self.changed: Callable[[], None] = lambda: None

    def start(self) -> None:
        """Begin to try the models, in their order."""
        self._thread = Thread(target=self._run, name="try-models", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Try no more; a try in progress ends with its engine."""
        with self._state:
            self._stopping = True
            self._state.notify_all()

    @property
    def all_tried(self) -> bool:
        """Whether every model was tried at least once."""
        with self._state:
            return all(model.tried for model in self._models.values())

    def pending(self) -> list[str]:
        """The models that orders wait for: not tried yet, or just withdrawn."""
        with self._state:
            return [name for name, model in self._models.items() if model.pending]

    def names(self) -> tuple[str, ...]:
        """The models that jobs may be leased for."""
        return tuple(self.profiles())

    def profiles(self) -> Mapping[str, Profile]:
        """The same with their profiles."""
        with self._state:
            return {
                name: model.profile
                for name, model in self._models.items()
                if model.profile is not None
            }

    def faults(self) -> Mapping[str, ModelFault]:
        """Why the others are not served, or one of their operations is not."""
        with self._state:
            return {name: model.fault for name, model in self._models.items() if model.fault}

    def withdraw(self, name: str, error: ImagingError) -> None:
        """Take no more jobs for a model that failed in one, until a try of it has succeeded.

        The first try is at once: the request may have been the cause. Where jobs fail again without
        a success in between, the tries come later each time.
        """
        with self._state:
            model = self._models.get(name)
            if model is None or model.profile is None:
                return
            now = self._clock()
            pause = self._backoff.pause(model.failures) if model.failures else 0.0
            model.failures += 1
            model.pending = not pause
            model.profile, model.due = None, now + timedelta(seconds=pause)
            model.fault = ModelFault(str(error), error.code, now, model.due)
            self._state.notify_all()
        log.error("model-withdrawn", model=name, code=error.code, error=str(error))
        self.changed()

    def confirm(self, name: str) -> None:
        """A job of the model has succeeded: earlier failures no longer count."""
        with self._state:
            model = self._models.get(name)
            if model is not None and model.fault is None:
                model.failures = 0

    # -- on the thread that tries ---------------------------------------------------------------

    def _run(self) -> None:
        while (name := self._next()) is not None:
            try:
                self._try(name)
            except EngineStopped:
                return
            except Exception as error:
                log.exception("model-try-crashed", model=name)
                self._failed(name, ImagingError(f"{type(error).__name__}: {error}"))
            self.changed()

    def _next(self) -> str | None:
        """Wait for the first model that is due; None once this is to stop."""
        with self._state:
            while not self._stopping:
                due = {name: model.due for name, model in self._models.items() if model.due}
                if not due:
                    self._state.wait()
                    continue
                name = min(due, key=lambda each: due[each])
                seconds = (due[name] - self._clock()).total_seconds()
                if seconds <= 0:
                    return name
                self._state.wait(seconds)
            return None

    def _try(self, name: str) -> None:
        """Fetch a model's files, load it, and draw with it. Raises EngineStopped."""
        model = self._models[name]
        with self._state:
            if model.fault:
                model.fault = replace(model.fault, next_try=None)
        try:
            profile = self._prepare(model.wanted)
            without_edit = self._edit_fault(profile)
            if without_edit:
                profile = replace(profile, operations=profile.operations - {Operation.EDIT})
            self._engine.warm_up(name).result()
        except EngineStopped:
            raise
        except ImagingError as error:
            log.error("model-failed", model=name, code=error.code, error=str(error))  # noqa: TRY400 - the sentence says it
            self._failed(name, error)
        else:
            self._succeeded(name, profile, without_edit)

    def _edit_fault(self, profile: Profile) -> ImagingError | None:
        """Try the model that follows edit instructions, where it is another one."""
        if Operation.EDIT not in profile.operations or profile.edits_natively:
            return None
        try:
            self._engine.warm_up(profile.name, Operation.EDIT).result()
        except EngineStopped:
            raise
        except ImagingError as error:
            values = {"model": profile.name, "code": error.code, "error": str(error)}
            log.error("model-failed", **values, part="edit")  # noqa: TRY400
            return error
        return None

    def _succeeded(self, name: str, profile: Profile, edit_error: ImagingError | None) -> None:
        with self._state:
            model = self._models[name]
            model.profile, model.tried, model.pending = profile, True, False
            if edit_error is None:
                model.due, model.fault = None, None
            else:
                self._note(model, edit_error, Operation.EDIT.value)
        log.info("model-ready", model=name)

    def _failed(self, name: str, error: ImagingError) -> None:
        with self._state:
            model = self._models[name]
            model.profile, model.tried, model.pending = None, True, False
            self._note(model, error, None)

    def _note(self, model: _Model, error: ImagingError, part: str | None) -> None:
        """Record a failure, and when to try again."""
        now = self._clock()
        model.failures += 1
        model.due = now + timedelta(seconds=self._backoff.pause(model.failures))
        since = model.fault.since if model.fault else now
        model.fault = ModelFault(str(error), error.code, since, model.due, part)


class AllServedModels:
    """The served models of every engine of one worker."""

    def __init__(self, parts: Sequence[ServedModels]) -> None:
        self._parts = parts

    def start(self, changed: Callable[[], None]) -> None:
        """Begin to try all models; `changed` is called after each change."""
        for part in self._parts:
            part.changed = changed
            part.start()

    def stop(self) -> None:
        """Try no more."""
        for part in self._parts:
            part.stop()

    @property
    def settled(self) -> bool:
        """Whether every model was tried, and at least one is served."""
        return all(part.all_tried for part in self._parts) and bool(self.profiles())

    def profiles(self) -> Mapping[str, Profile]:
        """The models that jobs may be leased for."""
        return {name: one for part in self._parts for name, one in part.profiles().items()}

    def pending(self) -> list[str]:
        """The models that were not tried yet."""
        return [name for part in self._parts for name in part.pending()]

    def faults(self) -> Mapping[str, ModelFault]:
        """Why the others are not served."""
        return {name: one for part in self._parts for name, one in part.faults().items()}

    def withdraw(self, name: str, error: ImagingError) -> None:
        """Take no more jobs for a model that failed in one, until a try of it has succeeded."""
        for part in self._parts:
            part.withdraw(name, error)

    def confirm(self, name: str) -> None:
        """A job of the model has succeeded."""
        for part in self._parts:
            part.confirm(name)
