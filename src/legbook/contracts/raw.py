"""`pbx.ami.raw.v1`: what one PBX said, and what we have to say about listening to it, in socket order."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

# (?!\n): Python's $ also matches before a line end, other languages' does not
_PBX = "^[a-z0-9][a-z0-9_-]{0,31}(?!\n)$"
PbxName = Annotated[str, Meta(pattern=_PBX, description="Name from the fleet file.")]
Moment = Annotated[datetime, Meta(tz=True)]
Epoch = Annotated[int, Meta(ge=0, lt=2**32, description="One ownership of this PBX by one ingest worker.")]
Seq = Annotated[int, Meta(ge=1, lt=2**32, description="Numbers every entry of an epoch, through reconnects.")]
BootTime = Annotated[int, Meta(ge=0, description="Start of that Asterisk process, Unix seconds.")]

Flag = Literal["dup_header", "bad_utf8", "long", "no_space", "nul"]
Down = Literal["connect", "no_greeting", "login", "closed", "silent", "shutdown", "removed", "stopped"]


class _Entry(Struct, frozen=True, kw_only=True, tag_field="kind"):
    """`at` is the PBX's clock, as stamped or else reckoned from ours; null while its clock is not known.

    `received_at` is our clock, null only in old recordings. UTC.
    """

    seq: Seq
    at: Moment | None
    received_at: Moment | None


class Event(_Entry, frozen=True, kw_only=True, tag="event"):
    """One AMI event. `fields`: names as sent, in order; a repeated name is a list; "": no colon."""

    name: str
    fields: dict[str, str | list[str]]
    flags: list[Flag] = []
    raw_b64: str | None = None


class ConnectionUp(_Entry, frozen=True, kw_only=True, tag="connection.up"):
    """Logged in; `version` of the manager interface. What Asterisk sent since the login follows."""

    banner: str
    version: str | None = None
    boot: BootTime | None = None


class ConnectionDown(_Entry, frozen=True, kw_only=True, tag="connection.down"):
    """The link is gone, or the PBX left the fleet (`removed`)."""

    reason: Down
    detail: str = ""


class Heartbeat(_Entry, frozen=True, kw_only=True, tag="heartbeat"):
    """Every second, also while the link is down. `offset`: PBX clock minus ours, at least; seconds."""

    state: Literal["up", "down"]
    offset: float | None = None
    rtt: float | None = None


class Gap(_Entry, frozen=True, kw_only=True, tag="gap"):
    """Nobody listened from `since` to this entry: events of that time are not in the log."""

    since: Moment | None
    reason: str


class Drop(_Entry, frozen=True, kw_only=True, tag="drop"):
    """Something was read and is not here: bytes over the cap, or entries shed while Kafka was away."""

    reason: Literal["long", "buffer_full", "half_frame"]
    count: int = 1
    size: int = 0
    name: str = ""


class SnapshotBegin(_Entry, frozen=True, kw_only=True, tag="snapshot.begin"):
    """A list of the live channels follows; `watermark` is the PBX clock before it was asked for."""

    watermark: Moment


class SnapshotChannel(_Entry, frozen=True, kw_only=True, tag="snapshot.channel"):
    """One CoreShowChannel item."""

    fields: dict[str, str | list[str]]


class SnapshotItem(_Entry, frozen=True, kw_only=True, tag="snapshot.item"):
    """One item of another list asked for at the same time: Status, BridgeListItem, QueueEntry."""

    name: str
    fields: dict[str, str | list[str]]


class SnapshotEnd(_Entry, frozen=True, kw_only=True, tag="snapshot.end"):
    """`complete`: as many channels as Asterisk counted."""

    watermark: Moment
    channels: int
    complete: bool


Entry = (
    Event
    | ConnectionUp
    | ConnectionDown
    | Heartbeat
    | Gap
    | Drop
    | SnapshotBegin
    | SnapshotChannel
    | SnapshotItem
    | SnapshotEnd
)


class RawRecord(Struct, frozen=True, kw_only=True):
    """1 to 256 entries of one PBX and one boot (null until known)."""

    v: Literal[1] = 1
    pbx: PbxName
    boot: BootTime | None
    epoch: Epoch
    entries: Annotated[list[Entry], Meta(min_length=1, max_length=256)]
