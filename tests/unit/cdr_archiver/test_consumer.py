from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.errors import CommitFailedError

from cdr_archiver.columns import NAMES
from cdr_archiver.consumer import Archiver, Record
from cdr_archiver.settings import Settings
from cdr_archiver.table import Part, Table
from legbook.contracts.codec import encode
from legbook.runtime.dlq import Brake
from legbook.runtime.stop import FatalError
from tests.unit.cdr_archiver.samples import EndOfTest, Reader, Writer, leg, record

LEG_ID = NAMES.index("leg_id")
CDR0 = TopicPartition("cdr", 0)
NEWER = b'{"v":2,"pbx":"hq"}'


class Shelf:
    """A table that refuses one leg."""

    def __init__(self, refuses: int | None = None) -> None:
        self.refuses, self.stored = refuses, list[int]()

    async def insert(self, rows: Sequence[Sequence[Any]]) -> AsyncIterator[Part]:
        for place, row in enumerate(rows):
            refused = "no" if row[LEG_ID] == self.refuses else None
            if refused is None:
                self.stored.append(row[LEG_ID])
            yield Part(place, place + 1, refused)


class Bench:
    """An archiver between a reader, a writer and a shelf; full after each batch of the reader."""

    def __init__(
        self, *batches: Sequence[Record], refuses: int | None = None, brake: Brake | None = None
    ) -> None:
        self.reader, self.writer, self.shelf = Reader(batches), Writer(), Shelf(refuses)
        self.archiver = Archiver(
            cast("AIOKafkaConsumer", self.reader),
            cast("AIOKafkaProducer", self.writer),
            cast("Table", self.shelf),
            Settings.model_validate({"batch_legs": len(batches[0])}),
            brake,
        )

    async def run(self) -> None:
        with pytest.raises(EndOfTest):
            await self.archiver.run()


def message(leg_id: int) -> Record:
    return record(encode(leg(leg_id)), offset=leg_id)


async def test_what_is_stored_is_committed_up_to_the_next_offset() -> None:
    bench = Bench([message(1), message(2)], [message(3), message(4)])
    await bench.run()
    assert bench.shelf.stored == [1, 2, 3, 4]
    assert bench.reader.committed == [{CDR0: 3}, {CDR0: 5}]


async def test_tombstones_are_passed_over_and_committed() -> None:
    bench = Bench([record(None, offset=1), message(2), record(None, offset=3)])
    await bench.run()
    assert (bench.shelf.stored, bench.reader.committed, bench.writer.sent) == ([2], [{CDR0: 4}], [])


async def test_what_cannot_be_read_goes_to_the_dead_letters_as_it_came() -> None:
    bench = Bench([record(NEWER, offset=1), message(2), record(b"\xff", offset=3)])
    await bench.run()
    assert bench.shelf.stored == [2]
    (topic, first, why), (_, second, why_second) = bench.writer.sent
    assert (topic, first, second) == ("cdr.dlq", NEWER, b"\xff")
    assert (why["topic"], why["partition"], why["offset"]) == ("cdr", "0", "1")
    assert why["reason"].startswith("newer_version: v is 2")
    assert why_second["reason"].startswith("bad_message: ")
    assert bench.reader.committed == [{CDR0: 4}]


async def test_a_refused_leg_goes_to_the_dead_letters_and_the_others_in() -> None:
    bench = Bench([message(1), record(b"{", offset=2), message(3), message(4)], refuses=3)
    await bench.run()
    assert bench.shelf.stored == [1, 4]
    assert [headers["offset"] for _, _, headers in bench.writer.sent] == ["2", "3"]
    assert bench.writer.sent[1][1] == encode(leg(3))
    assert bench.writer.sent[1][2]["reason"] == "refused: no"


async def test_the_brake_stops_when_its_letters_are_out_and_committed() -> None:
    bench = Bench([record(NEWER, offset=n) for n in range(50)], brake=Brake(in_a_row=3))
    with pytest.raises(FatalError, match="3 in a row"):
        await bench.archiver.run()
    assert len(bench.writer.sent) == 3
    (offsets,) = bench.reader.committed
    assert list(offsets.values()) == [3]


async def test_a_commit_that_comes_too_late_is_no_failure() -> None:
    bench = Bench([message(1)], [message(2)])
    bench.reader.refuse = CommitFailedError("moved")
    await bench.run()
    assert bench.shelf.stored == [1, 2]
