"""Legs that a list of the live channels ended by estimate, and what is heard of them later."""

from datetime import datetime

import pytest

from tests.scenarios.calls.test_lists import dialling, lists, talking
from tests.scenarios.calls.test_rules import A, B, Pbx, ringing


def test_a_caller_that_a_list_ended_may_still_tell_of_its_real_end() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="600", Context="from-internal")
    watermark = lists(pbx, [])
    pbx.beat(2.0)
    (estimated,) = pbx.legs.values()
    pbx.hangup(*A)

    assert (estimated.end_reason, estimated.end, estimated.end_exact) == ("snapshot", watermark, False)
    (leg,) = pbx.legs.values()
    assert (leg.end_reason, leg.end, leg.end_exact, leg.hangupcause) == ("hangup", pbx.time, True, 16)
    assert pbx.surprises == []


def test_a_talk_that_was_over_before_the_list_is_no_longer_for_its_late_hangup() -> None:
    pbx = ringing()
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("BridgeLeave", 5.0, Channel=B[0], Uniqueid=B[1], BridgeUniqueid="b")
    parted = pbx.time
    pbx.beat(1.0)
    lists(pbx, [dialling()])
    pbx.beat(2.0)
    pbx.hangup(*B)

    leg = next(leg for leg in pbx.legs.values() if leg.dstuid == B[1])
    assert (leg.end, leg.talks[-1].end, leg.billsec) == (pbx.time, parted, 5.0)


def _rang_in_queue() -> tuple[Pbx, datetime]:
    """201 waits in a queue, 202 rang for it; a list says that it does so no longer."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="500", Context="from-internal")
    pbx.say("QueueCallerJoin", Channel=A[0], Uniqueid=A[1], Queue="500", Exten="500")
    pbx.new(*B)
    pbx.dial(*A, *B)
    watermark = lists(pbx, [dialling(Application="Queue")])
    pbx.beat(2.0)
    return pbx, watermark


def _abandon(pbx: Pbx) -> None:
    pbx.say("QueueCallerAbandon", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.say("QueueCallerLeave", Channel=A[0], Uniqueid=A[1], Queue="500")
    pbx.hangup(*A)


def test_a_leg_that_a_list_ended_stays_ended_when_its_caller_gives_up() -> None:
    """The hang-up of the queue's member was not heard; then its caller abandons the queue."""
    pbx, watermark = _rang_in_queue()
    _abandon(pbx)

    assert pbx.state.legs == {}
    member = next(leg for leg in pbx.legs.values() if leg.dstuid == B[1])
    assert (member.state, member.end, member.end_reason) == ("ended", watermark, "snapshot")
    assert member.flags.queue_abandoned


def test_a_caller_whose_leg_a_list_ended_has_a_row_again() -> None:
    pbx, watermark = _rang_in_queue()

    assert [(leg.kind, leg.queue, leg.start) for leg in pbx.state.legs.values()] == [
        ("caller", "500", watermark)
    ]


@pytest.mark.parametrize("late", ["before", "after"])
def test_a_late_hangup_and_an_abandoned_queue_both_count(late: str) -> None:
    """Whichever is told first."""
    pbx, _ = _rang_in_queue()
    if late == "after":
        _abandon(pbx)
    pbx.hangup(*B, cause="17")
    hung_up = pbx.time
    if late == "before":
        _abandon(pbx)

    member = next(leg for leg in pbx.legs.values() if leg.dstuid == B[1])
    assert (member.end, member.end_reason, member.end_exact) == (hung_up, "hangup", True)
    assert (member.hangupcause, member.flags.queue_abandoned) == (17, True)


def test_a_late_hangup_lengthens_the_talk_that_the_list_had_ended() -> None:
    pbx = talking()
    answered = pbx.time
    watermark = lists(pbx, [])
    pbx.beat(2.0)
    (estimated,) = pbx.legs.values()
    pbx.hangup(*B)

    (leg,) = pbx.legs.values()
    assert (estimated.end, estimated.talks[-1].end) == (watermark, watermark)
    assert [(talk.start, talk.end) for talk in leg.talks] == [(answered, pbx.time)]
    assert leg.billsec == pytest.approx((pbx.time - answered).total_seconds())


def test_a_late_hangup_bills_nobody_who_was_not_called() -> None:
    """Two in a conference."""
    pbx = Pbx()
    for phone in (A, B):
        pbx.new(*phone, "4", CallerIDNum=phone[0][4:7], Exten="600", Context="from-internal")
        pbx.enter(*phone, BridgeType="base")
    lists(pbx, [])
    pbx.beat(2.0)
    pbx.hangup(*A)

    (leg,) = [leg for leg in pbx.legs.values() if leg.srcuid == A[1]]
    assert (leg.end, leg.talks[-1].end, leg.billsec) == (pbx.time, pbx.time, 0.0)
    assert (leg.hangupcause, leg.hangupcausetxt) == (16, "x")


@pytest.mark.parametrize(("after", "reason"), [(599.9, "hangup"), (600.0, "snapshot")])
def test_a_late_hangup_is_waited_for_ten_minutes(after: float, reason: str) -> None:
    """From the moment at which the leg ended by estimate."""
    pbx = ringing()
    watermark = lists(pbx, [dialling()])
    pbx.beat(1.0)
    pbx.say("Hangup", after - 1.0, Channel=B[0], Uniqueid=B[1], Cause="16")

    (leg,) = [leg for leg in pbx.legs.values() if leg.dstuid == B[1]]
    assert (leg.end_reason, leg.end) == (reason, watermark if reason == "snapshot" else pbx.time)
