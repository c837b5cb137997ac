"""Callers: who is behind a dial, and who comes back to the dialplan.

A dial by a Local half belongs to somebody behind the other half, never by linkedid. The first that applies:

1. Whoever dialled the other half, and so on back to a real channel (20a).
2. The real channel that the other half dialled and that answered (15g: click to dial through Local).
3. The real channel that is bridged with the other half: an enquiry call (09b).
4. The other half was dialled by nobody (Originate): no caller.

The dial of a phone behind a Local half may be told before the dial of that half (12b): until one of these applies
nobody is known, and the dial is held back.

5. A caller alive, in no live leg and in nobody's talk half a second after its last leg ended has a caller leg again.
"""

from datetime import timedelta
from typing import NamedTuple

from legbook.calls import legs
from legbook.calls.state import Channel
from legbook.calls.step import Step

UP = 6


class Behind(NamedTuple):
    """`caller` None: there is none, for sure. `by`: the channel nearest to the caller that dials for it."""

    caller: Channel | None
    by: Channel | None = None
    consult: bool = False


def resolve(step: Step, dialling: Channel | None) -> Behind | None:
    """Who this dial is for; None if that cannot be said yet."""
    if dialling is None:
        return Behind(None)
    walked: set[str] = set()
    while not dialling.real:
        other = step.calls.other_half(dialling)
        if other is None or dialling.uniqueid in walked:
            return None
        walked.add(dialling.uniqueid)
        behind = step.calls.channels.get(other.dialled_by or "")
        if behind is None:
            return _answered(step, dialling, other) or _bridged(step, dialling, other) or _originated(other)
        dialling = behind
    return Behind(dialling, dialling)


def _answered(step: Step, by: Channel, other: Channel) -> Behind | None:
    called = (c for c in step.calls.channels.values() if c.dialled_by == other.uniqueid and c.real)
    found = next((c for c in called if c.state == UP), None)
    return Behind(found, by) if found else None


def _bridged(step: Step, by: Channel, other: Channel) -> Behind | None:
    bridge = step.calls.bridges.get(other.bridge or "")
    members = [step.calls.channels[uid] for uid in bridge.members] if bridge else []
    found = next((c for c in members if c.real), None)
    return Behind(found, by, consult=True) if found else None


def _originated(other: Channel) -> Behind | None:
    return Behind(None) if other.dialled_by == "" else None


def come_back(step: Step, uniqueid: str) -> None:
    caller = step.calls.channels.get(uniqueid)
    if caller is None or caller.idle_since is None or step.now is None:
        return
    waited = step.now - caller.idle_since >= timedelta(seconds=legs.CALLER_RETURNS)
    busy = caller.dial_legs or caller.caller_leg or caller.called_leg or _is_peer(step, uniqueid)
    if caller.absent_at is not None:
        return  # a snapshot does not have it: both ends of its call have gone unheard
    if waited and not busy:
        legs.open_caller(step, caller, caller.idle_since, "callers.5")


def _is_peer(step: Step, uniqueid: str) -> bool:
    """Somebody's row says already that this one talks (09b, after the transfer)."""
    return any(leg.peer is not None and leg.peer.uid == uniqueid for leg in step.calls.legs.values())
