"""One way of logging for every process: structlog to standard error, with libraries' own lines."""

from __future__ import annotations

import logging
import sys
from typing import Literal

import structlog
from stamina.instrumentation import RetryDetails, set_on_retry_hooks
from structlog.typing import Processor

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
    """Set logging up for this process: lines for people (`text`) or for programs (`json`).

    Call it once, in an entry point, before anything is logged. What is bound with
    `structlog.contextvars` (the job's id) is on every line, the libraries' ones too.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    # Plain tracebacks: the pretty ones print local variables, and some of those are secrets.
    plain = structlog.dev.plain_traceback
    last: list[Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=plain)]
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
        cache_logger_on_first_use=True,
    )
    set_on_retry_hooks([_tell_of_waiting])


def _tell_of_waiting(details: RetryDetails) -> None:
    """One line when the record cannot be reached, not one for each of the tries that follow."""
    if details.retry_num == 1:
        why = str(getattr(details.caused_by, "orig", None) or details.caused_by)
        structlog.get_logger(__name__).warning(
            "record-away",
            error=" ".join(why.split()),
            check="ATELIER_DATABASE_URL, where it is set",
        )
