"""Two who are bridged though nobody dialled for it: a parked call that is retrieved, or AMI's Bridge.

1. Two real channels alone in basic bridges, both known from their birth: a bridge leg, answered from its beginning
   (11a, ami_bridge). Not in a conference, where everybody is there for himself. Not if one of them is called in a
   live leg, which then tells of the talk (09c) - unless the other came by itself: it is a caller with nobody rung,
   who fetches a called party that was parked (42).
2. Its caller is the one that is called in a live leg: a channel is called in one leg at a time (a phone that
   Originate sent to the parking space has its own). Else the parked one, and its called channel the one that fetched
   it; else the one that was born earlier.
3. What told of them as callers with nobody rung is over.
"""

from legbook.calls import births, legs
from legbook.calls.state import Channel, Together
from legbook.calls.step import Step


def connect(step: Step, talk: Together) -> None:
    channels = [step.calls.channels[uid] for uid in talk.channels]
    if not talk.basic or len(channels) != 2 or not all(channel.born for channel in channels):
        return
    told = [channel for channel in channels if channel.called_leg]
    if len(told) == 2 or (told and not any(channel.caller_leg for channel in channels)):
        return
    caller, called = _in_order(step, *channels)
    for channel in channels:
        legs.replaced(step, channel, "pairs.3")
    leg_id = legs.new_id(step)
    called.called_leg = leg_id
    caller.dial_legs.append(leg_id)
    step.put(births.bridge_leg(step, leg_id, caller, called), "pairs.1")


def _in_order(step: Step, one: Channel, two: Channel) -> tuple[Channel, Channel]:
    """Channels are kept in the order in which they were born."""
    if one.called_leg or two.called_leg:
        return (one, two) if one.called_leg else (two, one)
    if one.retrieves == two.uniqueid:
        return two, one
    if two.retrieves == one.uniqueid:
        return one, two
    older = next(uid for uid in step.calls.channels if uid in {one.uniqueid, two.uniqueid})
    return (one, two) if older == one.uniqueid else (two, one)
