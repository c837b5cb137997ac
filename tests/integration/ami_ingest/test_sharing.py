"""Several workers share the fleet: a PBX is read by one of them, and one that does not move keeps its connection."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path

import pytest

from legbook.contracts import codec
from legbook.contracts.raw import ConnectionDown
from legbook.contracts.topics import OWNERS, RAW, partition_of
from legbook.fakepbx import FakePbx
from legbook.runtime.settings import KafkaSettings
from tests.integration.ami_ingest.conftest import PARTITIONS
from tests.integration.ami_ingest.process import SECRET, USERNAME, Ingest, decoded, entries, read, until
from tests.recorded import RING_GROUP

NAMES = ["east", "west", "north", "south", "middle", "upper", "lower", "outer"]


@pytest.fixture
async def pbxs() -> AsyncIterator[dict[str, FakePbx]]:
    async with AsyncExitStack() as stack:
        found = {}
        for name in NAMES:
            pbx = FakePbx(name, [RING_GROUP], username=USERNAME, secret=SECRET)
            found[name] = await stack.enter_async_context(pbx)
        yield found


@pytest.fixture
async def workers(
    pbxs: dict[str, FakePbx], tmp_path: Path, kafka_settings: KafkaSettings
) -> AsyncIterator[list[Ingest]]:
    """Two, on the same fleet file's content; both ready."""
    async with AsyncExitStack() as stack:
        made = [Ingest(tmp_path, kafka_settings.bootstrap_servers, f"slot-{n}") for n in (1, 2)]
        for worker in made:
            await worker.start(ports(pbxs))
            stack.push_async_callback(worker.kill)
        for worker in made:
            await worker.ready()
        await until(lambda: all(sessions(pbx) == 1 for pbx in pbxs.values()))
        yield made


def ports(pbxs: dict[str, FakePbx]) -> dict[str, int]:
    return {name: pbx.port for name, pbx in pbxs.items()}


def sessions(pbx: FakePbx) -> int:
    return len([session for session in pbx._switch.sessions if session.user])


def logins(pbxs: dict[str, FakePbx]) -> dict[str, int]:
    return {name: len(pbx.actions.named("Login")) for name, pbx in pbxs.items()}


async def owners(settings: KafkaSettings, pbx: str) -> str:
    records = await read(settings, OWNERS.name, PARTITIONS, pbx)
    return codec.decode_owner(records[-1].value or b"").worker


async def test_the_fleet_is_shared_and_who_does_not_move_keeps_the_connection(
    pbxs: dict[str, FakePbx], workers: list[Ingest], kafka_settings: KafkaSettings
) -> None:
    of = {name: await owners(kafka_settings, name) for name in NAMES}
    assert set(of.values()) == {"slot-1", "slot-2"}
    before = logins(pbxs)

    await workers[1].kill()
    await until(lambda: all(sessions(pbx) == 1 for pbx in pbxs.values()))

    after = logins(pbxs)
    assert {n for n in NAMES if after[n] > before[n]} == {n for n in NAMES if of[n] == "slot-2"}
    assert {await owners(kafka_settings, name) for name in NAMES} == {"slot-1"}
    for name in NAMES:
        epochs = [
            content.epoch for content in decoded(await read(kafka_settings, RAW.name, PARTITIONS, name))
        ]
        assert epochs == sorted(epochs)


async def test_a_changed_fleet_file_at_sighup(
    pbxs: dict[str, FakePbx], workers: list[Ingest], kafka_settings: KafkaSettings
) -> None:
    """What left the fleet is told so and left; the others do not notice."""
    before = logins(pbxs)
    kept = {name: pbx.port for name, pbx in pbxs.items() if name != "outer"}
    for worker in workers:
        worker.fleet(kept)
        worker.hang_up_signal()
    await until(lambda: sessions(pbxs["outer"]) == 0)
    for worker in workers:
        await until(partial(worker.said, "fleet file read"))

    async with asyncio.timeout(10):
        while True:
            downs = [
                entry
                for entry in entries(await read(kafka_settings, RAW.name, PARTITIONS, "outer"))
                if isinstance(entry, ConnectionDown)
            ]
            if downs and downs[-1].reason == "removed":
                break
    assert logins(pbxs) == before
    for worker in workers:
        worker.fleet(ports(pbxs))
        worker.hang_up_signal()
    await until(lambda: sessions(pbxs["outer"]) == 1)
    claimed = await read(kafka_settings, OWNERS.name, PARTITIONS, "outer")
    epochs = [codec.decode_owner(each.value or b"").epoch for each in claimed]
    assert epochs == sorted(epochs)
    assert {n: c for n, c in logins(pbxs).items() if n != "outer"} == {
        n: c for n, c in before.items() if n != "outer"
    }


async def test_a_bad_fleet_file_is_refused_and_the_old_one_stays(
    pbxs: dict[str, FakePbx], workers: list[Ingest]
) -> None:
    before = logins(pbxs)
    workers[0].fleet(ports(pbxs), colour='"blue"')
    workers[0].hang_up_signal()
    await until(lambda: workers[0].said("fleet file refused, the old one stays"))
    (line,) = workers[0].said("fleet file refused, the old one stays")
    assert "pbx.east.colour" in line["reason"]
    workers[0].fleet({"new": 1, **ports(pbxs)})
    workers[0].hang_up_signal()
    await until(lambda: len(workers[0].said("fleet file refused, the old one stays")) == 2)
    assert (
        "pbx.new.number: 1 was the number of pbx.east"
        in workers[0].said("fleet file refused, the old one stays")[1]["reason"]
    )
    assert all(sessions(pbx) == 1 for pbx in pbxs.values())
    assert logins(pbxs) == before


async def test_a_name_that_is_used_twice(
    pbxs: dict[str, FakePbx], workers: list[Ingest], tmp_path: Path, kafka_settings: KafkaSettings
) -> None:
    """The older of the twins ends and says so: together they would take the fleet from each other for ever."""
    twin = Ingest(tmp_path, kafka_settings.bootstrap_servers, "slot-2")
    await twin.start(ports(pbxs))
    try:
        assert await asyncio.wait_for(workers[1].process.wait(), 30) == 78
        assert "'slot-2' is used twice" in workers[1].text
        await twin.ready()
        await until(lambda: all(sessions(pbx) == 1 for pbx in pbxs.values()))
    finally:
        await twin.kill()


def test_the_names_are_in_more_than_one_partition() -> None:
    assert len({partition_of(name, PARTITIONS) for name in NAMES}) == PARTITIONS


async def test_a_signal_while_it_waits_for_kafka_does_not_end_it(tmp_path: Path) -> None:
    waiting = Ingest(tmp_path, "127.0.0.1:1", "slot-9")
    await waiting.start({"east": 1})
    try:
        await until(lambda: waiting.said("waiting for Kafka"))
        waiting.hang_up_signal()
        await until(lambda: waiting.said("fleet file read"))
        assert waiting.process.returncode is None
    finally:
        await waiting.kill()
