"""Queues: who waits in which, and who was rung there in vain.

1. A caller is in a queue from QueueCallerJoin to QueueCallerLeave; legs born in between say so, and keep it (12).
2. Joining is a dialling step: its exten is what was dialled, if nothing was before (12b: 502).
3. AgentRingNoAnswer says that a member was rung in vain (13).
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls.extens import usable
from legbook.calls.sightings import seen
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def join(step: Step, event: Event) -> None:
    caller = seen(step, event)
    caller.queue = first(event.fields, "Queue")
    if caller.dialled is None:
        exten = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
        caller.dialled = exten or caller.exten or None
    leg = step.calls.legs.get(caller.caller_leg or 0)
    if leg is not None and leg.queue != caller.queue:
        step.put(replace(leg, queue=caller.queue))


def leave(step: Step, event: Event) -> None:
    caller = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if caller is not None:
        caller.queue = ""


def rang_in_vain(step: Step, event: Event) -> None:
    called = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    leg = step.calls.legs.get(called.called_leg or 0) if called else None
    if leg is not None:
        step.put(replace(leg, flags=replace(leg.flags, ring_no_answer=True)))
