"""The machine's alphabet: which function answers to which AMI event, and which to which timer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from legbook.calls import corrections
from legbook.calls.rules import bridges, callers, channels, dials, links, queues, snapshots, variables
from legbook.calls.step import Step
from legbook.contracts.raw import Event


@dataclass(frozen=True, slots=True)
class Rule:
    """`needs`: headers without which the event cannot be placed."""

    name: str
    run: Callable[[Step, Event], None]
    needs: tuple[str, ...]


_CHANNEL: Final = ("Channel", "Uniqueid")
_DEST: Final = ("DestChannel", "DestUniqueid")

EVENTS: Final[Mapping[str, Rule]] = {
    "Newchannel": Rule("channels.new", channels.new, _CHANNEL),
    "Newstate": Rule("channels.state", channels.state, _CHANNEL),
    "Newexten": Rule("channels.exten", channels.exten, _CHANNEL),
    "Rename": Rule("channels.rename", channels.rename, ("Newname", "Uniqueid")),
    "Hangup": Rule("channels.hangup", channels.hangup, _CHANNEL),
    "DialBegin": Rule("dials.begin", dials.begin, _DEST),
    "DialEnd": Rule("dials.end", dials.end, _DEST),
    "BridgeEnter": Rule("bridges.enter", bridges.enter, (*_CHANNEL, "BridgeUniqueid")),
    "BridgeLeave": Rule("bridges.leave", bridges.leave, _CHANNEL),
    "BridgeDestroy": Rule("bridges.destroy", bridges.destroy, ("BridgeUniqueid",)),
    "LocalBridge": Rule("bridges.local", bridges.local, ("LocalOneUniqueid", "LocalTwoUniqueid")),
    "QueueCallerJoin": Rule("queues.join", queues.join, (*_CHANNEL, "Queue")),
    "QueueCallerLeave": Rule("queues.leave", queues.leave, _CHANNEL),
    "AgentRingNoAnswer": Rule("queues.rang_in_vain", queues.rang_in_vain, _DEST),
    "VarSet": Rule("variables.set", variables.set_, ("Variable",)),
}

TIMERS: Final[Mapping[str, Callable[[Step, str], None]]] = {
    "callers.return": callers.come_back,
    "corrections.over": corrections.over,
    "dials.held": dials.release,
    "snapshots.absent": snapshots.absent,
    "talks.over": bridges.talk_over,
    "links.lost": links.lost,
}
