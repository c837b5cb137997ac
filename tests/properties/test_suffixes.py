"""Who begins to listen in mid-call hears less, never something that did not happen."""

from datetime import datetime, timedelta
from pathlib import Path

from legbook.ami.message import first
from legbook.calls import Talk
from legbook.cli.recordings import Placed
from legbook.contracts.raw import Event
from tests.properties.cuts import cuts, every_recording, placed
from tests.recorded import Folded, fold

MERGED = timedelta(seconds=0.11)  # the same set again within a tenth of a second is one talk


def _whole(found: tuple[Placed, ...]) -> tuple[dict[str, datetime | None], list[Talk]]:
    """(when each called channel was answered, all talks) of the recording as it is."""
    folded = _folded(found)
    return {leg.dstuid: leg.answer for leg in folded.legs if leg.answered}, folded.talks


def _folded(found: tuple[Placed, ...]) -> Folded:
    folded = fold(list(found))
    if folded.state.now is not None:
        told = folded.state.advance(folded.state.now + timedelta(seconds=1))
        folded.talks += [each for each in told if isinstance(each, Talk)]
    return folded


def _hung_up(found: tuple[Placed, ...]) -> set[str]:
    events = (each.entry for each in found if isinstance(each.entry, Event) and each.entry.name == "Hangup")
    return {first(event.fields, "Uniqueid") for event in events}


def _happened(talk: Talk, real: list[Talk]) -> bool:
    """At its start, at its end and between, all of them were together."""
    if talk.start is None or talk.end is None:
        return False
    moments = (talk.start, talk.start + (talk.end - talk.start) / 2, talk.end)
    with_all = [(t.start, t.end) for t in real if set(talk.channels) <= set(t.channels)]
    return all(any(s and e and s - MERGED <= m <= e + MERGED for s, e in with_all) for m in moments)


@every_recording
def test_every_suffix_invents_nothing(recording: Path) -> None:
    found = placed(recording)
    answers, talks = _whole(found)
    open_at_the_end = {leg.dstuid for leg in _folded(found).state.legs.values()}
    for cut in cuts(len(found)):
        folded = _folded(found[cut:])

        gone = _hung_up(found[cut:])
        assert not {leg.dstuid or leg.srcuid for leg in folded.state.legs.values()} & gone
        assert {leg.dstuid for leg in folded.state.legs.values()} <= open_at_the_end, cut
        for leg in folded.legs:
            if leg.answered:
                answer = answers[leg.dstuid]
                assert answer is not None
                assert leg.answer is not None
                assert answer <= leg.answer, cut
        assert all(_happened(talk, talks) for talk in folded.talks), cut
