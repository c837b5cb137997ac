"""Which channels are up and what is said of them, kept from events.

What an event says of a channel is true from then on. Unknown are a channel that was up before the first event and
what no event tells: codecs, pickup groups, a linkedid that has changed in silence (10a: until its next event), an
application that begins without a new step in the dialplan (15i: Originate to Playback; park_timeout: the Dial to who
parked), and what Action Bridge does to a channel in the dialplan (ami_bridge: no application, and a new age).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from legbook.ami.message import Fields, first
from legbook.fakepbx.moments import SECOND

# What a channel snapshot in an event and an item of a list have in common, in Asterisk's order
SNAPSHOT = (
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
)  # fmt: skip
DOWN, UP = "0", "6"
_LISTENED = {"MixMonitorStart": 1, "MixMonitorStop": -1, "ChanSpyStart": 1, "ChanSpyStop": -1}


@dataclass(slots=True)
class Channel:
    """`fields`: its snapshot in the newest event that carried one; `dialled`: the number it came in with.

    `queued`: number and name of the caller for whom a queue calls it; `listeners`: recorders and spies on it.
    """

    since: int
    dialled: str
    fields: dict[str, str]
    application: tuple[str, str] = ("", "")
    queued: tuple[str, str] | None = None
    bridge: str = ""
    listeners: int = 0
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.fields["Channel"]

    @property
    def technology(self) -> str:
        return self.name.partition("/")[0]

    def seconds(self, now: int) -> int:
        return max(0, now - self.since) // SECOND


@dataclass(slots=True)
class Channels:
    """The live channels by uniqueid, oldest first. `created` counts all of this boot."""

    live: dict[str, Channel] = field(default_factory=dict)
    created: int = 0

    def find(self, text: str) -> str | None:
        """The uniqueid of the live channel with this name or uniqueid; Asterisk does not mind their case."""
        wanted = text.casefold()
        by_name = next((uid for uid, channel in self.live.items() if channel.name.casefold() == wanted), None)
        return by_name or next((uid for uid in self.live if uid.casefold() == wanted), None)

    def apply(self, event: Fields, moment: int) -> None:
        name, uniqueid = first(event, "Event"), first(event, "Uniqueid")
        if name == "Newchannel":
            self.created += 1
            self.live[uniqueid] = Channel(moment, _dialled(event), _told(event, ""))
        elif name == "Hangup":
            self.live.pop(uniqueid, None)
        for side in _sides(event):
            if channel := self.live.get(first(event, f"{side}Uniqueid")):
                _tell(channel, name, event, side)
        if channel := self.live.get(uniqueid):
            _move(channel, name, event)
            if name == "Pickup" and (target := self.live.get(first(event, "TargetUniqueid"))):
                channel.since = target.since  # 10a: it takes the place of the channel that it picks up


def _sides(event: Fields) -> Iterator[str]:
    """The prefixes of the channel snapshots in this event: "" and Dest, Parkee, Spyer, LocalOne …"""
    end = "ChannelState"
    return (name.removesuffix(end) for name in event if name.endswith(end))


def _dialled(event: Fields) -> str:
    """A channel that Asterisk itself calls out on begins at `s`; a Local one knows no number (20a)."""
    exten = first(event, "Exten")
    return "" if exten == "s" or first(event, "Channel").startswith("Local/") else exten


def _told(event: Fields, side: str) -> dict[str, str]:
    return {header: first(event, f"{side}{header}") for header in SNAPSHOT}


def _tell(channel: Channel, name: str, event: Fields, side: str) -> None:
    told = _told(event, side)
    if name == "AgentCalled" and side:  # 12: ahead of what is published of this channel
        channel.queued = told["ConnectedLineNum"], told["ConnectedLineName"]
        return
    channel.fields = told
    if side in {"", "Spyee"}:
        channel.listeners += _LISTENED.get(name, 0)
    elif side == "Spyer" and channel.application[0] == "AppDial2":
        channel.application = "ChanSpy", ""  # 16a: set by Originate; its data no event tells


def _move(channel: Channel, name: str, event: Fields) -> None:
    match name:
        case "Rename":
            channel.fields["Channel"] = first(event, "Newname")
        case "Newexten":
            channel.application = first(event, "Application"), first(event, "AppData")
        case "BridgeEnter":
            channel.bridge = first(event, "BridgeUniqueid")
        case "BridgeLeave":
            channel.bridge = ""
        case "VarSet":
            channel.variables[first(event, "Variable").lstrip("_")] = first(event, "Value")
