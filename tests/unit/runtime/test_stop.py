import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from structlog.testing import capture_logs

from legbook.runtime.fleet import FleetError
from legbook.runtime.stop import CANNOT_START, FAILED, CannotStartError, FatalError, exit_code, run

CANNOT, FATAL, OTHER = CannotStartError("run: legbook topics apply"), FatalError("fenced"), OSError("odd")


def group(*errors: BaseException) -> BaseExceptionGroup[BaseException]:
    return BaseExceptionGroup("unhandled errors in a TaskGroup", errors)


@pytest.mark.parametrize(
    ("error", "code", "event", "reason"),
    [
        (CANNOT, CANNOT_START, "cannot start", "run: legbook topics apply"),
        (FleetError("pbx.hq.host: missing"), CANNOT_START, "cannot start", "pbx.hq.host: missing"),
        (FATAL, FAILED, "failed", "fenced"),
        (group(FATAL), FAILED, "failed", "fenced"),
        (group(group(OTHER), group(group(FATAL))), FAILED, "failed", "fenced"),
        (group(OTHER, FATAL, group(CANNOT)), CANNOT_START, "cannot start", "run: legbook topics apply"),
        (group(KeyboardInterrupt(), FATAL), FAILED, "failed", "fenced"),
        (OTHER, FAILED, "crashed", None),
        (group(OTHER), FAILED, "crashed", None),
        (SystemExit(0), FAILED, "crashed", None),
        (MemoryError(), FAILED, "crashed", None),
    ],
)
def test_exit_codes(error: BaseException, code: int, event: str, reason: str | None) -> None:
    with capture_logs() as logs:
        assert exit_code(error) == code
    (line,) = logs
    assert (line["event"], line["log_level"], line.get("reason")) == (event, "error", reason)
    assert line.get("exc_info") is (error if reason is None else None)


@contextmanager
def signals_kept() -> Iterator[None]:
    numbers = (signal.SIGTERM, signal.SIGINT)
    before = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, before, strict=True):
        signal.signal(number, handler)


@pytest.mark.parametrize(
    ("error", "code"), [(None, 0), (CANNOT, CANNOT_START), (FATAL, FAILED), (OTHER, FAILED)]
)
def test_run_ends_the_process_with_the_code(error: Exception | None, code: int) -> None:
    async def main() -> None:
        await asyncio.sleep(0)
        if error is not None:
            raise error

    with signals_kept(), capture_logs(), pytest.raises(SystemExit) as caught:
        run(main())
    assert caught.value.code == code


def test_an_error_of_a_task_group_reaches_the_code() -> None:
    async def fail() -> None:
        raise FATAL

    async def main() -> None:
        async with asyncio.TaskGroup() as outer:
            outer.create_task(asyncio.Event().wait())
            async with asyncio.TaskGroup() as inner:
                inner.create_task(fail())

    with signals_kept(), capture_logs() as logs, pytest.raises(SystemExit) as caught:
        run(main())
    assert caught.value.code == FAILED
    assert [line["event"] for line in logs] == ["failed"]


PROGRAM = """
import asyncio
from legbook.runtime import logs, stop

async def main():
    try:
        print("up", flush=True)
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("last words", flush=True)
        {last}

logs.configure()
stop.run(main())
"""


@pytest.mark.parametrize(
    ("number", "last", "code"),
    [
        (signal.SIGTERM, "", 0),
        (signal.SIGINT, "", 0),
        (signal.SIGTERM, "raise stop.FatalError('could not say the last words')", FAILED),
    ],
)
def test_a_signal_ends_a_run_after_its_last_words(number: signal.Signals, last: str, code: int) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(last=last)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        process.send_signal(number)
        out, err = process.communicate(timeout=20)
    assert (process.returncode, out) == (code, "last words\n"), err
    assert ('"stopped"' in err) == (code == 0)
    assert "Traceback" not in err
