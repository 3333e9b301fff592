"""Logging for every process: structlog to standard error, libraries' records included."""

from __future__ import annotations

import logging
import re
import sys
import traceback
from collections.abc import Mapping
from typing import Any, Literal, TextIO

import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from structlog.typing import EventDict, ExcInfo, Processor, WrappedLogger

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")

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
    colors = sys.stderr.isatty()
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=indented_traceback)]
    )
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )
    set_on_retry_hooks([_log_first_retry])


def escape_control_characters(
    _logger: WrappedLogger, _method: str, event: EventDict
) -> Mapping[str, Any]:
    """Escape line breaks and other control characters, so that no value can forge a line."""
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
