"""What the link tells: outages that a PBX comes back from, restarts of Asterisk, entries without any time."""

from datetime import UTC, datetime, timedelta

from legbook.calls import LegChange, PbxState
from legbook.contracts.legs import Leg
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Event
from tests.recorded import new_state
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing

MINUTE = 60.0


def _reboot(pbx: Pbx, boot: datetime) -> None:
    """A heartbeat of an Asterisk process that began then."""
    pbx.boot = int(boot.timestamp())
    pbx.beat(0.0)


def _booted() -> Pbx:
    """201 rings 202; the start of this Asterisk is known."""
    pbx = ringing()
    _reboot(pbx, pbx.time - timedelta(hours=1))
    return pbx


def test_a_link_that_comes_back_within_a_quarter_of_an_hour_ends_nothing() -> None:
    pbx = ringing()
    pbx.tell(ConnectionDown, reason="closed")
    pbx.beat(10 * MINUTE, "down")
    pbx.tell(ConnectionUp, banner="Asterisk Call Manager/5.0.2")
    pbx.beat(20 * MINUTE)

    assert [leg.state for leg in pbx.state.legs.values()] == ["dialing"]


def test_a_heartbeat_that_is_up_ends_the_outage_too() -> None:
    pbx = ringing()
    pbx.beat(1.0, "down")
    pbx.beat(10 * MINUTE)
    pbx.beat(20 * MINUTE)

    assert [leg.state for leg in pbx.state.legs.values()] == ["dialing"]


def test_every_outage_has_its_own_quarter_of_an_hour() -> None:
    pbx = ringing()
    pbx.tell(ConnectionDown, reason="closed")
    pbx.tell(ConnectionUp, 14 * MINUTE, banner="Asterisk Call Manager/5.0.2")
    pbx.tell(ConnectionDown, 1.0, reason="closed")
    went = pbx.time
    pbx.beat(14.9 * MINUTE, "down")
    assert len(pbx.state.legs) == 1

    pbx.beat(0.1 * MINUTE, "down")
    (leg,) = pbx.legs.values()
    assert (leg.end_reason, leg.end, leg.end_exact) == ("pbx_lost", went, False)


def test_who_was_lost_may_still_tell_of_the_real_end() -> None:
    pbx = ringing()
    pbx.tell(ConnectionDown, reason="closed")
    pbx.beat(15 * MINUTE, "down")
    pbx.hangup(*B, cause="17")

    (leg,) = pbx.legs.values()
    assert (leg.end_reason, leg.end, leg.end_exact, leg.disposition) == ("hangup", pbx.time, True, "BUSY")


def test_after_a_restart_no_hangup_of_before_counts() -> None:
    """Asterisk gives its uniqueids again: what hangs up now is somebody else."""
    pbx = _booted()
    _reboot(pbx, pbx.time)
    (estimated,) = pbx.legs.values()
    pbx.hangup(*B, cause="17")

    assert estimated.end_reason == "pbx_restart"
    assert list(pbx.legs.values()) == [estimated]
    assert [surprise.why for surprise in pbx.surprises] == ["hang-up of a channel that was not known"]


def test_a_restart_ends_legs_when_they_were_last_heard_of_at_the_latest() -> None:
    """Not at the boot, which an outage may lie before; nor after it, though our heartbeats went on."""
    silent, beating = _booted(), _booted()
    heard = silent.time
    _reboot(silent, heard + timedelta(seconds=30))
    boot = (heard + timedelta(seconds=30)).replace(microsecond=0)
    beating.beat(MINUTE, "down")
    _reboot(beating, boot)

    assert [(leg.end, leg.end_exact) for leg in silent.legs.values()] == [(heard, False)]
    assert [(leg.end, leg.end_exact) for leg in beating.legs.values()] == [(boot, False)]


def test_a_talk_that_was_just_over_is_told_once_by_a_restart() -> None:
    pbx = _booted()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("BridgeLeave", 5.0, Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    ended = pbx.time
    pbx.time += timedelta(seconds=0.05)
    _reboot(pbx, pbx.time)
    pbx.beat(1.0)

    assert [(talk.devices, talk.end) for talk in pbx.talks] == [(("201", "202"), ended)]


def test_a_talk_that_a_restart_cuts_short_ends_with_its_leg() -> None:
    pbx = _booted()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.beat(5.0)
    heard = pbx.time
    _reboot(pbx, heard + timedelta(seconds=30))

    (leg,) = pbx.legs.values()
    assert (leg.disposition, leg.end, leg.talks[-1].end) == ("ANSWERED", heard, heard)
    assert [talk.end for talk in pbx.talks] == [heard]
    assert leg.billsec == 5.0


def test_what_waited_or_was_named_before_a_restart_is_forgotten() -> None:
    """A dial that waited for its caller is not that of a phone that has the same uniqueid now."""
    pbx = _booted()
    pbx.new("Local/203@x-00000001;2", "1.6")
    pbx.new(*C)
    pbx.dial("Local/203@x-00000001;2", "1.6", *C, exten="203")
    _reboot(pbx, pbx.time)
    assert (pbx.state._calls.local_halves, pbx.state._calls.bridges) == ({}, {})

    pbx.new(*C)
    pbx.say("Newstate", Channel=C[0], Uniqueid=C[1], ChannelState="5")
    pbx.beat(1.0)
    assert pbx.state.legs == {}


def test_heartbeats_do_not_move_the_time_of_the_events_behind_them() -> None:
    """A PBX under load says late what it stamped in time; nor does the end of a file."""
    pbx = ringing()
    told = pbx.time
    pbx.beat(5.0)
    pbx.take(pbx.state.advance(pbx.time + timedelta(seconds=5)))
    assert pbx.state.now == told

    pbx.time = told
    pbx.hangup(*B)
    assert [leg.end for leg in pbx.legs.values()] == [pbx.time]


class Timeless:
    """Entries that nobody stamped: recordings of before we did."""

    def __init__(self) -> None:
        self.state: PbxState = new_state()
        self.legs: dict[int, Leg] = {}
        self.seq = 0

    def say(self, name: str, boot: int | None = None, **fields: str) -> None:
        self.seq += 1
        event = Event(seq=self.seq, at=None, received_at=None, name=name, fields=dict(fields))
        for change in self.state.apply(event, epoch=1, boot=boot):
            if isinstance(change, LegChange):
                self.legs[change.leg.leg_id] = change.leg


def _talking_without_times() -> Timeless:
    pbx = Timeless()
    pbx.say("Newchannel", 1000, Channel=A[0], Uniqueid=A[1], ChannelState="4", CallerIDNum="201", Exten="202")
    pbx.say("DialBegin", Channel=A[0], Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], Exten="202")
    pbx.say("BridgeEnter", Channel=B[0], Uniqueid=B[1], BridgeUniqueid="b")
    pbx.say("BridgeEnter", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    pbx.say("Hold", Channel=B[0], Uniqueid=B[1])
    return pbx


def test_without_any_time_a_call_has_its_outcome_and_no_moments() -> None:
    pbx = _talking_without_times()
    pbx.say("Hangup", Channel=B[0], Uniqueid=B[1], Cause="16")
    pbx.say("Hangup", Channel=A[0], Uniqueid=A[1], Cause="16")

    (leg,) = pbx.legs.values()
    assert (leg.state, leg.disposition, leg.hangupcause, leg.billsec) == ("ended", "ANSWERED", 16, 0.0)
    assert (leg.born, leg.start, leg.answer, leg.end, leg.talks, leg.held) == (None, None, None, None, [], [])
    assert (pbx.state.now, pbx.state._calls.timers, pbx.state._calls.talks) == (None, [], {})


def test_without_any_time_a_restart_still_ends_what_lived() -> None:
    pbx = _talking_without_times()
    pbx.say("VarSet", 2000, Variable="x", Value="y", Uniqueid="0")

    (leg,) = pbx.legs.values()
    assert (leg.end_reason, leg.end_exact) == ("pbx_restart", False)
    assert leg.end == datetime.fromtimestamp(2000, UTC)
    assert pbx.state.legs == {}
