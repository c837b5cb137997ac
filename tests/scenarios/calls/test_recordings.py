"""Every recording gives the legs of its table, whatever part of it was seen, and however often it was read."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec import to_builtins
from msgspec.structs import replace

from legbook.calls import Talk
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Entry, Event
from tests.recorded import (
    RECORDINGS,
    RING_GROUP,
    entries,
    expected,
    expected_talks,
    first_line,
    fold,
    name_of,
    new_state,
)

TOLERANCE = 0.05  # seconds

recordings = pytest.mark.parametrize("recording", RECORDINGS, ids=name_of)


def _seconds(moment: datetime | None, since: datetime) -> float | None:
    return None if moment is None else (moment - since).total_seconds()


def _close(cell: str, found: float | None) -> bool:
    """`~` stands before an estimate: the number is the earliest that is right, a restart takes up to 3 s."""
    if cell in {"-", "open"}:
        return found is None
    if found is None:
        return False
    if cell.startswith("~"):
        return -TOLERANCE <= found - float(cell[1:]) <= 3
    return abs(float(cell) - found) <= TOLERANCE


def _text(value: object) -> str:
    return "-" if value in {None, ""} else str(value)


def _flags(leg: Leg) -> str:
    said = to_builtins(leg.flags)
    return ",".join(n if said[n] is True else f"{n}={said[n]}" for n in sorted(said)) or "-"


def _same_holds(cell: str, leg: Leg, since: datetime) -> bool:
    said = [re.split("[:-]", hold) for hold in cell.split(",") if hold != "-"]
    found = [(h.holder, _seconds(h.start, since), _seconds(h.end, since)) for h in leg.held]
    return [who for who, _, _ in said] == [who for who, _, _ in found] and all(
        _close(start, began) and _close(end, ended)
        for (_, start, end), (_, began, ended) in zip(said, found, strict=True)
    )


def _words(leg: Leg) -> dict[str, str]:
    ended = leg.state == "ended"
    return {
        "kind": leg.kind,
        "src": _text(leg.src),
        "dst": _text(leg.dst),
        "dialled": _text(leg.dialled),
        "exten": _text(leg.exten),
        "did": _text(leg.didnumber),
        "caller": _text(leg.srcdevice),
        "called": _text(leg.dstdevice),
        "queue": _text(leg.queue),
        "disposition": _text(leg.disposition),
        "cause": _text(leg.hangupcause),
        "dialstatus": _text(leg.dialstatus),
        "flags": _flags(leg),
        "peer": _text(leg.peer and leg.peer.device),
        "end_reason": _text(leg.end_reason) if ended else "-",
    }


def _key(leg: Leg) -> tuple[str, str, str]:
    return leg.kind, leg.srcuid or "-", leg.dstuid or "-"


@recordings
def test_legs_equal_the_table(recording: Path) -> None:
    since = first_line(recording)

    legs = {_key(leg): leg for leg in fold(entries(recording)).legs}

    rows = {(row["kind"], row["srcuid"], row["dstuid"]): row for row in expected(recording)}
    assert legs.keys() == rows.keys()
    for key, row in rows.items():
        leg = legs[key]
        wanted = {"end_reason": "hangup", **row}
        wanted["flags"] = ",".join(sorted(wanted["flags"].split(",")))
        words = _words(leg)
        assert words == {name: wanted[name] for name in words}, key
        for name in ("born", "start", "ring", "answer", "end"):
            found = _seconds(getattr(leg, name), since)
            assert _close(row[name], found), (key, name, row[name], found)
        assert _close(row["billsec"], leg.billsec if leg.state == "ended" else None), key
        assert _same_holds(row["held"], leg, since), key
        assert leg.end_exact == (not row["end"].startswith("~"))
        assert leg.answered == (row["answer"] != "-")


@recordings
def test_talks_equal_the_table(recording: Path) -> None:
    since = first_line(recording)

    folded = fold(entries(recording))
    assert folded.state.now is not None
    told = [*folded.talks, *folded.state.advance(folded.state.now + timedelta(seconds=1))]
    talks = sorted((t for t in told if isinstance(t, Talk)), key=lambda t: (str(t.start), t.channels))

    rows = [row for row in expected_talks(recording) if row["end"] != "open"]
    rows.sort(key=lambda row: (float(row["start"]), row["channels"]))
    assert [(",".join(t.channels), ",".join(t.devices)) for t in talks] == [
        (row["channels"], row["devices"]) for row in rows
    ]
    for talk, row in zip(talks, rows, strict=True):
        assert _close(row["start"], _seconds(talk.start, since)), row
        assert _close(row["end"], _seconds(talk.end, since)), row


@recordings
def test_nothing_stays_open(recording: Path) -> None:
    folded = fold(entries(recording))

    still = {leg["dstuid"] for leg in expected(recording) if leg["end"] == "open"}
    assert {leg.dstuid for leg in folded.state.legs.values()} == still


def _rows_at(moments: list[float]) -> list[list[str]]:
    """The rows of the ring group as a page would see them, oldest first."""
    placed, since = entries(RING_GROUP), first_line(RING_GROUP)
    state, seen = new_state(), []
    for moment in moments:
        while placed and (_seconds(placed[0].entry.at, since) or 0.0) <= moment:
            each = placed.pop(0)
            state.apply(each.entry, epoch=each.epoch, boot=each.boot)
        rows = sorted(state.legs.values(), key=lambda leg: leg.leg_id)
        seen.append([f"{leg.state} {leg.src}->{leg.dst} {leg.dstdevice} {leg.didnumber}" for leg in rows])
    return seen


def test_the_ring_group_over_time() -> None:
    waiting, dialled, ringing, talking, over = _rows_at([0.3045, 0.315, 0.5, 3.0, 6.5])

    assert waiting == ["waiting 2002->30900  30900"]
    assert dialled == [f"dialing 2002->1000 {phone} 30900" for phone in (201, 202, 203)]
    assert ringing == [f"ringing 2002->1000 {phone} 30900" for phone in (201, 202, 203)]
    assert talking == ["talking 2002->1000 202 30900"]
    assert over == []


def test_the_callers_row_goes_on_as_the_first_phone() -> None:
    changes = fold(entries(RING_GROUP)).changes

    first = changes[0].leg
    same_row = [change.leg for change in changes if change.leg.leg_id == first.leg_id]
    assert first.kind == "caller"
    assert {leg.dstdevice for leg in same_row if leg.kind == "dial"} == {"201"}
    assert {leg.born for leg in same_row} == {first.born}


def test_a_busy_pbx_gives_the_dial_leg_an_id_of_its_own() -> None:
    """A newer id was issued in between: a page that polls `id > last` would lose the call."""
    call = entries(RING_GROUP)
    cut = next(i for i, each in enumerate(call) if getattr(each.entry, "name", "") == "DialBegin")
    other = [_of_another_call(each.entry) for each in call[:cut]]
    merged: list[Entry] = [*(each.entry for each in call[:cut]), *other, *(each.entry for each in call[cut:])]
    state, legs = new_state(), {}
    for seq, entry in enumerate(merged, 1):
        for change in state.apply(replace(entry, seq=seq), epoch=1):
            leg: Leg | None = getattr(change, "leg", None)
            if leg is not None:
                legs[leg.leg_id] = leg

    reasons = [leg.end_reason for leg in legs.values() if leg.kind == "caller"]
    dials = [leg for leg in legs.values() if leg.kind == "dial"]
    assert "dialled" in reasons
    assert all(dial.leg_id > min(legs) for dial in dials)


def _of_another_call(entry: Entry) -> Entry:
    assert isinstance(entry, Event)
    fields = {
        name: value.replace("pbx1-", "pbx2-") if isinstance(value, str) else value
        for name, value in entry.fields.items()
    }
    return replace(entry, fields=fields)


def test_a_new_boot_closes_every_leg_of_the_old_one() -> None:
    placed, since = entries(RING_GROUP), first_line(RING_GROUP)
    state = fold(placed[: len(placed) // 2]).state
    alive = {leg.leg_id for leg in state.legs.values()}
    later = since + timedelta(seconds=60)
    entry = replace(placed[0].entry, seq=10_000, at=later, received_at=later)

    changes = state.apply(entry, epoch=1, boot=int(since.timestamp()) + 30)

    ended = [change.leg for change in changes if hasattr(change, "leg")]
    assert {leg.leg_id for leg in ended} == alive != set()
    assert {(leg.end_reason, leg.end_exact, leg.rule) for leg in ended} == {("pbx_restart", False, "links.1")}
    assert all(
        leg.end is not None and leg.start is not None and leg.start <= leg.end < later for leg in ended
    )
    assert state.legs == {}


def test_without_times_there_are_legs_but_no_times() -> None:
    placed = entries(RING_GROUP)
    timeless = [replace(each.entry, at=None, received_at=None) for each in placed]
    state, legs = new_state(), []
    for entry in timeless:
        legs += [c.leg for c in state.apply(entry, epoch=1) if hasattr(c, "leg") and c.leg.state == "ended"]

    assert [(leg.dstdevice, leg.disposition, leg.start, leg.answer, leg.end) for leg in legs] == [
        (leg.dstdevice, leg.disposition, None, None, None) for leg in legs
    ]
    assert sorted(leg.dstdevice for leg in legs) == ["201", "202", "203"]


def test_ids_grow_and_carry_the_number_of_the_pbx() -> None:
    legs = fold(entries(RING_GROUP)).legs

    ids = [leg.leg_id for leg in legs]
    assert ids == sorted(ids)
    assert {leg_id & 0xFFF for leg_id in ids} == {1}
    born = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ids[0] >> 12)
    assert abs(born - first_line(RING_GROUP)) < timedelta(seconds=1)
