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

Fields = Annotated[
    dict[str, str | list[str]],
    Meta(description='Names as sent, in order; a repeated name is a list; what has no colon is under "".'),
]

Flag = Literal["dup_header", "bad_utf8", "long", "no_space", "nul"]
Down = Literal["connect", "no_greeting", "login", "closed", "silent", "shutdown", "removed", "stopped"]


class _Entry(Struct, frozen=True, kw_only=True, gc=False, tag_field="kind"):
    """`at` is the PBX's clock, `received_at` ours. UTC."""

    seq: Seq
    at: Annotated[
        Moment | None,
        Meta(
            description="The PBX's clock, as stamped or else reckoned from ours; null while its clock is not known."
        ),
    ]
    received_at: Annotated[Moment | None, Meta(description="Our clock; null only in old recordings.")]


class Event(_Entry, frozen=True, kw_only=True, gc=False, tag="event"):
    """One AMI event."""

    name: Annotated[str, Meta(description="As in its header Event.")]
    fields: Fields
    flags: Annotated[
        list[Flag], Meta(description="What was odd: `long` was cut at 256 KiB, `bad_utf8` has `raw_b64`.")
    ] = []
    raw_b64: Annotated[str | None, Meta(description="The original bytes, if they are not UTF-8.")] = None


class ConnectionUp(_Entry, frozen=True, kw_only=True, gc=False, tag="connection.up"):
    """Logged in. What Asterisk sent since the login follows."""

    banner: Annotated[str, Meta(description="First line that the PBX said.")]
    version: Annotated[str | None, Meta(description="Of the manager interface.")] = None
    boot: BootTime | None = None


class ConnectionDown(_Entry, frozen=True, kw_only=True, gc=False, tag="connection.down"):
    """The link is gone, or the PBX left the fleet (`removed`)."""

    reason: Annotated[Down, Meta(description="What ended it, or kept it from coming up.")]
    detail: Annotated[str, Meta(description="The same for people.")] = ""


class Heartbeat(_Entry, frozen=True, kw_only=True, gc=False, tag="heartbeat"):
    """Every second, also while the link is down."""

    state: Annotated[Literal["up", "down"], Meta(description="Of the link.")]
    offset: Annotated[float | None, Meta(description="PBX clock minus ours, at least; seconds.")] = None
    rtt: Annotated[float | None, Meta(description="Of the last ping; seconds.")] = None


class Gap(_Entry, frozen=True, kw_only=True, gc=False, tag="gap"):
    """Nobody listened from `since` to this entry: events of that time are not in the log."""

    since: Annotated[Moment | None, Meta(description="Null if that is not known.")]
    reason: Annotated[str, Meta(description="Why nobody did.")]


class Drop(_Entry, frozen=True, kw_only=True, gc=False, tag="drop"):
    """Something was read and is not here: bytes over the cap, or entries shed while Kafka was away."""

    reason: Annotated[
        Literal["long", "buffer_full", "half_frame"],
        Meta(
            description="long: over the cap; buffer_full: shed, Kafka was away; half_frame: the link ended in it."
        ),
    ]
    count: Annotated[int, Meta(description="How many events.")] = 1
    size: Annotated[int, Meta(description="Bytes.")] = 0
    name: Annotated[str, Meta(description="Of the event, if it was one.")] = ""


class SnapshotBegin(_Entry, frozen=True, kw_only=True, gc=False, tag="snapshot.begin"):
    """A list of the live channels follows."""

    watermark: Annotated[Moment, Meta(description="PBX clock before the list was asked for.")]


class SnapshotChannel(_Entry, frozen=True, kw_only=True, gc=False, tag="snapshot.channel"):
    """One CoreShowChannel item."""

    fields: Fields


class SnapshotItem(_Entry, frozen=True, kw_only=True, gc=False, tag="snapshot.item"):
    """One item of another list asked for at the same time."""

    name: Annotated[str, Meta(description="Status, BridgeListItem or QueueEntry.")]
    fields: Fields


class SnapshotEnd(_Entry, frozen=True, kw_only=True, gc=False, tag="snapshot.end"):
    """The list is over."""

    watermark: Annotated[Moment, Meta(description="PBX clock after the list.")]
    channels: Annotated[int, Meta(description="How many came.")]
    complete: Annotated[bool, Meta(description="They are as many as Asterisk counted.")]


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


class RawRecord(Struct, frozen=True, kw_only=True, gc=False):
    """1 to 256 entries of one PBX and one boot (null until known)."""

    v: Literal[1] = 1
    pbx: PbxName
    boot: BootTime | None
    epoch: Epoch
    entries: Annotated[list[Entry], Meta(min_length=1, max_length=256, description="In socket order.")]
