"""Nobody listened for a while: what a list of the live channels makes of it."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import LegChange
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from legbook.contracts.raw import (
    Drop,
    Entry,
    Event,
    Gap,
    Heartbeat,
    SnapshotBegin,
    SnapshotChannel,
    SnapshotEnd,
)
from tests.recorded import PLAYED, RING_GROUP, entries, fold, name_of, new_state

MICRO = timedelta(microseconds=1)
recordings = pytest.mark.parametrize("recording", PLAYED, ids=name_of)


def _moment(placed: Placed) -> datetime:
    found = placed.entry.at or placed.entry.received_at
    assert found is not None
    return found


def _live(placed: Iterable[Placed]) -> set[str]:
    """Uniqueids of the channels that these events leave alive."""
    alive: set[str] = set()
    for each in placed:
        if isinstance(each.entry, Event) and each.entry.name == "Newchannel":
            alive.add(first(each.entry.fields, "Uniqueid"))
        elif isinstance(each.entry, Event) and each.entry.name == "Hangup":
            alive.discard(first(each.entry.fields, "Uniqueid"))
    return alive


def _snapshot(alive: Iterable[str], time: datetime, *, complete: bool = True) -> list[Entry]:
    """And a heartbeat two seconds later: the grace is over then."""
    later = time + timedelta(seconds=2)
    items = [
        SnapshotChannel(seq=1, at=time, received_at=time, fields={"Uniqueid": uid}) for uid in sorted(alive)
    ]
    count = len(items)
    return [
        SnapshotBegin(seq=1, at=time, received_at=time, watermark=time),
        *items,
        SnapshotEnd(seq=1, at=time, received_at=time, watermark=time, channels=count, complete=complete),
        Heartbeat(seq=1, at=later, received_at=later, state="up"),
    ]


def _renumbered(found: Iterable[Entry]) -> list[Entry]:
    return [replace(entry, seq=seq) for seq, entry in enumerate(found, 1)]


def _legs(found: Iterable[Entry]) -> tuple[list[Leg], list[Leg]]:
    """(the newest state of every leg, those that are still live)."""
    state, newest = new_state(), dict[int, Leg]()
    for entry in _renumbered(found):
        for change in state.apply(entry, epoch=1):
            if isinstance(change, LegChange):
                newest[change.leg.leg_id] = change.leg
    return [leg for leg in newest.values() if leg.end_reason != "dialled"], list(state.legs.values())


def _key(leg: Leg) -> tuple[str, str]:
    return leg.srcuid, leg.dstuid


@recordings
def test_whoever_hung_up_unheard_is_ended_by_the_snapshot_and_nobody_else(recording: Path) -> None:
    """The listener is away for 40 entries, at every place of the recording."""
    placed = entries(recording)
    real = {_key(leg): leg for leg in fold(placed).legs}
    for cut in range(1, len(placed) - 40, 5):
        back = cut + 40
        time = _moment(placed[back - 1]) + MICRO
        gap = Gap(seq=1, at=time, received_at=time, since=None, reason="reconnect")
        snapshot = _snapshot(_live(placed[:back]), time)
        before, after = [p.entry for p in placed[:cut]], [p.entry for p in placed[back:]]

        legs, live = _legs([*before, gap, *snapshot[:-1], *after])

        assert live == [] or all(_ends_within_grace(leg, real, time) for leg in live)
        for leg in legs:
            wanted = real.get(_key(leg))
            if wanted is None or wanted.end is None or leg.end is None or leg.kind != wanted.kind:
                continue
            assert leg.end_exact == (leg.end_reason == "hangup")
            if leg.end_reason == "snapshot":
                assert wanted.end <= leg.end == time
            else:
                assert leg.end == wanted.end


def _ends_within_grace(leg: Leg, real: dict[tuple[str, str], Leg], watermark: datetime) -> bool:
    """The recording is over before the second that an absent channel is given."""
    wanted = real.get(_key(leg))
    return wanted is None or wanted.end is None or wanted.end <= watermark


@recordings
def test_nothing_is_left_once_the_grace_is_over(recording: Path) -> None:
    placed = entries(recording)
    for cut in range(0, len(placed), 3):
        time = _moment(placed[-1]) + MICRO

        _, live = _legs([*[p.entry for p in placed[:cut]], *_snapshot([], time)])

        assert live == []


@recordings
def test_a_snapshot_makes_nobody_up(recording: Path) -> None:
    """Both ends of a call have gone unheard: the caller does not come back because the phone ended first."""
    placed = entries(recording)
    for start in range(
        0, len(placed), 17
    ):  # whoever begins to listen in mid-call knows the phone before the caller
        for cut in range(start + 1, len(placed), 23):
            time = _moment(placed[cut - 1]) + timedelta(seconds=30)
            beat = Heartbeat(seq=1, at=time - timedelta(seconds=20), received_at=time, state="up")
            before = [*[p.entry for p in placed[start:cut]], beat]  # whoever had to come back has done so
            known, live = _legs(before)
            if live:
                legs, _ = _legs([*before, *_snapshot([], time)])

                assert {_key(leg) for leg in legs} == {_key(leg) for leg in known}


@recordings
def test_a_snapshot_of_what_is_true_changes_nothing(recording: Path) -> None:
    placed = entries(recording)
    undisturbed, _ = _legs(p.entry for p in placed)
    for cut in range(1, len(placed), 7):
        time = _moment(placed[cut - 1]) + MICRO
        snapshot = _snapshot(_live(placed[:cut]), time)[:-1]

        legs, _ = _legs([*[p.entry for p in placed[:cut]], *snapshot, *[p.entry for p in placed[cut:]]])

        assert [replace(leg, epoch=1, seq=1) for leg in legs] == [
            replace(leg, epoch=1, seq=1) for leg in undisturbed
        ]


def _talking() -> tuple[list[Entry], list[Placed], datetime]:
    """202 talks; what follows; the moment in between."""
    placed = entries(RING_GROUP)
    cut = next(
        i for i, p in enumerate(placed) if isinstance(p.entry, Event) and p.entry.name == "BridgeLeave"
    )
    return [p.entry for p in placed[:cut]], placed[cut:], _moment(placed[cut - 1])


def test_an_incomplete_list_changes_nothing() -> None:
    before, _, time = _talking()

    _, live = _legs([*before, *_snapshot([], time + MICRO, complete=False)])

    assert [leg.dstdevice for leg in live] == ["202"]


def test_a_channel_heard_of_after_the_watermark_lives() -> None:
    before, _, time = _talking()

    _, live = _legs([*before, *_snapshot([], time - timedelta(seconds=30))])

    assert [leg.dstdevice for leg in live] == ["202"]


def test_an_event_within_the_grace_saves_the_channel() -> None:
    before, after, time = _talking()
    snapshot = _snapshot([], time + MICRO)

    legs, _ = _legs([*before, *snapshot[:-1], *[p.entry for p in after]])

    (leg,) = [leg for leg in legs if leg.dstdevice == "202"]
    assert (leg.end_reason, leg.end_exact) == ("hangup", True)


def test_a_late_hangup_corrects_the_estimate() -> None:
    before, after, time = _talking()
    real = {leg.dstdevice: leg for leg in fold(entries(RING_GROUP)).legs}["202"]

    legs, live = _legs([*before, *_snapshot([], time + MICRO), *[p.entry for p in after]])

    (leg,) = [leg for leg in legs if leg.dstdevice == "202"]
    assert live == []
    assert (leg.end_reason, leg.end_exact, leg.hangupcause) == ("hangup", True, real.hangupcause)
    assert (leg.end, leg.talks[-1].end) == (real.end, real.end)
    assert leg.billsec == pytest.approx(real.billsec, abs=0.01)


def test_no_other_event_brings_it_back() -> None:
    before, after, time = _talking()
    hangup = [p.entry for p in after if not isinstance(p.entry, Event) or p.entry.name != "Hangup"]

    _, live = _legs([*before, *_snapshot([], time + MICRO), *hangup])

    assert live == []


def test_after_ten_minutes_it_is_forgotten() -> None:
    before, after, time = _talking()
    late = time + timedelta(minutes=11)
    beat = Heartbeat(seq=1, at=late, received_at=late, state="up")

    legs, _ = _legs([*before, *_snapshot([], time + MICRO), beat, *[p.entry for p in after]])

    (leg,) = [leg for leg in legs if leg.dstdevice == "202"]
    assert (leg.end_reason, leg.end_exact) == ("snapshot", False)


def test_what_was_shed_is_in_doubt_until_a_snapshot() -> None:
    before, _, time = _talking()
    state = new_state()
    drop = Drop(seq=1, at=time, received_at=time, reason="buffer_full", count=3)
    for entry in _renumbered([*before, drop]):
        state.apply(entry, epoch=1)
    doubted = state.suspect_since

    for seq, entry in enumerate(_snapshot([], time - timedelta(seconds=1)), 5000):
        state.apply(replace(entry, seq=seq), epoch=1)
    still = state.suspect_since
    for seq, entry in enumerate(_snapshot([], time + timedelta(seconds=1)), 6000):
        state.apply(replace(entry, seq=seq), epoch=1)

    assert (doubted, still, state.suspect_since) == (time, time, None)
