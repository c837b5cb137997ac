"""Frames whose order Asterisk itself does not fix, and several PBXs in one partition."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from random import Random

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import LegChange, PbxState
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event
from tests.properties.cuts import EVERYWHERE, every_recording, placed, small_recordings
from tests.recorded import CONTEXTS, Folded, fold

_UNORDERED = frozenset({"Cdr", "Hangup", "BridgeLeave"})
_NEAR = timedelta(seconds=0.01)
TRIES = 20 if EVERYWHERE else 2


def _facts(folded: Folded) -> list[dict[str, object]]:
    """What a call list shows; times to a tenth of a second."""
    return sorted((_fact(leg) for leg in folded.legs), key=str)


def _fact(leg: Leg) -> dict[str, object]:
    names = (
        "kind src dst dialled exten didnumber queue srcuid dstuid answered disposition hangupcause dialstatus "
        "flags peer end_reason end_exact accountcode"
    )
    return {name: getattr(leg, name) for name in names.split()} | {
        "times": [None if t is None else round(t.timestamp(), 1) for t in (leg.start, leg.answer)],
        "talks": [talk.devices for talk in leg.talks],
    }


def _swapped(found: tuple[Placed, ...], random: Random) -> list[Placed]:
    """Neighbours of the same moment and of different channels change places, here and there."""
    mixed = list(found)
    for place in range(len(mixed) - 1):
        if _may_swap(mixed[place], mixed[place + 1]) and random.random() < 0.5:
            mixed[place], mixed[place + 1] = mixed[place + 1], mixed[place]
    return [Placed(p.pbx, p.epoch, p.boot, replace(p.entry, seq=seq)) for seq, p in enumerate(mixed, 1)]


def _may_swap(one: Placed, two: Placed) -> bool:
    a, b = one.entry, two.entry
    if not isinstance(a, Event) or not isinstance(b, Event) or a.received_at is None or b.received_at is None:
        return False
    channels = first(a.fields, "Uniqueid"), first(b.fields, "Uniqueid")
    unordered = a.name in _UNORDERED and b.name in _UNORDERED
    return unordered and channels[0] != channels[1] and abs(b.received_at - a.received_at) < _NEAR


@small_recordings
def test_ends_in_any_order_give_the_same_legs(recording: Path) -> None:
    found = placed(recording)
    wanted = _facts(fold(list(found)))
    for seed in range(TRIES):
        assert _facts(fold(_swapped(found, Random(seed)))) == wanted, seed  # noqa: S311


def _mixed(found: tuple[Placed, ...], random: Random) -> Iterator[tuple[str, Placed]]:
    """The same recording of two PBXs, whose uniqueids, channel names and births are the same: each in its order."""
    left = {"hq": list(found), "branch": list(found)}
    while any(left.values()):
        pbx = random.choice([name for name, entries in left.items() if entries])
        yield pbx, left[pbx].pop(0)


@every_recording
def test_two_pbxs_that_do_the_same_do_not_meet(recording: Path) -> None:
    found = placed(recording)
    alone = fold(list(found))
    states = {"hq": PbxState("hq", 1, CONTEXTS), "branch": PbxState("branch", 2, CONTEXTS)}
    legs: dict[tuple[str, int], Leg] = {}
    for pbx, each in _mixed(found, Random(len(found))):  # noqa: S311
        for change in states[pbx].apply(each.entry, epoch=each.epoch, boot=each.boot):
            if isinstance(change, LegChange):
                legs[pbx, change.leg.leg_id] = change.leg

    newest = {change.leg.leg_id: change.leg for change in alone.changes}
    assert [leg for (pbx, _), leg in legs.items() if pbx == "hq"] == list(newest.values())
    assert len({leg_id for _, leg_id in legs}) == len(legs) == 2 * len(newest)
    others = [
        replace(leg, pbx="hq", leg_id=leg.leg_id - 1) for (pbx, _), leg in legs.items() if pbx == "branch"
    ]
    assert others == list(newest.values())
