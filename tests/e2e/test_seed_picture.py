"""The seed's picture: trunk 2002 -> ring group 1000 -> 201, 202, 203, at real speed through the whole pipeline."""

from datetime import timedelta
from typing import Any

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.e2e.fleet import play
from tests.recorded import RING_GROUP, expected
from tests.waiting import until

ZERO = "0000-00-00 00:00:00"
TOLERANCE = timedelta(seconds=0.05)


def _mine(watch: Watch) -> list[dict[str, Any]]:
    return [row for row in watch.live() if row["pbx"] == "seed"]


def _device(channel: str) -> str:
    return channel.partition("/")[2].rpartition("-")[0]


async def test_ring_group_from_socket_to_both_tables(
    world: World, watch: Watch, ports: dict[str, int]
) -> None:
    async with play("seed", [RING_GROUP], ports) as pbx:
        first = await until(lambda: _mine(watch))
        caller_row = first[0]["id"]
        ringing = await until(
            lambda: _mine(watch), lambda rows: [r["disposition"] for r in rows] == ["RINGING"] * 3
        )
        assert [row["id"] for row in ringing] == sorted(row["id"] for row in ringing)
        assert ringing[0]["id"] == caller_row
        for row, phone in zip(ringing, ("201", "202", "203"), strict=True):
            assert (row["src"], row["dst"], row["didnumber"]) == ("2002", "1000", "30900")
            assert _device(row["srcchan"]) == "sipto45"
            assert (_device(row["dstchan"]), row["dialstring"]) == (phone, phone)
            assert (str(row["answertime"]), row["pushcall"], row["monitored"]) == (ZERO, "no", 0)
            assert row["srcchan"] == row["srcchan"].lower()
        assert len({row["srcchan"] for row in ringing}) == 1

        (talking,) = await until(
            lambda: _mine(watch), lambda rows: [r["disposition"] for r in rows] == ["LINK"]
        )
        assert (_device(talking["dstchan"]), talking["id"]) == ("202", ringing[1]["id"])
        assert str(talking["answertime"]) != ZERO
        losers = await until(lambda: _archived(watch), lambda rows: len(rows) == 2)
        assert {(row["dstdevice"], row["disposition"]) for row in losers} == {
            ("201", "NO ANSWER"),
            ("203", "NO ANSWER"),
        }

        await until(lambda: _mine(watch), lambda rows: rows == [])
        rows = await until(lambda: _archived(watch), lambda rows: len(rows) == 3)
        _compare_times(rows, pbx.truth.finished(pbx.now()))

    (call,) = watch.query("SELECT * FROM calls WHERE pbx = 'seed'")
    assert (call["src"], call["dst"], call["didnumber"]) == ("2002", "1000", "30900")
    assert (call["answered_by"], call["phones_rung"], call["answered"]) == ("202", 3, True)
    assert abs(call["talk_seconds"] - 4.0) < 0.05


def _archived(watch: Watch) -> list[dict[str, Any]]:
    return watch.query("SELECT * FROM cdr WHERE pbx = 'seed' ORDER BY leg_id")


def _compare_times(rows: list[dict[str, Any]], truth: list[Any]) -> None:
    """With the recording's times: the truth is its expected table, moved to the time of this round."""
    assert len(truth) == len(expected(RING_GROUP)) == 3
    by_uid = {leg.dstuid: leg for leg in truth}
    for row in rows:
        leg = by_uid[row["dstuid"]]
        assert row["disposition"] == leg.disposition
        assert abs(row["billsec_exact"] - leg.billsec) <= 0.05
        for name in ("born", "start", "ring", "answer", "end"):
            wanted, found = getattr(leg, name), row[name]
            assert (found is None) == (wanted is None), name
            assert found is None or abs(found - wanted.replace(tzinfo=found.tzinfo)) <= TOLERANCE, name
