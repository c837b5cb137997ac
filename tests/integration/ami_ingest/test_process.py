"""The real process between a fake PBX and a real Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from legbook.contracts import codec
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Drop, Event, Gap, Heartbeat
from legbook.contracts.topics import OWNERS, RAW, partition_of
from legbook.devstack import Stack
from legbook.fakepbx import FakePbx
from legbook.runtime.settings import KafkaSettings
from tests.integration.ami_ingest.conftest import PARTITIONS, Start
from tests.integration.ami_ingest.process import (
    SECRET,
    USERNAME,
    Records,
    decoded,
    entries,
    read,
    until,
)
from tests.recorded import RING_GROUP
from tests.scenarios.fakepbx.client import Client


class Witness(Client):
    """Hears what the PBX says to anybody, all the time."""

    async def listen(self) -> None:
        await self.login()
        while await self.hear():
            pass

    @property
    def fields(self) -> list[dict[str, str | list[str]]]:
        return [m.fields for m in self.events if m.first("Event") != "FullyBooted"]


@asynccontextmanager
async def playing(
    name: str, *, rounds: int, spacing: float, speed: float
) -> AsyncIterator[tuple[FakePbx, Witness]]:
    pbx = FakePbx(
        name,
        [RING_GROUP],
        username=USERNAME,
        secret=SECRET,
        boot=datetime.now(UTC) - timedelta(hours=1),
        rounds=rounds,
        spacing=spacing,
        speed=speed,
    )
    async with pbx, Witness(pbx.port) as witness:
        listening = asyncio.create_task(witness.listen())
        yield pbx, witness
        listening.cancel()
        with suppress(asyncio.CancelledError):
            await listening


def published(records: Records) -> list[dict[str, str | list[str]]]:
    return [e.fields for e in entries(records) if isinstance(e, Event) and e.name != "FullyBooted"]


async def all_published(settings: KafkaSettings, pbx: str, count: int) -> Records:
    """The raw topic, once it has so many events of this PBX."""
    async with asyncio.timeout(20):
        while len(published(found := await read(settings, RAW.name, PARTITIONS, pbx))) < count:
            await asyncio.sleep(0.1)
    return found


def one_run_of_numbers(records: Records) -> None:
    """Of one epoch: every number once, in order, in the right partition, with headers that say so."""
    pbx = decoded(records)[0].pbx
    assert {record.partition for record in records} == {partition_of(pbx, PARTITIONS)}
    expected = 1
    for record, content in zip(records, decoded(records), strict=True):
        seqs = [entry.seq for entry in content.entries]
        assert seqs == [*range(expected, expected + len(seqs))]
        expected += len(seqs)
        assert record.headers == (
            ("schema", b"RawRecord/1"),
            ("pbx", pbx.encode()),
            ("epoch", str(content.epoch).encode()),
            ("first_seq", str(seqs[0]).encode()),
            ("last_seq", str(seqs[-1]).encode()),
            ("n", str(len(seqs)).encode()),
        )
        assert len(seqs) <= 256
    assert len({content.epoch for content in decoded(records)}) == 1


async def test_every_event_is_in_the_topic_once_and_in_order(
    start: Start, kafka_settings: KafkaSettings
) -> None:
    async with playing("whole", rounds=12, spacing=1.0, speed=10.0) as (pbx, witness):
        ingest = await start("whole", pbx.port)
        pbx.begin()
        await pbx.finished_playing()
        await until(lambda: len(witness.fields) >= 1000)
        assert await ingest.stop() == 0
        records = await read(kafka_settings, RAW.name, PARTITIONS, "whole")
    assert published(records) == witness.fields
    one_run_of_numbers(records)
    story = [entry for entry in entries(records) if not isinstance(entry, Heartbeat)]
    assert [type(entry) for entry in story[:3]] == [ConnectionUp, Gap, Event]
    assert isinstance(entries(records)[0], Heartbeat)
    last = entries(records)[-1]
    assert isinstance(last, ConnectionDown)
    assert last.reason == "stopped"
    assert [line["event"] for line in ingest.log][-1] == "stopped"
    (boot,) = {content.boot for content in decoded(records)} - {None}
    assert boot is not None
    assert abs(boot - pbx.boot.timestamp()) <= 2


async def test_kill_9_and_a_new_epoch(start: Start, kafka_settings: KafkaSettings) -> None:
    async with playing("killed", rounds=40, spacing=1.0, speed=10.0) as (pbx, witness):
        first = await start("killed", pbx.port)
        pbx.begin()
        await all_published(kafka_settings, "killed", 50)
        await first.kill()
        second = await start("killed", pbx.port)
        count = len(published(await read(kafka_settings, RAW.name, PARTITIONS, "killed")))
        await all_published(kafka_settings, "killed", count + 50)
        assert await second.stop() == 0
    records = await read(kafka_settings, RAW.name, PARTITIONS, "killed")
    owners = await read(kafka_settings, OWNERS.name, PARTITIONS, "killed")
    epochs = [content.epoch for content in decoded(records)]
    assert epochs == sorted(epochs), "the old process has not spoken again"
    old, new = sorted(set(epochs))
    for epoch in (old, new):
        own = [record for record, number in zip(records, epochs, strict=True) if number == epoch]
        one_run_of_numbers(own)
        mine = [owner for owner in owners if codec.decode_owner(owner.value or b"").epoch == epoch]
        assert mine[0].timestamp <= own[0].timestamp, "the right to read comes before the first record"
        assert {owner.partition for owner in mine} == {own[0].partition}
        gaps = [entry for entry in entries(own) if isinstance(entry, Gap)]
        assert [(gap.since, gap.reason) for gap in gaps] == [(None, "start")]
    assert len({content.boot for content in decoded(records)} - {None}) == 1, "the PBX has not started again"
    newest = codec.decode_owner(owners[-1].value or b"")
    assert (newest.epoch, newest.boot) == (new, decoded(records)[-1].boot)
    heard = [fields for fields in witness.fields if fields in published(records)]
    assert published(records) == heard, "nothing twice and nothing out of order"


async def test_kafka_away_for_20_seconds_costs_nothing(
    start: Start, kafka_stack: Stack, kafka_settings: KafkaSettings
) -> None:
    async with playing("away", rounds=12, spacing=1.0, speed=1.0) as (pbx, witness):
        ingest = await start("away", pbx.port)
        kafka_stack.terminate("kafka")
        began = asyncio.get_running_loop().time()
        pbx.begin()
        await pbx.finished_playing()
        await asyncio.sleep(max(0, began + 20 - asyncio.get_running_loop().time()))
        kafka_stack.start_server("kafka")
        records = await all_published(kafka_settings, "away", len(witness.fields))
        assert await ingest.stop() == 0
    records = await read(kafka_settings, RAW.name, PARTITIONS, "away")
    assert len(witness.fields) > 1000
    assert published(records) == witness.fields
    one_run_of_numbers(records)
    logins = pbx.actions.named("Login")
    assert len({login.session for login in logins}) == len(logins) == 2, "the witness and the ingest"
    assert [
        type(e) for e in entries(records) if isinstance(e, ConnectionUp | ConnectionDown | Gap | Drop)
    ] == [
        ConnectionUp,
        Gap,
        ConnectionDown,
    ]
    assert ingest.said("not connected")[0]["reason"] == "stopped"


async def test_it_stops_when_told_to_though_kafka_is_away(start: Start, kafka_stack: Stack) -> None:
    async with playing("stuck", rounds=1, spacing=1.0, speed=10.0) as (pbx, _):
        ingest = await start("stuck", pbx.port)
        kafka_stack.terminate("kafka")
        try:
            pbx.begin()
            await pbx.finished_playing()
            assert await ingest.stop() == 0
        finally:
            kafka_stack.start_server("kafka")
    assert ingest.said("stopped before Kafka took everything")[0]["bytes"] > 0
