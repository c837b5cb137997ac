"""Forged, broken and impossible events: each does what the table of faults says, and the next call is as ever."""

from datetime import timedelta

import pytest

from legbook.calls import LegChange, RuleError, corrections, sightings
from legbook.calls.rules import EVENTS, Rule
from legbook.calls.step import Step
from legbook.contracts.raw import Drop, Event, Gap
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing

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
    assert pbx.surprises == []


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
    assert (leg.srcchan, leg.dstchan) == ("SIP/205-00000009", "SIP/206-00000008")


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


def test_local_channels_that_dial_each_other_in_a_circle_are_nobodys_caller() -> None:
    """No Asterisk does so; whoever is rung behind them has no caller, and the fold does not walk for ever."""
    one, two = ("Local/1@x-00000001;1", "1.5"), ("Local/1@x-00000001;2", "1.6")
    three, four = ("Local/2@x-00000002;1", "1.7"), ("Local/2@x-00000002;2", "1.8")
    pbx = Pbx()
    for half in (one, two, three, four, B):
        pbx.new(*half)
    pbx.dial(*two, *three)
    pbx.dial(*four, *one)
    pbx.dial(*two, *B)
    assert pbx.legs == {}

    pbx.beat(0.2)
    (leg,) = pbx.state.legs.values()
    assert (leg.srcchan, leg.dstdevice, leg.flags.via_local, leg.flags.originated) == ("", "202", True, False)


def test_a_phone_that_is_up_twice_answered_the_first_time() -> None:
    """Ringing after Up is impossible, but a forged Newstate says so."""
    pbx = ringing()
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    up = pbx.time
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="5")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.hangup(*B)

    (leg,) = pbx.legs.values()
    assert leg.src_up == up
    assert leg.billsec_leg_a == pytest.approx((pbx.time - up).total_seconds())


def test_a_rename_does_not_touch_the_legs_of_others() -> None:
    pbx = ringing()
    pbx.new(*C, "4", CallerIDNum="203", Exten="600", Context="from-internal")
    before = dict(pbx.legs)
    pbx.say("Rename", Channel=C[0], Newname="SIP/209-00000009", Uniqueid=C[1])

    (other,) = [leg for leg in pbx.legs.values() if leg.srcuid == C[1]]
    assert (other.srcchan, other.srcdevice) == ("SIP/209-00000009", "209")
    assert {leg_id: leg for leg_id, leg in pbx.legs.items() if leg.srcuid != C[1]} == {
        leg_id: leg for leg_id, leg in before.items() if leg.srcuid != C[1]
    }


def test_a_dial_that_waits_for_its_caller_is_not_that_of_a_new_channel_with_the_same_id() -> None:
    pbx = Pbx()
    pbx.new(LOCAL, "1.5")
    pbx.new(*B)
    pbx.dial(LOCAL, "1.5", *B)
    pbx.new("SIP/205-00000009", B[1], "4", CallerIDNum="205", Exten="600", Context="from-internal")
    pbx.beat(0.2)

    assert [(leg.kind, leg.srcdevice, leg.dst) for leg in pbx.state.legs.values()] == [
        ("caller", "205", "600")
    ]


def test_a_spy_behind_a_local_half_whose_other_half_is_not_known_is_nobody() -> None:
    pbx = ringing()
    before = dict(pbx.legs)
    pbx.new(LOCAL, "1.5")
    spied = {"SpyeeChannel": A[0], "SpyeeUniqueid": A[1]}
    pbx.say("ChanSpyStart", SpyerChannel=LOCAL, SpyerUniqueid="1.5", **spied)
    pbx.new(LOCAL.replace(";1", ";2"), "1.6")
    pbx.say("ChanSpyStart", SpyerChannel=LOCAL, SpyerUniqueid="1.5", **spied)

    assert (pbx.legs, pbx.surprises) == (before, [])


def test_a_full_memory_gives_up_the_oldest_even_if_it_is_just_being_rung(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The phone was known, the channel that dials it is one too many."""
    monkeypatch.setattr(sightings, "MOST_CHANNELS", 2)
    pbx = Pbx()
    pbx.new(*B)
    pbx.new(*C)
    pbx.dial(*A, *B)
    pbx.beat(0.2)

    assert _reasons(pbx) == ["more channels than can be followed: the oldest is given up"]
    assert pbx.state.legs == {}
    assert pbx.state.suspect_since is not None


def test_what_is_remembered_of_the_dead_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The newest are kept: their late events still do not bring them back."""
    monkeypatch.setattr(corrections, "MOST_GONE", 2)
    pbx = Pbx()
    phones = [(f"SIP/{number}-00000001", f"2.{number}") for number in (301, 302, 303)]
    for phone in phones:
        pbx.new(*phone, "4")
        pbx.hangup(*phone)
    assert list(pbx.state._calls.gone) == ["2.302", "2.303"]

    for number, phone in enumerate(phones, 401):
        pbx.new(*phone, "4")
        pbx.new(f"SIP/{number}-00000001", phone[1], "4")
        pbx.hangup(f"SIP/{number}-00000001", phone[1])
    assert len(pbx.state._calls.missed) <= 2


def test_a_minute_after_its_hangup_a_channel_is_no_longer_remembered() -> None:
    pbx = Pbx()
    _call(pbx)
    pbx.new(*C)
    pbx.say("Hangup", 59.99, Channel=C[0], Uniqueid=C[1], Cause="16")
    assert list(pbx.state._calls.gone) == [A[1], C[1]]

    pbx.new(*B)
    pbx.say("Hangup", 0.1, Channel=B[0], Uniqueid=B[1], Cause="16")
    assert list(pbx.state._calls.gone) == [C[1], B[1]]


def test_a_rule_that_raises_costs_its_event_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had said before is in the error, the state is doubted, and the next events are folded."""
    rule = EVENTS["Hangup"]

    def broken(step: Step, event: Event) -> None:
        rule.run(step, event)
        raise KeyError("a defect")

    pbx = ringing()
    with monkeypatch.context() as patched:
        patched.setitem(EVENTS, "Hangup", Rule(rule.name, broken, rule.needs))
        with pytest.raises(RuleError, match="a rule raised") as raised:
            pbx.hangup(*B)

    assert isinstance(raised.value.__cause__, KeyError)
    assert [each.leg.state for each in raised.value.changes if isinstance(each, LegChange)] == ["ended"]
    assert pbx.state.suspect_since == pbx.time
    pbx.hangup(*A)
    assert (pbx.state.legs, pbx.surprises) == ({}, [])


def test_an_event_that_names_no_channel_makes_none() -> None:
    """A uniqueid alone does not say whether it is a phone."""
    sides = ("", "Dest", "LocalOne", "LocalTwo")
    pbx = Pbx()
    for name in EVENTS:
        pbx.say(name, ChannelState="4", **{f"{side}Uniqueid": "9.9" for side in sides})

    assert (pbx.legs, pbx.state.legs) == ({}, {})
    assert not any(channel.real for channel in pbx.state._calls.channels.values())


def test_an_event_that_names_no_uniqueid_is_a_surprise_and_says_what_it_lacks() -> None:
    pbx = Pbx()
    pbx.say("Newchannel", Channel=A[0], ChannelState="4")
    pbx.say("Hangup", Uniqueid=A[1])
    pbx.say("DialBegin", DestUniqueid=B[1], Uniqueid=A[1])
    pbx.say("BridgeEnter", Channel=A[0], Uniqueid=A[1])

    assert [(surprise.rule, surprise.uniqueid, surprise.why) for surprise in pbx.surprises] == [
        ("channels.new", "", "Newchannel without Uniqueid"),
        ("channels.hangup", A[1], "Hangup without Channel"),
        ("dials.begin", B[1], "DialBegin without DestChannel"),
        ("bridges.enter", A[1], "BridgeEnter without BridgeUniqueid"),
    ]


def test_the_end_of_a_channel_that_was_not_known_is_a_surprise() -> None:
    pbx = Pbx()
    pbx.hangup(*A)
    pbx.say("BridgeLeave", Channel=B[0], Uniqueid=B[1], BridgeUniqueid="b")

    assert [(surprise.rule, surprise.uniqueid, surprise.why) for surprise in pbx.surprises] == [
        ("channels.hangup", A[1], "hang-up of a channel that was not known"),
        ("bridges.leave", B[1], "left a bridge, but was not known"),
    ]
