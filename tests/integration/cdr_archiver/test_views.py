from pathlib import Path
from typing import Any

import pytest
from clickhouse_connect.driver.client import Client

from cdr_archiver.table import Table
from legbook.cli.fold import Folded, fold_entries
from legbook.cli.recordings import read as recording
from legbook.contracts.legs import Flags, Interval
from tests.integration.cdr_archiver.test_table import put, read
from tests.recorded import PLAYED
from tests.unit.cdr_archiver.samples import answered, at, leg


def call(archive: Client) -> dict[str, Any]:
    (found,) = read(archive, "SELECT * FROM calls")
    return found


async def test_a_ring_group_of_three_is_one_call(table: Table, archive: Client) -> None:
    phones = {
        name: {"dstdevice": name, "dialstring": name, "dstuid": f"1.{name}"} for name in ("201", "202", "203")
    }
    await put(
        table,
        leg(1, **phones["201"], didnumber="30900", end=at(2)),
        answered(2, **phones["202"]),
        leg(3, **phones["203"], end=at(2)),
    )
    found = call(archive)
    assert (found["legs"], found["phones_rung"]) == (3, 3)
    assert (found["src"], found["dst"], found["didnumber"]) == ("2002", "1000", "30900")
    assert (found["answered"], found["answered_by"], found["disposition"]) == (True, "202", "ANSWERED")
    assert (found["started"], found["answered_at"], found["ended"]) == (at(0), at(2), at(6))
    assert (found["ring_seconds"], found["talk_seconds"], found["duration_seconds"]) == (2.0, 4.0, 6.0)
    assert not found["self_service"]


async def test_a_call_that_nobody_answered_rang_to_its_end(table: Table, archive: Client) -> None:
    await put(table, leg(1, born=at(-5)), leg(2, dstdevice="202", disposition="BUSY", end=at(3)))
    found = call(archive)
    assert (found["answered"], found["answered_by"], found["answered_at"]) == (False, "", None)
    assert (found["ring_seconds"], found["duration_seconds"], found["talk_seconds"]) == (10.0, 15.0, 0.0)
    assert found["disposition"] == "NO ANSWER"


async def test_a_phone_that_is_called_again_is_one_phone(table: Table, archive: Client) -> None:
    await put(table, leg(1), leg(2, born=at(12), start=at(12), end=at(20)))
    assert (call(archive)["phones_rung"], call(archive)["legs"]) == (1, 2)


async def test_numbers_behind_one_trunk_are_phones_each(table: Table, archive: Client) -> None:
    await put(table, *(leg(n, dstdevice="trunk", dialstring=f"trunk/{n}") for n in (1, 2)))
    assert call(archive)["phones_rung"] == 2


async def test_talk_of_a_transferred_call_adds_up(table: Table, archive: Client) -> None:
    second = {"born": at(6), "start": at(6), "answer": at(8), "end": at(11), "billsec": 3.0, "dst": "203"}
    await put(table, answered(1), answered(2, **second, dstdevice="203"))
    found = call(archive)
    assert (found["talk_seconds"], found["answered_by"], found["dst"]) == (7.0, "201", "1000")
    assert found["ended"] == at(11)


async def test_a_caller_with_nobody_rung_is_self_service(table: Table, archive: Client) -> None:
    await put(table, leg(1, kind="caller", dstdevice="", dialstring="", disposition="ANSWERED", src_up=at(1)))
    found = call(archive)
    assert (found["self_service"], found["answered"], found["disposition"]) == (True, False, "ANSWERED")
    assert (found["phones_rung"], found["ring_seconds"], found["legs"]) == (0, 0.0, 1)


async def test_a_leg_in_a_talk_makes_the_call_answered(table: Table, archive: Client) -> None:
    await put(table, leg(1, kind="caller", talks=[Interval(start=at(1), end=at(2), devices=["205"])]))
    assert call(archive)["answered"]


async def test_a_spy_is_no_part_of_a_call(table: Table, archive: Client) -> None:
    await put(table, answered(1), answered(2, flags=Flags(spy_on="201"), linkedid="1.2"))
    assert call(archive)["legs"] == 1
    assert len(read(archive, "SELECT 1 FROM cdr")) == 2


async def test_calls_are_told_apart_by_pbx_and_final_linkedid(table: Table, archive: Client) -> None:
    await put(table, leg(1), leg(2, pbx="branch"), leg(3, linkedid="1.3", linkedid_first="1795390000.1"))
    assert read(archive, "SELECT count() AS n FROM calls") == [{"n": 3}]


async def test_legs_without_linkedid_are_calls_of_their_own(table: Table, archive: Client) -> None:
    await put(table, leg(1, linkedid=""), leg(2, linkedid=""))
    assert read(archive, "SELECT linkedid FROM calls ORDER BY 1") == [{"linkedid": "1"}, {"linkedid": "2"}]


async def test_a_correction_corrects_the_call(table: Table, archive: Client) -> None:
    await put(table, leg(1, end_exact=False))
    await put(table, answered(1, seq=2))
    assert (call(archive)["answered"], call(archive)["end_exact"]) == (True, True)


async def test_a_leg_to_be_forgotten_is_in_no_view(table: Table, archive: Client) -> None:
    await put(table, leg(1))
    archive.command("INSERT INTO mycdr SELECT * REPLACE (1 AS is_deleted, ver + 1 AS ver) FROM mycdr")
    assert read(archive, "SELECT 1 FROM cdr") == read(archive, "SELECT 1 FROM calls") == []


@pytest.mark.parametrize("file", PLAYED, ids=lambda file: f"{file.parent.name}-{file.name[:2]}")
async def test_real_calls_are_counted_as_the_fold_counts_them(
    table: Table, archive: Client, file: Path
) -> None:
    folded = Folded()
    fold_entries(recording(file, "hq"), folded)
    assert await put(table, *folded.shown(everything=False)) == {}
    (found,) = read(
        archive,
        "SELECT count() AS calls, countIf(answered) AS answered_calls, sum(legs) AS legs, "
        "countIf(NOT answered AND NOT self_service) AS missed_calls FROM calls",
    )
    assert found == {name: folded.summary()[name] for name in found}
