"""What never ends must not fill the memory, and what has ended leaves nothing behind."""

from datetime import UTC, datetime, timedelta

from legbook.calls import Surprise
from legbook.calls.sightings import MOST_CHANNELS
from legbook.contracts.raw import Event
from tests.properties.cuts import EVERYWHERE, SMALL, placed
from tests.recorded import fold, new_state

BEGIN = datetime(2026, 11, 24, tzinfo=UTC)
CHANNELS = 1_000_000 if EVERYWHERE else MOST_CHANNELS + 2_000


def test_channels_that_never_hang_up_stay_bounded_and_are_reported() -> None:
    state, surprises = new_state(), 0
    for number in range(1, CHANNELS + 1):
        at = BEGIN + timedelta(milliseconds=number)
        fields: dict[str, str | list[str]] = {
            "Channel": f"PJSIP/201-{number:08x}",
            "Uniqueid": f"1795396000.{number}",
            "ChannelState": "4",
        }
        event = Event(seq=number, at=at, received_at=at, name="Newchannel", fields=fields)
        surprises += sum(isinstance(change, Surprise) for change in state.apply(event, epoch=1))

    assert len(state.legs) == MOST_CHANNELS
    assert surprises == CHANNELS - MOST_CHANNELS
    assert state.suspect_since is not None
    assert len(state.dump()) < 16 << 20


def test_a_quiet_pbx_has_an_empty_state() -> None:
    for recording in SMALL:
        state = fold(list(placed(recording))).state
        if state.legs or state.now is None:
            continue
        state.advance(state.now + timedelta(minutes=11))
        calls = state._calls
        left = [calls.talks, calls.parted, calls.held, calls.missed, calls.timers]
        assert not any(left), recording
        assert not any(channel.real for channel in calls.channels.values()), recording
        assert calls.bridges == {}, recording
