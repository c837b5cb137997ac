"""How a process ends: which signals stop it, and what its exit code says.

0 stopped as asked; 70 failed while running, restart it; 78 cannot start, a person must act (do not restart).
"""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from typing import Any, Final, NoReturn

import structlog

FAILED: Final = 70
CANNOT_START: Final = 78

_log = structlog.get_logger("legbook.stop")


class CannotStartError(Exception):
    """Settings, schema or topics are not as they must be: the message says what to do."""


class FatalError(Exception):
    """What retries cannot cure: end, and let the supervisor start a fresh process."""


def run(main: Coroutine[Any, Any, None]) -> NoReturn:
    """Runs until it returns or SIGTERM or SIGINT cancels it; exits with the code of the docstring above."""
    sys.exit(asyncio.run(_guarded(main)))


async def _guarded(main: Coroutine[Any, Any, None]) -> int:
    task = asyncio.ensure_future(main)
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await task
    except asyncio.CancelledError:
        _log.info("stopped")
    except BaseException as error:  # noqa: BLE001  # the last frame: everything becomes an exit code and a line
        return exit_code(error)
    return 0


def exit_code(error: BaseException) -> int:
    """Says what ended the process; a traceback only for what nobody foresaw."""
    for known, code in ((CannotStartError, CANNOT_START), (FatalError, FAILED)):
        if found := _find(error, known):
            _log.error("cannot start" if code == CANNOT_START else "failed", reason=str(found))
            return code
    _log.error("crashed", exc_info=error)
    return FAILED


def _find(error: BaseException, wanted: type[Exception]) -> Exception | None:
    """The error itself, or one inside the groups that TaskGroups raise."""
    if isinstance(error, wanted):
        return error
    if isinstance(error, BaseExceptionGroup):
        return next((found for each in error.exceptions if (found := _find(each, wanted))), None)
    return None
