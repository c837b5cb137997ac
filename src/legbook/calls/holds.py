"""Who has whom on hold.

1. A hold stands on the leg that the holder's talk is credited to, from Hold on.
2. It is over at Unhold, at the holder's BridgeLeave or Hangup, and with the leg. An Unhold without Hold says
   nothing (14 of 28 in the recordings: a phone sends it with every answer).
"""

from typing import Final

from msgspec.structs import replace

from legbook.calls import answers
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.legs import Hold

MOST: Final = 100  # of one leg


def begin(step: Step, holder: Channel) -> None:
    if step.now is None or holder.holding:
        return
    for leg in answers.credited(step, holder):
        hold = Hold(holder=holder.device, start=step.now)
        step.put(replace(leg, held=[*leg.held[1 - MOST :], hold]), "holds.1")
        holder.holding.append(leg.leg_id)


def over(step: Step, holder: Channel) -> None:
    for leg in [step.calls.legs[leg_id] for leg_id in holder.holding if leg_id in step.calls.legs]:
        held = [h if h.end or h.holder != holder.device else replace(h, end=step.now) for h in leg.held]
        step.put(replace(leg, held=held), "holds.2")
    holder.holding = []
