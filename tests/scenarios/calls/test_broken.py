"""Forged, broken and impossible events: each does what the table of faults says, and the next call is as ever."""

from datetime import timedelta

import pytest

from legbook.contracts.raw import Drop, Gap
from tests.scenarios.calls.test_rules import A, B, Pbx, ringing

LOCAL = "Local/202@x-00000001;1"


def _call(pbx: Pbx) -> None:
    """201 calls 202, who answers; both hang up."""
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new(*B)
    pbx.dial(*A, *B)
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.hangup(*B)
    pbx.hangup(*A)


def _reasons(pbx: Pbx) -> list[str]:
    return [surprise.why for surprise in pbx.surprises]


def test_an_unknown_event_changes_nothing() -> None:
    pbx = Pbx()
    pbx.say("FooBar9", Channel=A[0], Uniqueid=A[1])

    assert (pbx.legs, pbx.surprises) == ({}, [])


def test_an_event_about_a_channel_that_hung_up_does_not_bring_it_back() -> None:
    pbx = Pbx()
    _call(pbx)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")
    pbx.enter(*A)
    pbx.dial(*A, "SIP/203-00000003", "1.3")
    pbx.hangup("SIP/203-00000003", "1.3")

    assert pbx.state.legs == {}
    assert pbx.state._calls.channels == {}
    assert _reasons(pbx) == ["Newstate of a channel that is gone", "BridgeEnter of a channel that is gone"]


def test_a_newchannel_that_comes_after_its_hangup_makes_no_row() -> None:
    """Of the same instant: not the birth of another channel."""
    pbx = Pbx()
    _call(pbx)
    before = dict(pbx.legs)
    pbx.say("Newchannel", 0.0, Channel=A[0], Uniqueid=A[1], ChannelState="4")

    assert pbx.legs == before
    assert pbx.state.legs == {}


def test_an_id_that_originate_uses_again_is_another_channel() -> None:
    pbx = Pbx()
    _call(pbx)
    pbx.say("VarSet", 1.0, Channel="x", Uniqueid="0", Variable="a", Value="b")
    _call(pbx)

    assert [leg.dstuid for leg in pbx.legs.values()] == [B[1], B[1]]
    assert len({leg.leg_id for leg in pbx.legs.values()}) == 2


def test_an_id_that_is_used_while_it_lives_ends_the_older_one() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    (older,) = pbx.legs
    pbx.new("SIP/205-00000009", A[1], "4", CallerIDNum="205", Exten="202", Context="from-internal")

    assert (pbx.legs[older].end_reason, pbx.legs[older].end_exact) == ("snapshot", False)
    assert [leg.srcdevice for leg in pbx.state.legs.values()] == ["205"]


def test_what_a_forged_id_ended_is_forgotten_after_ten_minutes() -> None:
    pbx = Pbx()
    pbx.new(*A, "4")
    pbx.new("SIP/205-00000009", A[1], "4")
    pbx.hangup("SIP/205-00000009", A[1])
    pbx.take(pbx.state.advance(pbx.time + timedelta(minutes=11)))

    assert pbx.state._calls.missed == {}


def test_a_rename_moves_the_names_of_a_leg() -> None:
    """Between two live channels: two legs before, the same two after."""
    pbx = ringing()
    pbx.say("Rename", Channel=A[0], Newname="SIP/205-00000009", Uniqueid=A[1])
    pbx.say("Rename", Channel=B[0], Newname="SIP/206-00000008", Uniqueid=B[1])
    pbx.say("Rename", Channel=B[0], Newname="SIP/206-00000008", Uniqueid="9.9")

    (leg,) = pbx.legs.values()
    assert (leg.srcdevice, leg.srcuid, leg.dstdevice, leg.dstuid) == ("205", A[1], "206", B[1])


def test_a_local_half_is_found_by_its_new_name() -> None:
    pbx = Pbx()
    pbx.new(LOCAL, "1.5")
    renamed = LOCAL.replace("00000001", "00000009")
    pbx.say("Rename", Channel=LOCAL, Newname=renamed, Uniqueid="1.5")

    assert pbx.state._calls.local_halves == {renamed: "1.5"}


def test_a_clock_that_jumps_back_makes_no_negative_time() -> None:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("Hangup", -3600.0, Channel=B[0], Uniqueid=B[1], Cause="16")

    (leg,) = pbx.legs.values()
    assert leg.end is not None
    assert leg.start is not None
    assert leg.end >= leg.start
    assert leg.billsec >= 0


def test_a_blind_transfer_that_failed_sends_nobody() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.say(
        "BlindTransfer", Result="Invalid", TransfereeUniqueid=A[1], TransfererUniqueid=B[1], Extension="203"
    )
    pbx.new(*B)
    pbx.dial(*A, *B)

    (leg,) = pbx.legs.values()
    assert (leg.flags.after_transfer_by, leg.dst) == (None, "202")


def test_a_spy_that_is_not_known_changes_nothing() -> None:
    pbx = Pbx()
    pbx.say("ChanSpyStart", SpyerChannel="SIP/9-1", SpyerUniqueid="9", SpyeeChannel=A[0], SpyeeUniqueid=A[1])

    assert (pbx.legs, pbx.surprises) == ({}, [])


def test_what_was_shed_and_a_gap_are_doubts() -> None:
    pbx = Pbx()
    pbx.new(*A, "4")
    drop = Drop(seq=100, at=pbx.time, received_at=pbx.time, reason="half_frame")
    pbx.take(pbx.state.apply(drop, epoch=1))
    gap = Gap(seq=101, at=pbx.time, received_at=pbx.time, since=None, reason="reconnect")
    pbx.take(pbx.state.apply(gap, epoch=1))

    assert pbx.state.suspect_since is None
    assert pbx.state._calls.gap


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("Hold", {"Channel": A[0], "Uniqueid": "9"}),
        ("Unhold", {"Channel": A[0], "Uniqueid": "9"}),
        ("ParkedCall", {"ParkeeUniqueid": "9"}),
        ("UnParkedCall", {"ParkeeUniqueid": "9", "RetrieverUniqueid": "8"}),
        ("ParkedCallTimeOut", {"ParkeeUniqueid": "9"}),
        ("BlindTransfer", {"TransfereeUniqueid": "9", "TransfererUniqueid": "8", "Extension": "203"}),
        ("AgentConnect", {"DestChannel": B[0], "DestUniqueid": "9"}),
        ("QueueCallerLeave", {"Channel": A[0], "Uniqueid": "9"}),
        ("QueueCallerAbandon", {"Channel": A[0], "Uniqueid": "9", "Queue": "500"}),
        ("BridgeDestroy", {"BridgeUniqueid": "9"}),
        ("VarSet", {"Variable": "DID", "Value": "1", "Uniqueid": "9"}),
        ("Newexten", {"Channel": A[0], "Uniqueid": "9", "Exten": "1"}),
    ],
)
def test_what_is_not_known_is_not_made_up(name: str, fields: dict[str, str]) -> None:
    pbx = Pbx()
    pbx.say(name, **fields)

    assert (pbx.legs, pbx.state._calls.channels, pbx.state._calls.bridges) == ({}, {}, {})


def test_a_bridge_that_is_destroyed_lets_its_members_go() -> None:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.enter(*A)
    pbx.say("BridgeDestroy", BridgeUniqueid="b")

    (leg,) = pbx.legs.values()
    assert len(leg.talks) == 1
    assert leg.talks[0].end == pbx.time


def test_a_second_hold_of_the_same_phone_is_no_other_one() -> None:
    pbx = ringing()
    pbx.say("Hold", Channel=B[0], Uniqueid=B[1])
    pbx.enter(*B)
    pbx.enter(*A)
    for _ in range(2):
        pbx.say("Hold", Channel=B[0], Uniqueid=B[1])
    pbx.hangup(*B)

    (leg,) = pbx.legs.values()
    assert [(hold.holder, hold.end) for hold in leg.held] == [("202", pbx.time)]
