"""Callers: what their legs know at birth, when they come back, when they are gone; queues, transfers, pickup."""

from datetime import timedelta

import pytest

from legbook.contracts.legs import Leg
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing

ONE, TWO = ("Local/202@x-00000001;1", "1.5"), ("Local/202@x-00000001;2", "1.6")
TRUNK = ("SIP/sipto45-00000009", "1.9")


def _called(pbx: Pbx, called: tuple[str, str] = B) -> Leg:
    """The leg of this called phone."""
    (leg,) = [leg for leg in pbx.legs.values() if leg.dstuid == called[1]]
    return leg


def _waiting(pbx: Pbx) -> list[Leg]:
    """The live rows of those with nobody rung."""
    return [leg for leg in pbx.state.legs.values() if leg.kind == "caller"]


def _caller(exten: str = "202", **more: str) -> Pbx:
    """201 is in the dialplan."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten=exten, Context="from-internal", **more)
    return pbx


def _again(pbx: Pbx, after: float = 0.01) -> Leg:
    """201 calls 203 too."""
    pbx.new(*C)
    pbx.beat(after)
    pbx.dial(*A, *C, exten="203")
    return _called(pbx, C)


def _queued() -> Pbx:
    """201 waits in queue 500, where 202 rings; it was answered for the music."""
    pbx = _caller("500")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="500", Exten="500")
    pbx.new(*B)
    pbx.dial(*A, *B, exten="500")
    return pbx


def test_a_leg_has_the_name_and_the_account_that_its_dial_says() -> None:
    pbx = _caller(CallerIDName="Ada", AccountCode="sales")
    (waiting,) = _waiting(pbx)
    assert (waiting.srcname, waiting.accountcode) == ("Ada", "sales")

    pbx.new(*B)
    said = {"CallerIDName": "Ada L.", "AccountCode": "sales-2", "DestAccountCode": "support"}
    pbx.say("DialBegin", Channel=A[0], Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], **said)
    assert (_called(pbx).srcname, _called(pbx).accountcode) == ("Ada L.", "sales-2")


def test_an_originated_leg_has_no_callers_name_and_the_account_of_its_phone() -> None:
    """The caller id is what Originate wants shown on the phone."""
    pbx = Pbx()
    pbx.new(*B)
    said = {"CallerIDNum": "999", "CallerIDName": "Click", "DestAccountCode": "support"}
    pbx.say("DialBegin", DestChannel=B[0], DestUniqueid=B[1], **said)

    leg = _called(pbx)
    assert (leg.src, leg.srcname, leg.accountcode, leg.dst) == ("", "", "support", "202")


def test_a_trunk_shows_the_number_that_the_dialplan_gives_it() -> None:
    """A phone keeps its own, a trunk has no own."""
    pbx = Pbx()
    pbx.new(*TRUNK, "4", CallerIDNum="2002", Exten="30900", Context="from-trunk")
    pbx.new(*B)
    shown = {"CallerIDNum": "002002"}
    pbx.say("DialBegin", Channel=TRUNK[0], Uniqueid=TRUNK[1], DestChannel=B[0], DestUniqueid=B[1], **shown)

    assert _called(pbx).src == "002002"


def test_a_caller_at_an_artefact_of_the_dialplan_has_no_exten() -> None:
    (leg,) = _waiting(_caller("s"))

    assert (leg.dst, leg.exten) == ("", None)


def test_a_caller_moves_through_the_dialplan() -> None:
    pbx = _caller("600")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="601", Context="from-internal")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="s", Context="from-internal")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="602", Context="macro-x")

    (leg,) = _waiting(pbx)
    assert (leg.dst, leg.exten) == ("601", "601")


def test_a_phone_that_rings_before_its_dial_is_told_is_ringing_from_then_on() -> None:
    pbx = _caller()
    pbx.new(*B)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")
    rang = pbx.time
    pbx.dial(*A, *B)

    assert (_called(pbx).state, _called(pbx).ring) == ("ringing", rang)


def test_who_talks_does_not_ring_again() -> None:
    pbx = ringing()
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")
    rang = pbx.time
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="6")
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")

    assert (_called(pbx).state, _called(pbx).ring) == ("talking", rang)


@pytest.mark.parametrize("cause", ["", "x", "²", "-1", "9999999999"])
def test_a_cause_that_is_no_number_is_none(cause: str) -> None:
    pbx = ringing()
    pbx.hangup(*B, cause=cause)

    assert (_called(pbx).hangupcause, _called(pbx).disposition) == (None, "NO ANSWER")


def test_a_leg_belongs_to_the_call_that_its_channel_is_in_at_the_end() -> None:
    pbx = ringing()
    pbx.say("Hangup", Channel=B[0], Uniqueid=B[1], Linkedid="0.7", Cause="16")
    pbx.beat(1.0)
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], Linkedid="0.8")
    pbx.say("Hangup", Channel=A[0], Uniqueid=A[1], Cause="16", **{"Cause-txt": "Normal Clearing"})

    (waited,) = [leg for leg in pbx.legs.values() if leg.kind == "caller"]
    assert (_called(pbx).linkedid_first, _called(pbx).linkedid) == (B[1], "0.7")
    assert (waited.linkedid_first, waited.linkedid) == (A[1], "0.8")
    assert (waited.hangupcause, waited.hangupcausetxt) == (16, "Normal Clearing")


def test_a_caller_that_was_never_up_has_no_seconds() -> None:
    pbx = ringing()
    pbx.hangup(*B)

    assert (_called(pbx).billsec, _called(pbx).billsec_leg_a) == (0.0, 0.0)


def test_a_caller_that_comes_back_is_busy_if_its_dial_was() -> None:
    pbx = ringing()
    pbx.hangup(*B, cause="17")
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DIALSTATUS", Value="BUSY")
    pbx.beat(0.5)
    (leg,) = _waiting(pbx)
    pbx.hangup(*A)

    assert pbx.legs[leg.leg_id].disposition == "BUSY"


def test_half_a_second_counts_from_the_last_leg() -> None:
    """The first timer finds a caller that is idle again, but not for long enough."""
    pbx = ringing()
    pbx.hangup(*B)
    _again(pbx, 0.3)
    pbx.hangup(*C)
    idle = pbx.time
    pbx.beat(0.3)
    assert _waiting(pbx) == []

    pbx.beat(0.2)
    assert [leg.start for leg in _waiting(pbx)] == [idle]


def test_a_caller_that_is_called_itself_does_not_come_back() -> None:
    """An originated phone whose call ended: its own leg says that it is there (15a)."""
    pbx = Pbx()
    pbx.new(*A, CallerIDNum="201")
    pbx.say("DialBegin", DestChannel=A[0], DestUniqueid=A[1])
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.new(*B)
    pbx.dial(*A, *B)
    pbx.hangup(*B)
    pbx.beat(1.0)

    assert [(leg.kind, leg.dstuid) for leg in pbx.state.legs.values()] == [("dial", A[1])]


def test_a_caller_that_is_somebodys_peer_does_not_come_back() -> None:
    """203 called 204 and was connected with 202: when 204 hangs up, the row of 202 tells of both."""
    pbx = ringing()
    pbx.hangup(*A)
    pbx.new(*C, "4", CallerIDNum="203", Exten="204", Context="from-internal")
    other = ("SIP/204-00000004", "1.4")
    pbx.new(*other)
    pbx.dial(*C, *other, exten="204")
    pbx.enter(*B)
    pbx.enter(*C)
    pbx.hangup(*other)
    pbx.beat(1.0)

    (leg,) = pbx.state.legs.values()
    assert leg.peer is not None
    assert (leg.dstdevice, leg.peer.device) == ("202", "203")


def test_a_caller_that_hung_up_is_gone_since_then() -> None:
    """A blind transfer by the caller: the one it called goes on."""
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.hangup(*A)
    gone = pbx.time
    pbx.beat(0.4)
    assert _called(pbx).src_gone is None

    pbx.beat(0.2)
    assert (_called(pbx).src_gone, _called(pbx).state) == (gone, "talking")


def test_a_dial_that_waits_begins_when_it_was_told() -> None:
    """Behind a Local half whose other half is not known: after 0.1 s the row stands there without a caller."""
    pbx = Pbx()
    pbx.new(*TWO)
    pbx.new(*B)
    pbx.dial(*TWO, *B)
    began = pbx.time
    pbx.beat(0.09)
    assert pbx.legs == {}

    pbx.beat(0.01)
    leg = _called(pbx)
    assert (leg.start, leg.born, leg.srcchan) == (began, pbx.time, "")
    assert (leg.flags.via_local, leg.flags.originated, leg.flags.consult) == (True, False, False)


@pytest.mark.parametrize("name", ["Hangup", "DialEnd", "Newstate"])
def test_a_dial_that_waits_ends_its_wait_with_the_next_news_of_its_phone(name: str) -> None:
    pbx = Pbx()
    pbx.new(*TWO)
    pbx.new(*B)
    pbx.dial(*TWO, *B)
    dest = {"DestChannel": B[0], "DestUniqueid": B[1]} if name == "DialEnd" else {}
    pbx.say(name, Channel=B[0], Uniqueid=B[1], ChannelState="5", Cause="17", DialStatus="BUSY", **dest)

    wanted = {
        "Hangup": ("ended", 17, ""),
        "DialEnd": ("dialing", None, "BUSY"),
        "Newstate": ("ringing", None, ""),
    }
    leg = _called(pbx)
    assert (leg.state, leg.hangupcause, leg.dialstatus) == wanted[name]


def test_click_to_dial_through_local_belongs_to_the_phone_that_answered() -> None:
    """One half rings 201, the other one then 202: not for a phone that only rings."""
    pbx = Pbx()
    for channel in (ONE, TWO, A, B):
        pbx.new(*channel)
    pbx.dial(*ONE, *A, exten="201")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.dial(*TWO, *B)

    assert (_called(pbx).srcuid, _called(pbx).flags.via_local) == (A[1], True)


def test_the_exten_of_a_local_half_is_known_from_its_pairing() -> None:
    """Whoever began to listen after its birth: the subroutine that dials the phone stands at `s`."""
    pbx = Pbx()
    halves = {"LocalOneChannel": ONE[0], "LocalOneUniqueid": ONE[1], "LocalTwoChannel": TWO[0]}
    pbx.say("LocalBridge", **halves, LocalTwoUniqueid=TWO[1], LocalTwoExten="202", LocalTwoContext="x")
    pbx.new(*B)
    pbx.dial(*TWO, *B, exten="s")
    pbx.beat(0.1)

    assert (_called(pbx).dst, _called(pbx).exten) == ("202", "202")


def test_local_channels_leave_no_name_behind() -> None:
    pbx = Pbx()
    for half in (ONE, TWO):
        pbx.new(*half)
    for half in (ONE, TWO):
        pbx.hangup(*half)

    assert pbx.state._calls.local_halves == {}


def test_a_local_channel_that_rings_in_the_dialplan_is_no_caller() -> None:
    pbx = Pbx()
    pbx.new(*TWO, "4", CallerIDNum="201", Exten="202", Context="from-internal")

    assert pbx.legs == {}


def test_who_was_called_does_not_call_from_outside_itself() -> None:
    """The variable of the caller is inherited by the phone; what that phone calls later has no such number."""
    pbx = Pbx()
    pbx.new(*TRUNK, "4", CallerIDNum="2002", Exten="201", Context="x")
    pbx.say("VarSet", Channel=TRUNK[0], Uniqueid=TRUNK[1], Variable="__FROM_DID", Value="30900")
    pbx.new(*A, CallerIDNum="201")
    pbx.dial(*TRUNK, *A, exten="201")
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="FROM_DID", Value="30900")
    pbx.new(*B)
    pbx.dial(*A, *B)

    assert (_called(pbx, A).didnumber, _called(pbx).didnumber) == ("30900", "")


def test_a_number_that_is_set_while_a_phone_rings_stands_on_its_leg() -> None:
    pbx = ringing()
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DID", Value="30900")
    leg = _again(pbx)

    assert (_called(pbx).didnumber, leg.didnumber) == ("30900", "30900")


def test_who_hangs_up_in_a_queue_was_not_served() -> None:
    """Though its channel was up; the Abandon may come too late or not at all."""
    pbx = _queued()
    pbx.hangup(*B)
    pbx.beat(1.0)
    (leg,) = _waiting(pbx)
    pbx.hangup(*A)

    assert (leg.queue, pbx.legs[leg.leg_id].disposition) == ("500", "NO ANSWER")


@pytest.mark.parametrize("event", ["ParkedCall", "UnParkedCall"])
def test_who_hangs_up_in_a_parking_space_was_not_served(event: str) -> None:
    pbx = _caller("700")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.new(*C)
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say(event, ParkeeUniqueid=A[1], RetrieverUniqueid=C[1])
    pbx.hangup(*A)

    (leg,) = pbx.legs.values()
    assert leg.disposition == ("ANSWERED" if event == "UnParkedCall" else "NO ANSWER")


@pytest.mark.parametrize("when", ["before", "after", "alive"])
def test_all_legs_of_an_abandoned_wait_say_so(when: str) -> None:
    """Those that were over before the Abandon, those that end between it and the Hangup, and those that do not."""
    pbx = _queued()
    if when == "before":
        pbx.hangup(*B)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    if when == "after":
        pbx.hangup(*B)
    pbx.hangup(*A)

    assert _called(pbx).flags.queue_abandoned


def test_a_caller_row_of_an_abandoned_wait_says_so_too() -> None:
    pbx = _queued()
    pbx.hangup(*B)
    pbx.beat(1.0)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.hangup(*A)

    assert {leg.kind for leg in pbx.legs.values() if leg.flags.queue_abandoned} == {"caller", "dial"}


def test_legs_of_an_older_wait_are_not_abandoned() -> None:
    """The caller left the first queue to be served in the second one, and gave up there."""
    pbx = _queued()
    pbx.hangup(*B)
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="501", Exten="501")
    leg = _again(pbx)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="501")
    pbx.hangup(*A)

    assert not _called(pbx).flags.queue_abandoned
    assert pbx.legs[leg.leg_id].flags.queue_abandoned


def test_a_queue_that_lets_its_caller_go_on_was_not_abandoned() -> None:
    pbx = _queued()
    pbx.hangup(*B)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="QUEUESTATUS", Value="TIMEOUT")
    pbx.hangup(*A)

    assert not _called(pbx).flags.queue_abandoned


def test_what_a_caller_of_a_queue_dialled_is_the_exten_of_its_joining() -> None:
    """Not where the dialplan goes from there."""
    pbx = _caller("30900")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="q", Exten="500")
    (waiting,) = _waiting(pbx)
    pbx.new(*B)
    pbx.dial(*A, *B, exten="501")

    assert (waiting.dialled, _called(pbx).dialled, _called(pbx).exten) == ("500", "500", "501")


def test_a_queue_that_is_joined_at_an_artefact_was_dialled_as_the_exten_before() -> None:
    pbx = _caller("500")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="q", Exten="s")

    assert [leg.dialled for leg in _waiting(pbx)] == ["500"]


def _left_alone() -> Pbx:
    """201 leaves the bridge and lives on, 202 is still in it."""
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    return pbx


def test_where_a_caller_was_redirected_to_is_what_its_legs_are_for_from_then_on() -> None:
    """The dialplan may dial several phones for it there."""
    pbx = _left_alone()
    leg = _again(pbx)
    assert (leg.flags.after_redirect, leg.flags.after_transfer_by, leg.dst) == (True, None, "203")

    other = ("SIP/204-00000004", "1.4")
    pbx.new(*other)
    pbx.dial(*A, *other, exten="204")
    assert _called(pbx, other).dst == "203"


def test_who_left_its_bridge_for_another_one_was_not_redirected() -> None:
    pbx = _left_alone()
    pbx.enter(*A, bridge="conference", BridgeType="base")

    assert not _again(pbx).flags.after_redirect


def test_who_left_its_bridge_for_a_parking_space_was_not_redirected() -> None:
    pbx = _left_alone()
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])

    assert not _again(pbx).flags.after_redirect


def test_who_leaves_after_the_one_it_called_was_not_redirected() -> None:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    for phone in (B, A):
        pbx.say("BridgeLeave", Channel=phone[0], Uniqueid=phone[1], BridgeUniqueid="b")

    assert not _again(pbx).flags.after_redirect


def test_who_was_transferred_and_bridged_since_is_redirected_the_next_time() -> None:
    """The transfer excused one departure, not every later one."""
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    sent = {"TransfererChannel": B[0], "TransfererUniqueid": B[1], "Extension": "203"}
    pbx.say("BlindTransfer", Result="Success", TransfereeUniqueid=A[1], **sent)
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    leg = _again(pbx)
    assert (leg.flags.after_transfer_by, leg.flags.after_redirect, leg.dst) == ("202", False, "203")

    pbx.enter(*C, bridge="c")
    pbx.enter(*A, bridge="c")
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="c")
    other = ("SIP/204-00000004", "1.4")
    pbx.new(*other)
    pbx.dial(*A, *other, exten="204")
    assert _called(pbx, other).flags.after_redirect
    assert _called(pbx, other).dst == "204"


def test_a_call_that_comes_back_from_parking_rings_the_parker_and_does_so_once() -> None:
    """201 called a parking space itself: there is nothing it dialled before, so the phone is the number."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201")
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say("ParkedCallTimeOut", ParkeeUniqueid=A[1])
    pbx.new(*B)
    pbx.dial(*A, *B, exten="PJSIP_202")
    leg = _called(pbx)
    assert (leg.flags.park_ringback, leg.dst, leg.dialled, leg.exten) == (True, "202", None, "PJSIP_202")

    pbx.enter(*B)
    pbx.enter(*A)
    pbx.hangup(*B)
    leg = _again(pbx)
    assert (leg.flags.park_ringback, leg.dst, leg.dialled) == (False, "203", "203")


def test_a_call_that_comes_back_from_parking_keeps_what_it_dialled() -> None:
    pbx = _caller("900")
    _again(pbx)
    pbx.hangup(*C)
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say("ParkedCallTimeOut", ParkeeUniqueid=A[1])
    pbx.new(*B)
    pbx.dial(*A, *B, exten="PJSIP_202")

    assert (_called(pbx).flags.park_ringback, _called(pbx).dst, _called(pbx).dialled) == (True, "203", "203")


def test_a_parked_call_that_somebody_unknown_fetches_stays_parked() -> None:
    pbx = _caller("700")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say("UnParkedCall", ParkeeUniqueid=A[1], RetrieverUniqueid="9.9")
    pbx.hangup(*A)

    assert [leg.disposition for leg in pbx.legs.values()] == ["NO ANSWER"]


def test_a_call_is_picked_up_once() -> None:
    """Another DialEnd of the phone that took it is the end of its next dial."""
    pbx = ringing()
    pbx.new(*C, "4", CallerIDNum="203", Exten="*8", Context="from-internal")
    pbx.say("Pickup", Channel=C[0], Uniqueid=C[1], TargetChannel=B[0], TargetUniqueid=B[1])
    end = {"Channel": A[0], "Uniqueid": A[1], "DestChannel": C[0], "DestUniqueid": C[1], "CallerIDNum": "201"}
    for _ in range(2):
        pbx.say("DialEnd", DialStatus="ANSWER", **end)

    taken = _called(pbx, C)
    assert (taken.src, taken.dst, taken.exten, taken.flags.pickup) == ("201", "202", None, True)
    assert taken.flags.via_local is False
    assert _called(pbx).flags.picked_up_by == "203"
    assert [leg.end_reason for leg in pbx.legs.values() if leg.kind == "caller"] == ["dialled"]


def test_an_entry_that_is_read_twice_is_one() -> None:
    """Kafka may deliver it again."""
    pbx = ringing()
    pbx.seq -= 1
    pbx.time -= timedelta(seconds=0.01)
    before = dict(pbx.legs)
    pbx.dial(*A, *B)

    assert pbx.legs == before
