import re
from datetime import UTC, datetime, timedelta
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cdr_archiver.columns import NAMES, OutOfRangeError, between, micros, ring_seconds, row, whole
from legbook.contracts.codec import decode_leg, encode
from legbook.contracts.legs import Flags, Hold, Interval, Leg, Peer
from tests.unit.cdr_archiver.samples import answered, at, leg


def cells(one: Leg) -> dict[str, object]:
    return dict(zip(NAMES, row(one), strict=True))


def test_columns_are_those_of_the_table_in_its_order() -> None:
    sql = files("cdr_archiver").joinpath("sql/0001_mycdr.sql").read_text()
    table = sql.partition("mycdr (\n")[2].partition("INDEX")[0]
    assert tuple(re.findall(r"^  (\w+) ", table, re.MULTILINE)) == NAMES


def test_every_field_of_a_leg_is_in_the_row() -> None:
    """But those that the row says in other words, or that all finished legs share."""
    renamed = {
        "srcchan": "channel",
        "dstchan": "dstchannel",
        "epoch": "ver",
        "seq": "ver",
        "peer": "peer_num",
    }
    left_out = {"v", "state", "src_gone"}  # src_gone matters to the live row only
    assert {renamed.get(name, name) for name in set(Leg.__struct_fields__) - left_out} <= set(NAMES)


def test_calldate_is_the_start_then_the_birth_then_what_the_id_says() -> None:
    first = int(timedelta(days=1).total_seconds() * 1000) << 12 | 7
    assert cells(leg(1, start=at(3), born=at(1)))["calldate"] == micros(at(3))
    assert cells(leg(1, start=None, born=at(1)))["calldate"] == micros(at(1))
    assert cells(leg(first, start=None, born=None))["calldate"] == micros(datetime(2025, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, 0), (0.000001, 1), (0.4, 1), (1.49, 1), (1.5, 2), (2.5, 3), (59.999, 60)]
)
def test_whole_seconds_are_rounded_and_never_say_that_there_was_nothing(
    seconds: float, expected: int
) -> None:
    assert whole(seconds) == expected


@given(st.floats(0, 1e6), st.floats(0, 1e6))
def test_rounding_keeps_order_so_duration_minus_billsec_is_never_negative(one: float, other: float) -> None:
    assert whole(max(one, other)) >= whole(min(one, other))


def test_seconds_of_an_answered_leg() -> None:
    found = cells(answered(1, billsec=3.56, billsec_leg_a=5.9, src_up=at(0.1)))
    assert (found["duration"], found["duration_exact"]) == (6, 6.0)
    assert (found["billsec"], found["billsec_exact"]) == (4, 3.56)
    assert (found["billsec_leg_a"], found["billsec_leg_a_exact"]) == (6, 5.9)
    assert found["ring_seconds"] == 2.0


def test_ring_seconds_are_of_phones_only() -> None:
    assert ring_seconds(leg(1)) == 10.0
    assert ring_seconds(leg(1, kind="caller")) == 0.0


def test_unknown_times_are_no_seconds() -> None:
    assert between(None, at(1)) == between(at(1), None) == 0.0
    assert between(at(2), at(1)) == 0.0


def test_what_is_not_so_is_not_among_the_flags() -> None:
    assert cells(leg(1))["flags"] == {}
    some = Flags(consult=True, picked_up_by="205", queue_abandoned=True)
    assert cells(leg(1, flags=some))["flags"] == {
        "consult": "1",
        "picked_up_by": "205",
        "queue_abandoned": "1",
    }


def test_lists_and_the_peer() -> None:
    one = leg(
        1,
        talks=[
            Interval(start=at(1), end=at(2), devices=["sipto45", "201"]),
            Interval(start=at(3), devices=[]),
        ],
        held=[Hold(holder="201", start=at(1), end=at(2))],
        peer=Peer(num="9", name="Zoë", chan="PJSIP/9-1", uid="1.9", device="9"),
    )
    found = cells(one)
    assert found["talks"] == [(micros(at(1)), micros(at(2)), ["sipto45", "201"]), (micros(at(3)), None, [])]
    assert found["held"] == [("201", micros(at(1)), micros(at(2)))]
    names = ("num", "name", "chan", "uid", "device")
    assert [found[f"peer_{name}"] for name in names] == ["9", "Zoë", "PJSIP/9-1", "1.9", "9"]


@pytest.mark.parametrize("column", ["born", "start", "ring", "answer", "end", "src_up"])
@pytest.mark.parametrize("year", [1, 1899, 2300, 9999])
def test_a_time_that_clickhouse_cannot_hold_is_refused_with_the_column_s_name(column: str, year: int) -> None:
    with pytest.raises(OutOfRangeError, match=rf"^(calldate|{column}): 0*{year}-.*outside 1900 to 2299"):
        row(leg(1, **{column: datetime(year, 6, 1, tzinfo=UTC)}))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2299, 12, 31), timezones=st.just(UTC)))  # noqa: DTZ001
def test_microseconds_are_exact(moment: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=micros(moment)) == moment


def test_a_leg_gives_the_same_row_after_it_crossed_kafka() -> None:
    one = answered(1, talks=[Interval(start=at(2), end=at(6), devices=["201"])])
    assert row(decode_leg(encode(one))) == row(one)
