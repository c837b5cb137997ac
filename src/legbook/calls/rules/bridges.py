"""Bridges: who entered, who left. `talks` says who hears whom.

1. BridgeNumChannels is not read: 18 says 2 with one member. Members are those whose Enter and Leave were seen.
2. A BridgeEnter with SwapUniqueid removes that member at the same instant.
3. A holding bridge (parking, queue music) brings nobody together.
4. Local halves that are both bridged join their bridges.
"""

from legbook.ami.message import first
from legbook.calls import talks
from legbook.calls.rules import dials, transfers
from legbook.calls.sightings import seen
from legbook.calls.state import Bridge
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def enter(step: Step, event: Event) -> None:
    calls = step.calls
    uid = first(event.fields, "BridgeUniqueid")
    holding = "holding" in first(event.fields, "BridgeTechnology") + first(event.fields, "BridgeType")
    basic = first(event.fields, "BridgeType") in {"basic", ""}
    bridge = calls.bridges.setdefault(uid, Bridge(holding=holding, basic=basic))
    swapped = calls.channels.get(first(event.fields, "SwapUniqueid"))
    if swapped is not None:
        talks.part(step, swapped)
    channel = seen(step, event)
    if channel.bridge == uid:
        return  # said twice
    if channel.bridge is not None:
        talks.part(step, channel)
    channel.bridge = uid
    channel.excused = channel.walked_out = channel.rings_back = False
    bridge.members.append(channel.uniqueid)
    calls.bridges.setdefault(uid, bridge)  # a swap may have emptied it
    dials.release_resolved(step)  # the transferer's half is bridged now: an enquiry call has its caller
    talks.regroup(step, [channel.uniqueid])


def leave(step: Step, event: Event) -> None:
    channel = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if channel is None:
        step.surprise(first(event.fields, "Uniqueid"), "left a bridge, but was not known")
        return
    channel.linkedid = first(event.fields, "Linkedid") or channel.linkedid
    if channel.bridge is not None:
        transfers.left(step, channel)
    talks.part(step, channel)


def destroy(step: Step, event: Event) -> None:
    bridge = step.calls.bridges.get(first(event.fields, "BridgeUniqueid"))
    for uniqueid in list(bridge.members) if bridge else []:
        talks.part(step, step.calls.channels[uniqueid])


def local(step: Step, event: Event) -> None:
    """Names both halves of a Local pair: needed when we did not see their birth."""
    for side in ("LocalOne", "LocalTwo"):
        seen(step, event, side)


def talk_over(step: Step, _key: str) -> None:
    talks.settle(step)
