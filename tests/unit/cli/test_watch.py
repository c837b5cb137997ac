"""Which legs are shown, what is said of a change, and what makes the rows less than the truth."""

import io
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from rich.console import Console

from legbook.cli import rows
from legbook.cli.watch import View, Wanted
from legbook.contracts import codec
from legbook.contracts.examples import INGEST, PROJECTOR, RINGING, WAITING
from legbook.contracts.legs import Leg, Peer
from legbook.contracts.topics import LEGS, STATUS

PEER = Peer(num="2002", name="", chan="x", uid="1.9", device="x", didnumber="30999")


@pytest.mark.parametrize(
    ("wanted", "shown"),
    [
        (Wanted(), True),
        (Wanted(pbx="hq"), True),
        (Wanted(pbx="branch"), False),
        (Wanted(did="30900"), True),
        (Wanted(did="30901"), False),
        (Wanted(queue="500"), False),
        (Wanted(phone="202"), True),
        (Wanted(phone="sipto45"), True),
        (Wanted(phone="20"), False),
        (Wanted(pbx="hq", did="30900", phone="202"), True),
        (Wanted(pbx="hq", did="30900", phone="203"), False),
    ],
)
def test_what_is_asked_for(wanted: Wanted, shown: bool) -> None:  # noqa: FBT001
    assert (RINGING in wanted) is shown


def test_a_row_that_shows_a_peer_is_found_by_the_number_that_it_shows() -> None:
    assert replace(RINGING, peer=PEER) in Wanted(did="30999")


def record(topic: str, key: str, value: Any) -> Any:
    encoded = None if value is None else value if isinstance(value, bytes) else codec.encode(value)
    return SimpleNamespace(topic=topic, key=key.encode(), value=encoded, partition=0, offset=7)


def view(*legs: Leg) -> View:
    made = View({"hq": UTC})
    for leg in legs:
        made.put(record(LEGS.name, f"{leg.pbx}|{leg.leg_id}", leg))
    return made


def test_rows_are_those_of_curcdr_by_id() -> None:
    made = view(WAITING, RINGING)

    found = made.rows(Wanted())

    assert [row["id"] for row in found] == sorted([WAITING.leg_id, RINGING.leg_id])
    (ringing,) = [row for row in found if row["id"] == RINGING.leg_id]
    assert (ringing["src"], ringing["didnumber"], ringing["disposition"]) == ("2002", "30900", "RINGING")
    assert ringing["starttime"] == "2026-11-23 01:36:19"


def test_a_tombstone_is_the_end_and_nonsense_is_told() -> None:
    made = view(RINGING)
    made.put(record(LEGS.name, f"hq|{RINGING.leg_id}", None))
    made.put(record(LEGS.name, "hq|1", b"nonsense"))

    assert made.rows(Wanted()) == []
    assert "pbx.calls.legs.v1 0:7" in made.troubles(Wanted())[0]


def test_a_listener_that_is_down_is_told_to_those_who_look_at_its_pbx() -> None:
    now = datetime.now(UTC)
    made = view()
    made.put(record(STATUS.name, "hq|ingest", replace(INGEST, at=now - timedelta(minutes=3))))
    made.put(record(STATUS.name, "hq|projector", replace(PROJECTOR, at=now)))

    assert "hq: its listener is down" in made.troubles(Wanted())[0]
    assert made.troubles(Wanted(pbx="branch")) == []


def test_changes_one_line_each() -> None:
    told = rows.Changes()
    made = view(WAITING)

    first = list(told.told(made.rows(Wanted())))
    assert list(told.told(made.rows(Wanted()))) == []
    gone = list(told.told([]))

    assert first == [f"curcdr {WAITING.leg_id} hq RING    {WAITING.src} -> {WAITING.dst} on nobody yet"]
    assert gone == [f"curcdr {WAITING.leg_id} gone"]


def test_the_table_has_no_cell_that_moves_the_cursor() -> None:
    console = Console(width=200, file=io.StringIO(), record=True)
    console.print(rows.table(view(replace(RINGING, src="a\x1b[2J")).rows(Wanted()), "1 live legs"))

    assert "a\\x1b[2J" in console.export_text()
