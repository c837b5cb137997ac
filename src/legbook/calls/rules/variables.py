"""Channel variables that say something about a call.

1. DID or FROM_DID, with any inheritance underscores, is the number called from outside (06: __FROM_DID).
   All legs of that caller have it; the called channels inherit the variable, which means nothing.
2. DIALSTATUS says how the caller fared where nobody was rung (05d).
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event

_DID = frozenset({"DID", "FROM_DID"})


def set_(step: Step, event: Event) -> None:
    name = first(event.fields, "Variable").lstrip("_")
    if name not in _DID and name != "DIALSTATUS":
        return
    channel = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if channel is None or channel.dialled_by is not None:
        return
    value = first(event.fields, "Value")
    if name == "DIALSTATUS":
        channel.dialstatus = value
        leg = step.calls.legs.get(channel.caller_leg or 0)
        if leg is not None and leg.dialstatus != value:
            step.put(replace(leg, dialstatus=value))
    elif value and value != channel.did:
        channel.did = value
        _tell(step, channel, value)


def _tell(step: Step, caller: Channel, did: str) -> None:
    own = [caller.caller_leg] if caller.caller_leg else []
    for leg_id in [*own, *caller.dial_legs]:
        step.put(replace(step.calls.legs[leg_id], didnumber=did))
