from importlib.metadata import version
from typing import Any

import pytest
from aiokafka import ConsumerRecord
from prometheus_client import REGISTRY

from legbook.contracts.topics import DLQ_HEADERS
from legbook.runtime.dlq import Brake, dead_letter, letter
from legbook.runtime.stop import FatalError

TOPIC = "pbx.ami.raw.v1"


def source(key: bytes | None = b"hq", value: bytes | None = b"\xff{") -> "ConsumerRecord[bytes, bytes]":
    make: Any = ConsumerRecord
    record: ConsumerRecord[bytes, bytes] = make(TOPIC, 3, 4711, 0, 0, key, value, None, 0, 0, [])
    return record


def test_a_dead_letter_has_the_bytes_and_says_where_they_came_from() -> None:
    record = dead_letter(source(), "bad_message: ü", "1795396166.17")
    assert (record.topic, record.key, record.value) == (f"{TOPIC}.dlq", b"hq", b"\xff{")
    assert dict(record.headers) == {
        "topic": TOPIC.encode(),
        "partition": b"3",
        "offset": b"4711",
        "entry": b"1795396166.17",
        "reason": "bad_message: ü".encode(),
        "version": version("legbook").encode(),
    }
    assert [name for name, _ in record.headers] == list(DLQ_HEADERS)


def test_what_has_no_key_or_no_value() -> None:
    record = dead_letter(source(None, None), "bad_message")
    assert (record.key, record.value, dict(record.headers)["entry"]) == (b"", None, b"")


def test_a_reason_is_cut_and_never_in_the_way() -> None:
    assert len(dict(dead_letter(source(), "x" * 1_000_000).headers)["reason"]) == 2000
    assert b"bad_message: " in dict(dead_letter(source(), "bad_message: \ud800").headers)["reason"]


def count(kind: str) -> float:
    return REGISTRY.get_sample_value("legbook_dead_letters_total", {"topic": "t", "kind": kind}) or 0.0


def test_they_are_counted_by_kind_of_reason() -> None:
    before = count("newer_version"), count("bad_message")
    for reason in ("newer_version: v is 2", "newer_version: v is 3", "bad_message: x: y"):
        letter("t", 0, 0, None, None, reason)
    assert (count("newer_version"), count("bad_message")) == (before[0] + 2, before[1] + 1)


def test_the_brake_stops_after_so_many_in_a_row() -> None:
    brake = Brake(in_a_row=3)
    brake.bad(TOPIC)
    brake.bad(TOPIC)
    with pytest.raises(
        FatalError, match=rf"3 of the last 3 records of {TOPIC} went to {TOPIC}\.dlq, 3 in a row"
    ):
        brake.bad(TOPIC)


def test_one_good_record_ends_the_row() -> None:
    brake = Brake(in_a_row=3, of_last=1_000_000)
    for _ in range(100):
        brake.bad(TOPIC)
        brake.bad(TOPIC)
        brake.good()


def bad_until_it_stops(brake: Brake, good_between: int, most: int) -> int | None:
    for number in range(most):
        try:
            brake.bad(TOPIC)
        except FatalError:
            return number + 1
        brake.good(good_between)
    return None


def test_the_brake_stops_by_ratio() -> None:
    assert bad_until_it_stops(Brake(), 1, 10_000) == 101
    stopped = bad_until_it_stops(Brake(), 7, 10_000)  # one of eight is more than one of ten
    assert stopped is not None


@pytest.mark.parametrize("good", [9, 10, 100])
def test_the_brake_bears_what_is_below_the_ratio_for_ever(good: int) -> None:
    assert bad_until_it_stops(Brake(), good, 10_000) is None


def test_the_brake_recovers() -> None:
    brake = Brake()
    for _ in range(20):
        for _ in range(40):
            brake.bad(TOPIC)
        for _ in range(2000):
            brake.good()


def test_good_records_in_one_go_are_as_good_as_one_by_one() -> None:
    brake = Brake()
    for _ in range(20):
        for _ in range(90):
            brake.bad(TOPIC)
        brake.good(10_000)
