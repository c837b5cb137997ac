"""Pickup: a phone takes a call that rings at another one.

1. The Pickup event names both: the leg that rang says who took it. It was not answered.
2. The DialEnd ANSWER that names the taking channel is the birth of its leg: it has no DialBegin (10a). A queue
   says AgentConnect instead, after its caller has left it (50a). A missing DialBegin alone never means pickup.
3. What told of the taker as a caller with nobody rung is over.
"""

from msgspec.structs import replace

from legbook.ami.message import first
from legbook.calls import births, legs
from legbook.calls.rules import callers
from legbook.calls.sightings import seen
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def pickup(step: Step, event: Event) -> None:
    taker = seen(step, event)
    taker.picks_up = first(event.fields, "TargetUniqueid")
    target = step.calls.channels.get(taker.picks_up)
    leg = step.calls.legs.get(target.called_leg or 0) if target else None
    if leg is not None:
        step.put(replace(leg, flags=replace(leg.flags, picked_up_by=taker.device)), "pickup.1")


def connected(step: Step, event: Event) -> None:
    taker = step.calls.channels.get(first(event.fields, "DestUniqueid"))
    if taker is not None and taker.picks_up:
        take(step, event, taker)


def take(step: Step, event: Event, taker: Channel) -> None:
    """The event that ends the dial. The caller of the leg is whoever had the other phone rung."""
    taker.picks_up = ""
    behind = callers.resolve(step, step.calls.channels.get(first(event.fields, "Uniqueid")))
    caller = behind.caller if behind else None
    if taker.called_leg or caller is None:
        return
    legs.replaced(step, taker, "pickup.3")
    taker.called_leg = legs.new_id(step)
    taker.dialled_by = first(event.fields, "Uniqueid")
    caller.dial_legs.append(taker.called_leg)
    leg = births.dial_leg(step, taker.called_leg, event.fields, caller, taker)
    via_local = caller.uniqueid != taker.dialled_by
    queue = first(event.fields, "Queue") or leg.queue
    leg = replace(leg, flags=replace(leg.flags, via_local=via_local, pickup=True), queue=queue)
    step.put(births.dialled_as(leg, caller.dialled, None, caller.sent), "pickup.2")
