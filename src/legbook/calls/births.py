"""How a leg begins: what is known at its birth, and from where. `legs` says what becomes of it.

1. src is the caller id of the dial, but the phone's own number where the dialplan changed it (01d, 15a).
2. dst is what the caller dialled first; where somebody else sent the caller, the number it was sent to (08a, 08b);
   of an originated leg its exten, else its device; of two that were bridged the other's number.
3. The number called from outside stands on all legs of that caller.
"""

from datetime import datetime

from msgspec.structs import replace

from legbook.ami.message import Fields, first
from legbook.ami.names import known
from legbook.calls.extens import usable
from legbook.calls.state import Channel, Sent
from legbook.calls.step import Step
from legbook.contracts.legs import Flags, Kind, Leg, State

RINGING = 5


def _leg(step: Step, leg_id: int, kind: Kind, state: State, start: datetime | None, linkedid: str) -> Leg:
    return Leg(
        pbx=step.calls.pbx,
        leg_id=leg_id,
        epoch=0,
        seq=1,
        boot=step.calls.boot,
        rule="",
        kind=kind,
        state=state,
        born=step.now,
        start=start,
        linkedid=linkedid,
        linkedid_first=linkedid,
    )


def _of(step: Step, leg: Leg, caller: Channel) -> Leg:
    """A leg of this caller, as far as the caller says it."""
    return replace(
        leg,
        flags=replace(leg.flags, reconstructed=caller.reconstructed),
        src=caller.number,
        srcname=caller.caller_name,
        srcchan=caller.name,
        srcuid=caller.uniqueid,
        srcdevice=caller.device,
        src_up=caller.up_at,
        queue=caller.queue,
        didnumber=did_of(step, caller),
        accountcode=caller.accountcode,
    )


def _to(leg: Leg, called: Channel) -> Leg:
    flags = replace(leg.flags, reconstructed=leg.flags.reconstructed or called.reconstructed)
    return replace(leg, dstchan=called.name, dstuid=called.uniqueid, dstdevice=called.device, flags=flags)


def caller_leg(step: Step, leg_id: int, caller: Channel, start: datetime | None) -> Leg:
    """Someone in the dialplan with nobody rung."""
    leg = _of(step, _leg(step, leg_id, "caller", "waiting", start, caller.linkedid), caller)
    exten = caller.exten or None
    return replace(leg, dst=caller.exten, exten=exten, dialled=caller.dialled, dialstatus=caller.dialstatus)


def dial_leg(step: Step, leg_id: int, fields: Fields, caller: Channel | None, called: Channel) -> Leg:
    """One real channel called for one caller. `fields`: of its DialBegin, or of the DialEnd of a pickup."""
    leg = _leg(step, leg_id, "dial", "dialing", step.now, called.linkedid)
    if called.state == RINGING:
        leg = replace(leg, state="ringing", ring=called.rang_at)
    if caller is not None:
        leg = _of(step, leg, caller)
    return replace(
        _to(leg, called),
        src=_src(fields, caller),
        srcname=known(first(fields, "CallerIDName")),
        accountcode=first(fields, "AccountCode") or first(fields, "DestAccountCode"),
        dialstring=first(fields, "DialString"),
    )


def bridge_leg(step: Step, leg_id: int, caller: Channel, called: Channel) -> Leg:
    """Two that were bridged without a dial."""
    leg = _of(step, _leg(step, leg_id, "bridge", "talking", step.now, called.linkedid), caller)
    return replace(
        _to(leg, called),
        src=number_of(step, caller),
        dst=number_of(step, called) or called.device,
        dialled=caller.dialled,
        exten=called.exten or None,
    )


def dialled_as(leg: Leg, dialled: str | None, exten: str | None, sent: Sent | None) -> Leg:
    """The same leg with its numbers: what was dialled first, the exten of this dial, who sent the caller where."""
    flags: Flags = leg.flags
    if sent is not None:
        flags = replace(flags, after_transfer_by=sent.by or None, after_redirect=not sent.by)
    dst = (sent.to if sent else "") or dialled or exten or leg.dstdevice
    return replace(leg, dst=dst, dialled=dialled, exten=exten, flags=flags)


def _src(fields: Fields, caller: Channel | None) -> str:
    if caller is not None and caller.device == caller.number:
        return caller.number
    return known(first(fields, "CallerIDNum"))


def number_of(step: Step, channel: Channel) -> str:
    """Its own; of a channel without one, e.g. a trunk that was called, what was dialled to reach it.

    Not what it has later: a Gosub of 22 leaves `s` there (40f).
    """
    leg = step.calls.legs.get(channel.called_leg or 0)
    return channel.number or (leg.dst if leg else "")


def did_of(step: Step, caller: Channel) -> str:
    """A variable says it, or the first exten in an inbound context, unless that is what it dialled."""
    if caller.did:
        return caller.did
    inbound = caller.first_context in step.calls.inbound_contexts
    number = usable(caller.first_exten, caller.first_context) if inbound else None
    return number if number and number != caller.dialled else ""
