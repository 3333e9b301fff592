"""Logging for every process: structlog to standard error, libraries' records included."""

from __future__ import annotations

import io
import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Literal, TextIO, cast

import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

CONTROL = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]"  # bidi too
)

QUOTED = re.compile(r"[\s='\"]")
RENDERED = "rendered"

QUIET = (
    "httpx",
    "httpcore",
    "urllib3",
    "botocore",
    "alembic.runtime.plugins",
    "filelock",
    "asyncio",
)


def configure(form: Literal["text", "json"] = "text", level: int = logging.INFO) -> None:
    """Configure logging for this process: lines for people (`text`) or programs (`json`).

    Call it once, in an entry point, before anything is logged. Every line has the values bound with
    `structlog.contextvars` (the job's id), also lines of libraries.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        escape_control_characters,
        structlog.processors.StackInfoRenderer(),
    ]
    render = _renderer(form)
    formatter = _Formatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *render],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, *render, _mark_as_rendered],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    set_on_retry_hooks([_log_first_retry])


def _renderer(form: Literal["text", "json"]) -> list[Processor]:
    """The processors that make one line of an event."""
    if form == "json":
        return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    if sys.stderr.isatty():
        return [structlog.dev.ConsoleRenderer(exception_formatter=indented_traceback)]
    return [plain_line]


def plain_line(_logger: WrappedLogger, _method: str, event: EventDict) -> str:
    """One line in the layout of structlog's console, without colors and at a lower cost."""
    stack, exc_info = event.pop("stack", None), event.pop("exc_info", None)
    first = (
        event.pop("timestamp", ""),
        f"[{event.pop('level', ''):9}]",
        f"{event.pop('event', '')!s:30}",
        f"[{event.pop('logger', '')}]",
    )
    values = (f"{key}={_shown(event[key])}" for key in sorted(event))
    out = io.StringIO()
    out.write(" ".join((*first, *values)))
    if stack is not None:
        out.write("\n" + stack)
    if exc_info := _exception(exc_info):
        indented_traceback(out, exc_info)
    return out.getvalue()


def _shown(value: object) -> str:
    return value if isinstance(value, str) and not QUOTED.search(value) else repr(value)


def _exception(value: object) -> ExcInfo | None:
    """The exception of an event: `exc_info` may be one, what `sys.exc_info` gives, or True."""
    if isinstance(value, BaseException):
        return type(value), value, value.__traceback__
    found = value if isinstance(value, tuple) else sys.exc_info() if value else (None,)
    return cast("ExcInfo", found) if found[0] is not None else None


class _Formatter(structlog.stdlib.ProcessorFormatter):
    """Renders the records of libraries; those of structlog are lines already."""

    def format(self, record: logging.LogRecord) -> str:
        return record.getMessage() if hasattr(record, RENDERED) else super().format(record)


def _mark_as_rendered(
    _logger: WrappedLogger, _method: str, line: Any
) -> tuple[tuple[str], dict[str, Any]]:
    """The arguments for the standard library's logger."""
    return (line,), {"extra": {RENDERED: True}}


def escape_control_characters(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> Mapping[str, Any]:
    """Escape line breaks and other control characters, so that no value can forge a line.

    Those that reverse the direction of writing would show a terminal another line than is stored.
    """
    return {
        key: _escape(value) if isinstance(value, str) else value for key, value in event.items()
    }


def indented_traceback(target: TextIO, exc_info: ExcInfo) -> None:
    """Write a traceback with every line indented: the message in it cannot forge a line either.

    It is a plain one: the pretty ones print local variables, and some of those are secrets.
    """
    text = "".join(traceback.format_exception(*exc_info))
    target.writelines(f"\n  {_escape(line)}" for line in text.rstrip("\n").split("\n"))


def _escape(text: str) -> str:
    if text.isprintable():  # nearly always, and much cheaper than the search
        return text
    return CONTROL.sub(lambda match: match[0].encode("unicode_escape").decode(), text)


def _log_first_retry(details: RetryDetails) -> None:
    """One line when Postgres becomes unreachable, not one for each retry."""
    if details.retry_num == 1:
        why = str(getattr(details.caused_by, "orig", None) or details.caused_by)
        structlog.get_logger(__name__).warning(
            "database-unreachable",
            error=" ".join(why.split()),
            check="ATELIER_DATABASE_URL, if it is set",
        )
