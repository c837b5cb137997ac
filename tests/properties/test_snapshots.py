"""Lists of the live channels at every moment, as a real Asterisk would give them there (the fake PBX's model)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from pathlib import Path

from msgspec.structs import replace

from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from tests.properties.cuts import SMALL, cuts, placed, small_recordings
from tests.properties.listing import MICRO, beat, legs_of, moment, snapshot

LOST = 40  # entries that nobody heard


def _moments(found: tuple[Placed, ...], few: int = 3) -> Iterator[tuple[int, datetime]]:
    """Cuts between two moments: what Asterisk wrote before a list is older than the list."""
    newest = list(accumulate((moment(each) for each in found), max))  # stamps go back by 0.04 ms in 40g
    for cut in cuts(len(found), few):
        time = newest[cut - 1] + MICRO
        if moment(found[cut]) > time:
            yield cut, time


def _said(leg: Leg) -> dict[str, object]:
    """But for 10 ms: a list may be ahead of the next event."""
    said = {
        name: getattr(leg, name) for name in Leg.__struct_fields__ if name not in {"epoch", "seq", "talks"}
    }
    times = {name: round(value.timestamp(), 1) for name, value in said.items() if isinstance(value, datetime)}
    exact = {"billsec": round(leg.billsec, 1), "billsec_leg_a": round(leg.billsec_leg_a, 1)}
    flags = replace(leg.flags, reconstructed=False)
    return said | times | exact | {"flags": flags, "talks": [talk.devices for talk in leg.talks]}


@small_recordings
def test_a_list_of_what_is_true_changes_nothing(recording: Path) -> None:
    found = placed(recording)
    undisturbed, _ = legs_of(each.entry for each in found)
    for cut, time in _moments(found):
        before, after = found[:cut], found[cut:]
        legs, _ = legs_of([*[e.entry for e in before], *snapshot(before, time), *[e.entry for e in after]])

        assert [_said(leg) for leg in legs] == [_said(leg) for leg in undisturbed], cut
        assert sum(leg.flags.reconstructed for leg in legs) <= 1, cut


@small_recordings
def test_who_comes_in_the_middle_learns_from_the_list(recording: Path) -> None:
    found = placed(recording)
    whole, _ = legs_of(each.entry for each in found)
    for cut, time in _moments(found):
        legs, live = legs_of([*snapshot(found[:cut], time), *[each.entry for each in found[cut:]]])

        _hold_against(whole, legs, live, time)


@small_recordings
def test_what_was_not_heard_is_made_good_by_the_list(recording: Path) -> None:
    found = placed(recording)
    whole, _ = legs_of(each.entry for each in found)
    for cut, time in _moments(found):
        heard = [each.entry for each in found[: max(0, cut - LOST)]]
        legs, live = legs_of([*heard, *snapshot(found[:cut], time), *[e.entry for e in found[cut:]]])

        _hold_against(whole, legs, live, time)


def _hold_against(whole: list[Leg], legs: list[Leg], live: list[Leg], time: datetime) -> None:
    """Ends are exact, whoever talked at that moment is in an answered leg, nobody else is."""
    open_anyway = {leg.dstuid for leg in whole if leg.end is None}
    # one that a list did not have may be in its grace at the end of the recording
    assert {leg.dstuid for leg in live if leg.kind != "caller" and not _gone(leg, whole, time)} <= open_anyway
    answered = {leg.dstuid for leg in whole if leg.answered}
    assert {leg.dstuid for leg in legs if leg.answered} <= answered | _talkers(whole)
    ends = {leg.dstuid: leg for leg in whole}
    for leg in legs:
        wanted = ends.get(leg.dstuid)
        if leg.kind != "caller" and wanted is not None and leg.end_reason == "hangup":
            assert (leg.end, leg.hangupcause) == (wanted.end, wanted.hangupcause)
    told = {leg.dstuid for leg in legs if leg.answered} | _talkers(legs)
    for leg in whole:
        if leg.kind == "dial" and _talks_at(leg, time):
            assert leg.dstuid in told, leg


def _gone(leg: Leg, whole: list[Leg], time: datetime) -> bool:
    return any(each.dstuid == leg.dstuid and each.end and each.end <= time for each in whole)


def _talkers(legs: list[Leg]) -> set[str]:
    """Whoever is in a talk as the caller of a leg."""
    return {leg.srcuid for leg in legs if leg.talks}


def _talks_at(leg: Leg, time: datetime) -> bool:
    return any(talk.start <= time and (talk.end is None or talk.end > time) for talk in leg.talks)


def test_nothing_is_left_once_the_grace_is_over() -> None:
    """An empty list at any moment of any recording."""
    for recording in SMALL:
        found = placed(recording)
        for cut, time in _moments(found):
            empty = snapshot((), time)
            later = beat(time + timedelta(seconds=2))

            _, live = legs_of([*[each.entry for each in found[:cut]], *empty, later])

            assert live == []
