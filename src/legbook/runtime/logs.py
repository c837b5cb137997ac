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


def configure(level: str = "info") -> None:
    """Once per process, before anything logs. To stderr: stdout belongs to commands."""
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    pretty = sys.stderr.isatty()
    # both would print the values of variables with a traceback: secrets are among them
    tracebacks = structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    )
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(
            exception_formatter=structlog.dev.RichTracebackFormatter(show_locals=False)
        )
        if pretty
        else structlog.processors.JSONRenderer()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.ExtraAdder()],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *([] if pretty else [tracebacks]),
                renderer,
            ],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.stdlib.BoundLogger,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    stamina.instrumentation.set_on_retry_hooks([])  # who retries says so once, in its own words
    quiet = _Rate()
    for name in ("aiokafka", "faust", "mode", "panoramisk"):
        logging.getLogger(name).setLevel(logging.WARNING)
    handler.addFilter(
        lambda record: not record.name.startswith(("aiokafka", "faust", "mode")) or quiet.filter(record)
    )
