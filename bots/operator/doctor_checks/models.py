"""The models that other servers draw: key, workflows, whether the server answers, safety."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Iterable, Iterator, Mapping
from urllib.parse import urlsplit

from bots.operator.doctor_checks.finding import Finding, fail, ok, warn
from imaging.errors import ImagingError, ServerUnavailable
from imaging.server_models import ServerModel

ANSWER_SECONDS = 30.0
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


def check_models(
    models: Iterable[ServerModel], environment: Mapping[str, str]
) -> Iterator[Finding]:
    """Run every check of this module for each `[models.NAME]`."""
    for model in models:
        if importlib.util.find_spec("numpy") is None:
            yield warn(model.name, model.source, "check it on the worker itself")
            continue
        yield asyncio.run(_server(model, environment))
        if _sends_key_in_clear(model):
            yield warn(model.name, "its key is sent without encryption", "use an https address")
        yield _checker(model)


async def _server(model: ServerModel, environment: Mapping[str, str]) -> Finding:
    from imaging.engine.servers.backends import backend_of

    try:
        backend = backend_of(model, environment)
    except ImagingError as error:
        return fail(model.name, str(error), f"correct models.{model.name} or set its key")
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return ok(model.name, f"{model.source} {await backend.check()}")
    except (ServerUnavailable, TimeoutError) as error:
        reason = str(error) or f"no answer in {ANSWER_SECONDS:.0f} s"
        fix = f"start the server, or correct models.{model.name}.url"
        return fail(model.name, f"{model.source}: {reason}", fix)
    except ImagingError as error:
        fix = f"see models.{model.name} ({model.origin}) and the server's own log"
        return fail(model.name, str(error), fix)
    finally:
        await backend.close()


def _sends_key_in_clear(model: ServerModel) -> bool:
    parts = urlsplit(model.url)
    return model.key_env is not None and parts.scheme == "http" and parts.hostname not in _LOCAL


def _checker(model: ServerModel) -> Finding:
    if model.checker is not None:
        return ok("safety", f"pictures of {model.name} are checked with {model.checker}")
    fix = f'remove checker = "off" from models.{model.name}'
    return warn("safety", f"{model.name} has its picture checker off", fix)
