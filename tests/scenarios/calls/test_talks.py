"""Who talks with whom, and what that makes of their legs: what the recordings do not show, by hand."""

from datetime import timedelta

import pytest

from legbook.contracts.legs import Leg
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing


def _leave(pbx: Pbx, channel: str, uid: str, after: float) -> None:
    pbx.say("BridgeLeave", after, Channel=channel, Uniqueid=uid, BridgeUniqueid="b")


def _talking() -> Pbx:
    """201 and 202, who answered."""
    pbx = ringing()
    pbx.enter(*A)
    pbx.enter(*B)
    return pbx


def _of(pbx: Pbx, called: tuple[str, str] = B) -> Leg:
    """The leg of this called phone."""
    (leg,) = [leg for leg in pbx.legs.values() if leg.dstuid == called[1]]
    return leg


def _parked() -> Pbx:
    """203 called and was parked; 201, whose uniqueid is the smaller one, fetches it."""
    pbx = Pbx()
    pbx.new(*C, "4", CallerIDNum="203", Exten="700", Context="from-internal")
    pbx.say("ParkedCall", ParkeeChannel=C[0], ParkeeUniqueid=C[1])
    pbx.new(*A, "4", CallerIDNum="2010", Exten="701", Context="from-internal")
    pbx.say("UnParkedCall", ParkeeUniqueid=C[1], RetrieverUniqueid=A[1])
    return pbx


@pytest.mark.parametrize("order", [(A, C), (C, A)])
def test_who_fetches_a_parked_call_is_the_called_one(order: tuple[tuple[str, str], ...]) -> None:
    """Whichever of the two has the smaller uniqueid, and whoever is bridged first."""
    pbx = _parked()
    for phone in order:
        pbx.enter(*phone)

    (leg,) = pbx.state.legs.values()
    assert (leg.kind, leg.srcdevice, leg.dstdevice) == ("bridge", "203", "201")
    assert (leg.src, leg.dst, leg.answer) == ("203", "2010", pbx.time)


def test_of_two_that_are_bridged_by_a_command_the_elder_is_the_caller() -> None:
    pbx = Pbx()
    pbx.new(*C, "4", CallerIDNum="203", Exten="600", Context="from-internal")
    pbx.new(*A, "4", CallerIDNum="201", Exten="600", Context="from-internal")
    pbx.enter(*A)
    pbx.enter(*C)

    (leg,) = pbx.state.legs.values()
    assert (leg.kind, leg.srcdevice, leg.dstdevice) == ("bridge", "203", "201")


def test_an_originated_phone_that_fetches_a_parked_call_keeps_its_own_leg() -> None:
    """A panel rings 202 and sends it to the parking space: both legs end when their channels do."""
    pbx = Pbx()
    pbx.new(*C, "4", CallerIDNum="203", Exten="700", Context="from-internal")
    pbx.say("ParkedCall", ParkeeChannel=C[0], ParkeeUniqueid=C[1])
    pbx.new(*B, CallerIDNum="202")
    pbx.say("DialBegin", DestChannel=B[0], DestUniqueid=B[1], DialString="202")
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="6")
    pbx.say("UnParkedCall", ParkeeUniqueid=C[1], RetrieverUniqueid=B[1])
    pbx.enter(*B)
    pbx.enter(*C)

    originated, fetched = sorted(pbx.state.legs.values(), key=lambda leg: leg.kind != "dial")
    assert (originated.srcdevice, originated.dstdevice, originated.state) == ("", "202", "talking")
    assert (fetched.kind, fetched.srcdevice, fetched.dstdevice) == ("bridge", "202", "203")
    pbx.hangup(*C)
    pbx.hangup(*B)
    assert pbx.state.legs == {}
    assert pbx.legs[originated.leg_id].end == pbx.time


def test_two_that_are_called_both_have_a_leg_already() -> None:
    """A forged dial of a caller: it has a row of either kind, and is bridged with an originated phone."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="600", Context="from-internal")
    pbx.new(*B)
    for phone in (A, B):
        pbx.say("DialBegin", DestChannel=phone[0], DestUniqueid=phone[1], DialString="x")
    pbx.enter(*A)
    pbx.enter(*B)

    assert sorted(leg.kind for leg in pbx.state.legs.values()) == ["caller", "dial", "dial"]
    pbx.hangup(*A)
    pbx.hangup(*B)
    assert pbx.state.legs == {}


def test_a_phone_that_is_bridged_while_its_dial_waits_for_its_caller_has_one_leg() -> None:
    """The Local half that dialled it has lost its other half: nobody knows for whom it rang."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new("Local/202@x-00000001;2", "1.6")
    pbx.new(*B)
    pbx.dial("Local/202@x-00000001;2", "1.6", *B)
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.beat(0.2)

    (leg,) = pbx.state.legs.values()
    assert (leg.kind, leg.srcdevice, leg.dstdevice) == ("bridge", "201", "202")
    pbx.hangup(*B)
    assert [(leg.end_reason, leg.disposition) for leg in pbx.legs.values() if leg.kind == "bridge"] == [
        ("hangup", "ANSWERED")
    ]
    assert pbx.state.legs == {}


def test_three_in_two_bridges_that_a_local_pair_joins_are_no_pair() -> None:
    one, two = ("Local/1@x-00000001;1", "1.5"), ("Local/1@x-00000001;2", "1.6")
    pbx = Pbx()
    for phone in (A, B, C):
        pbx.new(*phone, "4", CallerIDNum=phone[0][4:7], Exten="600", Context="from-internal")
    for half in (one, two):
        pbx.new(*half)
    pbx.enter(*one, bridge="b1")
    pbx.enter(*two, bridge="b2")
    pbx.enter(*B, bridge="b1")
    pbx.enter(*C, bridge="b1")
    pbx.enter(*A, bridge="b2")

    legs = [(leg.kind, leg.srcdevice, leg.dstdevice, leg.state) for leg in pbx.state.legs.values()]
    assert sorted(legs) == [("bridge", "202", "203", "talking"), ("caller", "201", "", "talking")]


def test_talks_are_told_one_after_the_other_and_add_up() -> None:
    """The third is interrupted for a moment, which counts as talk."""
    pbx, told = ringing(), []
    pbx.enter(*B)
    for seconds in (5.0, 3.0, 2.0):
        pbx.beat(1.0)
        pbx.enter(*A)
        began = pbx.time
        _leave(pbx, *A, seconds)
        told.append((began, pbx.time))
    pbx.say("BridgeEnter", 0.05, Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    assert _of(pbx).state == "talking"
    assert _of(pbx).billsec == pytest.approx(8.0)

    _leave(pbx, *A, 1.0)
    pbx.hangup(*B)
    told[-1] = (told[-1][0], told[-1][1] + timedelta(seconds=1.05))
    assert [(talk.start, talk.end) for talk in _of(pbx).talks] == told
    assert _of(pbx).billsec == pytest.approx(5.0 + 3.0 + 3.05)


def test_the_same_two_after_a_tenth_of_a_second_talk_again() -> None:
    pbx = _talking()
    _leave(pbx, *A, 5.0)
    pbx.say("BridgeEnter", 0.11, Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")

    assert len(_of(pbx).talks) == 2


def test_a_leg_keeps_its_newest_hundred_talks_and_counts_them_all() -> None:
    pbx = _talking()
    for _ in range(104):
        _leave(pbx, *A, 1.0)
        pbx.beat(1.0)
        pbx.enter(*A)
    _leave(pbx, *A, 1.0)
    pbx.hangup(*B)

    leg = _of(pbx)
    assert len(leg.talks) == 100
    assert leg.talks[-1].end == pbx.time - timedelta(seconds=0.01)
    assert leg.billsec == pytest.approx(105.0)


def test_a_caller_in_a_conference_talks_and_waits_again() -> None:
    """Its row says LINK meanwhile; a hold of it is nobody's, and so are the seconds."""
    pbx = Pbx()
    for phone in (A, B):
        pbx.new(*phone, "4", CallerIDNum=phone[0][4:7], Exten="600", Context="from-internal")
        pbx.enter(*phone, BridgeType="base")
    assert {leg.state for leg in pbx.state.legs.values()} == {"talking"}

    pbx.say("Hold", Channel=A[0], Uniqueid=A[1])
    _leave(pbx, *B, 5.0)
    assert {leg.state for leg in pbx.state.legs.values()} == {"waiting"}
    pbx.enter(*B, BridgeType="base")
    assert {leg.state for leg in pbx.state.legs.values()} == {"talking"}
    assert [(leg.kind, leg.held, leg.billsec) for leg in pbx.state.legs.values()] == [("caller", [], 0.0)] * 2


def test_the_peer_is_whoever_the_called_one_talks_with_alone() -> None:
    """203 comes instead of the caller, then the caller comes back: a conference, and at last the caller alone."""
    pbx = _talking()
    assert _of(pbx).peer is None
    pbx.new(*C, CallerIDNum="203")
    _leave(pbx, *A, 1.0)
    pbx.enter(*C)
    peer = _of(pbx).peer
    assert peer is not None
    assert (peer.num, peer.chan, peer.uid, peer.device) == ("203", C[0], C[1], "203")
    assert pbx.rules[_of(pbx).leg_id][:1] == ("answers.3",)

    pbx.enter(*A)
    assert _of(pbx).peer is None
    _leave(pbx, *C, 1.0)
    assert _of(pbx).peer is None
    assert _of(pbx).flags.answered_with is None


def test_who_is_answered_by_another_than_its_caller_says_by_whom() -> None:
    pbx = ringing()
    pbx.new(*C, CallerIDNum="203")
    pbx.enter(*C)
    pbx.enter(*B)

    assert (_of(pbx).answered, _of(pbx).flags.answered_with) == (True, "203")


def test_a_swap_with_the_only_member_keeps_the_bridge() -> None:
    pbx = ringing()
    pbx.new(*C)
    pbx.enter(*B)
    pbx.enter(*C, SwapUniqueid=B[1])
    pbx.enter(*A)
    pbx.beat(1.0)
    pbx.hangup(*A)
    pbx.beat(1.0)

    assert [talk.devices for talk in pbx.talks] == [("201", "203")]


def test_two_holds_of_a_phone_end_each_at_its_own_time() -> None:
    pbx, told = _talking(), []
    for _ in range(2):
        pbx.say("Hold", 1.0, Channel=B[0], Uniqueid=B[1])
        began = pbx.time
        pbx.say("Unhold", 2.0, Channel=B[0], Uniqueid=B[1])
        told.append(("202", began, pbx.time))
    pbx.say("Unhold", Channel=B[0], Uniqueid=B[1])

    assert [(hold.holder, hold.start, hold.end) for hold in _of(pbx).held] == told


def test_each_of_two_ends_only_its_own_hold() -> None:
    pbx = _talking()
    for phone in (A, B):
        pbx.say("Hold", 1.0, Channel=phone[0], Uniqueid=phone[1])
    pbx.say("Unhold", 1.0, Channel=B[0], Uniqueid=B[1])
    unheld = pbx.time
    assert [(hold.holder, hold.end) for hold in _of(pbx).held] == [("201", None), ("202", unheld)]

    pbx.say("Unhold", 1.0, Channel=A[0], Uniqueid=A[1])
    assert [(hold.holder, hold.end) for hold in _of(pbx).held] == [("201", pbx.time), ("202", unheld)]


def test_a_hold_ends_with_its_leg_at_the_latest() -> None:
    """The caller holds, the called one hangs up."""
    pbx = _talking()
    pbx.say("Hold", Channel=A[0], Uniqueid=A[1])
    pbx.hangup(*B)

    assert [(hold.holder, hold.end) for hold in _of(pbx).held] == [("201", pbx.time)]


def test_a_second_enter_of_the_same_bridge_ends_no_hold() -> None:
    pbx = _talking()
    pbx.say("Hold", Channel=B[0], Uniqueid=B[1])
    pbx.enter(*B)

    assert [hold.end for hold in _of(pbx).held] == [None]


def test_a_leg_keeps_its_newest_hundred_holds() -> None:
    pbx = _talking()
    for _ in range(103):
        pbx.say("Hold", Channel=B[0], Uniqueid=B[1])
        pbx.say("Unhold", Channel=B[0], Uniqueid=B[1])

    assert len(_of(pbx).held) == 100
    assert _of(pbx).held[-1].end == pbx.time
