"""Callers: what their legs know at birth, when they come back, when they are gone, whose a dial is."""

from datetime import timedelta

import pytest

from legbook.contracts.legs import Leg
from tests.scenarios.calls.test_rules import A, B, C, Pbx, ringing

ONE, TWO = ("Local/202@x-00000001;1", "1.5"), ("Local/202@x-00000001;2", "1.6")
TRUNK = ("SIP/sipto45-00000009", "1.9")


def called(pbx: Pbx, phone: tuple[str, str] = B) -> Leg:
    """The leg of this called phone."""
    (leg,) = [leg for leg in pbx.legs.values() if leg.dstuid == phone[1]]
    return leg


def waiting_rows(pbx: Pbx) -> list[Leg]:
    """The live rows of those with nobody rung."""
    return [leg for leg in pbx.state.legs.values() if leg.kind == "caller"]


def in_dialplan(exten: str = "202", **more: str) -> Pbx:
    """201 is in the dialplan."""
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten=exten, Context="from-internal", **more)
    return pbx


def calls_203(pbx: Pbx, after: float = 0.01) -> Leg:
    """201 calls 203 too."""
    pbx.new(*C)
    pbx.beat(after)
    pbx.dial(*A, *C, exten="203")
    return called(pbx, C)


def test_a_leg_has_the_name_and_the_account_that_its_dial_says() -> None:
    pbx = in_dialplan(CallerIDName="Ada", AccountCode="sales")
    (waiting,) = waiting_rows(pbx)
    assert (waiting.srcname, waiting.accountcode) == ("Ada", "sales")

    pbx.new(*B)
    said = {"CallerIDName": "Ada L.", "AccountCode": "sales-2", "DestAccountCode": "support"}
    pbx.say("DialBegin", Channel=A[0], Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], **said)
    assert (called(pbx).srcname, called(pbx).accountcode) == ("Ada L.", "sales-2")


def test_an_originated_leg_has_no_callers_name_and_the_account_of_its_phone() -> None:
    """The caller id is what Originate wants shown on the phone."""
    pbx = Pbx()
    pbx.new(*B)
    said = {"CallerIDNum": "999", "CallerIDName": "Click", "DestAccountCode": "support"}
    pbx.say("DialBegin", DestChannel=B[0], DestUniqueid=B[1], **said)

    leg = called(pbx)
    assert (leg.src, leg.srcname, leg.accountcode, leg.dst) == ("", "", "support", "202")


def test_a_trunk_shows_the_number_that_the_dialplan_gives_it() -> None:
    """A phone keeps its own, a trunk has no own."""
    pbx = Pbx()
    pbx.new(*TRUNK, "4", CallerIDNum="2002", Exten="30900", Context="from-trunk")
    pbx.new(*B)
    shown = {"CallerIDNum": "002002"}
    pbx.say("DialBegin", Channel=TRUNK[0], Uniqueid=TRUNK[1], DestChannel=B[0], DestUniqueid=B[1], **shown)

    assert called(pbx).src == "002002"


def test_a_caller_at_an_artefact_of_the_dialplan_has_no_exten() -> None:
    (leg,) = waiting_rows(in_dialplan("s"))

    assert (leg.dst, leg.exten) == ("", None)


def test_a_caller_moves_through_the_dialplan() -> None:
    pbx = in_dialplan("600")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="601", Context="from-internal")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="s", Context="from-internal")
    pbx.say("Newexten", Channel=A[0], Uniqueid=A[1], Exten="602", Context="macro-x")

    (leg,) = waiting_rows(pbx)
    assert (leg.dst, leg.exten) == ("601", "601")


def test_a_phone_that_rings_before_its_dial_is_told_is_ringing_from_then_on() -> None:
    pbx = in_dialplan()
    pbx.new(*B)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")
    rang = pbx.time
    pbx.dial(*A, *B)

    assert (called(pbx).state, called(pbx).ring) == ("ringing", rang)


def test_who_talks_does_not_ring_again() -> None:
    pbx = ringing()
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")
    rang = pbx.time
    pbx.enter(*B)
    pbx.enter(*A)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="6")
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="5")

    assert (called(pbx).state, called(pbx).ring) == ("talking", rang)


@pytest.mark.parametrize("cause", ["", "x", "²", "-1", "9999999999"])
def test_a_cause_that_is_no_number_is_none(cause: str) -> None:
    pbx = ringing()
    pbx.hangup(*B, cause=cause)

    assert (called(pbx).hangupcause, called(pbx).disposition) == (None, "NO ANSWER")


def test_a_leg_belongs_to_the_call_that_its_channel_is_in_at_the_end() -> None:
    pbx = ringing()
    text = {"Cause-txt": "Normal Clearing"}
    pbx.say("Hangup", Channel=B[0], Uniqueid=B[1], Linkedid="0.7", Cause="16", **text)
    pbx.beat(1.0)
    pbx.say("BridgeLeave", Channel=A[0], Uniqueid=A[1], Linkedid="0.8")
    pbx.say("Hangup", Channel=A[0], Uniqueid=A[1], Cause="16", **text)

    (waited,) = [leg for leg in pbx.legs.values() if leg.kind == "caller"]
    assert (called(pbx).linkedid_first, called(pbx).linkedid) == (B[1], "0.7")
    assert (waited.linkedid_first, waited.linkedid) == (A[1], "0.8")
    assert {(leg.hangupcause, leg.hangupcausetxt) for leg in (called(pbx), waited)} == {
        (16, "Normal Clearing")
    }


def test_a_caller_that_was_never_up_has_no_seconds() -> None:
    pbx = ringing()
    pbx.hangup(*B)

    assert (called(pbx).billsec, called(pbx).billsec_leg_a) == (0.0, 0.0)


def test_a_caller_that_comes_back_is_busy_if_its_dial_was() -> None:
    pbx = ringing()
    pbx.hangup(*B, cause="17")
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DIALSTATUS", Value="BUSY")
    pbx.beat(0.5)
    (leg,) = waiting_rows(pbx)
    pbx.hangup(*A)

    assert pbx.legs[leg.leg_id].disposition == "BUSY"


def test_half_a_second_counts_from_the_last_leg() -> None:
    """The first timer finds a caller that is idle again, but not for long enough."""
    pbx = ringing()
    pbx.hangup(*B)
    calls_203(pbx, 0.3)
    pbx.hangup(*C)
    idle = pbx.time
    pbx.beat(0.3)
    assert waiting_rows(pbx) == []

    pbx.beat(0.2)
    assert [leg.start for leg in waiting_rows(pbx)] == [idle]


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
    assert called(pbx).src_gone is None

    pbx.beat(0.2)
    assert (called(pbx).src_gone, called(pbx).state) == (gone, "talking")


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
    leg = called(pbx)
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
    leg = called(pbx)
    assert (leg.state, leg.hangupcause, leg.dialstatus) == wanted[name]


def test_click_to_dial_through_local_belongs_to_the_phone_that_answered() -> None:
    """One half rings 201, the other one then 202."""
    pbx = Pbx()
    for channel in (ONE, TWO, A, B):
        pbx.new(*channel)
    pbx.dial(*ONE, *A, exten="201")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="6")
    pbx.dial(*TWO, *B)

    assert (called(pbx).srcuid, called(pbx).flags.via_local) == (A[1], True)


def test_a_phone_that_only_rings_calls_nobody() -> None:
    pbx = Pbx()
    for channel in (ONE, TWO, A, B):
        pbx.new(*channel)
    pbx.dial(*ONE, *A, exten="201")
    pbx.say("Newstate", Channel=A[0], Uniqueid=A[1], ChannelState="5")
    pbx.dial(*TWO, *B)
    pbx.beat(0.1)

    assert called(pbx).srcuid == ""


def test_a_phone_whose_dial_waits_is_no_caller() -> None:
    pbx = Pbx()
    pbx.new(*TWO)
    pbx.new(*B)
    pbx.dial(*TWO, *B)
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="4")

    assert pbx.legs == {}


def test_the_exten_of_a_local_half_is_known_from_its_pairing() -> None:
    """Whoever began to listen after its birth: the subroutine that dials the phone stands at `s`."""
    pbx = Pbx()
    halves = {"LocalOneChannel": ONE[0], "LocalOneUniqueid": ONE[1], "LocalTwoChannel": TWO[0]}
    pbx.say("LocalBridge", **halves, LocalTwoUniqueid=TWO[1], LocalTwoExten="202", LocalTwoContext="x")
    pbx.new(*B)
    pbx.dial(*TWO, *B, exten="s")
    pbx.beat(0.1)

    assert (called(pbx).dst, called(pbx).exten) == ("202", "202")


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


def test_a_phone_in_the_state_of_a_caller_is_none_while_it_is_called_or_calls() -> None:
    pbx = ringing()
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="4")
    pbx.new(*C)
    pbx.new(*TRUNK)
    pbx.dial(*C, *TRUNK, exten="0555")
    pbx.say("Newstate", Channel=C[0], Uniqueid=C[1], ChannelState="4")

    assert sorted((leg.kind, leg.dstuid) for leg in pbx.state.legs.values()) == [
        ("dial", B[1]),
        ("dial", TRUNK[1]),
    ]


def test_the_number_that_was_dialled_is_not_the_number_called_from_outside() -> None:
    """The trunk stands in the inbound context at the very exten that the queue is joined with."""
    pbx = Pbx()
    pbx.new(*TRUNK, "4", CallerIDNum="2002", Exten="500", Context="from-trunk")
    assert [leg.didnumber for leg in waiting_rows(pbx)] == ["500"]

    pbx.say("QueueCallerJoin", Channel=TRUNK[0], Uniqueid=TRUNK[1], Queue="q", Exten="500")
    assert [(leg.didnumber, leg.dialled) for leg in waiting_rows(pbx)] == [("", "500")]


def test_a_variable_that_is_emptied_takes_nothing_back() -> None:
    pbx = in_dialplan("299")
    for value in ("30900", ""):
        pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DID", Value=value)
    for value in ("CHANUNAVAIL", ""):
        pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DIALSTATUS", Value=value)
    pbx.hangup(*A)

    assert [(leg.didnumber, leg.disposition) for leg in pbx.legs.values()] == [("30900", "FAILED")]


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

    assert (called(pbx, A).didnumber, called(pbx).didnumber) == ("30900", "")


def test_a_number_that_is_set_while_a_phone_rings_stands_on_its_leg() -> None:
    pbx = ringing()
    pbx.say("VarSet", Channel=A[0], Uniqueid=A[1], Variable="DID", Value="30900")
    leg = calls_203(pbx)

    assert (called(pbx).didnumber, leg.didnumber) == ("30900", "30900")


def test_an_entry_that_is_read_twice_is_one() -> None:
    """Kafka may deliver it again."""
    pbx = ringing()
    pbx.seq -= 1
    pbx.time -= timedelta(seconds=0.01)
    before = dict(pbx.legs)
    pbx.dial(*A, *B)

    assert pbx.legs == before
