"""Reads JSON bodies and forms, and refuses what the page never sends."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from python_multipart.multipart import parse_options_header
from starlette.datastructures import FormData
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from bots.web.translate import BadRequest

FORM = b"multipart/form-data"
MAX_FILES = 3
MAX_FIELDS = 12
MAX_FIELD_BYTES = 256 * 1024
MAX_HEADER_BYTES = 4096  # of one part


async def read_json_object(request: Request) -> Mapping[str, Any]:
    """The body as a JSON object whose texts can be stored. Raises BadRequest."""
    try:
        values = json.loads((await request.body()).decode("utf-8"))
        _check_texts(values)
    except (ValueError, RecursionError):
        raise BadRequest("JSON in UTF-8 was expected") from None
    if not isinstance(values, Mapping):
        raise BadRequest("a JSON object was expected")
    return values


def _check_texts(value: Any) -> None:
    """Raise ValueError for NUL and lone surrogates: valid JSON, but Postgres stores neither."""
    if isinstance(value, str):
        if "\0" in value:
            raise ValueError("NUL in a text")
        value.encode("utf-8")
    elif isinstance(value, dict):
        for name, each in value.items():
            _check_texts(name)
            _check_texts(each)
    elif isinstance(value, list):
        for each in value:
            _check_texts(each)


class _FormParser(MultiPartParser):
    """Accepts texts in UTF-8 alone, and part headers of a moderate length."""

    def on_header_field(self, data: bytes, start: int, end: int) -> None:
        super().on_header_field(data, start, end)
        self._check_header(self._current_partial_header_name)

    def on_header_value(self, data: bytes, start: int, end: int) -> None:
        super().on_header_value(data, start, end)
        self._check_header(self._current_partial_header_value)

    def on_part_end(self) -> None:
        if self._current_part.file is None:
            try:
                self._current_part.data.decode("utf-8")
            except UnicodeDecodeError:
                raise MultiPartException("a text is not in UTF-8") from None
        super().on_part_end()

    def _check_header(self, text: bytes) -> None:
        if len(text) > MAX_HEADER_BYTES or len(self._current_part.item_headers) > MAX_FIELDS:
            raise MultiPartException("a part has too many or too long headers")


@asynccontextmanager
async def read_form(request: Request) -> AsyncIterator[FormData]:
    """The body as a form in UTF-8, with its files open meanwhile. Raises BadRequest.

    Its sender chooses the encoding. Others than UTF-8 are refused unread: some of Python's decoders
    need seconds for a megabyte.
    """
    kind, options = parse_options_header(request.headers.get("content-type", ""))
    if kind != FORM or options.get(b"charset", b"utf-8").lower() != b"utf-8":
        raise BadRequest("a form in UTF-8 was expected")
    parser = _FormParser(
        request.headers,
        request.stream(),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_FIELD_BYTES,
    )
    try:
        values = await parser.parse()
    except MultiPartException as error:
        raise BadRequest(error.message) from None
    try:
        yield values
    finally:
        await values.close()


def form_text(values: FormData, name: str) -> str:
    """A text field; empty where it was not sent. Raises BadRequest."""
    value = values.get(name, "")
    if not isinstance(value, str):
        raise BadRequest(f"{name}: text was expected")
    return storable(value)


def storable(text: str) -> str:
    """The text without NUL, which Postgres does not store."""
    return text.replace("\0", " ")
