"""The backend of a server model. Imports no torch."""

from __future__ import annotations

from collections.abc import Mapping

from imaging.engine.servers.backend import Backend
from imaging.engine.servers.comfyui import ComfyUI
from imaging.engine.servers.openai_images import OpenAIImages
from imaging.errors import ModelUnavailable
from imaging.server_models import ServerKind, ServerModel


def backend_of(model: ServerModel, environment: Mapping[str, str]) -> Backend:
    """The backend, which has not called its server yet; `environment` has the keys.

    Raises ModelUnavailable for a key that is not set, or a workflow that cannot be used.
    """
    key = key_of(model, environment)
    return ComfyUI(model, key) if model.kind is ServerKind.COMFYUI else OpenAIImages(model, key)


def key_of(model: ServerModel, environment: Mapping[str, str]) -> str | None:
    """The model's key, or None where it needs none. Raises ModelUnavailable if it is not set."""
    if model.key_env is None:
        return None
    key = environment.get(model.key_env, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        state = "cannot be a key" if key else "is not set"
        raise ModelUnavailable(
            f"{model.origin}: the variable {model.key_env}, which models.{model.name}.key_env "
            f"names, {state}.",
            model=model.name,
        )
    return key
