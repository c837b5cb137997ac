"""One partition: what a brake, a raising rule and a refold must not cost."""

import asyncio
from typing import Any

import pytest

from curcdr_projector.outputs import Cursor, cursor_key
from curcdr_projector.settings import Settings
from curcdr_projector.shard import Shard
from legbook.calls import PbxState
from legbook.calls.checkpoint import Checkpoint, dump
from legbook.calls.state import Calls
from legbook.contracts import codec
from legbook.contracts.raw import Event, RawRecord
from legbook.contracts.topics import CDR, CHECKPOINTS, LEGS, RAW, partition_of
from legbook.runtime.dlq import Brake, BrakeError
from legbook.runtime.fleet import Pbx
from legbook.runtime.kafka import Record
from legbook.runtime.stop import CannotStartError
from tests.recorded import RING_GROUP, entries
from tests.waiting import until

PARTITION = partition_of("hq", 4)


class Owner:
    """Takes what a transaction carries."""

    partition = PARTITION

    def __init__(self, state: dict[bytes, bytes] | None = None) -> None:
        self.state = state or {}
        self.written: list[Record] = []

    async def write(self, records: list[Record], patience: float) -> None:
        self.written += records

    def of(self, topic: str) -> list[bytes | None]:
        return [record.value for record in self.written if record.topic == topic]


class Table:
    def put(self, leg: Any) -> None: ...


class Message:
    def __init__(self, offset: int) -> None:
        self.offset = offset


class Delivered:
    key = b"hq"

    def __init__(self, value: bytes, offset: int) -> None:
        self.value, self.message = value, Message(offset)

    def ack(self) -> bool:
        return True


def _shard(owner: Owner, **settings: float) -> Shard:
    shard = Shard(Settings(**settings), {"hq": Pbx(number=1, host="x")}, owner, 4)  # type: ignore[arg-type]
    shard.table = Table()
    shard.load(0)
    return shard


def _record(*events: Event) -> bytes:
    return codec.encode(RawRecord(pbx="hq", boot=1, epoch=1, entries=list(events)))


def _call() -> list[Event]:
    return [each.entry for each in entries(RING_GROUP) if isinstance(each.entry, Event)]


def _raise_at(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    run = PbxState._run

    def raising(self: PbxState, step: Any, entry: Any, boot: int | None) -> None:
        run(self, step, entry, boot)
        if getattr(entry, "name", "") == name:
            raise RuntimeError("told to")

    monkeypatch.setattr(PbxState, "_run", raising)


async def test_a_rule_that_raises_keeps_what_was_said_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _raise_at(monkeypatch, "Hangup")
    owner = Owner()
    shard = _shard(owner)
    shard.take(Delivered(_record(*_call()), 0))
    await shard.publish_last()

    finished = [codec.decode_leg(value or b"").dstdevice for value in owner.of(CDR.name)]
    assert sorted(finished) == ["201", "202", "203"]
    assert len(owner.of(RAW.dlq)) == 4  # one for each hang-up, with that entry alone


async def test_a_brake_in_the_middle_of_a_record_costs_nothing_behind_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _raise_at(monkeypatch, "DialBegin")
    owner = Owner()
    shard = _shard(owner)
    shard._brake = Brake(in_a_row=2)
    with pytest.raises(BrakeError):
        shard.take(Delivered(_record(*_call()), 0))
    await shard.publish_last()

    assert len(owner.of(CDR.name)) == 3
    assert all(value is None for value in owner.of(LEGS.name))
    assert codec.decode_as(owner.written[-1].value or b"", Cursor).published == 1


async def test_mysql_waits_until_what_was_published_is_folded_again() -> None:
    """Its re-sync would delete rows of legs that are alive, and what pages wrote into them."""
    saved = codec.encode(Cursor(checkpoint=0, published=2))
    shard = _shard(Owner({cursor_key(PARTITION): saved}))
    proving = asyncio.create_task(shard.prove())
    await asyncio.sleep(0)
    call = _call()
    for offset in range(2):
        await shard.publish_last()
        await asyncio.sleep(0)
        assert not proving.done()
        shard.take(Delivered(_record(call[offset]), offset))
    await shard.publish_last()

    await asyncio.wait_for(proving, 1)


async def test_a_crowded_worker_is_a_reason_for_a_checkpoint() -> None:
    """Else one that catches up with several partitions stands still at its limit until the interval is over."""
    owner = Owner()
    shard = _shard(owner, checkpoint_interval=3600, interval=0.01)
    running = asyncio.create_task(shard.run())
    try:
        shard.take(Delivered(_record(*_call()), 0))
        await until(lambda: owner.of(LEGS.name), lambda told: told != [])
        assert owner.of(CHECKPOINTS.name) == [owner.written[-1].value]  # the cursor, no state

        shard.crowded = lambda: True
        await until(shard.progress.waiting, lambda waiting: waiting == 0)
    finally:
        running.cancel()
    assert codec.decode_as(owner.written[-1].value or b"", Cursor).checkpoint == 1


def test_records_that_retention_took_are_told_and_not_skipped() -> None:
    saved = codec.encode(Cursor(checkpoint=5, published=5))
    shard = Shard(Settings(), {}, Owner({cursor_key(PARTITION): saved}), 4)  # type: ignore[arg-type]

    with pytest.raises(CannotStartError, match="begins at 9, the checkpoint is at 5"):
        shard.load(9)


def test_a_checkpoint_of_a_newer_legbook_stops_with_a_message() -> None:
    newer = dump(Checkpoint(format=99, epoch=1, seq=1, calls=Calls(pbx="hq", number=1)))
    shard = Shard(Settings(), {"hq": Pbx(number=1, host="x")}, Owner({b"hq": newer}), 4)  # type: ignore[arg-type]

    with pytest.raises(CannotStartError, match="format 99"):
        shard.load(0)
