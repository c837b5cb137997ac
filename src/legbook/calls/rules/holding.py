"""Hold and Unhold. `holds` says what they mean for the legs."""

from legbook.ami.message import first
from legbook.calls import holds
from legbook.calls.step import Step
from legbook.contracts.raw import Event


def hold(step: Step, event: Event) -> None:
    holder = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if holder is not None:
        holds.begin(step, holder)


def unhold(step: Step, event: Event) -> None:
    holder = step.calls.channels.get(first(event.fields, "Uniqueid"))
    if holder is not None:
        holds.over(step, holder)
