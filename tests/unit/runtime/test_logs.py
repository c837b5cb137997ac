"""What comes out of stderr: JSON lines, at a rate, and never the value of a variable."""

import io
import json
import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from legbook.runtime import logs, stop
from legbook.runtime.stop import exit_code


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def logging_kept() -> Iterator[None]:
    root = logging.getLogger()
    names = ["aiokafka", "faust", "mode", "panoramisk"]
    handlers, levels = root.handlers[:], {name: logging.getLogger(name).level for name in ["", *names]}
    yield
    root.handlers[:] = handlers
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)
    structlog.reset_defaults()


@pytest.fixture
def stderr(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return configured(monkeypatch, io.StringIO())


def configured(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, level: str = "info") -> io.StringIO:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setattr(
        stop, "_log", structlog.get_logger("legbook.stop")
    )  # a used logger keeps its settings
    logs.configure(level)
    return stream


def lines(stderr: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stderr.getvalue().splitlines()]


def test_json_lines_when_it_is_no_terminal(stderr: io.StringIO) -> None:
    structlog.get_logger("ami_ingest").info("connected", pbx="hq", epoch=5, odd=object(), text="a\nb ü")
    (line,) = lines(stderr)
    assert line.pop("timestamp").endswith("Z")
    assert line.pop("odd").startswith("<object")
    assert line == {
        "event": "connected", "logger": "ami_ingest", "level": "info", "pbx": "hq", "epoch": 5, "text": "a\nb ü",
    }  # fmt: skip


def test_libraries_join_in(stderr: io.StringIO) -> None:
    logging.getLogger("asyncio").error("odd %s", "thing", extra={"task": 1})
    (line,) = lines(stderr)
    assert (line["event"], line["logger"], line["level"], line["task"]) == (
        "odd thing",
        "asyncio",
        "error",
        1,
    )


@pytest.mark.parametrize(("level", "count"), [("debug", 3), ("info", 2), ("warning", 1), ("error", 0)])
def test_levels(monkeypatch: pytest.MonkeyPatch, level: str, count: int) -> None:
    stderr = configured(monkeypatch, io.StringIO(), level)
    log = structlog.get_logger("x")
    log.debug("1")
    log.info("2")
    log.warning("3")
    assert len(lines(stderr)) == count


def test_pretty_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    stderr = configured(monkeypatch, Terminal())
    structlog.get_logger("x").info("connected", pbx="hq")
    assert "connected" in stderr.getvalue()
    assert not stderr.getvalue().startswith("{")


def crash() -> BaseException:
    """Its frame knows a secret that is not in its source."""
    secret = bytes.fromhex("68756e74657232").decode()

    def fail() -> None:
        raise OSError("odd") from LookupError(len(secret))

    error = None
    try:
        fail()
    except OSError as caught:
        error = caught
    return ExceptionGroup("tasks", [error or OSError("did not fail")])


def test_an_exception_is_structured(stderr: io.StringIO) -> None:
    exit_code(crash())
    (line,) = lines(stderr)
    assert (line["event"], line["level"]) == ("crashed", "error")
    assert line["exception"][0]["exc_type"] == "ExceptionGroup"
    assert "OSError" in json.dumps(line["exception"])
    assert "crash" in [frame["name"] for frame in line["exception"][0]["exceptions"][0][0]["frames"]]


@pytest.mark.parametrize("kind", [io.StringIO, Terminal])
def test_no_value_of_a_variable_is_printed_with_an_exception(
    monkeypatch: pytest.MonkeyPatch, kind: type[io.StringIO]
) -> None:
    stderr = configured(monkeypatch, kind())
    exit_code(crash())
    try:
        raise crash()
    except BaseExceptionGroup:
        logging.getLogger("asyncio").exception("odd")
    assert "odd" in stderr.getvalue()
    assert "hunter2" not in stderr.getvalue()


def test_a_library_that_repeats_itself_is_heard_once_in_a_while(
    stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    for name in ("aiokafka.conn", "faust.app", "mode.loop"):
        log = logging.getLogger(name)
        for number in range(100):
            log.warning("%s away %d", name, number)
        log.warning("something else")
    # one place in the code, three loggers: the same place is the same message
    assert [line["event"] for line in lines(stderr)] == ["aiokafka.conn away 0", "something else"]
    now += 10.0
    logging.getLogger("aiokafka.conn").error("back")
    for number in range(3):
        logging.getLogger("aiokafka.conn").warning("again %d", number)
    assert [line["event"] for line in lines(stderr)[2:]] == ["back", "again 0"]


def test_the_number_held_back_is_told(stderr: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(time, "monotonic", lambda: now)

    def say(number: int) -> None:
        logging.getLogger("aiokafka").warning("away %d", number)

    for number in range(100):
        say(number)
    now += 9.9
    say(100)
    now += 0.2
    say(101)
    now += 20
    say(102)
    assert [line["event"] for line in lines(stderr)] == [
        "away 0",
        "away 101 (and 100 more like it)",
        "away 102",
    ]


def test_our_own_lines_are_never_held_back(stderr: io.StringIO) -> None:
    for number in range(50):
        structlog.get_logger("ami_ingest").warning("not connected", number=number)
        logging.getLogger("asyncio").warning("slow %d", number)
    assert len(lines(stderr)) == 100


def test_library_chatter_is_left_out(stderr: io.StringIO) -> None:
    for name in ("aiokafka.cluster", "faust", "mode.services", "panoramisk.manager"):
        logging.getLogger(name).info("chatter")
    assert stderr.getvalue() == ""
