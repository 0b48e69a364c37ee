"""Structured logs: console text for people, JSON for machines, and never a secret in either."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, Literal

import structlog

_SECRET_KEYS = re.compile(r"password|secret|token|authorization|cookie|api_?key|credential", re.IGNORECASE)
_SECRET_VALUES = re.compile(
    r"sk_live_\w+|\b(?:sf|oat|inv|rst|rt)_[0-9A-Za-z]{16,}|eyJ[\w-]{8,}\.[\w-]+\.[\w-]+|(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",
)


def redact(text: str) -> str:
    """`text` without anything that looks like a Specloop credential or a password in an address."""
    return _SECRET_VALUES.sub("[redacted]", text)


def _redact_event(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if not isinstance(value, str):
            continue
        event[key] = "[redacted]" if key != "event" and _SECRET_KEYS.search(key) else redact(value)
    return event


def configure(style: Literal["console", "json"], level: str = "info") -> None:
    """Send all logging, the standard library's included, to standard error in `style`."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _redact_event,
    ]
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if style == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("uvicorn.access", "httpx", "httpcore", "alembic", "clickhouse_connect", "sqlalchemy.engine", "dbos"):
        logging.getLogger(noisy).setLevel(logging.WARNING)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """A logger for `name`; call it with an event name and keyword facts."""
    return structlog.stdlib.get_logger(name)
