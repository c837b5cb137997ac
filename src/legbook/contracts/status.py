"""`pbx.ami.owners.v1` and `pbx.status.v1`: who listens to a PBX, and how well listener and projector do."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from legbook.contracts.raw import BootTime, Epoch, Moment, PbxName

At = Annotated[Moment, Meta(description="When this was so, by the clock of who says it.")]


class Owner(Struct, frozen=True, kw_only=True):
    """Private to ingest: the right to start reading this PBX, taken before the first connect."""

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    worker: Annotated[str, Meta(description="Name of its slot.")]
    process: Annotated[str, Meta(description="Another one for each start of that worker.")]
    boot: BootTime | None = None


class IngestStatus(Struct, frozen=True, kw_only=True, tag_field="part", tag="ingest"):
    """Key `pbx|ingest`; a tombstone when the PBX has left the fleet."""

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    at: At
    state: Annotated[Literal["up", "down"], Meta(description="Of the link to the PBX.")]
    reason: Annotated[str, Meta(description='Why it is down, as in connection.down; "" while it is up.')]
    since: Annotated[Moment, Meta(description="When that began.")]
    ami: Annotated[str | None, Meta(description="Version of the manager interface.")] = None
    asterisk: Annotated[str | None, Meta(description="Its version; null until it has been asked.")] = None
    boot: BootTime | None = None
    last_gap: Annotated[
        Moment | None, Meta(description="When somebody began to listen again, after nobody had.")
    ] = None


class ProjectorStatus(Struct, frozen=True, kw_only=True, tag_field="part", tag="projector"):
    """Key `pbx|projector`; a tombstone when the PBX has left the fleet."""

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    at: At
    lag: Annotated[
        float,
        Meta(
            description="Seconds since the newest folded entry was received; heartbeats come every second, so about "
            "one is none."
        ),
    ]
    late_entries: Annotated[
        int,
        Meta(description="Entries of an older epoch, not folded, since the partition was taken over."),
    ]
    live_legs: Annotated[int, Meta(description="How many there are.")]
    suspect_since: Annotated[
        Moment | None,
        Meta(description="The state may be wrong since then; ingest sends a snapshot. Null: it is not."),
    ] = None


Status = IngestStatus | ProjectorStatus
