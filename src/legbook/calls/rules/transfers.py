"""Transfers: callers that somebody else sends on. (An attended transfer needs no rule: bridges tell it.)

1. BlindTransfer names who sent whom where: what the transferred one dials from then on is after that transfer, and
   goes to that number (08b, 08c, 08d).
2. AMI's Redirect has no event: a caller that leaves its bridge before the channel it called, lives on and dials
   again was redirected; the number is that of its next dialling step (08a). Not if it enters a bridge again, is
   transferred or parked.
"""

from legbook.ami.message import first
from legbook.ami.names import device_of
from legbook.calls.state import Channel, Sent
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def blind(step: Step, event: Event) -> None:
    fields = event.fields
    if first(fields, "Result") not in {"", "Success"}:
        return
    transferee = step.calls.channels.get(first(fields, "TransfereeUniqueid"))
    if transferee is not None:
        transferee.sent = Sent(
            by=device_of(first(fields, "TransfererChannel")), to=first(fields, "Extension")
        )
        transferee.excused, transferee.walked_out = True, False


def left(step: Step, caller: Channel) -> None:
    """It leaves a bridge: are those that it called still talking?"""
    called = (step.calls.channels.get(step.calls.legs[leg_id].dstuid) for leg_id in caller.dial_legs)
    caller.walked_out = not caller.excused and any(c is not None and c.bridge for c in called)


def sent(dialling: Channel, caller: Channel, exten: str | None) -> Sent | None:
    """Who sent this caller to what it dials now; on a Local half if that is what was transferred."""
    if caller.walked_out:
        caller.sent = Sent(by="", to=exten or "")
        caller.walked_out = False
    return dialling.sent or caller.sent
