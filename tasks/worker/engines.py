"""The engines of one worker: the in-process engine, and one for each server model.

The one place where engines are composed by profile.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from imaging.engine.blank_runner import BlankRunner
from imaging.engine.combined import CombinedEngine
from imaging.engine.engine import Engine
from imaging.engine.inputs import Reader
from imaging.engine.picture_checks import PictureChecks, cpu
from imaging.engine.protocol import ImageEngine
from imaging.errors import ImagingError
from imaging.local_models import LocalModel, model_called
from imaging.profiles import BLANK, Profile, build_profile, profile_for
from imaging.server_models import ServerModel


@dataclass(frozen=True, slots=True)
class WorkerEngine:
    """One engine with its profiles: what leases are taken for together.

    `prepare` fetches a profile's files, and returns it as they describe it.
    """

    engine: ImageEngine
    profiles: Sequence[Profile]
    prepare: Callable[[Profile], Profile] = lambda profile: profile


@dataclass(frozen=True, slots=True)
class WorkerModels:
    """What a worker serves. `default` is the model of ATELIER_MODEL; `environment` has the keys.

    `only` are the names of ATELIER_MODELS, None for the default and all that the file announces.
    Files of the web are stored in `folder`.
    """

    default: str
    servers: Mapping[str, ServerModel]
    environment: Mapping[str, str]
    local: Mapping[str, LocalModel] = field(default_factory=dict)
    only: Sequence[str] | None = None
    folder: Path = Path("models")

    @property
    def names(self) -> Sequence[str]:
        """The names of all models to serve, the default's first."""
        if self.only is not None:
            return self.only
        announced = [model.name for model in self.local.values() if model.announced]
        return list(dict.fromkeys([self.default, *announced, *self.servers]))

    @property
    def to_load(self) -> Sequence[LocalModel]:
        """The models that the worker loads itself. Raises ImagingError for one that is unknown."""
        names = [name for name in self.names if name not in self.servers]
        return [self.local[name] if name in self.local else model_called(name) for name in names]


def engines_of(
    models: WorkerModels, read: Reader, *, blank: BlankRunner | None = None
) -> list[WorkerEngine]:
    """The engines, the default model's first.

    Raises ImagingError for a model that does not exist, a workflow that cannot be used, or a key
    that is not set.
    """
    checks = PictureChecks(cpu)
    servers = [name for name in models.names if name in models.servers]
    engines = [_server_engine(models, name, read, checks) for name in servers]
    if len(servers) < len(models.names):
        own = _own_engine(models, read, blank)
        engines = [own, *engines] if models.names[0] not in servers else [*engines, own]
    return engines


def combined(engines: Sequence[WorkerEngine]) -> ImageEngine:
    """All of them as one engine."""
    if len(engines) == 1:
        return engines[0].engine
    return CombinedEngine([one.engine for one in engines])


def _own_engine(models: WorkerModels, read: Reader, blank: BlankRunner | None) -> WorkerEngine:
    """The engine of the models that this worker loads."""
    if models.names == [BLANK] or (blank is not None and models.default == BLANK):
        profile = profile_for(BLANK)
        return WorkerEngine(Engine([profile], read, blank=blank), [profile])
    local = {model.name: model for model in models.to_load}
    profiles = [announced_profile(model) for model in local.values()]
    engine = Engine(profiles, read)

    def prepare(profile: Profile) -> Profile:
        # The hub's library is needed only where a model is fetched.
        from imaging.model_download import fetch

        found = local[profile.name].profile(fetch(local[profile.name], models.folder))
        engine.replace_profile(found)
        return found

    return WorkerEngine(engine, profiles, prepare)


def announced_profile(model: LocalModel) -> Profile:
    """What is known of a model before its files are fetched; a fault of them is told by its try."""
    try:
        return model.profile()
    except ImagingError:
        return build_profile(model.name, "", model.family, {})


def _server_engine(
    models: WorkerModels, name: str, read: Reader, checks: PictureChecks
) -> WorkerEngine:
    # aiohttp is needed only where a server model is set.
    from imaging.engine.servers.backends import backend_of
    from imaging.engine.servers.server_engine import ServerEngine

    model = models.servers[name]
    backend = backend_of(model, models.environment)
    engine = ServerEngine(model, backend, read, checks)
    return WorkerEngine(engine, [engine.profile])
