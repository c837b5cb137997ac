"""Rules that the recordings do not show, by hand-made streams; and that nothing can make the fold raise."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from legbook.calls import LegChange, PbxState, Surprise, Talk, fold
from legbook.calls.checkpoint import Checkpoint, NewerFormatError, dump
from legbook.calls.rules import EVENTS
from legbook.calls.state import Calls
from legbook.contracts.legs import Leg
from legbook.contracts.raw import ConnectionDown, Entry, Event, Heartbeat
from tests.recorded import PLAYED, entries, new_state

T0 = datetime(2026, 11, 24, 12, tzinfo=UTC)


class Pbx:
    """Says events one after the other and keeps the newest state of each leg."""

    def __init__(self) -> None:
        self.state, self.seq, self.time = new_state(), 0, T0
        self.boot: int | None = None
        self.legs: dict[int, Leg] = {}
        self.rules: dict[int, tuple[str, ...]] = {}
        self.talks: list[Talk] = []
        self.surprises: list[Surprise] = []

    def say(self, name: str, after: float = 0.01, /, **fields: str) -> None:
        self.seq += 1
        self.time += timedelta(seconds=after)
        sent = {k.replace("_", "-") if k == "Cause_txt" else k: v for k, v in fields.items()}
        self.take(
            self.state.apply(
                Event(
                    seq=self.seq,
                    at=self.time,
                    received_at=self.time,
                    name=name,
                    fields={"Event": name, **sent},
                ),
                epoch=1,
                boot=self.boot,
            )
        )

    def tell(self, kind: Callable[..., Entry], after: float = 0.01, /, **fields: object) -> None:
        """An entry of our own, which is no event."""
        self.seq += 1
        self.time += timedelta(seconds=after)
        entry = kind(seq=self.seq, at=self.time, received_at=self.time, **fields)
        self.take(self.state.apply(entry, epoch=1, boot=self.boot))

    def beat(self, after: float = 0.01, state: str = "up") -> None:
        self.tell(Heartbeat, after, state=state)

    def take(self, changes: Sequence[object]) -> None:
        for change in changes:
            if isinstance(change, LegChange):
                self.legs[change.leg.leg_id], self.rules[change.leg.leg_id] = change.leg, change.rules
            elif isinstance(change, Talk):
                self.talks.append(change)
            elif isinstance(change, Surprise):
                self.surprises.append(change)

    def new(self, channel: str, uid: str, state: str = "0", **more: str) -> None:
        self.say("Newchannel", Channel=channel, Uniqueid=uid, Linkedid=uid, ChannelState=state, **more)

    def dial(self, channel: str, uid: str, dest: str, destuid: str, exten: str = "202") -> None:
        self.say(
            "DialBegin", Channel=channel, Uniqueid=uid, DestChannel=dest, DestUniqueid=destuid, Exten=exten,
            Context="from-internal", CallerIDNum="201", DialString=exten,
        )  # fmt: skip

    def enter(self, channel: str, uid: str, bridge: str = "b", **more: str) -> None:
        more = {"BridgeTechnology": "simple_bridge", **more}
        self.say("BridgeEnter", Channel=channel, Uniqueid=uid, BridgeUniqueid=bridge, **more)

    def hangup(self, channel: str, uid: str, cause: str = "16") -> None:
        self.say("Hangup", Channel=channel, Uniqueid=uid, Cause=cause, Cause_txt="x")


A, B, C = ("SIP/201-00000001", "1.1"), ("SIP/202-00000002", "1.2"), ("SIP/203-00000003", "1.3")


def ringing() -> Pbx:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="202", Context="from-internal")
    pbx.new(*B)
    pbx.dial(*A, *B)
    return pbx


def test_up_and_dialend_are_no_answer_before_the_two_are_together() -> None:
    pbx = ringing()
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="6")
    pbx.say("DialEnd", DestChannel=B[0], DestUniqueid=B[1], DialStatus="ANSWER")
    pbx.enter(*B)
    (leg,) = pbx.legs.values()
    assert (leg.answered, leg.state) == (False, "dialing")

    pbx.enter(*A)
    (leg,) = pbx.legs.values()
    assert (leg.answered, leg.answer, leg.state) == (True, pbx.time, "talking")


def test_a_holding_bridge_brings_nobody_together() -> None:
    pbx = ringing()
    pbx.enter(*A, bridge="park", BridgeTechnology="holding_bridge")
    pbx.enter(*B, bridge="park", BridgeTechnology="holding_bridge")

    (leg,) = pbx.legs.values()
    assert not leg.answered


def test_the_same_two_again_within_a_moment_are_one_talk() -> None:
    pbx = ringing()
    pbx.enter(*A)
    pbx.enter(*B)
    began = pbx.time
    pbx.say("BridgeLeave", 5.0, Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    pbx.enter(*A)
    pbx.say("BridgeLeave", 5.0, Channel=A[0], Uniqueid=A[1], BridgeUniqueid="b")
    ended = pbx.time
    pbx.hangup(*B)
    pbx.hangup(*A)
    pbx.take(pbx.state.advance(pbx.time + timedelta(seconds=1)))

    assert [(talk.start, talk.end) for talk in pbx.talks] == [(began, ended)]
    (leg,) = pbx.legs.values()
    assert [(talk.start, talk.end) for talk in leg.talks] == [(began, ended)]
    assert leg.billsec == pytest.approx((ended - began).total_seconds())


def test_a_swap_takes_the_swapped_member_out_at_once() -> None:
    pbx = ringing()
    pbx.new(*C)
    pbx.enter(*A)
    pbx.enter(*B)
    pbx.enter(*C, SwapUniqueid=B[1])

    assert {talk.end for talk in pbx.talks} <= {pbx.time}
    dial, bridged = pbx.legs.values()
    assert dial.talks[-1].end == pbx.time
    assert (bridged.kind, bridged.srcdevice, bridged.dstdevice) == ("bridge", "201", "203")


def test_locals_with_both_halves_bridged_join_their_bridges() -> None:
    one, two = ("Local/202@x-00000001;1", "1.5"), ("Local/202@x-00000001;2", "1.6")
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="400", Context="from-internal")
    pbx.new(*one)
    pbx.new(*two)
    pbx.dial(*A, *one, exten="400")
    pbx.new(*B)
    pbx.dial(*two, *B)
    (leg,) = pbx.legs.values()
    assert (leg.srcdevice, leg.dialled, leg.exten, leg.flags.via_local) == ("201", "400", "202", True)

    pbx.enter(*B, bridge="b1")
    pbx.enter(*two, bridge="b1")
    pbx.enter(*one, bridge="b2")
    (leg,) = pbx.legs.values()
    assert not leg.answered
    pbx.enter(*A, bridge="b2")
    (leg,) = pbx.legs.values()
    assert leg.answered


def test_a_caller_who_is_left_alone_has_a_row_again_after_half_a_second() -> None:
    pbx = ringing()
    pbx.hangup(*B, cause="19")
    left = pbx.time
    pbx.say("VarSet", 0.4, Channel=A[0], Uniqueid=A[1], Variable="X", Value="1")
    assert len(pbx.state.legs) == 0

    pbx.say("VarSet", 0.2, Channel=A[0], Uniqueid=A[1], Variable="X", Value="1")
    (leg,) = pbx.state.legs.values()
    assert (leg.kind, leg.start, leg.dstchan, leg.rule) == ("caller", left, "", "callers.5")
    pbx.hangup(*A)
    assert pbx.state.legs == {}
    assert pbx.legs[leg.leg_id].disposition == "NO ANSWER"


def test_a_second_dial_within_half_a_second_gives_no_caller_row() -> None:
    pbx = ringing()
    pbx.hangup(*B)
    pbx.new(*C)
    pbx.dial(*A, *C)
    pbx.say("VarSet", 2.0, Channel=A[0], Uniqueid=A[1], Variable="X", Value="1")

    assert [leg.kind for leg in pbx.legs.values()] == ["dial", "dial"]


def test_the_phones_own_number_wins_over_a_changed_caller_id() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="201", Exten="90555", Context="from-internal")
    pbx.new(*B)
    pbx.say(
        "DialBegin", Channel=A[0], Uniqueid=A[1], DestChannel=B[0], DestUniqueid=B[1], CallerIDNum="30900"
    )

    (leg,) = pbx.legs.values()
    assert leg.src == "201"


@pytest.mark.parametrize(("cause", "status", "wanted"), [
    ("17", "", "BUSY"), ("21", "NOANSWER", "BUSY"), ("19", "BUSY", "NO ANSWER"), ("18", "", "NO ANSWER"),
    ("16", "BUSY", "BUSY"), ("34", "CONGESTION", "FAILED"), ("0", "CHANUNAVAIL", "FAILED"),
    ("127", "CANCEL", "NO ANSWER"), ("17", "CANCEL", "NO ANSWER"), ("18", "BUSY", "NO ANSWER"),
    ("0", "INVALIDARGS", "FAILED"), ("0", "ABORT", "FAILED"),
])  # fmt: skip
def test_disposition(cause: str, status: str, wanted: str) -> None:
    pbx = ringing()
    if status:
        pbx.say("DialEnd", DestChannel=B[0], DestUniqueid=B[1], DialStatus=status)
    pbx.hangup(*B, cause=cause)

    assert [leg.disposition for leg in pbx.legs.values()] == [wanted]


def test_did_of_an_inbound_context_without_any_variable() -> None:
    pbx = Pbx()
    pbx.new(*A, "4", CallerIDNum="2002", Exten="30900", Context="from-trunk")
    pbx.new(*B)
    pbx.dial(*A, *B, exten="1000")

    (leg,) = pbx.legs.values()
    assert (leg.dialled, leg.dst, leg.didnumber) == ("1000", "1000", "30900")


def test_an_originated_first_leg_has_no_caller_and_is_answered_at_up() -> None:
    pbx = Pbx()
    pbx.new(*B)
    pbx.say("DialBegin", DestChannel=B[0], DestUniqueid=B[1], DialString="202")
    pbx.say("Newstate", Channel=B[0], Uniqueid=B[1], ChannelState="6")
    answered = pbx.time
    pbx.say("VarSet", 3.0, Channel=B[0], Uniqueid=B[1], Variable="X", Value="1")
    pbx.hangup(*B)

    (leg,) = pbx.legs.values()
    assert (leg.src, leg.srcchan, leg.answer, leg.flags.originated) == ("", "", answered, True)
    assert leg.billsec == pytest.approx(3.01, abs=0.001)


def test_a_pbx_away_for_15_minutes_ends_its_legs_when_it_went() -> None:
    pbx = ringing()
    went = pbx.time + timedelta(seconds=1)
    for second in range(15 * 60 + 2):
        pbx.seq += 1
        at = went + timedelta(seconds=second)
        pbx.take(pbx.state.apply(Heartbeat(seq=pbx.seq, at=None, received_at=at, state="down"), epoch=1))

    (leg,) = pbx.legs.values()
    assert (leg.state, leg.end_reason, leg.end, leg.end_exact) == ("ended", "pbx_lost", went, False)


def test_a_pbx_that_leaves_the_fleet_ends_its_legs() -> None:
    pbx = ringing()
    pbx.seq += 1
    entry = ConnectionDown(seq=pbx.seq, at=None, received_at=pbx.time, reason="removed")
    pbx.take(pbx.state.apply(entry, epoch=1))

    assert [leg.end_reason for leg in pbx.legs.values()] == ["removed"]


def test_an_entry_of_an_older_epoch_is_not_folded() -> None:
    state = new_state()
    state.apply(Heartbeat(seq=1, at=None, received_at=T0, state="up"), epoch=7)
    event = Event(
        seq=99, at=T0, received_at=T0, name="Newchannel",
        fields={"Channel": A[0], "Uniqueid": A[1], "ChannelState": "4"},
    )  # fmt: skip

    assert state.apply(event, epoch=6) == []
    assert len(state.apply(event, epoch=7)) == 1


def test_a_checkpoint_of_a_newer_format_is_refused() -> None:
    data = dump(Checkpoint(format=99, epoch=1, seq=1, calls=Calls(pbx="hq", number=1)))

    with pytest.raises(NewerFormatError, match="format 99"):
        PbxState.load(data, 1)


def test_an_event_without_what_its_rule_needs_is_a_surprise() -> None:
    pbx = Pbx()
    for name in EVENTS:
        pbx.say(name)

    assert len(pbx.surprises) == len(EVENTS)
    assert pbx.legs == {}


def test_what_is_at_work_is_named_after_its_module_and_function() -> None:
    """Surprises and metrics say so."""
    named = [*((rule.name, rule.run) for rule in EVENTS.values()), *fold._LINKS.values()]

    for name, run in named:
        assert name == f"{run.__module__.rpartition('.')[2]}.{run.__name__.rstrip('_')}"


_VALUES = st.sampled_from(
    [*A, *B, *C, "Local/1@x-1;1", "Local/1@x-1;2", "1.7", "b", "", "4", "5", "6", "s", "202"]
)
_NAMES = [
    "Channel", "Uniqueid", "DestChannel", "DestUniqueid", "BridgeUniqueid", "SwapUniqueid", "ChannelState",
    "DestChannelState", "Exten", "Context", "Cause", "Newname", "Variable", "Value", "Linkedid", "CallerIDNum",
    "LocalOneUniqueid", "LocalTwoUniqueid", "LocalOneChannel", "LocalTwoChannel", "DialStatus",
]  # fmt: skip


@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(EVENTS)),
            st.dictionaries(st.sampled_from(_NAMES), _VALUES | st.lists(_VALUES, min_size=1, max_size=2)),
            st.floats(0, 1),
        ),
        max_size=60,
    )
)
def test_no_stream_makes_it_raise_or_keeps_a_leg_of_a_dead_channel(
    stream: list[tuple[str, dict[str, str | list[str]], float]],
) -> None:
    state, time = new_state(), T0
    for seq, (name, fields, wait) in enumerate(stream, 1):
        time += timedelta(seconds=wait)
        state.apply(Event(seq=seq, at=time, received_at=time, name=name, fields=fields), epoch=1)
        alive = state._calls.channels
        assert all((leg.dstuid or leg.srcuid) in alive for leg in state.legs.values())
    PbxState.load(state.dump(), 1).apply(
        Heartbeat(seq=10_000, at=None, received_at=time, state="up"), epoch=1
    )


@given(st.data(), st.sampled_from(PLAYED))
def test_neighbours_may_change_places(data: st.DataObject, recording: Path) -> None:
    """Order within a millisecond is not fixed on a real PBX: the fold neither raises nor keeps a dead channel."""
    order = [each.entry for each in entries(recording)]
    for place in data.draw(st.lists(st.integers(0, len(order) - 2), max_size=30)):
        order[place], order[place + 1] = order[place + 1], order[place]
    state = new_state()
    for seq, entry in enumerate(order, 1):
        state.apply(replace(entry, seq=seq), epoch=1)
        assert all((leg.dstuid or leg.srcuid) in state._calls.channels for leg in state.legs.values())
