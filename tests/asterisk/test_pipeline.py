"""The seed's picture against a real Asterisk 22, with real phones: rows, archive, and Asterisk's own CDR agree."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from legbook.demo.watch import Watch
from legbook.demo.world import SECRET_VARIABLE, World
from tests.asterisk.pbx import Asterisk
from tests.asterisk.scenario import Phones, ring_group_call
from tests.waiting import until

pytestmark = pytest.mark.asterisk


@pytest.fixture(scope="module")
def world(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with World(tmp_path_factory.mktemp("world")) as world:
        world.fleet({"hq": asterisk.ami_port})
        world.start(**{SECRET_VARIABLE: asterisk.ingest_secret})
        world.wait_ready()
        yield world


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
    asterisk: Asterisk, phones: Phones, world: World
) -> None:
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    try:
        call = await _call(asterisk, watch, phones)
        rows = await until(
            lambda: watch.query("SELECT * FROM cdr ORDER BY leg_id"), lambda rows: len(rows) == 3
        )
    finally:
        watch.close()

    ours = {row["dstdevice"]: (row["disposition"], row["billsec"]) for row in rows}
    theirs = {cdr.called: (cdr.disposition, cdr.billsec) for cdr in call.cdrs if cdr.called}
    assert ours.keys() == theirs.keys() == {"201", "202", "203"}
    for phone, (disposition, billsec) in theirs.items():
        assert ours[phone][0] == disposition
        assert abs(ours[phone][1] - billsec) <= 1
    assert ours["202"][0] == "ANSWERED"
    assert abs(ours["202"][1] - 4) <= 1
