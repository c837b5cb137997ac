"""What a script says of each channel: when it was born, dialled, ringing, up, talking, gone.

A script is the events of one round; times are its offsets and uniqueids those of the recording.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from legbook.fakepbx.lists.channels import SNAPSHOT
from legbook.fakepbx.templates import Template

RING, RINGING, UP = "4", "5", "6"


@dataclass(slots=True)
class Life:
    """`calls`: it is a caller in the dialplan. `dialled`, `dial_end`, `status`: of the dial that calls it;
    the `status` of a caller is that of its own newest dial.

    `answer`, `talk_end`: of its first talk.
    `bridge`: where it is; `snapshot`: its headers in the newest event that has them.
    """

    uniqueid: str
    name: str
    snapshot: dict[str, str] = field(default_factory=dict)
    calls: int | None = None
    dialled: int | None = None
    ring: int | None = None
    up: int | None = None
    dial_end: int | None = None
    status: str = ""
    bridge: str | None = None
    answer: int | None = None
    talk_end: int | None = None
    end: int | None = None
    cause: str = ""


Lives = dict[str, Life]


def lives(script: Iterable[Template]) -> Lives:
    """Every channel that has been heard of, by uniqueid, in the order of its first event."""
    found: Lives = {}
    for event in script:
        for side in ("", "Dest"):
            if uniqueid := event.get(f"{side}Uniqueid"):
                life = found.setdefault(uniqueid, Life(uniqueid, event.get(f"{side}Channel")))
                life.snapshot = _snapshot(event, side) or life.snapshot
        if rule := _RULES.get(event.name):
            rule(found, event)
    return found


def _snapshot(event: Template, side: str) -> dict[str, str]:
    """{} if this event has none, e.g. a Rename."""
    if f"{side}ChannelState" not in event.first:
        return {}
    return {name: event.first[f"{side}{name}"] for name in SNAPSHOT if f"{side}{name}" in event.first}


def _state(found: Lives, event: Template) -> None:
    life, state = found[event.get("Uniqueid")], event.get("ChannelState")
    if state == RING and life.calls is None:
        life.calls = event.offset
    elif state == RINGING and life.ring is None:
        life.ring = event.offset
    elif state == UP and life.up is None:
        life.up = event.offset


def _variable(found: Lives, event: Template) -> None:
    life, variable = found.get(event.get("Uniqueid")), event.get("Variable").lstrip("_")
    if life is None or life.dialled is not None:
        return
    if variable == "DIALSTATUS":
        life.status = event.get("Value")


def _dial_begin(found: Lives, event: Template) -> None:
    found[event.get("DestUniqueid")].dialled = event.offset


def _dial_end(found: Lives, event: Template) -> None:
    life = found[event.get("DestUniqueid")]
    life.dial_end, life.status = event.offset, event.get("DialStatus")


def _enter(found: Lives, event: Template) -> None:
    """Alone in a bridge is no talk: the second one makes it one for both."""
    bridge = event.get("BridgeUniqueid")
    found[event.get("Uniqueid")].bridge = bridge
    there = [life for life in found.values() if life.bridge == bridge]
    for life in there if len(there) > 1 else []:
        life.answer = event.offset if life.answer is None else life.answer


def _leave(found: Lives, event: Template) -> None:
    """The talk of two ends with the first who leaves."""
    gone = found[event.get("Uniqueid")]
    there = [life for life in found.values() if life.bridge == gone.bridge]
    for life in there if len(there) < 3 else [gone]:
        if life.answer is not None and life.talk_end is None:
            life.talk_end = event.offset
    gone.bridge = None


def _hangup(found: Lives, event: Template) -> None:
    life = found[event.get("Uniqueid")]
    life.end, life.cause, life.bridge = event.offset, event.get("Cause"), None


_RULES: dict[str, Callable[[Lives, Template], None]] = {
    "Newchannel": _state,
    "Newstate": _state,
    "VarSet": _variable,
    "DialBegin": _dial_begin,
    "DialEnd": _dial_end,
    "BridgeEnter": _enter,
    "BridgeLeave": _leave,
    "Hangup": _hangup,
}
