"""The life of a leg: birth, identity, end.

1. leg_id is `counter << 12 | number of the PBX`; counter = max(counter + 1, ms since 2025 of the entry): it
   grows per PBX, is unique in the fleet, and the same entries give the same ids.
2. A caller leg becomes the first dial leg, with its id, if no newer id was issued since: a page that polls
   `id > last` would lose the call otherwise. Else it ends as `dialled` and the dial leg has an id of its own.
3. A leg ends with the Hangup of the called channel (of the caller, for a caller leg) and with nothing else.
4. A caller alive and in no live leg half a second after its last leg ended gets a caller leg again.
"""

from datetime import UTC, datetime, timedelta

from msgspec.structs import replace

from legbook.calls.outcome import disposition, of_status, seconds
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.legs import Disposition, EndReason, Leg

_YEAR_2025 = datetime(2025, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
CALLER_RETURNS = 0.5  # seconds; a follow-me dials again within this (21)


def new_id(step: Step) -> int:
    calls = step.calls
    since_2025 = (step.now - _YEAR_2025) // _MILLISECOND if step.now else 0
    calls.counter = max(calls.counter + 1, since_2025)
    return calls.counter << 12 | calls.number


def is_newest(step: Step, leg: Leg) -> bool:
    return leg.leg_id >> 12 == step.calls.counter


def open_caller(step: Step, caller: Channel, start: datetime | None) -> None:
    """Someone in the dialplan with nobody rung yet."""
    leg = Leg(
        pbx=step.calls.pbx,
        leg_id=new_id(step),
        epoch=0,
        seq=1,
        boot=step.calls.boot,
        rule=step.rule,
        kind="caller",
        state="waiting",
        born=step.now,
        start=start,
        src=caller.number,
        dst=caller.exten,
        exten=caller.exten or None,
        didnumber=did_of(step, caller, caller.exten),
        srcname=caller.caller_name,
        srcchan=caller.name,
        srcuid=caller.uniqueid,
        srcdevice=caller.device,
        src_up=caller.up_at,
        linkedid=caller.linkedid,
        linkedid_first=caller.linkedid,
        accountcode=caller.accountcode,
        dialstatus=caller.dialstatus,
    )
    caller.caller_leg = leg.leg_id
    step.put(leg)


def take_caller_leg(step: Step, caller: Channel) -> Leg | None:
    """The caller's leg, if it may become a dial leg; one that may not has ended as dialled."""
    leg = step.calls.legs.get(caller.caller_leg or 0)
    caller.caller_leg = None
    if leg is None or is_newest(step, leg):
        return leg
    step.put(replace(leg, state="ended", end=step.now, end_reason="dialled"))
    return None


def end_called(step: Step, called: Channel, cause: int | None, cause_text: str) -> None:
    leg = step.calls.legs.get(called.called_leg or 0)
    if leg is None:
        return
    leg = replace(leg, hangupcause=cause, hangupcausetxt=cause_text, linkedid=called.linkedid or leg.linkedid)
    close(step, leg, "hangup", step.now)
    released(step, called, leg)


def released(step: Step, called: Channel, leg: Leg) -> None:
    """The leg of this called channel is over: its caller may be in none now."""
    called.called_leg = None
    caller = step.calls.channels.get(leg.srcuid)
    if caller is not None and leg.leg_id in caller.dial_legs:
        caller.dial_legs.remove(leg.leg_id)
        if not caller.dial_legs:
            caller.idle_since = step.now
            step.later(CALLER_RETURNS, "callers.return", caller.uniqueid)


def end_caller(step: Step, caller: Channel, cause: int | None, cause_text: str) -> None:
    leg = step.calls.legs.get(caller.caller_leg or 0)
    if leg is None:
        return
    caller.caller_leg = None
    close(step, replace(leg, hangupcause=cause, hangupcausetxt=cause_text), "hangup", step.now)


def forget(step: Step, channel: Channel) -> None:
    step.calls.channels.pop(channel.uniqueid)
    step.calls.local_halves.pop(channel.name, None)


def close(step: Step, leg: Leg, reason: EndReason, end: datetime | None, *, exact: bool = True) -> Leg:
    """The leg is over; what is estimated says so."""
    talk = seconds(leg.answer, end) if leg.flags.originated and leg.answered else leg.billsec
    closed = replace(
        leg,
        state="ended",
        end=end,
        end_reason=reason,
        end_exact=exact,
        disposition=_disposition(leg),
        billsec=talk,
        billsec_leg_a=seconds(leg.src_up, end),
    )
    step.put(closed)
    return closed


def _disposition(leg: Leg) -> Disposition:
    if leg.kind == "caller":
        return "ANSWERED" if leg.src_up else of_status(leg.dialstatus)
    return disposition(answered=leg.answered, cause=leg.hangupcause, dialstatus=leg.dialstatus)


def did_of(step: Step, caller: Channel, dialled: str | None) -> str:
    """The number that was called from outside: a variable says it, or the first exten in an inbound context."""
    if caller.did:
        return caller.did
    inbound = caller.first_context in step.calls.inbound_contexts
    return caller.first_exten if inbound and caller.first_exten != dialled else ""
