"""What cannot be read goes to the dead letters with its bytes and its place, and the next is processed."""

import asyncio
import json
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from legbook.contracts.codec import decode_raw
from legbook.contracts.raw import SnapshotEnd
from legbook.contracts.topics import CDR, RAW, partition_of
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack.processes import end, spawn
from legbook.runtime import kafka
from tests.e2e import topics
from tests.e2e.fleet import play
from tests.e2e.verifier import shown_live, verify
from tests.recorded import RING_GROUP
from tests.waiting import until

_HEARTBEAT = b'{"kind":"heartbeat","seq":1,"at":null,"received_at":"2026-11-24T00:00:00Z","state":"up"}'
BAD_RECORDS = {
    "not json": (b"\xff\x00 hello", "bad_message"),
    "newer version": (
        json.dumps({"v": 2, "pbx": "letters", "entries": "other shape"}).encode(),
        "newer_version: v is 2",
    ),
    "no entries": (b'{"v":1,"pbx":"letters","epoch":1,"boot":null,"entries":[]}', "$.entries"),
    "no pbx": (b'{"v":1,"epoch":1,"boot":null,"entries":[%s]}' % _HEARTBEAT, "`pbx`"),
    "unknown pbx": (
        b'{"v":1,"pbx":"nobody","epoch":1,"boot":null,"entries":[%s]}' % _HEARTBEAT,
        "unknown_pbx",
    ),
    "wrong kind": (b'{"v":1,"pbx":"letters","epoch":1,"boot":null,"entries":[{"kind":"x"}]}', "$.entries[0]"),
}


async def _publish(world: World, values: list[bytes], topic: str = RAW.name) -> list[int]:
    async with kafka.producer(topics.settings(world)) as producer:
        where = partition_of("letters", 4)
        sent = [
            await producer.send_and_wait(topic, value, key=b"letters", partition=where) for value in values
        ]
    return [each.offset for each in sent]


async def test_bad_raw_records_and_the_good_one_behind_them(
    world: World, watch: Watch, ports: dict[str, int]
) -> None:
    offsets = await _publish(world, [value for value, _ in BAD_RECORDS.values()])

    async with play("letters", [RING_GROUP], ports) as pbx:
        await pbx.finished_playing()
        moment = pbx.now()
        await until(
            lambda: watch.query("SELECT count() AS n FROM cdr WHERE pbx = 'letters'")[0]["n"],
            lambda n: n == 3,
        )
        verdict = await verify(world, watch, pbx, moment)
    assert verdict.clean, str(verdict)
    found = {headers["offset"]: (value, headers) for value, headers in await topics.letters(world, RAW)}
    for offset, (value, reason) in zip(offsets, BAD_RECORDS.values(), strict=True):
        bytes_kept, headers = found[str(offset)]
        assert bytes_kept == value
        assert reason in headers["reason"]
        assert headers["topic"] == RAW.name
        assert headers["partition"] == str(partition_of("letters", 4))
        assert headers["version"] == version("legbook")


async def test_a_bad_finished_leg_and_the_good_ones_behind_it(world: World) -> None:
    (offset,) = await _publish(world, [b"no leg"], CDR.name)

    async with asyncio.timeout(15):
        while str(offset) not in {h["offset"] for _, h in await topics.letters(world, CDR)}:
            await asyncio.sleep(0.1)


@pytest.fixture
def raising(world: World, tmp_path: Path) -> Iterator[None]:
    """The projector of this world, replaced for a while by one whose rules can be told to raise."""
    world.terminate("curcdr_projector")
    child = spawn(
        "raising", [sys.executable, "-m", "tests.e2e.raising_projector"], folder=tmp_path,
        env={**world.env, **world.own("curcdr_projector"), "PYTHONPATH": str(Path(__file__).parents[2])},
    )  # fmt: skip
    yield
    end([child])
    world.start("curcdr_projector")


async def test_a_rule_that_raises_costs_one_entry_and_no_other_pbx(
    world: World, raising: None, watch: Watch, ports: dict[str, int]
) -> None:
    before = len(await topics.letters(world, RAW))
    async with play("letters", [RING_GROUP], ports) as pbx, play("other", [RING_GROUP], ports) as other:
        await until(lambda: shown_live(watch, "letters").total() == 3 == shown_live(watch, "other").total())
        pbx.emit("UserEvent", "user,all", [("UserEvent", "Raise")])
        await pbx.finished_playing()
        await other.finished_playing()
        for each in (pbx, other):
            moment = each.now()
            wanted = {leg.dstuid for leg in each.truth.finished(moment)}
            await until(
                lambda name=each.name, wanted=wanted: (
                    wanted  # type: ignore[misc]
                    <= {
                        row["dstuid"]
                        for row in watch.query("SELECT dstuid FROM cdr WHERE pbx = {p:String}", p=name)
                    }
                )
            )
        async with asyncio.timeout(
            20
        ):  # the projector doubts its state: ami_ingest asks the PBX who is there
            while await _snapshots(world, "letters") < 2:
                await asyncio.sleep(0.2)
    (letter,) = (await topics.letters(world, RAW))[before:]
    value, headers = letter
    (entry,) = json.loads(value or b"")["entries"]
    assert (entry["name"], entry["fields"]["UserEvent"]) == ("UserEvent", "Raise")
    assert headers["reason"] == "rule_error: RuntimeError: told to"


async def _snapshots(world: World, pbx: str) -> int:
    """Complete ones of ami_ingest; what a test wrote beside it has no headers."""
    found = [r for r in await topics.records(world, RAW.name) if r.key == pbx.encode() and r.headers]
    entries = [entry for record in found for entry in decode_raw(record.value or b"").entries]
    return len([entry for entry in entries if isinstance(entry, SnapshotEnd) and entry.complete])


async def test_too_many_in_a_row_stop_the_projector_and_the_next_one_goes_on_behind_them(
    world: World,
) -> None:
    before = len(await topics.letters(world, RAW))
    async with kafka.producer(topics.settings(world)) as producer:
        for _ in range(120):
            await producer.send(RAW.name, b"{", key=b"x", partition=0)
    await until(lambda: world.exit_code("curcdr_projector") is not None)

    assert world.exit_code("curcdr_projector") == 70
    assert "look at their `reason` header" in world.log("curcdr_projector").splitlines()[-1]
    assert len(await topics.letters(world, RAW)) == before + 100

    world.start("curcdr_projector")
    async with asyncio.timeout(30):
        while len(await topics.letters(world, RAW)) < before + 120:
            await asyncio.sleep(0.1)
    await asyncio.to_thread(world.wait_ready, "curcdr_projector")
    assert world.exit_code("curcdr_projector") is None
