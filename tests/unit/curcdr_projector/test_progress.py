"""Offsets: holes are found, doubles are skipped, acks go in order and only when covered."""

import pytest

from curcdr_projector.progress import Fold, HoleError, Progress


class Event:
    def __init__(self) -> None:
        self.acked = False

    def ack(self) -> bool:
        self.acked = True
        return True


def _take(progress: Progress[Event], *offsets: int) -> list[Fold]:
    return [progress.take(Event(), offset, 10) for offset in offsets]


def test_from_the_checkpoint_in_silence_to_what_is_published_then_aloud() -> None:
    progress: Progress[Event] = Progress(0, checkpoint=5, published=8)

    assert _take(progress, 3, 4, 5, 6, 7, 8, 9) == [Fold.NOT] * 2 + [Fold.SILENT] * 3 + [Fold.EMIT] * 2


def test_the_first_record_must_not_lie_beyond_the_checkpoint() -> None:
    with pytest.raises(HoleError, match="expected offset 5, got 6"):
        _take(Progress(0, 5, 5), 6)


def test_a_hole_is_found() -> None:
    progress: Progress[Event] = Progress(3, 5, 5)
    _take(progress, 5, 6)

    with pytest.raises(HoleError, match="partition 3: expected offset 7, got 8"):
        _take(progress, 8)


def test_what_is_delivered_twice_waits_once() -> None:
    progress: Progress[Event] = Progress(0, 5, 5)

    assert _take(progress, 5, 6, 5, 6, 7) == [Fold.EMIT, Fold.EMIT, Fold.NOT, Fold.NOT, Fold.EMIT]
    assert (progress.waiting(), progress.unacked_bytes) == (3, 30)


def test_publishing_never_goes_back_while_refolding() -> None:
    progress: Progress[Event] = Progress(0, checkpoint=5, published=9)
    _take(progress, 5, 6)
    assert progress.publishing() == 9
    _take(progress, 7, 8, 9)
    assert progress.publishing() == 10


def test_covered_gives_the_oldest_in_order_and_frees_their_bytes() -> None:
    progress: Progress[Event] = Progress(0, 5, 5)
    events = [Event() for _ in range(4)]
    for offset, event in enumerate(events, 5):
        progress.take(event, offset, 10)

    assert progress.covered(3) == events[:3]
    assert (progress.waiting(), progress.unacked_bytes) == (1, 10)
