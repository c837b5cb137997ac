from datetime import UTC, datetime
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cdr_archiver.columns import NAMES, row
from cdr_archiver.table import Table
from legbook.contracts.legs import Flags, Hold, Interval, Leg, Peer
from legbook.runtime.stop import CannotStartError, FatalError
from tests.integration.cdr_archiver.conftest import settings_of
from tests.unit.cdr_archiver.samples import answered, at, leg


async def put(table: Table, *legs: Leg) -> dict[int, str]:
    """Stores them; gives the refused ones with the reason."""
    parts = [part async for part in table.insert([row(one) for one in legs])]
    return {legs[part.begin].leg_id: part.refused for part in parts if part.refused is not None}


def read(archive: Client, sql: str) -> list[dict[str, Any]]:
    return list(archive.query(sql, tz_mode="aware").named_results())


def test_the_table_has_our_columns_in_our_order(archive: Client) -> None:
    found = read(
        archive, "SELECT name FROM system.columns WHERE table = 'mycdr' AND database = currentDatabase()"
    )
    assert tuple(line["name"] for line in found) == NAMES


async def test_what_goes_in_comes_out(table: Table, archive: Client) -> None:
    one = answered(
        7,
        srcname="Zoë 😀 'x' \\",
        src_up=at(0.000001),
        hangupcause=16,
        talks=[
            Interval(start=at(2), end=at(6), devices=["sipto45", "203"]),
            Interval(start=at(6), devices=[]),
        ],
        held=[Hold(holder="201", start=at(3), end=at(4)), Hold(holder="202", start=at(5))],
        flags=Flags(consult=True, after_transfer_by="201"),
        peer=Peer(num="9", name="N", chan="PJSIP/9-1", uid="1.9", device="9"),
    )
    assert await put(table, one) == {}
    (found,) = read(archive, "SELECT * FROM mycdr")
    assert found["srcname"] == one.srcname
    assert (found["calldate"], found["answer"], found["end"]) == (at(0), at(2), at(6))
    assert (found["src_up"], found["ring"], found["hangupcause"]) == (at(0.000001), at(0.1), 16)
    assert (found["billsec"], found["duration_exact"], found["ring_seconds"]) == (4, 6.0, 2.0)
    assert found["talks"] == [
        {"start": at(2), "end": at(6), "devices": ["sipto45", "203"]},
        {"start": at(6), "end": None, "devices": []},
    ]
    assert [hold["holder"] for hold in found["held"]] == ["201", "202"]
    assert found["flags"] == {"consult": "1", "after_transfer_by": "201"}
    assert (found["ver"], found["peer_device"], found["answered"]) == (one.ver, "9", True)


async def test_a_batch_inserted_twice_changes_nothing(table: Table, archive: Client) -> None:
    legs = [leg(number) for number in range(1, 500)]
    await put(table, *legs)
    before = read(archive, "SELECT * FROM cdr ORDER BY leg_id")
    await put(table, *legs)
    assert read(archive, "SELECT * FROM cdr ORDER BY leg_id") == before
    assert len(before) == 499


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_the_highest_version_wins_in_whatever_order_it_came(
    table: Table, archive: Client, order: tuple[int, int]
) -> None:
    states = (answered(7, end_exact=False), answered(7, seq=2**32 - 1, end=at(5)))
    for place in order:
        await put(table, states[place])
    assert read(archive, "SELECT end, end_exact FROM cdr") == [{"end": at(5), "end_exact": True}]


async def test_a_newer_epoch_beats_every_seq_of_an_older_one(table: Table, archive: Client) -> None:
    await put(table, leg(7, epoch=100, seq=2**32 - 1, dst="old"), leg(7, epoch=101, seq=1, dst="new"))
    assert read(archive, "SELECT dst FROM cdr") == [{"dst": "new"}]


async def test_the_same_leg_id_of_two_pbxs_is_two_legs(table: Table, archive: Client) -> None:
    await put(table, leg(7, pbx="hq"), leg(7, pbx="branch"))
    assert len(read(archive, "SELECT pbx FROM cdr")) == 2


async def test_what_the_client_refuses_stays_out_alone(table: Table, archive: Client) -> None:
    legs = [leg(number, hangupcause=2**40 if number in {3, 90} else 16) for number in range(1, 101)]
    refused = await put(table, *legs)
    assert sorted(refused) == [3, 90]
    assert "hangupcause" in refused[3]
    assert read(archive, "SELECT count() AS n FROM cdr") == [{"n": 98}]


async def test_what_the_server_refuses_stays_out_alone(table: Table, archive: Client) -> None:
    archive.command("ALTER TABLE mycdr MODIFY COLUMN kind Enum8('dial' = 1, 'caller' = 2)")
    refused = await put(table, leg(1), leg(2, kind="bridge"), leg(3))
    assert list(refused) == [2]
    assert "bridge" in refused[2]
    assert read(archive, "SELECT leg_id FROM cdr ORDER BY leg_id") == [{"leg_id": 1}, {"leg_id": 3}]


async def test_legs_of_many_months_fit_in_one_insert(table: Table, archive: Client) -> None:
    dates = [datetime(1950 + number // 12, 1 + number % 12, 5, tzinfo=UTC) for number in range(150)]
    assert await put(table, *(leg(n, born=date, start=date) for n, date in enumerate(dates, 1))) == {}
    assert read(archive, "SELECT count() AS n FROM cdr") == [{"n": 150}]


async def test_a_table_that_goes_away_ends_the_process(table: Table, archive: Client) -> None:
    archive.command("DROP TABLE mycdr")
    with pytest.raises(FatalError, match="mycdr is not what it was"):
        await put(table, leg(1))


async def test_a_missing_database_is_told_with_the_command(url: str) -> None:
    with pytest.raises(CannotStartError, match=r"CLICKHOUSE_URL: there is no database .* legbook migrate"):
        await Table(settings_of(url)).open()


async def test_a_missing_column_is_told_with_the_command(archive: Client, url: str) -> None:
    archive.command("ALTER TABLE mycdr DROP COLUMN held")
    table = Table(settings_of(url))
    with pytest.raises(CannotStartError, match=r"mycdr has no column held; run: legbook migrate"):
        await table.open()
    await table.close()


async def test_a_column_of_somebody_else_does_no_harm(archive: Client, url: str) -> None:
    archive.command("ALTER TABLE mycdr ADD COLUMN tenant String DEFAULT 'x' FIRST")
    table = Table(settings_of(url))
    await table.open()
    assert await put(table, leg(1)) == {}
    await table.close()
