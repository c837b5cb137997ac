"""Channel variables that say something about a call.

1. DID or FROM_DID, with any inheritance underscores, is the number called from outside (06: __FROM_DID).
   All legs of that caller have it; the called channels inherit the variable, which means nothing.
2. DIALSTATUS says how the caller fared where nobody was rung (05d).
3. QUEUESTATUS says that a queue let its caller go on (14b).
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls.rules import queues
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event

_DID = frozenset({"DID", "FROM_DID"})
_KNOWN = _DID | {"DIALSTATUS", "QUEUESTATUS"}


def set_(step: Step, event: Event) -> None:
    name = first(event.fields, "Variable").lstrip("_")
    if name not in _KNOWN:
        return
    channel = step.calls.channels.get(first(event.fields, "Uniqueid"))
    value = first(event.fields, "Value")
    if channel is None or not value:
        return
    if name == "QUEUESTATUS":
        queues.went_on(channel)
    elif name == "DIALSTATUS":
        _dialstatus(step, channel, value)
    elif channel.dialled_by is None and value != channel.did:
        _did(step, channel, value)


def _dialstatus(step: Step, channel: Channel, value: str) -> None:
    channel.dialstatus = value
    leg = step.calls.legs.get(channel.caller_leg or 0)
    if leg is not None and leg.dialstatus != value:
        step.put(replace(leg, dialstatus=value), "variables.2")


def _did(step: Step, caller: Channel, did: str) -> None:
    caller.did = did
    own = [caller.caller_leg] if caller.caller_leg else []
    for leg_id in [*own, *caller.dial_legs]:
        step.put(replace(step.calls.legs[leg_id], didnumber=did), "variables.1")
