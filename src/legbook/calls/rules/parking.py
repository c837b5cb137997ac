"""Parking: calls that wait in a numbered space for anybody to fetch them.

1. ParkedCall: the parked one waits; nobody has sent it anywhere. (Its bridge is a holding one: it talks with nobody.)
2. UnParkedCall names who fetches it: that one is the called side of what they talk (11a).
3. ParkedCallTimeOut: what the parked one dials now is the phone that parked it (park_timeout).

ParkedCallGiveUp needs no rule: the parked one hangs up.
"""

from legbook.ami.message import first
from legbook.calls.state import Channel
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def park(step: Step, event: Event) -> None:
    parkee = _parkee(step, event)
    if parkee is not None:
        parkee.parked, parkee.sent, parkee.walked_out = True, None, False


def fetch(step: Step, event: Event) -> None:
    parkee, retriever = (
        _parkee(step, event),
        step.calls.channels.get(first(event.fields, "RetrieverUniqueid")),
    )
    if parkee is not None and retriever is not None:
        parkee.parked, retriever.retrieves = False, parkee.uniqueid


def time_out(step: Step, event: Event) -> None:
    parkee = _parkee(step, event)
    if parkee is not None:
        parkee.parked, parkee.rings_back = False, True


def _parkee(step: Step, event: Event) -> Channel | None:
    return step.calls.channels.get(first(event.fields, "ParkeeUniqueid"))
