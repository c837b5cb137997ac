"""Listening in.

1. ChanSpyStart comes after the spy's leg is up (0.6 s after its birth in 16a): the leg says on whom. The spy may be a
   Local half: then it is the phone behind the other one.

Whisper and barge look the same: AMI does not tell them apart.
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.ami.names import device_of
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def start(step: Step, event: Event) -> None:
    spy = step.calls.channels.get(first(event.fields, "SpyerUniqueid"))
    if spy is None:
        return
    spied = device_of(first(event.fields, "SpyeeChannel"))
    for channel in [spy] if spy.real else _behind(step, spy):
        for leg_id in (channel.called_leg, channel.caller_leg):
            leg = step.calls.legs.get(leg_id or 0)
            if leg is not None:
                step.put(replace(leg, flags=replace(leg.flags, spy_on=spied)), "spying.1")


def _behind(step: Step, spy: Channel) -> list[Channel]:
    other = step.calls.other_half(spy)
    if other is None:
        return []
    bridge = step.calls.bridges.get(other.bridge or "")
    return [step.calls.channels[uniqueid] for uniqueid in bridge.members] if bridge else []
