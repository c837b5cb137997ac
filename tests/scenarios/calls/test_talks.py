"""Who talks with whom, and what that makes of their legs: what the recordings do not show, by hand."""

import pytest

from tests.scenarios.calls.test_rules import A, B, C, Pbx


def _parked() -> Pbx:
    """203 called and was parked; 201, whose uniqueid is the smaller one, fetches it."""
    pbx = Pbx()
    pbx.new(*C, "4", CallerIDNum="203", Exten="700", Context="from-internal")
    pbx.say("ParkedCall", ParkeeChannel=C[0], ParkeeUniqueid=C[1])
    pbx.new(*A, "4", CallerIDNum="201", Exten="701", Context="from-internal")
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
    assert (leg.src, leg.dst, leg.answer) == ("203", "201", pbx.time)


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
