"""Lists of the live channels, by hand: what they make good, what they are not believed, what never came whole."""

from collections.abc import Iterable
from datetime import datetime, timedelta

import pytest

from legbook.contracts.legs import Leg
from legbook.contracts.raw import Drop, Gap, SnapshotBegin, SnapshotChannel, SnapshotEnd, SnapshotItem
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing

Fields = dict[str, str | list[str]]
Other = tuple[str, Fields]  # an item of another list, and its name


def item(channel: str, uid: str, **more: str) -> Fields:
    """As CoreShowChannels says it: up, in 201's call, for a minute."""
    said = {"Linkedid": A[1], "ChannelState": "6", "Duration": "00:01:00"}
    return {"Channel": channel, "Uniqueid": uid, **said, **more}


def dialling(bridge: str = "", data: str = "SIP/202,20,tT", **more: str) -> Fields:
    """201, which runs Dial."""
    runs = {"Application": "Dial", "ApplicationData": data, "BridgeId": bridge}
    return {**item(*A, CallerIDNum="201", Exten="202", Context="from-internal"), **runs, **more}


def outgoing(channel: tuple[str, str] = B, bridge: str = "", **more: str) -> Fields:
    """An outgoing line of Dial."""
    return {**item(*channel, CallerIDNum="202", Application="AppDial", BridgeId=bridge), **more}


def lists(pbx: Pbx, items: Iterable[Fields], others: Iterable[Other] = (), **end: object) -> datetime:
    """A whole list of this moment, which is its watermark."""
    found = list(items)
    pbx.tell(SnapshotBegin, watermark=pbx.time + timedelta(seconds=0.01))
    watermark = pbx.time
    for each in found:
        pbx.tell(SnapshotChannel, 0.0, fields=each)
    for name, fields in others:
        pbx.tell(SnapshotItem, 0.0, name=name, fields=fields)
    told = {"channels": len(found), "complete": True, **end}
    pbx.tell(SnapshotEnd, 0.0, watermark=watermark, **told)
    return watermark


def _came_late(*items: Fields, others: Iterable[Other] = ()) -> Pbx:
    """Nobody listened before this list."""
    pbx = Pbx()
    pbx.tell(Gap, since=None, reason="start")
    lists(pbx, items, others)
    return pbx


def _only(pbx: Pbx) -> Leg:
    (leg,) = pbx.state.legs.values()
    return leg


def test_a_call_that_nobody_heard_begin_stands_there_at_once() -> None:
    """Its times are the latest that are possible, and it says that it was not heard."""
    pbx = _came_late(dialling("b"), outgoing(bridge="b"))

    leg = _only(pbx)
    assert (leg.srcdevice, leg.dstdevice, leg.src, leg.dst) == ("201", "202", "201", "202")
    assert (leg.state, leg.flags.reconstructed) == ("talking", True)
    assert (leg.start, leg.answer) == (pbx.time - timedelta(seconds=60), pbx.time)


def test_what_is_heard_after_the_list_is_not_made_up() -> None:
    """The next call of the same phones was heard."""
    pbx = _came_late(dialling("b"), outgoing(bridge="b"))
    pbx.hangup(*B)
    pbx.hangup(*A)
    pbx.new("SIP/201-00000011", "2.1", "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new("SIP/202-00000012", "2.2")
    pbx.dial("SIP/201-00000011", "2.1", "SIP/202-00000012", "2.2")

    assert [leg.flags.reconstructed for leg in pbx.legs.values()] == [True, False]


def test_two_in_a_bridge_that_is_not_listed_talk() -> None:
    """BridgeList was refused: two members are a call. Without a Dial that names them each came by itself."""
    pbx = _came_late(item(*A, BridgeId="b", CallerIDNum="201"), item(*C, BridgeId="b", Linkedid=C[1]))
    assert [(leg.kind, leg.srcdevice, leg.dstdevice) for leg in pbx.state.legs.values()] == [
        ("bridge", "201", "203")
    ]


def test_three_in_a_bridge_that_is_not_listed_are_a_conference() -> None:
    """Who stays with one other at its end was not called by that one."""
    members = [item(*who, Linkedid=who[1], BridgeId="b") for who in (A, B, C)]
    pbx = _came_late(*members)
    pbx.hangup(*C)

    assert {leg.kind for leg in pbx.legs.values()} == {"caller"}


def test_the_list_of_bridges_says_which_is_a_conference() -> None:
    members = [item(*who, Linkedid=who[1], BridgeId="b") for who in (A, B)]
    conference: Fields = {"BridgeUniqueid": "b", "BridgeType": "base", "BridgeTechnology": "softmix"}
    pbx = _came_late(*members, others=[("BridgeListItem", conference)])

    assert {leg.kind for leg in pbx.state.legs.values()} == {"caller"}
    assert {leg.state for leg in pbx.state.legs.values()} == {"talking"}


def test_who_is_listed_in_a_parking_bridge_talks_with_nobody() -> None:
    members = [item(*who, Linkedid=who[1], BridgeId="b") for who in (A, B)]
    parking: Fields = {"BridgeUniqueid": "b", "BridgeType": "", "BridgeTechnology": "holding_bridge"}
    pbx = _came_late(*members, others=[("BridgeListItem", parking)])

    assert {leg.state for leg in pbx.state.legs.values()} == {"waiting"}


def test_the_other_lists_tell_the_number_called_and_the_queue() -> None:
    pbx = _came_late(
        item(*A, CallerIDNum="2002", Exten="500", Context="from-queue", Application="Queue"),
        others=[
            ("Status", {"Uniqueid": A[1], "Variable": ["DID=(null)", "FROM_DID=30900"]}),
            ("QueueEntry", {"Uniqueid": A[1], "Queue": "500"}),
        ],
    )

    leg = _only(pbx)
    assert (leg.kind, leg.src, leg.didnumber, leg.queue) == ("caller", "2002", "30900", "500")


def test_who_came_in_by_an_inbound_context_was_called_from_outside() -> None:
    """Where it stands now is the best guess of where it came in."""
    pbx = _came_late(item(*A, CallerIDNum="2002", Exten="30900", Context="from-trunk"))

    assert (_only(pbx).didnumber, _only(pbx).linkedid) == ("30900", A[1])


def test_items_of_channels_that_are_not_listed_or_of_other_lists_say_nothing() -> None:
    pbx = _came_late(
        item(*A, CallerIDNum="201"),
        others=[
            ("Status", {"Uniqueid": "9.9", "Variable": "DID=30900"}),
            ("QueueEntry", {"Uniqueid": "9.9", "Queue": "500"}),
            ("ParkedCall", {"Uniqueid": A[1], "Queue": "500", "Variable": "DID=30900"}),
        ],
    )

    leg = _only(pbx)
    assert (leg.srcuid, leg.didnumber, leg.queue) == (A[1], "", "")


@pytest.mark.parametrize("lacks", ["Channel", "Uniqueid"])
def test_an_item_that_does_not_say_who_it_is_says_nothing(lacks: str) -> None:
    """The other one of the list counts."""
    pbx = _came_late(item(*A, Linkedid=A[1]), {**item(*C, Linkedid=C[1]), lacks: ""})

    assert [leg.srcuid for leg in pbx.state.legs.values()] == [A[1]]


def test_a_list_without_its_beginning_counts_for_nothing() -> None:
    """Its beginning was in what was shed."""
    pbx = ringing()
    pbx.tell(SnapshotChannel, fields=item(*C))
    pbx.tell(SnapshotItem, name="QueueEntry", fields={"Uniqueid": A[1], "Queue": "500"})
    pbx.tell(SnapshotEnd, watermark=pbx.time, channels=1, complete=True)
    pbx.beat(5.0)

    assert [(leg.srcuid, leg.dstuid, leg.queue) for leg in pbx.state.legs.values()] == [(A[1], B[1], "")]


@pytest.mark.parametrize("count", [0, 2])
def test_a_list_that_lost_or_doubled_an_item_counts_for_nothing(count: int) -> None:
    pbx = ringing()
    lists(pbx, [item(*C)], channels=count)
    pbx.beat(5.0)

    assert [leg.dstuid for leg in pbx.state.legs.values()] == [B[1]]


def test_an_event_about_a_channel_whose_birth_was_missed_waits_for_no_grace() -> None:
    """The list came a moment ago: who dials and who is called is known by the time they talk."""
    pbx = Pbx()
    watermark = lists(pbx, [dialling(), outgoing(ChannelState="5")])
    assert pbx.state.legs == {}

    pbx.enter(*B)
    pbx.enter(*A)
    leg = _only(pbx)
    assert (leg.kind, leg.srcuid, leg.dstuid, leg.answer) == ("dial", A[1], B[1], pbx.time)
    assert (leg.start, leg.flags.reconstructed) == (watermark - timedelta(seconds=60), True)


def test_a_birth_that_was_heard_needs_no_list() -> None:
    """The list was a moment ahead of the events: the call is told as it was."""
    pbx = Pbx()
    lists(pbx, [dialling(), outgoing(ChannelState="5")])
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new(*B)
    pbx.dial(*A, *B)
    began = pbx.time
    pbx.beat(2.0)

    leg = _only(pbx)
    assert (leg.start, leg.flags.reconstructed) == (began, False)


def test_after_its_grace_a_list_tells_of_calls_that_were_missed() -> None:
    pbx = Pbx()
    lists(pbx, [dialling("b"), outgoing(bridge="b")])
    pbx.beat(0.9)
    assert pbx.state.legs == {}

    pbx.beat(0.1)
    assert (_only(pbx).state, _only(pbx).flags.reconstructed) == ("talking", True)
    assert pbx.state._calls.listed is None


def test_any_event_within_the_grace_says_that_a_channel_lives() -> None:
    """The list was asked for before the phone was born, on a PBX whose clock is a little ahead of its lists."""
    pbx = ringing()
    lists(pbx, [])
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="202", Context="from-internal")
    pbx.say("DialEnd", Channel=A[0], Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], DialStatus="BUSY")
    pbx.beat(5.0)

    assert [(leg.dstuid, leg.state) for leg in pbx.state.legs.values()] == [(B[1], "dialing")]


def _pairs(pbx: Pbx) -> list[tuple[str, str, str]]:
    """Who is in a leg with whom, and how far it is."""
    legs = sorted(pbx.state.legs.values(), key=lambda leg: (leg.dstuid, leg.srcuid))
    return [(leg.srcuid, leg.dstuid, leg.state) for leg in legs]


def test_a_list_tells_all_that_it_says_of_a_caller() -> None:
    (leg,) = _came_late(
        dialling("b", CallerIDName="Ada", AccountCode="sales"), outgoing(bridge="b")
    ).state.legs.values()

    assert (leg.srcname, leg.accountcode, leg.dialled, leg.exten) == ("Ada", "sales", "202", "202")
    assert (leg.srcchan, leg.dstchan, leg.linkedid) == (A[0], B[0], A[1])


@pytest.mark.parametrize(("state", "wanted"), [("0", "dialing"), ("5", "ringing"), ("6", "dialing")])
def test_a_listed_phone_is_as_far_as_its_state_says(state: str, wanted: str) -> None:
    """Up alone is no answer."""
    pbx = _came_late(dialling(), outgoing(ChannelState=state))

    assert _pairs(pbx) == [(A[1], B[1], wanted)]


def test_a_listed_phone_that_originate_dials_has_no_caller() -> None:
    """Also if it is not up yet, and though it is in no call but its own."""
    up = item(*B, Linkedid=B[1], Application="AppDial2")
    rings = item(*C, Linkedid=C[1], Application="AppDial2", ChannelState="5")
    pbx = _came_late(up, rings)

    assert _pairs(pbx) == [("", B[1], "talking"), ("", C[1], "ringing")]
    assert all(leg.flags.originated for leg in pbx.state.legs.values())


def test_a_listed_phone_that_is_born_this_moment_waits_for_its_dial() -> None:
    """Heard, and no older than a second: who dials it will be told."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new(*B)
    lists(pbx, [dialling(), item(*B, ChannelState="0", Duration="00:00:00")])
    pbx.say("VarSet", Variable="x", Value="y", Uniqueid="0")
    pbx.beat(1.0)
    pbx.dial(*A, *B)
    began = pbx.time

    leg = _only(pbx)
    assert (leg.dstuid, leg.start, leg.flags.reconstructed) == (B[1], began, False)


@pytest.mark.parametrize("application", ["FollowMe", "Page", "RetryDial", "Queue"])
def test_who_runs_an_application_that_dials_is_the_caller_though_it_names_nobody(application: str) -> None:
    pbx = _came_late(dialling(data="300", Application=application), outgoing())

    assert _pairs(pbx) == [(A[1], B[1], "dialing")]


def test_a_phone_without_anybody_who_dials_it_is_the_call_of_the_one_it_talks_with() -> None:
    """Its caller was sent on to an application that dials nobody."""
    pbx = _came_late(dialling("b", Application="BridgeWait"), outgoing(bridge="b"), item(*C, Linkedid=C[1]))

    assert (A[1], B[1], "talking") in _pairs(pbx)


def test_a_phone_that_nobody_may_have_dialled_gets_no_leg() -> None:
    pbx = _came_late(outgoing(), item(*C, Linkedid=C[1], Application="Dial", ApplicationData="SIP/204"))

    assert [uid for _, uid, _ in _pairs(pbx)] == [""]


def test_of_several_that_dial_in_one_call_the_one_that_names_the_phone_is_its_caller() -> None:
    """202 was called by 201, and calls 203 for it."""
    second = item(*B, Application="Dial", ApplicationData="SIP/203", CallerIDNum="202")
    pbx = _came_late(dialling(), second, outgoing(C))

    assert (B[1], C[1], "dialing") in _pairs(pbx)


def test_two_calls_by_the_same_trunk_are_told_apart_by_their_call() -> None:
    one, two = ("SIP/sipto45-00000011", "2.1"), ("SIP/sipto45-00000012", "2.2")
    pbx = _came_late(
        dialling(data="SIP/sipto45/0551"),
        item(*C, Linkedid=C[1], Application="Dial", ApplicationData="SIP/sipto45/0552"),
        outgoing(one),
        {**outgoing(two), "Linkedid": C[1]},
    )

    assert _pairs(pbx) == [(A[1], "2.1", "dialing"), (C[1], "2.2", "dialing")]


def test_two_calls_by_the_same_trunk_in_one_call_are_told_apart_by_their_bridges() -> None:
    one, two = ("SIP/sipto45-00000011", "2.1"), ("SIP/sipto45-00000012", "2.2")
    second = item(*C, Application="Dial", ApplicationData="SIP/sipto45/0552", BridgeId="c")
    pbx = _came_late(
        dialling("b", data="SIP/sipto45/0551"), second, outgoing(two, bridge="c"), outgoing(one, bridge="b")
    )

    assert _pairs(pbx) == [(A[1], "2.1", "talking"), (C[1], "2.2", "talking")]


def test_nobody_was_dialled_by_one_that_is_younger() -> None:
    younger = item(*C, Application="Queue", Duration="00:00:59")
    pbx = _came_late(younger, dialling(data="500", Application="Queue"), outgoing())

    assert (A[1], B[1], "dialing") in _pairs(pbx)


@pytest.mark.parametrize(
    ("data", "linkedid", "called"),
    [("SIP/202", A[1], True), ("SIP/204", A[1], False), ("SIP/202", B[1], False)],
)
def test_a_phone_in_a_subroutine_was_called_if_a_dial_of_its_call_names_it(
    data: str,
    linkedid: str,
    called: bool,  # noqa: FBT001
) -> None:
    """Dial's U() runs on the phone before it is connected (40e); anybody else there is a caller himself."""
    phone = item(*B, Linkedid=linkedid, Application="Playback", CallerIDNum="202")
    pbx = _came_late(dialling(data=data), phone)

    wanted = (A[1], B[1], "dialing") if called else (B[1], "", "waiting")
    assert wanted in _pairs(pbx)


def test_the_phone_behind_a_listed_local_channel_belongs_to_whoever_dialled_that() -> None:
    """The phone's item may stand before those of the Local channel."""
    one, two = ("Local/202@x-00000001;1", "1.5"), ("Local/202@x-00000001;2", "1.6")
    pbx = _came_late(
        outgoing(ChannelState="5"),
        item(*two, Application="Dial", ApplicationData="SIP/202"),
        outgoing(one, ChannelState="5"),
        dialling(data="Local/202@x/n"),
    )

    assert _pairs(pbx) == [(A[1], B[1], "ringing")]
    assert _only(pbx).flags.via_local


def test_the_number_called_is_that_of_the_caller_not_of_its_phone() -> None:
    """A channel variable is inherited; what the phone calls later has no such number."""
    did: Fields = {"Variable": "DID=30900"}
    status = [("Status", {"Uniqueid": uid, **did}) for uid in (A[1], B[1])]
    pbx = _came_late(dialling("b"), outgoing(bridge="b"), others=status)
    pbx.new(*C)
    pbx.dial(*B, *C, exten="203")

    assert [leg.didnumber for leg in pbx.state.legs.values()] == ["30900", ""]


def test_a_list_of_a_queue_does_not_begin_a_wait_anew() -> None:
    """The member that rang in vain before the list belongs to the same wait, which is abandoned."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="500", Context="from-internal")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="500", Exten="500")
    pbx.new(*B)
    pbx.dial(*A, *B)
    pbx.hangup(*B)
    lists(pbx, [dialling(Application="Queue")], [("QueueEntry", {"Uniqueid": A[1], "Queue": "500"})])
    pbx.beat(2.0)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.hangup(*A)

    assert [leg.flags.queue_abandoned for leg in pbx.legs.values() if leg.dstuid == B[1]] == [True]


def talking() -> Pbx:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    return pbx


def test_who_left_its_bridge_unheard_talks_no_longer() -> None:
    pbx = talking()
    watermark = lists(pbx, [dialling(), outgoing(bridge="b")])
    pbx.beat(2.0)

    leg = next(leg for leg in pbx.legs.values() if leg.dstuid == B[1])
    assert (leg.talks[-1].end, leg.flags.reconstructed) == (watermark, True)


def test_who_moved_to_another_bridge_unheard_talks_there() -> None:
    """An attended transfer that nobody heard: 203 talks with 202 now."""
    pbx = talking()
    pbx.new(*C, CallerIDNum="203")
    watermark = lists(pbx, [dialling(), outgoing(bridge="c"), item(*C, BridgeId="c", CallerIDNum="203")])
    pbx.beat(2.0)

    leg = next(leg for leg in pbx.state.legs.values() if leg.dstuid == B[1])
    assert [talk.devices for talk in leg.talks] == [["201"], ["203"]]
    assert (leg.talks[0].end, leg.talks[1].start) == (watermark, watermark)


def test_a_list_that_is_ahead_of_the_events_waits_for_them() -> None:
    """It says that they talk; the events that say when are on their way."""
    pbx = ringing()
    lists(pbx, [dialling("b"), outgoing(bridge="b")])
    pbx.say("VarSet", Uniqueid=A[1], Variable="DID", Value="30900")
    pbx.enter(*B)
    pbx.enter(*A)
    answered = pbx.time
    pbx.beat(2.0)

    leg = _only(pbx)
    assert (leg.answer, leg.flags.reconstructed) == (answered, False)


def test_an_event_that_names_a_missed_phone_as_the_called_one_waits_for_no_grace() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    lists(pbx, [dialling(), outgoing(ChannelState="5")])
    pbx.say("DialEnd", Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], DialStatus="BUSY")

    assert (_only(pbx).dstuid, _only(pbx).dialstatus) == (B[1], "BUSY")


def test_only_the_first_list_after_a_gap_is_believed_at_once() -> None:
    pbx = _came_late()
    lists(pbx, [dialling("b"), outgoing(bridge="b")])
    assert pbx.legs == {}

    pbx.beat(1.0)
    assert _pairs(pbx) == [(A[1], B[1], "talking")]


def test_a_leg_of_a_phone_that_was_only_listed_says_so() -> None:
    """Nobody knows who rang it before the dial that was heard."""
    pbx = _came_late(outgoing(ChannelState="0"))
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.dial(*A, *B)

    assert (_only(pbx).srcuid, _only(pbx).flags.reconstructed) == (A[1], True)


def test_a_leg_of_a_caller_that_was_only_listed_says_so() -> None:
    """What it did before is not known, though the dial was heard."""
    pbx = _came_late(item(*A, CallerIDNum="201", Exten="202", Context="from-internal"))
    pbx.new(*B)
    pbx.dial(*A, *B)

    assert (_only(pbx).dstuid, _only(pbx).flags.reconstructed) == (B[1], True)


def test_after_events_were_shed_a_list_is_believed_at_once() -> None:
    """Half a frame at the end of a connection is no such loss."""
    shed, cut = Pbx(), Pbx()
    shed.tell(Drop, reason="buffer_full", count=3)
    cut.tell(Drop, reason="half_frame")
    for pbx in (shed, cut):
        lists(pbx, [dialling("b"), outgoing(bridge="b")])

    assert _pairs(shed) == [(A[1], B[1], "talking")]
    assert (cut.legs, cut.state.suspect_since) == ({}, None)
