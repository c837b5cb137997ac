"""Which channels are up: kept from the bytes of the events that were played, asked by CoreShowChannels."""

from dataclasses import dataclass, field

from legbook.ami.framing import Frame
from legbook.ami.message import Message, parse
from legbook.fakepbx.moments import SECOND, from_seconds

# What a channel snapshot in an event and a CoreShowChannel item have in common, in Asterisk's order
SNAPSHOT = (
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
)  # fmt: skip
MOVES = frozenset(
    {"Newchannel", "Newstate", "Newexten", "NewCallerid", "NewConnectedLine", "NewAccountCode", "Rename"}
    | {"BridgeEnter", "BridgeLeave", "Hangup"}
)


@dataclass(slots=True)
class Channel:
    """`fields`: its snapshot in the newest event that carried one."""

    since: int
    fields: dict[str, str]
    application: tuple[str, str] = ("", "")
    bridge: str = ""

    def item(self, now: int) -> list[tuple[str, str]]:
        """The headers of its CoreShowChannel item after the ActionID."""
        seconds = max(0, now - self.since) // SECOND
        return [
            *self.fields.items(),
            ("Application", self.application[0]),
            ("ApplicationData", self.application[1]),
            ("Duration", f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"),
            ("BridgeId", self.bridge),
        ]


@dataclass(slots=True)
class Channels:
    """The live channels by uniqueid, oldest first. `created` counts all of this boot."""

    live: dict[str, Channel] = field(default_factory=dict)
    created: int = 0

    def find(self, text: str) -> str | None:
        """The uniqueid of the live channel with this name or uniqueid; Asterisk does not mind their case."""
        wanted = text.casefold()
        names = ((uid, channel.fields.get("Channel", "").casefold()) for uid, channel in self.live.items())
        by_name = next((uid for uid, name in names if name == wanted), None)
        return by_name or next((uid for uid in self.live if uid.casefold() == wanted), None)

    def apply(self, name: str, event: bytes) -> None:
        """One event as it was sent; only the names in MOVES change anything."""
        if name not in MOVES:
            return
        message = parse(Frame(event.removesuffix(b"\r\n\r\n")))
        uniqueid = message.first("Uniqueid")
        if name == "Newchannel":
            self.created += 1
            self.live[uniqueid] = Channel(from_seconds(message.first("Timestamp")), {})
        channel = self.live.get(uniqueid)
        if name == "Hangup":
            self.live.pop(uniqueid, None)
        elif channel is not None:
            _move(channel, name, message)


def _move(channel: Channel, name: str, message: Message) -> None:
    if name == "Rename":
        channel.fields["Channel"] = message.first("Newname")
        return
    channel.fields = {header: message.first(header) for header in SNAPSHOT}
    if name == "Newexten":
        channel.application = message.first("Application"), message.first("AppData")
    elif name == "BridgeEnter":
        channel.bridge = message.first("BridgeUniqueid")
    elif name == "BridgeLeave":
        channel.bridge = ""
