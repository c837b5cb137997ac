"""Callers that are sent on: queues, redirects, transfers, parking and pickup."""

import pytest

from tests.scenarios.calls.test_callers import called, calls_203, in_dialplan, waiting_rows
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing


def _queued() -> Pbx:
    """201 waits in queue 500, where 202 rings; it was answered for the music."""
    pbx = in_dialplan("500")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="500", Exten="500")
    pbx.new(*B)
    pbx.dial(*A, *B, exten="500")
    return pbx


def test_who_hangs_up_in_a_queue_was_not_served() -> None:
    """Though its channel was up; the Abandon may come too late or not at all."""
    pbx = _queued()
    pbx.hangup(*B)
    pbx.beat(1.0)
    (leg,) = waiting_rows(pbx)
    pbx.hangup(*A)

    assert (leg.queue, pbx.legs[leg.leg_id].disposition) == ("500", "NO ANSWER")


@pytest.mark.parametrize("event", ["ParkedCall", "UnParkedCall", "ParkedCallTimeOut"])
def test_who_hangs_up_in_a_parking_space_was_not_served(event: str) -> None:
    pbx = in_dialplan("700")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.new(*C)
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say(event, ParkeeUniqueid=A[1], RetrieverUniqueid=C[1])
    pbx.hangup(*A)

    (leg,) = pbx.legs.values()
    assert leg.disposition == ("NO ANSWER" if event == "ParkedCall" else "ANSWERED")


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

    assert called(pbx).flags.queue_abandoned


def test_a_caller_row_of_an_abandoned_wait_says_so_too() -> None:
    pbx = _queued()
    pbx.hangup(*B)
    pbx.beat(1.0)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.hangup(*A)

    assert {leg.kind for leg in pbx.legs.values() if leg.flags.queue_abandoned} == {"caller", "dial"}
    assert {leg.disposition for leg in pbx.legs.values()} == {"NO ANSWER"}


def test_who_left_a_queue_is_in_none() -> None:
    """What it dials then has no queue, and the voice menu that it hangs up in served it."""
    pbx = _queued()
    pbx.hangup(*B)
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    leg = calls_203(pbx)
    assert (called(pbx).queue, leg.queue) == ("500", "")

    pbx.hangup(*C)
    pbx.beat(1.0)
    (waiting,) = waiting_rows(pbx)
    pbx.hangup(*A)
    assert (waiting.queue, pbx.legs[waiting.leg_id].disposition) == ("", "ANSWERED")


def test_legs_of_an_older_wait_are_not_abandoned() -> None:
    """The caller left the first queue to be served in the second one, and gave up there."""
    pbx = _queued()
    pbx.hangup(*B)
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="501", Exten="501")
    leg = calls_203(pbx)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="501")
    pbx.hangup(*A)

    assert not called(pbx).flags.queue_abandoned
    assert pbx.legs[leg.leg_id].flags.queue_abandoned


def test_a_queue_that_lets_its_caller_go_on_was_not_abandoned() -> None:
    pbx = _queued()
    pbx.hangup(*B)
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="QUEUESTATUS", Value="TIMEOUT")
    pbx.hangup(*A)

    assert not called(pbx).flags.queue_abandoned


def test_what_a_caller_of_a_queue_dialled_is_the_exten_of_its_joining() -> None:
    """Not where the dialplan goes from there."""
    pbx = in_dialplan("30900")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="q", Exten="500")
    (waiting,) = waiting_rows(pbx)
    pbx.new(*B)
    pbx.dial(*A, *B, exten="501")

    assert (waiting.dialled, called(pbx).dialled, called(pbx).exten) == ("500", "500", "501")


def test_a_queue_that_is_joined_at_an_artefact_was_dialled_as_the_exten_before() -> None:
    pbx = in_dialplan("500")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="q", Exten="s")

    assert [leg.dialled for leg in waiting_rows(pbx)] == ["500"]


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
    leg = calls_203(pbx)
    assert (leg.flags.after_redirect, leg.flags.after_transfer_by, leg.dst) == (True, None, "203")

    other = ("SIP/204-00000004", "1.4")
    pbx.new(*other)
    pbx.dial(*A, *other, exten="204")
    assert called(pbx, other).dst == "203"


def test_who_left_its_bridge_for_another_one_was_not_redirected() -> None:
    pbx = _left_alone()
    pbx.enter(*A, bridge="conference", BridgeType="base")

    assert not calls_203(pbx).flags.after_redirect


def test_who_left_its_bridge_for_a_parking_space_was_not_redirected() -> None:
    pbx = _left_alone()
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])

    assert not calls_203(pbx).flags.after_redirect


def test_who_leaves_after_the_one_it_called_was_not_redirected() -> None:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    for phone in (B, A):
        pbx.say("BridgeLeave", Channel=phone[0], Uniqueid=phone[1], BridgeUniqueid="b")

    assert not calls_203(pbx).flags.after_redirect


def test_a_blind_transfer_without_a_result_was_one() -> None:
    pbx = ringing()
    sent = {"TransfererChannel": B[0], "TransfererUniqueid": B[1], "Extension": "203"}
    pbx.say("BlindTransfer", TransfereeUniqueid=A[1], **sent)

    assert (calls_203(pbx).flags.after_transfer_by, called(pbx, C).dst) == ("202", "203")


def test_who_was_transferred_and_bridged_since_is_redirected_the_next_time() -> None:
    """The transfer excused one departure, not every later one."""
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    sent = {"TransfererChannel": B[0], "TransfererUniqueid": B[1], "Extension": "203"}
    pbx.say("BlindTransfer", Result="Success", TransfereeUniqueid=A[1], **sent)
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    leg = calls_203(pbx)
    assert (leg.flags.after_transfer_by, leg.flags.after_redirect, leg.dst) == ("202", False, "203")

    pbx.enter(*C, bridge="c")
    pbx.enter(*A, bridge="c")
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], BridgeUniqueid="c")
    other = ("SIP/204-00000004", "1.4")
    pbx.new(*other)
    pbx.dial(*A, *other, exten="204")
    assert called(pbx, other).flags.after_redirect
    assert called(pbx, other).dst == "204"


def test_a_call_that_comes_back_from_parking_rings_the_parker_and_does_so_once() -> None:
    """201 called a parking space itself: there is nothing it dialled before, so the phone is the number."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201")
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say("ParkedCallTimeOut", ParkeeUniqueid=A[1])
    pbx.new(*B)
    pbx.dial(*A, *B, exten="PJSIP_202")
    leg = called(pbx)
    assert (leg.flags.park_ringback, leg.dst, leg.dialled, leg.exten) == (True, "202", None, "PJSIP_202")

    pbx.enter(*B)
    pbx.enter(*A)
    pbx.hangup(*B)
    leg = calls_203(pbx)
    assert (leg.flags.park_ringback, leg.dst, leg.dialled) == (False, "203", "203")


def test_a_call_that_comes_back_from_parking_keeps_what_it_dialled() -> None:
    pbx = in_dialplan("900")
    calls_203(pbx)
    pbx.hangup(*C)
    pbx.say("ParkedCall", ParkeeUniqueid=A[1])
    pbx.say("ParkedCallTimeOut", ParkeeUniqueid=A[1])
    pbx.new(*B)
    pbx.dial(*A, *B, exten="PJSIP_202")

    assert (called(pbx).flags.park_ringback, called(pbx).dst, called(pbx).dialled) == (True, "203", "203")


def test_a_parked_call_that_somebody_unknown_fetches_stays_parked() -> None:
    pbx = in_dialplan("700")
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

    taken = called(pbx, C)
    assert (taken.src, taken.dst, taken.exten, taken.flags.pickup) == ("201", "202", None, True)
    assert taken.flags.via_local is False
    assert called(pbx).flags.picked_up_by == "203"
    (own,) = [leg for leg in pbx.legs.values() if leg.kind == "caller"]
    assert (own.end_reason, own.end) == ("dialled", taken.born)
