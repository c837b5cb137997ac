"""Dials: who rings whom, and how that went.

1. DialBegin of a real channel gives a dial leg, one per called channel while it lives. The dial of a Local half
   gives none: the phone behind it will be dialled in turn.
2. The exten of the calling channel's first dialling step is what was dialled, for all its legs (06: 1000, though
   Newchannel said 30900).
3. src is the caller id of the dial, but the phone's own number where the dialplan changed it (01d, 15a).
4. DialEnd only tells the status; app_queue sends it twice (12). The leg ends with the channel.
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.ami.names import known
from legbook.calls import legs
from legbook.calls.extens import usable
from legbook.calls.rules import callers
from legbook.calls.rules.channels import seen
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.legs import Flags, Leg
from legbook.contracts.raw import Event


def begin(step: Step, event: Event) -> None:
    called = seen(step, event, "Dest")
    dialling = seen(step, event) if first(event.fields, "Uniqueid") else None
    called.dialled_by = dialling.uniqueid if dialling else ""
    exten = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
    if dialling is not None and dialling.real and dialling.dialled is None:
        dialling.dialled = exten or dialling.exten or None
    if not called.real or called.called_leg:
        return
    caller = callers.resolve(step, dialling) if dialling else None
    before = legs.take_caller_leg(step, caller) if caller else None
    leg = _born(step, event, caller, called, before)
    flags = Flags(via_local=dialling is not None and not dialling.real, originated=caller is None)
    step.put(replace(leg, flags=flags))


def _born(step: Step, event: Event, caller: Channel | None, called: Channel, before: Leg | None) -> Leg:
    """The leg of this dial; `before`: the caller's row that it goes on as."""
    fields = event.fields
    sent = first(fields, "Exten") or None
    exten = usable(sent or "", first(fields, "Context")) or (caller.exten if caller else None) or None
    dialled = caller.dialled if caller else None
    called.called_leg = before.leg_id if before else legs.new_id(step)
    if caller:
        caller.dial_legs.append(called.called_leg)
    return Leg(
        pbx=step.calls.pbx,
        leg_id=called.called_leg,
        epoch=0,
        seq=1,
        boot=step.calls.boot,
        rule=step.rule,
        kind="dial",
        state="ringing" if called.state == 5 else "dialing",
        born=before.born if before else step.now,
        start=step.now,
        ring=step.now if called.state == 5 else None,
        src=_src(event, caller),
        dst=dialled or exten or called.device,
        dialled=dialled,
        exten=exten if caller else None,
        didnumber=legs.did_of(step, caller, dialled) if caller else "",
        srcname=known(first(fields, "CallerIDName")),
        srcchan=caller.name if caller else "",
        srcuid=caller.uniqueid if caller else "",
        srcdevice=caller.device if caller else "",
        src_up=caller.up_at if caller else None,
        dstchan=called.name,
        dstuid=called.uniqueid,
        dstdevice=called.device,
        linkedid=called.linkedid,
        linkedid_first=called.linkedid,
        accountcode=first(fields, "AccountCode") or first(fields, "DestAccountCode"),
        dialstring=first(fields, "DialString"),
    )


def _src(event: Event, caller: Channel | None) -> str:
    if caller is not None and caller.device == caller.number:
        return caller.number
    return known(first(event.fields, "CallerIDNum"))


def end(step: Step, event: Event) -> None:
    called = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    leg = step.calls.legs.get(called.called_leg or 0) if called else None
    status = first(event.fields, "DialStatus")
    if leg is not None and status and status != leg.dialstatus:
        step.put(replace(leg, dialstatus=status))
