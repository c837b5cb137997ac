"""The examples in Python do what their pages say, on real servers, with real services and a PBX that plays calls."""

import json
import sqlite3
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from msgspec.structs import replace

from legbook.contracts import codec
from legbook.contracts.examples import TRANSFERRED
from legbook.contracts.legs import Leg
from legbook.contracts.topics import CDR, partition_of
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.devstack.processes import free_ports
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.settings import KafkaSettings
from tests.docs.conftest import PBX, QUIET, example
from tests.docs.hanging_up import hung_up
from tests.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="package")


async def test_live_legs_says_what_is_live_and_then_every_change(world: World, calls: Watch) -> None:
    async with example(world, "live_legs.py") as reader:
        count = int((await reader.says(r"^(\d+) live legs$"))[1])
        told = [(await reader.says(""))[0] for _ in range(count)]
        assert not [line for line in reader.lines if line.endswith(" over")]
        assert len(told) == count
        born = await reader.says(rf"^({PBX}\|\d+) ringing 2002 -> 1000 on 202$")
        await reader.says(rf"^{born[1].replace('|', '[|]')} talking 2002 -> 1000 on 202$")
        await reader.says(rf"^{born[1].replace('|', '[|]')} over$")


async def publish(world: World, *legs: Leg) -> None:
    settings = KafkaSettings(bootstrap_servers=world.env["KAFKA_BOOTSTRAP_SERVERS"])
    async with kafka.producer(settings) as producer:
        for leg in legs:
            record = Record(CDR.name, f"{leg.pbx}|{leg.leg_id}".encode(), codec.encode(leg))
            await kafka.deliver(producer, record, partition_of(leg.pbx, 4))


async def test_finished_legs_has_each_leg_once_and_as_it_is_now(
    world: World, calls: Watch, tmp_path: Path
) -> None:
    database = tmp_path / "billing.db"
    leg = replace(TRANSFERRED, pbx="shop")
    newer = replace(leg, seq=leg.seq + 1, billsec=99.5)
    await publish(world, newer, leg)
    for expected in (["shop", "shop", PBX], [PBX]):  # killed, and started again
        async with example(world, "finished_legs.py", BILLING_DB=str(database)) as reader:
            for pbx in expected:
                await reader.says(rf"^{pbx} \d+ ANSWERED \d")

    bills = billed(database)
    assert bills[leg.pbx, leg.leg_id]["billsec"] == newer.billsec
    found = {leg_id: bill for (pbx, leg_id), bill in bills.items() if pbx == PBX}
    ids = ", ".join(map(str, found))
    rows = await until(
        lambda: calls.query(
            f"SELECT leg_id, dst, disposition, billsec_exact FROM cdr WHERE pbx = '{PBX}' AND leg_id IN ({ids})"
        ),
        lambda rows: len(rows) == len(found),
    )
    for row in rows:
        mine = found[row["leg_id"]]
        assert (mine["dst"], mine["disposition"]) == (row["dst"], row["disposition"])
        assert mine["billsec"] == pytest.approx(row["billsec_exact"])


def billed(database: Path) -> dict[tuple[str, int], dict[str, Any]]:
    table = sqlite3.connect(database)
    table.row_factory = sqlite3.Row
    try:
        return {(row["pbx"], row["leg_id"]): dict(row) for row in table.execute("SELECT * FROM legs")}
    finally:
        table.close()


async def test_hangup_hangs_up_and_says_what_it_cannot(world: World, calls: Watch) -> None:
    leg_id = await hung_up(world, calls, "hangup.py")
    await until(lambda: leg_id in {row["id"] for row in calls.live()}, lambda there: not there)

    async with example(world, "hangup.py", PBX, "4097") as asked:
        code, said = await asked.ends()
    assert (code, said.split()[:2]) == (1, ["rejected", "unknown_leg"])


async def test_click_to_dial_rings_the_phone_and_dials_for_it(world: World, calls: Watch) -> None:
    async with example(world, "click_to_dial.py", QUIET, "PJSIP/201", "90555123") as asked:
        code, said = await asked.ends()
    assert (code, said.split()[0]) == (0, "done"), said
    rows = await until(
        lambda: [row for row in calls.live() if (row["pbx"], row["didnumber"]) == (QUIET, "")],
        lambda rows: len(rows) == 2,
    )
    assert [(row["src"], row["dst"]) for row in rows] == [("", "201"), ("201", "90555123")]

    async with example(world, "click_to_dial.py", QUIET, "PJSIP/door", "90555123") as asked:
        code, said = await asked.ends()
    assert (code, said.split()[:2]) == (1, ["rejected", "not_allowed"])


def get(port: int, path: str) -> str:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
        text: str = answer.read().decode()
        return text


async def test_screen_pop_shows_the_calls_of_one_phone(world: World, calls: Watch) -> None:
    (port,) = free_ports(1)

    def asked(pbx: str, phone: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(get(port, f"/calls?pbx={quote(pbx)}&phone={quote(phone)}"))
        return found

    async with example(world, "screen_pop.py", str(port)):
        await until(lambda: reached(port))
        rows = await until(lambda: asked(PBX, "PJSIP/202"), bool)
        assert {(row["src"], row["didnumber"]) for row in rows} == {("2002", "30900")}
        assert {row["disposition"] for row in rows} <= {"DIAL", "RINGING", "LINK"}
        await until(lambda: {row["disposition"] for row in asked(PBX, "pjsip/202")}, lambda d: "RINGING" in d)
        assert "textContent" in get(port, "/")
        for phone in ("pjsip/20_", "pjsip/%", "' OR ''='", "\\"):
            assert asked(PBX, phone) == []
        assert asked("branch", "pjsip/202") == []


def reached(port: int) -> bool:
    try:
        return bool(get(port, "/"))
    except OSError:
        return False


async def test_screen_pop_topic_says_each_call_to_one_phone_once(world: World, calls: Watch) -> None:
    async with example(world, "screen_pop_topic.py", PBX, "202") as pop:
        await pop.says("^listening$")
        ids = [int((await pop.says(r"^(\d+) 2002 .*for 30900$"))[1]) for _ in range(3)]
    assert len(set(ids)) == 3
    rows = await until(
        lambda: calls.query("SELECT leg_id, dstdevice FROM cdr WHERE pbx = 'hq'"),
        lambda rows: set(ids) <= {row["leg_id"] for row in rows},
    )
    assert {row["dstdevice"] for row in rows if row["leg_id"] in ids} == {"202"}
