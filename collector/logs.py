"""Logs: one JSON object a line on standard error."""

from __future__ import annotations

import logging
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def _as_if_without(package: str) -> Iterator[None]:
    """Let what is imported meanwhile do without a package that it would load only because it is there."""
    hidden = sys.modules.setdefault(package, None)  # type: ignore[arg-type] # None says that there is none
    try:
        yield
    finally:
        if hidden is None:
            del sys.modules[package]


with _as_if_without("rich"):  # for coloured tracebacks, which no line of JSON shows: 3 MiB and 30 ms
    import structlog


def configure_logs(level: str) -> None:
    """Log from this level up, ourselves alone: what the libraries meet is no news, or is told."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),  # as it is when the line is written
    )
    for library in ("aiohttp.server", "aiokafka", "aiormq"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
