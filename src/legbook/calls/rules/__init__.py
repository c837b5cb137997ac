"""The machine's alphabet: which function answers to which AMI event, and which to which timer."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from legbook.calls import corrections, legs
from legbook.calls.rules import (
    bridges,
    callers,
    channels,
    dials,
    holding,
    links,
    parking,
    pickup,
    queues,
    snapshots,
    spying,
    transfers,
    variables,
)
from legbook.calls.step import Step
from legbook.contracts.raw import Event


@dataclass(frozen=True)
class Rule:
    """`needs`: headers without which the event cannot be placed; the last Uniqueid of them is whom it is about."""

    name: str
    run: Callable[[Step, Event], None]
    needs: tuple[str, ...]

    @cached_property
    def about(self) -> str:
        return next((name for name in self.needs if name in {"Uniqueid", "DestUniqueid"}), "")


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
    "QueueCallerAbandon": Rule("queues.abandon", queues.abandon, (*_CHANNEL, "Queue")),
    "AgentRingNoAnswer": Rule("queues.rang_in_vain", queues.rang_in_vain, _DEST),
    "Pickup": Rule("pickup.pickup", pickup.pickup, (*_CHANNEL, "TargetUniqueid")),
    "AgentConnect": Rule("pickup.connected", pickup.connected, _DEST),
    "BlindTransfer": Rule("transfers.blind", transfers.blind, ("TransfereeUniqueid", "TransfererUniqueid")),
    "ParkedCall": Rule("parking.park", parking.park, ("ParkeeUniqueid",)),
    "UnParkedCall": Rule("parking.fetch", parking.fetch, ("ParkeeUniqueid",)),
    "ParkedCallTimeOut": Rule("parking.time_out", parking.time_out, ("ParkeeUniqueid",)),
    "ChanSpyStart": Rule("spying.start", spying.start, ("SpyerUniqueid", "SpyeeUniqueid")),
    "Hold": Rule("holding.hold", holding.hold, _CHANNEL),
    "Unhold": Rule("holding.unhold", holding.unhold, _CHANNEL),
    "VarSet": Rule("variables.set", variables.set_, ("Variable",)),
}

TIMERS: Final[Mapping[str, Callable[[Step, str], None]]] = {
    "callers.return": callers.come_back,
    "corrections.over": corrections.over,
    "dials.held": dials.release,
    "legs.gone": legs.gone,
    "snapshots.settle": snapshots.settle,
    "talks.over": bridges.talk_over,
    "links.lost": links.lost,
}
