"""Reading something twice, and going on from a checkpoint, change nothing."""

from pathlib import Path
from typing import Any

from msgspec.structs import replace

from legbook.calls import LegChange, PbxState
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from tests.properties.cuts import cuts, every_recording, placed
from tests.recorded import CONTEXTS, new_state


def _all(found: list[Placed], state: PbxState | None = None) -> list[Any]:
    state = state or new_state()
    return [change for each in found for change in state.apply(each.entry, epoch=each.epoch, boot=each.boot)]


@every_recording
def test_a_window_that_is_read_again_says_nothing(recording: Path) -> None:
    """A record that Kafka has twice, a consumer that begins again: epoch and seq are at or below the cursor."""
    found = list(placed(recording))
    once = _all(found)
    for cut in cuts(len(found), few=2):
        again = found[max(0, cut - 40) : cut]
        assert _all([*found[:cut], *again, *found[cut:]]) == once


@every_recording
def test_between_any_two_entries_a_checkpoint_may_lie(recording: Path) -> None:
    found = list(placed(recording))
    once = _all(found)
    state, changes = new_state(), list[Any]()
    places = frozenset(cuts(len(found), few=25))
    for place, each in enumerate(found):
        if place in places:
            state = PbxState.load(state.dump(), 1, CONTEXTS)
        changes += state.apply(each.entry, epoch=each.epoch, boot=each.boot)

    assert changes == once


def _final(changes: list[Any]) -> list[Leg]:
    newest = {change.leg.leg_id: change.leg for change in changes if isinstance(change, LegChange)}
    return [replace(leg, epoch=1, seq=1) for leg in newest.values()]


@every_recording
def test_a_frame_that_the_pbx_sends_twice_counts_once(recording: Path) -> None:
    """Twice on the socket is two entries (app_queue does so with DialEnd)."""
    found = list(placed(recording))
    once = _final(_all(found))
    for cut in cuts(len(found), few=3):
        twice = [*found[:cut], found[cut - 1], *found[cut:]]
        renumbered = [
            Placed(each.pbx, each.epoch, each.boot, replace(each.entry, seq=seq))
            for seq, each in enumerate(twice, 1)
        ]
        assert _final(_all(renumbered)) == once, cut
