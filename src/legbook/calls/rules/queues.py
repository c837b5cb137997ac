"""Queues: who waits in which, who was rung there in vain, who gave up.

1. A caller is in a queue from QueueCallerJoin to QueueCallerLeave; legs born in between say so, and keep it (12).
2. Joining is a dialling step: its exten is what was dialled, if nothing was before (12b: 502).
3. AgentRingNoAnswer says that a member was rung in vain (13).
4. Who hangs up after QueueCallerAbandon has abandoned: all legs of this wait say so, those that are over too.
   QUEUESTATUS after it says that the queue itself let the caller go on in the dialplan (14b sends both).
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import corrections
from legbook.calls.extens import usable
from legbook.calls.rules import dials
from legbook.calls.sightings import seen
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def join(step: Step, event: Event) -> None:
    caller = seen(step, event)
    caller.queue, caller.gave_up, caller.queued_legs = first(event.fields, "Queue"), "", []
    exten = usable(first(event.fields, "Exten"), first(event.fields, "Context"))
    dials.latch(step, caller, exten or caller.exten)
    leg = step.calls.legs.get(caller.caller_leg or 0)
    if leg is not None and leg.queue != caller.queue:
        step.put(replace(leg, queue=caller.queue), "queues.1")


def leave(step: Step, event: Event) -> None:
    caller = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if caller is not None:
        caller.queue = ""
        if not caller.gave_up:
            caller.queued_legs = []


def abandon(step: Step, event: Event) -> None:
    caller = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if caller is not None:
        caller.gave_up = first(event.fields, "Queue")


def went_on(caller: Channel) -> None:
    """QUEUESTATUS was set: the caller is in the dialplan again."""
    caller.gave_up, caller.queued_legs = "", []


def hung_up(step: Step, caller: Channel) -> None:
    if not caller.gave_up:
        return
    own = [caller.caller_leg] if caller.caller_leg else []
    alive = [step.calls.legs[leg_id] for leg_id in [*own, *caller.dial_legs]]
    for leg in [*caller.queued_legs, *(leg for leg in alive if leg.queue == caller.gave_up)]:
        abandoned = replace(leg, flags=replace(leg.flags, queue_abandoned=True))
        step.put(abandoned, "queues.4")
        corrections.amend(step, abandoned)


def rang_in_vain(step: Step, event: Event) -> None:
    called = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    leg = step.calls.legs.get(called.called_leg or 0) if called else None
    if leg is not None:
        step.put(replace(leg, flags=replace(leg.flags, ring_no_answer=True)), "queues.3")
