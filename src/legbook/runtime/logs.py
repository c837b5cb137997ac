"""Logs: events with facts, pretty on a terminal, JSON lines elsewhere; library loggers join in, held to a rate.

aiokafka says 100 lines a second while a broker is away (measured), so each of its messages passes once in a while.
"""

import logging
import sys
import time
from typing import Final

import stamina.instrumentation
import structlog

_EVERY: Final = 10.0  # seconds between equal library messages


class _Rate(logging.Filter):
    """Lets one message a place in the code through every few seconds, with the number held back."""

    def __init__(self) -> None:
        super().__init__()
        self._last: dict[tuple[str, int], float] = {}
        self._held: dict[tuple[str, int], int] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        place, now = (record.pathname, record.lineno), time.monotonic()
        if now - self._last.get(place, -_EVERY) < _EVERY:
            self._held[place] = self._held.get(place, 0) + 1
            return False
        self._last[place] = now
        if held := self._held.pop(place, 0):
            record.msg, record.args = f"{record.getMessage()} (and {held} more like it)", None
        return True


_SHARED: Final[list[structlog.typing.Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure(level: str = "info") -> None:
    """Once per process, before anything logs. To stderr: stdout belongs to commands."""
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    stamina.instrumentation.set_on_retry_hooks([])  # who retries says so once, in its own words
    handler, quiet = logging.StreamHandler(sys.stderr), _Rate()
    handler.setFormatter(_formatter(pretty=sys.stderr.isatty()))
    handler.addFilter(
        lambda record: not record.name.startswith(("aiokafka", "faust", "mode")) or quiet.filter(record)
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for name in ("aiokafka", "faust", "mode", "panoramisk"):
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter(*, pretty: bool) -> logging.Formatter:
    """Without the values of variables in tracebacks, which both would print: secrets are among them."""
    if pretty:
        traceback = structlog.dev.RichTracebackFormatter(show_locals=False)
        last: list[structlog.typing.Processor] = [
            structlog.dev.ConsoleRenderer(exception_formatter=traceback)
        ]
    else:
        transformer = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        last = [structlog.processors.ExceptionRenderer(transformer), structlog.processors.JSONRenderer()]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_SHARED, structlog.stdlib.ExtraAdder()],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )
