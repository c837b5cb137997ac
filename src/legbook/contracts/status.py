"""`pbx.ami.owners.v1` and `pbx.status.v1`: who listens to a PBX, and how well listener and projector do."""

from typing import Literal

from msgspec import Struct

from legbook.contracts.raw import BootTime, Epoch, Moment, PbxName


class Owner(Struct, frozen=True, kw_only=True):
    """Private to ingest: the right to start reading this PBX, taken before the first connect."""

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    worker: str
    process: str
    boot: BootTime | None = None


class IngestStatus(Struct, frozen=True, kw_only=True, tag_field="part", tag="ingest"):
    """Key `pbx|ingest`; a tombstone when the PBX has left the fleet. `last_gap`: when somebody began to listen again.

    `reason`: why it is down, as in connection.down; "" while it is up. `ami`: version of the manager interface;
    `asterisk`: null until it has been asked.
    """

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    at: Moment
    state: Literal["up", "down"]
    reason: str
    since: Moment
    ami: str | None = None
    asterisk: str | None = None
    boot: BootTime | None = None
    last_gap: Moment | None = None


class ProjectorStatus(Struct, frozen=True, kw_only=True, tag_field="part", tag="projector"):
    """Key `pbx|projector`; a tombstone when the PBX has left the fleet.

    `lag`: seconds since the newest folded entry was received; heartbeats come every second, so about one is none.
    `late_entries`: of an older epoch, not folded, since the partition was taken over. `suspect_since`: the state may
    be wrong since then; ingest sends a snapshot.
    """

    v: Literal[1] = 1
    pbx: PbxName
    epoch: Epoch
    at: Moment
    lag: float
    late_entries: int
    live_legs: int
    suspect_since: Moment | None = None


Status = IngestStatus | ProjectorStatus
