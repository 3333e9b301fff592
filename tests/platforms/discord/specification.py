"""Discord's published OpenAPI file, closed: an unknown key is an error.

What is looser than the published schemas, because the stock client needs it, and what the file does
not know, is written in the README beside it; `house_rules` has the latter.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

LOOSE = {
    "MessageAttachmentRequest": (
        "url", "proxy_url", "size", "width", "height", "content_type", "spoiler",
    ),
    "MessageEditRequestPartial": ("tts",),
    "IncomingWebhookUpdateRequestPartial": ("tts",),
    "IncomingWebhookUpdateForInteractionCallbackRequestPartial": ("tts",),
    "RichEmbed": ("flags",),
    "ApplicationCommandCreateRequest": ("nsfw",),
    "ApplicationCommandUpdateRequest": ("nsfw",),
    "ApplicationCommandPatchRequestPartial": ("nsfw",),
}  # fmt: skip


class Specification:
    """Checks request bodies against one published file."""

    def __init__(self, file: Path) -> None:
        document = json.loads(file.read_text())
        schemas = document["components"]["schemas"]
        schemas["SnowflakeType"] = {"anyOf": [schemas["SnowflakeType"], {"type": "integer"}]}
        for name, extra in LOOSE.items():
            schemas[name]["properties"] |= {key: {} for key in extra}
        _close(document)
        self._paths: dict[str, dict[str, Any]] = document["paths"]
        self._patterns: list[tuple[re.Pattern[str], str]] = [
            (_pattern(path), path) for path in self._paths
        ]
        self._registry = Registry().with_resource(
            "urn:discord", Resource.from_contents(document, default_specification=DRAFT202012)
        )

    def problems(self, method: str, path: str, body: Any, files: tuple[str, ...]) -> list[str]:
        """The problems of one request. `files` are the names of its file fields."""
        template = self._template(method, path)
        if template is None:
            return [f"{method} {path} is no request of Discord's"]
        content = self._paths[template][method.lower()].get("requestBody", {}).get("content")
        if content is None:
            return [] if body is None else [f"{method} {template} takes no body"]
        if files and "multipart/form-data" not in content:
            return [f"{method} {template} takes no files"]
        found = self._validator(template, method.lower()).iter_errors(body)
        return [f"{method} {template}: {_deepest(error)}" for error in found]

    def _template(self, method: str, path: str) -> str | None:
        for pattern, template in self._patterns:
            if pattern.fullmatch(path) and method.lower() in self._paths[template]:
                return str(template)
        return None

    @cache  # noqa: B019 - one specification lives as long as the tests
    def _validator(self, template: str, method: str) -> Draft202012Validator:
        place = template.replace("~", "~0").replace("/", "~1")
        pointer = (
            f"urn:discord#/paths/{place}/{method}/requestBody/content/application~1json/schema"
        )
        return Draft202012Validator({"$ref": pointer}, registry=self._registry)


def _pattern(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{.*?\\\}", "[^/]+", re.escape(template)))


def _close(node: Any) -> None:
    if isinstance(node, dict):
        if "properties" in node and "additionalProperties" not in node and "allOf" not in node:
            node["additionalProperties"] = False
        for value in node.values():
            _close(value)
    elif isinstance(node, list):
        for value in node:
            _close(value)


def _deepest(error: Any) -> str:
    """The most specific of an error's causes: the one deepest in the body."""
    causes = [error]
    while causes[-1].context:
        causes.append(max(causes[-1].context, key=lambda e: len(e.absolute_path)))
    last = causes[-1]
    return f"{'/'.join(map(str, last.absolute_path))}: {last.message[:300]}"


def load(folder: Path | None) -> Specification | None:
    """The specification in this folder, or None if no folder is set."""
    return Specification(folder / "discord-openapi.json") if folder else None
