"""`legbook status`: which record counts, who is well, and how it looks."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from aiokafka import ConsumerRecord
from msgspec.structs import replace
from rich.console import Console

from legbook.cli.status import Health, Newest, age, judged, table
from legbook.contracts import codec
from legbook.contracts.examples import INGEST, PROJECTOR
from legbook.contracts.status import Status
from legbook.contracts.topics import STATUS

_NOW = PROJECTOR.at + timedelta(seconds=0.5)


def _put(newest: Newest, key: bytes, value: bytes | None) -> None:
    made: Any = ConsumerRecord
    newest.put(made(STATUS.name, 3, 42, 0, 0, key, value, None, 0, 0, ()))


def _newest(*statuses: Status) -> list[Status]:
    newest = Newest()
    for each in statuses:
        _put(newest, b"hq|x", codec.encode(each))
    return list(newest.statuses.values())


def _health(ingest: dict[str, object] | None = None, projector: dict[str, object] | None = None) -> Health:
    return Health("hq", _NOW, replace(INGEST, **ingest or {}), replace(PROJECTOR, **projector or {}))


def _cells(health: Health) -> list[str]:
    return [str(next(iter(column.cells))) for column in table([health]).columns[1:]]


def _style(health: Health, column: int) -> str:
    return str(getattr(list(table([health]).columns[column].cells)[-1], "style", None))


def test_the_highest_epoch_counts_whatever_comes_after_it() -> None:
    older, newer = replace(INGEST, epoch=7), replace(INGEST, epoch=8)

    assert _newest(older, newer, older) == [newer]


def test_the_newest_of_equal_epochs_counts() -> None:
    later = replace(INGEST, state="down", reason="silent")

    assert _newest(INGEST, later) == [later]


def test_a_tombstone_ends_a_key() -> None:
    newest = Newest()
    _put(newest, b"hq|ingest", codec.encode(INGEST))
    _put(newest, b"hq|projector", codec.encode(PROJECTOR))
    _put(newest, b"hq|ingest", None)

    assert newest.statuses == {b"hq|projector": PROJECTOR}


@pytest.mark.parametrize("value", [b"nonsense", b'{"v":2,"part":"ingest"}', b'{"part":' + b"[" * 200_000])
def test_what_is_no_status_changes_nothing_and_is_told(value: bytes) -> None:
    newest = Newest()
    _put(newest, b"hq|ingest", codec.encode(INGEST))
    _put(newest, b"hq|ingest", value)

    assert newest.statuses == {b"hq|ingest": INGEST}
    assert newest.unreadable[0].startswith("pbx.status.v1 3:42: ")


def test_pbxs_come_by_name_with_what_is_known_of_each() -> None:
    alone = replace(PROJECTOR, pbx="a")

    assert judged([PROJECTOR, alone, INGEST], _NOW) == [
        Health("a", _NOW, None, alone),
        Health("hq", _NOW, INGEST, PROJECTOR),
    ]


def test_lag_grows_with_the_age_of_the_record() -> None:
    ahead = timedelta(seconds=3)

    assert _health().lag == pytest.approx(0.531)
    assert _health(projector={"at": _NOW + ahead}).lag == pytest.approx(0.031)  # its clock is ahead of ours


@pytest.mark.parametrize(
    ("health", "good"),
    [
        (_health(), True),
        (_health(projector={"lag": 9.4}), True),
        (_health(projector={"lag": 9.5}), False),
        (_health(projector={"at": _NOW - timedelta(seconds=10)}), False),
        (_health(ingest={"state": "down", "reason": "silent"}), False),
        (_health(ingest={"at": _NOW - timedelta(seconds=29)}), True),
        (_health(ingest={"at": _NOW - timedelta(seconds=30)}), False),
        (Health("hq", _NOW, INGEST, None), False),
        (Health("hq", _NOW, None, PROJECTOR), False),
    ],
)
def test_who_is_well(health: Health, *, good: bool) -> None:
    assert health.good is good


def test_a_row_that_is_well() -> None:
    health = _health(ingest={"reason": ""}, projector={"suspect_since": None})

    assert _cells(health) == [
        "up for 1 s",
        "22.10.1",
        "2026-11-23 01:36",
        "1 s ago",
        *("0.5 s", "3", "0", "-"),
    ]
    assert (_style(health, 1), _style(health, 5)) == ("green", "green")


def test_a_row_that_is_not() -> None:
    long_ago = _NOW - timedelta(hours=30)
    down = {
        "state": "down",
        "reason": "login",
        "since": long_ago,
        "asterisk": None,
        "boot": None,
        "last_gap": None,
    }
    health = _health(ingest=down, projector={"at": long_ago, "late_entries": 4, "suspect_since": long_ago})

    assert _cells(health) == ["down for 1 day: login", "-", "-", "-", "1 day", "3", "4", "1 day ago"]
    assert [_style(health, column) for column in (1, 5, 7, 8)] == ["red", "red", "yellow", "yellow"]


def test_a_listener_that_does_not_speak_is_not_green() -> None:
    health = _health(ingest={"at": _NOW - timedelta(minutes=3), "reason": ""}, projector={"lag": 3.0})

    assert _cells(health)[0] == "up for 1 s, silent for 3 min"
    assert (_style(health, 1), _style(health, 5)) == ("yellow", "yellow")


def test_who_was_never_heard_of() -> None:
    assert _cells(Health("hq", _NOW, None, PROJECTOR))[:4] == ["never heard of", "-", "-", "-"]
    assert _cells(Health("hq", _NOW, INGEST, None))[4:] == ["never heard of", "-", "-", "-"]


def test_a_reason_cannot_write_on_our_terminal() -> None:
    assert _cells(_health(ingest={"reason": "\x1b[2J"}))[0] == r"up for 1 s: \x1b[2J"


def test_the_table_is_one_line_a_pbx() -> None:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        console.print(table([_health(), Health("b", _NOW, None, PROJECTOR)]))

    assert [line.split()[0] for line in capture.get().splitlines()] == ["pbx", "hq", "b"]


def test_json_is_the_verdict_and_the_records() -> None:
    found = msgspec.json.decode(msgspec.json.encode(_health().facts()))

    assert found == {
        "pbx": "hq",
        "good": True,
        "lag": pytest.approx(0.531),
        "silent": False,
        "ingest": msgspec.to_builtins(INGEST),
        "projector": msgspec.to_builtins(PROJECTOR),
    }


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        *((0.9, "0 s"), (59.9, "59 s"), (60, "1 min"), (3599, "59 min"), (3600, "1 h"), (86399, "23 h")),
        *((86400, "1 day"), (200_000, "2 days")),
    ],
)
def test_an_age_in_words(seconds: float, words: str) -> None:
    assert age(seconds) == words
