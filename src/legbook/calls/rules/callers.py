"""Callers: who is behind a dial, and who comes back to the dialplan.

1. A dial by a Local half belongs to whoever dialled the other half, and so on back to a real channel.
   Never by linkedid.
2. A caller alive and in no live leg for half a second has a caller leg again.
"""

from datetime import timedelta

from legbook.calls import legs
from legbook.calls.state import Channel
from legbook.calls.step import Step


def resolve(step: Step, dialling: Channel) -> Channel | None:
    """The real channel that this dial is for; None if nobody is known."""
    walked: set[str] = set()
    while not dialling.real:
        walked.add(dialling.uniqueid)
        other = step.calls.other_half(dialling)
        behind = step.calls.channels.get(other.dialled_by or "") if other else None
        if behind is None or behind.uniqueid in walked:
            return None
        dialling = behind
    return dialling


def come_back(step: Step, uniqueid: str) -> None:
    caller = step.calls.channels.get(uniqueid)
    if caller is None or caller.idle_since is None or step.now is None:
        return
    waited = step.now - caller.idle_since >= timedelta(seconds=legs.CALLER_RETURNS)
    if waited and not (caller.dial_legs or caller.caller_leg or caller.called_leg):
        legs.open_caller(step, caller, caller.idle_since)
