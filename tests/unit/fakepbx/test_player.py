from itertools import islice, pairwise
from pathlib import Path

import pytest

from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.player import Playlist
from legbook.fakepbx.recording import load
from tests.unit.fakepbx.samples import (
    BEGIN,
    RECORDINGS,
    RING_GROUP,
    SIMPLE,
    event,
    parsed,
    play,
    timeline,
    write,
)


def test_overlapping_rounds_come_out_in_the_order_of_their_times() -> None:
    recorded = [load(path) for path in RECORDINGS]
    messages = parsed(play(*recorded, rounds=4 * len(RECORDINGS), spacing=0.25))
    stamps = [from_seconds(message.first("Timestamp")) for message in messages]
    assert all(before <= after for before, after in pairwise(stamps))
    assert len(messages) == 4 * sum(len(item.events) for item in recorded)


def test_each_round_keeps_the_order_of_its_recording_among_equal_times() -> None:
    recorded = load(RING_GROUP)
    messages = parsed(play(recorded, rounds=3, spacing=0))
    for number in range(3):
        linkedids = {f"1800000000.{number * 4 + i}" for i in range(4)}
        mine = [m.first("Event") for m in messages if m.first("Uniqueid") in linkedids]
        assert mine == [item.name for item in recorded.events if dict(item.fields).get("Uniqueid")]


def test_two_thousand_rounds_are_two_thousand_different_calls() -> None:
    recorded = load(SIMPLE)
    messages = parsed(play(recorded, rounds=2000, spacing=0.01))
    created = [message for message in messages if message.first("Event") == "Newchannel"]
    assert len({message.first("Uniqueid") for message in created}) == 4000
    assert len({message.first("Channel") for message in created}) == 4000
    assert len({message.first("Linkedid") for message in created}) == 2000
    assert len({m.first("BridgeUniqueid") for m in messages if m.first("Event") == "BridgeCreate"}) == 2000


def test_recordings_take_turns_and_rounds_follow_each_other() -> None:
    one, two = load(SIMPLE), load(RING_GROUP)
    starts = list(Playlist([one, two], rounds=3).starts())
    assert starts == [(0, one, 0), (1, two, one.length), (2, one, one.length + two.length)]
    spaced = Playlist([one, two], rounds=None, spacing=0.5).starts(first=3)
    assert list(islice(spaced, 2)) == [(3, two, 0), (4, one, 500_000)]


@pytest.mark.parametrize(
    ("rounds", "spacing"), [(0, 1.0), (-1, None), (1, -0.5), (None, 0.0)], ids=["none", "less", "back", "all"]
)
def test_a_playlist_that_makes_no_sense_is_refused(rounds: int | None, spacing: float | None) -> None:
    with pytest.raises(ValueError, match=r"rounds|spacing"):
        Playlist([load(SIMPLE)], rounds=rounds, spacing=spacing)
    with pytest.raises(ValueError, match="at least one recording"):
        Playlist([])


def test_nothing_is_opened_before_its_time() -> None:
    recorded = load(SIMPLE)
    line, opened = timeline(Playlist([recorded], rounds=None, spacing=2.0))
    assert line.next_moment() == BEGIN
    assert line.take(BEGIN + 1, 1000) == ([], BEGIN)
    assert [item.started for item in opened] == [BEGIN]
    line.take(BEGIN + 4_000_000, 10_000)
    assert [item.started for item in opened] == [BEGIN, BEGIN + 2_000_000, BEGIN + 4_000_000]


def test_taking_in_slices_gives_what_taking_at_once_gives(tmp_path: Path) -> None:
    recorded = load(RING_GROUP)
    line, _ = timeline(Playlist([recorded], rounds=3, spacing=1.0))
    sliced: list[bytes] = []
    while (moment := line.next_moment()) is not None:
        events, reached = line.take(moment + 50_000, 7)
        assert reached <= moment + 50_000
        sliced += [data for _, data in events]
    assert sliced == play(recorded, rounds=3, spacing=1.0)


def test_one_moment_is_never_torn_apart(tmp_path: Path) -> None:
    rows = [event(1, "A", N=str(i)) for i in range(10)] + [event(2, "B")]
    line, _ = timeline(Playlist([load(write(tmp_path / "r.jsonl", rows))]))
    assert len(line.take(None, 3)[0]) == 10
    assert len(line.take(None, 3)[0]) == 1
