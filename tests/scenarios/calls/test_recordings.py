"""Every recording gives the legs of its table, whatever part of it was seen, and however often it was read."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from legbook.calls import PbxState, Talk
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
    return found is None if cell == "-" else found is not None and abs(float(cell) - found) <= TOLERANCE


def _text(value: object) -> str:
    return "-" if value in {None, ""} else str(value)


@recordings
def test_legs_equal_the_table(recording: Path) -> None:
    since = first_line(recording)

    legs = {(leg.srcuid or "-", leg.dstuid or "-"): leg for leg in fold(entries(recording)).legs}

    rows = {(row["srcuid"], row["dstuid"]): row for row in expected(recording)}
    assert legs.keys() == rows.keys()
    for uid, row in rows.items():
        leg = legs[uid]
        words = {
            "kind": leg.kind,
            "src": leg.src,
            "dst": leg.dst,
            "dialled": _text(leg.dialled),
            "exten": _text(leg.exten),
            "did": _text(leg.didnumber),
            "caller": leg.srcdevice,
            "called": _text(leg.dstdevice),
            "queue": _text(leg.queue),
            "disposition": str(leg.disposition),
            "cause": str(leg.hangupcause),
        }
        assert words == {name: row[name] for name in words}
        for name in ("born", "start", "ring", "answer", "end"):
            found = _seconds(getattr(leg, name), since)
            assert _close(row[name], found), (name, row[name], found)
        assert abs(leg.billsec - float(row["billsec"])) <= TOLERANCE
        assert (leg.end_reason, leg.end_exact, leg.answered) == ("hangup", True, row["answer"] != "-")


@recordings
def test_talks_equal_the_table(recording: Path) -> None:
    since = first_line(recording)

    folded = fold(entries(recording))
    assert folded.state.now is not None
    told = [*folded.talks, *folded.state.advance(folded.state.now + timedelta(seconds=1))]
    talks = {(",".join(t.channels), ",".join(t.devices)): t for t in told if isinstance(t, Talk)}

    rows = {(row["channels"], row["devices"]): row for row in expected_talks(recording)}
    assert talks.keys() == rows.keys()
    for who, row in rows.items():
        assert _close(row["start"], _seconds(talks[who].start, since)), who
        assert _close(row["end"], _seconds(talks[who].end, since)), who


@recordings
def test_nothing_stays_open(recording: Path) -> None:
    folded = fold(entries(recording))

    assert folded.state.legs == {}


@recordings
def test_every_suffix_ends_closed_and_invents_nothing(recording: Path) -> None:
    """Whoever connects in mid-call gets fewer legs or estimated ones, never a stuck or a foreign one."""
    placed = entries(recording)
    whole = {leg.dstuid for leg in fold(placed).legs}
    for first in range(1, len(placed)):
        folded = fold(placed[first:])

        assert folded.state.legs == {}
        assert {leg.dstuid for leg in folded.legs if leg.kind == "dial"} <= whole


@recordings
def test_a_resent_entry_changes_nothing(recording: Path) -> None:
    placed = entries(recording)
    twice = [each for pair in zip(placed, placed, strict=True) for each in pair]

    assert fold(twice).changes == fold(placed).changes


@recordings
def test_every_checkpoint_folds_on_as_if_nothing_had_happened(recording: Path) -> None:
    placed = entries(recording)
    uninterrupted = fold(placed).changes
    for cut in range(0, len(placed), 7):
        before = fold(placed[:cut])
        after = fold(placed[cut:], PbxState.load(before.state.dump(), 1, ("from-trunk",)))

        assert before.changes + after.changes == uninterrupted


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

    assert waiting == ["waiting 2002->30900  "]
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
    assert {(leg.end_reason, leg.end_exact, leg.rule) for leg in ended} == {
        ("pbx_restart", False, "links.new_boot")
    }
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
