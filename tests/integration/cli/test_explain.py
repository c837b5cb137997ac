"""`legbook explain` from the raw topic of a running system."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace as replace_entry

from legbook.cli.recordings import Placed
from legbook.contracts import codec
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Entry, RawRecord
from legbook.contracts.topics import RAW, partition_of
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings
from tests.integration.cli.conftest import PARTITIONS, Legbook, Produce, record
from tests.recorded import RING_GROUP, entries, fold

PBX = "explained"
DAYLONG = "daylong"
NOW = datetime.now(UTC)
WHY = "Why: NO ANSWER: 201's own Hangup came with cause 26 after 202 answered."


@pytest.fixture(scope="module", autouse=True)
def _there(produce: Produce) -> None:
    placed = entries(RING_GROUP)
    records = [RawRecord(pbx=PBX, boot=each.boot, epoch=each.epoch, entries=[each.entry]) for each in placed]
    produce([record(RAW.name, PBX, PBX, codec.encode(raw)) for raw in records])


def test_a_leg_of_the_topic(legbook: Legbook) -> None:
    leg = fold(entries(RING_GROUP)).legs[0]

    code, lines, errors = legbook.run("explain", "--pbx", PBX, "--leg", str(leg.leg_id))

    assert code == 0
    assert lines[0] == f"Leg {leg.leg_id}: dial 2002 -> 1000 on 201, NO ANSWER"
    assert lines[-1] == WHY
    assert f"entries of {PBX}" in errors


def test_a_pbx_that_the_topic_does_not_know(legbook: Legbook) -> None:
    code, lines, errors = legbook.run("explain", "--pbx", "nobody", "--leg", "1")

    assert (code, lines) == (2, [])
    assert "no such leg among 0" in errors


def test_without_kafka() -> None:
    code, lines, errors = Legbook("127.0.0.1:1").run("explain", "--pbx", PBX, "--leg", "1")

    assert (code, lines) == (78, [])
    assert "KAFKA_BOOTSTRAP_SERVERS says where Kafka is" in errors


def _call(hours_ago: float, epoch: int) -> list[Placed]:
    """The same call at another time, told under another epoch."""
    recorded = entries(RING_GROUP)
    shift = NOW - timedelta(hours=hours_ago) - _time(recorded[0].entry)
    return [replace(each, epoch=epoch, entry=_later(each.entry, shift)) for each in recorded]


def _time(entry: Entry) -> datetime:
    time = entry.at or entry.received_at
    assert time is not None
    return time


def _later(entry: Entry, shift: timedelta) -> Entry:
    return replace_entry(entry, at=_time(entry) + shift, received_at=_time(entry) + shift)


CALLS = [_call(5, 1), _call(3, 2), _call(2.5, 3)]
ONE = len(CALLS[0])


def _leg(call: list[Placed]) -> Leg:
    return fold(call).legs[0]


@pytest.fixture(scope="module", autouse=True)
def _daylong(kafka_settings: KafkaSettings) -> None:
    """Kafka has each record with the time of its entry."""

    async def send() -> None:
        partition = partition_of(DAYLONG, PARTITIONS)
        async with kafka.producer(kafka_settings) as producer:
            for each in (each for call in CALLS for each in call):
                raw = RawRecord(pbx=DAYLONG, boot=each.boot, epoch=each.epoch, entries=[each.entry])
                value, ms = codec.encode(raw), int(_time(each.entry).timestamp() * 1000)
                await producer.send(RAW.name, value, DAYLONG.encode(), partition, timestamp_ms=ms)

    asyncio.run(send())


@pytest.mark.parametrize(
    ("call", "back", "read"),
    [
        (1, (), ONE + 1),  # to the first entry that is more than ten minutes later
        (1, ("--back", "2.1"), 2 * ONE + 1),
        (2, (), 2 * ONE),  # to the end of the topic: the second call was within the hour
        (2, ("--back", "0.4"), ONE),
        (0, ("--back", "168"), ONE + 1),
    ],
)
def test_it_reads_what_the_leg_needs(legbook: Legbook, call: int, back: tuple[str, ...], read: int) -> None:
    leg = _leg(CALLS[call])
    assert leg.born is not None
    begin = leg.born - timedelta(hours=float(back[1]) if back else 1)

    code, lines, errors = legbook.run("explain", "--pbx", DAYLONG, "--leg", str(leg.leg_id), *back)

    assert (code, lines[-1]) == (0, WHY)
    assert f"reading {RAW.name} from {begin:%Y-%m-%dT%H:%M:%SZ}; --back HOURS reads more\n" in errors
    assert f"legbook explain: {read} entries of {DAYLONG}\n" in errors


def test_it_may_begin_with_the_birth_itself(legbook: Legbook) -> None:
    """What comes before it is left out. Kafka knows milliseconds."""
    leg = _leg(CALLS[1])
    assert leg.born is not None
    begin = leg.born.replace(microsecond=leg.born.microsecond // 1000 * 1000)
    left = sum(_time(each.entry) >= begin for each in CALLS[1])
    assert left < ONE

    code, lines, errors = legbook.run("explain", "--pbx", DAYLONG, "--leg", str(leg.leg_id), "--back", "0")

    assert (code, lines[-1]) == (0, WHY)
    assert f" {left + 1} entries" in errors


def test_a_whole_moment_says_where_to_read(legbook: Legbook) -> None:
    leg = _leg(CALLS[1])
    assert leg.ring is not None
    asked = ("explain", "--pbx", DAYLONG, "--channel", leg.dstchan)

    code, lines, errors = legbook.run(*asked, "--at", leg.ring.isoformat())
    assert (code, lines[-1]) == (0, WHY)
    assert f" {ONE + 1} entries" in errors

    code, lines, errors = legbook.run(*asked, "--at", f"{leg.ring:%H:%M:%S.%f}")
    assert (code, lines[-1]) == (0, WHY)
    assert "from its oldest record\n" in errors
    assert f" {3 * ONE} entries" in errors


def test_a_moment_of_which_the_topic_has_nothing(legbook: Legbook) -> None:
    late = (NOW + timedelta(days=1)).isoformat()

    code, lines, errors = legbook.run("explain", "--pbx", DAYLONG, "--channel", "x", "--at", late)

    assert (code, lines) == (2, [])
    assert "no such leg among 0: --back HOURS reads more" in errors
