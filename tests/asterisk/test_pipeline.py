"""The seed's picture against a real Asterisk 22, with real phones: rows, archive, and Asterisk's own CDR agree."""

import asyncio
from typing import Any

import pytest

from legbook.client import Client
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.runtime.settings import KafkaSettings
from tests.asterisk.configuration import EXTENSIONS, TRUNK
from tests.asterisk.conftest import secrets_of
from tests.asterisk.pbx import Asterisk
from tests.asterisk.phone import Call
from tests.asterisk.phonelog import What
from tests.asterisk.scenario import QUEUE_DID, RING_GROUP_DID, Phones, ring_group_call
from tests.waiting import until

pytestmark = pytest.mark.asterisk


def _dispositions(rows: list[dict[str, Any]]) -> list[str]:
    return [row["disposition"] for row in rows]


def _phone(channel: str) -> str:
    return channel.partition("/")[2].rpartition("-")[0]


async def _call(pbx: Asterisk, watch: Watch, phones: Phones) -> Any:
    call = asyncio.create_task(ring_group_call(pbx, answer_after=2, talk=4, phones=phones))
    ringing = await until(watch.live, lambda rows: _dispositions(rows) == ["RINGING"] * 3)
    assert [(row["src"], row["dst"], row["didnumber"]) for row in ringing] == [("2002", "1000", "30900")] * 3
    assert sorted(_phone(row["dstchan"]) for row in ringing) == ["201", "202", "203"]
    (talking,) = await until(watch.live, lambda rows: _dispositions(rows) == ["LINK"])
    assert _phone(talking["dstchan"]) == "202"
    done = await call
    await until(watch.live, lambda rows: rows == [])
    return done


async def test_ring_group_rows_archive_and_asterisks_own_cdr_agree(
    asterisk: Asterisk, phones: Phones, watch: Watch
) -> None:
    call = await _call(asterisk, watch, phones)
    rows = await until(
        lambda: watch.query("SELECT * FROM cdr WHERE src = '2002' ORDER BY leg_id"),
        lambda rows: len(rows) == 3,
    )

    ours = {row["dstdevice"]: (row["disposition"], row["billsec"]) for row in rows}
    theirs = {cdr.called: (cdr.disposition, cdr.billsec) for cdr in call.cdrs if cdr.called}
    assert ours.keys() == theirs.keys() == {"201", "202", "203"}
    for phone, (disposition, billsec) in theirs.items():
        assert ours[phone][0] == disposition
        assert abs(ours[phone][1] - billsec) <= 1
    assert ours["202"][0] == "ANSWERED"
    assert abs(ours["202"][1] - 4) <= 1


async def _answered(phones: Phones, watch: Watch, did: str) -> tuple[Call, dict[str, Any]]:
    """A call from the trunk that 202 has answered, and its row."""
    for name in EXTENSIONS:
        phones[name].answer_after = 0.5 if name == "202" else None
    call = await phones[TRUNK].call(did, caller="2002")
    (row,) = await until(watch.live, lambda rows: _dispositions(rows) == ["LINK"])
    assert _phone(row["dstchan"]) == "202"
    return call, row


def _archived(watch: Watch, row: dict[str, Any]) -> list[dict[str, Any]]:
    return watch.query("SELECT * FROM cdr WHERE leg_id = {i:UInt64}", i=row["id"])


async def test_an_answered_call_is_hung_up_by_command(phones: Phones, watch: Watch, world: World) -> None:
    call, row = await _answered(phones, watch, RING_GROUP_DID)
    settings = KafkaSettings(bootstrap_servers=world.env["KAFKA_BOOTSTRAP_SERVERS"])

    async with Client(issuer="test", settings=settings) as client:
        result = await client.hangup("hq", row["id"], side="dst", actor="alice")

    assert (result.state, result.reason, result.uniqueids) == ("done", None, [row["dstuid"]]), result
    await phones["202"].log.wait(What.BYE_RECEIVED)
    assert await call.ended(within=5), "the caller has nobody to talk to"
    await until(watch.live, lambda rows: rows == [])
    (leg,) = await until(lambda: _archived(watch, row), len)
    assert (leg["disposition"], leg["end_reason"]) == ("ANSWERED", "hangup")


async def test_both_sides_of_a_ringing_leg_are_hung_up_with_one_command(
    phones: Phones, watch: Watch, world: World
) -> None:
    for name in EXTENSIONS:
        phones[name].answer_after = None
    await phones[TRUNK].call(RING_GROUP_DID, caller="2002")
    rows = await until(watch.live, lambda rows: _dispositions(rows) == ["RINGING"] * 3)
    settings = KafkaSettings(bootstrap_servers=world.env["KAFKA_BOOTSTRAP_SERVERS"])

    async with Client(issuer="test", settings=settings) as client:
        result = await client.hangup("hq", rows[0]["id"], side="both", actor="alice")

    assert result.state == "done", result
    assert result.uniqueids == [rows[0]["dstuid"], rows[0]["srcuid"]]
    for name in EXTENSIONS:
        await phones[name].log.wait(What.CANCEL_RECEIVED)
    await until(watch.live, lambda rows: rows == [])


async def test_a_queue_call_through_local_members(phones: Phones, watch: Watch) -> None:
    call, row = await _answered(phones, watch, QUEUE_DID)

    assert (row["src"], row["dst"], row["didnumber"], row["queue"]) == ("2002", "502", "30502", "502")
    assert _phone(row["srcchan"]) == TRUNK
    await call.hang_up()
    await until(watch.live, lambda rows: rows == [])
    legs = await until(
        lambda: watch.query("SELECT * FROM cdr WHERE linkedid = {l:String}", l=row["srcuid"]),
        lambda legs: len(legs) == 3,
    )
    told = {leg["dstdevice"]: (leg["disposition"], leg["queue"], leg["srcdevice"]) for leg in legs}
    assert told == {
        phone: ("ANSWERED" if phone == "202" else "NO ANSWER", "502", TRUNK) for phone in EXTENSIONS
    }


async def test_ingest_is_killed_in_mid_call(
    asterisk: Asterisk, phones: Phones, watch: Watch, world: World
) -> None:
    """One call ends while nobody listens, another goes on: rows are right within 3 s of the next login."""
    call, row = await _answered(phones, watch, RING_GROUP_DID)
    phones["201"].answer_after = None
    phones["203"].answer_after = 0.1
    other = await phones["201"].call("203")
    await until(watch.live, lambda rows: _dispositions(rows) == ["LINK", "LINK"])

    world.kill("ami_ingest")
    await call.hang_up()
    await phones["202"].log.wait(What.BYE_RECEIVED)
    world.start("ami_ingest", **secrets_of(asterisk))
    await asyncio.to_thread(world.wait_ready, "ami_ingest")
    (left,) = await until(watch.live, lambda rows: len(rows) == 1, patience=3.0)

    assert (_phone(left["srcchan"]), _phone(left["dstchan"]), left["disposition"]) == ("201", "203", "LINK")
    (gone,) = await until(lambda: _archived(watch, row), len)
    assert (gone["end_reason"], gone["end_exact"], gone["disposition"]) == ("snapshot", 0, "ANSWERED")
    await other.hang_up()
    await until(watch.live, lambda rows: rows == [])
    (ended,) = await until(lambda: _archived(watch, left), len)
    assert (ended["end_reason"], ended["end_exact"]) == ("hangup", 1)


async def test_a_call_that_nobody_heard_begin(
    asterisk: Asterisk, phones: Phones, watch: Watch, world: World
) -> None:
    """Asked with write = reporting, a real Asterisk tells enough to make its row within 3 s of the login."""
    phones["201"].answer_after = None
    phones["203"].answer_after = 0.1
    world.kill("ami_ingest")
    call = await phones["201"].call("203")
    await phones["203"].log.wait(What.ANSWERED)

    world.start("ami_ingest", **secrets_of(asterisk))
    await asyncio.to_thread(world.wait_ready, "ami_ingest")
    (row,) = await until(watch.live, lambda rows: _dispositions(rows) == ["LINK"] and rows, patience=3.0)

    assert (row["src"], row["dst"]) == ("201", "203")
    assert (_phone(row["srcchan"]), _phone(row["dstchan"])) == ("201", "203")
    await call.hang_up()
    (ended,) = await until(lambda: _archived(watch, row), len)
    assert (ended["end_reason"], ended["end_exact"], ended["disposition"]) == ("hangup", 1, "ANSWERED")
    assert ended["flags"]["reconstructed"] == "1"
