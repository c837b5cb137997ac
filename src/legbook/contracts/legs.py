"""`pbx.calls.legs.v1` and `pbx.calls.cdr.v1`: one call leg, live or finished. See docs/reference/legs.md."""

from datetime import datetime
from typing import Annotated, Literal

from msgspec import Meta, Struct

from legbook.contracts.raw import BootTime, Epoch, PbxName, Seq

Kind = Literal["dial", "caller", "bridge"]
State = Literal["waiting", "dialing", "ringing", "talking", "ended"]
Disposition = Literal["ANSWERED", "NO ANSWER", "BUSY", "FAILED"]
EndReason = Literal["hangup", "dialled", "snapshot", "pbx_restart", "pbx_lost", "removed"]
Seconds = Annotated[float, Meta(ge=0, description="Seconds, to the microsecond.")]


class Interval(Struct, frozen=True, kw_only=True):
    """A talk of the called channel with the same set of others; `end` is null while it lasts."""

    start: datetime
    end: datetime | None = None
    devices: list[str]


class Hold(Struct, frozen=True, kw_only=True):
    """Who put the other on hold, and when."""

    holder: str
    start: datetime
    end: datetime | None = None


class Peer(Struct, frozen=True, kw_only=True):
    """The one the called channel talks with, when that is neither its caller nor called by it."""

    num: str
    name: str
    chan: str
    uid: str
    device: str


class Flags(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What was special. Only what is true is in the object."""

    via_local: bool = False
    originated: bool = False
    consult: bool = False
    pickup: bool = False
    picked_up_by: str | None = None
    after_transfer_by: str | None = None
    after_redirect: bool = False
    forwarded_to: str | None = None
    spy_on: str | None = None
    park_ringback: bool = False
    ring_no_answer: bool = False
    answered_with: str | None = None
    queue_abandoned: bool = False


class Leg(Struct, frozen=True, kw_only=True):
    """A real channel called for one caller (`dial`), a caller with nobody rung (`caller`), or two bridged."""

    v: Literal[1] = 1
    pbx: PbxName
    leg_id: Annotated[int, Meta(ge=0, lt=2**53, description="Grows per PBX, unique in the fleet.")]
    epoch: Epoch
    seq: Seq
    boot: BootTime | None
    rule: Annotated[str, Meta(description="The rule of the fold that made this state.")]
    kind: Kind
    state: State
    born: datetime | None
    start: datetime | None
    ring: datetime | None = None
    answer: datetime | None = None
    end: datetime | None = None
    end_reason: EndReason | None = None
    end_exact: bool = True
    answered: bool = False
    disposition: Disposition | None = None
    src: str = ""
    dst: str = ""
    dialled: str | None = None
    exten: str | None = None
    didnumber: str = ""
    queue: str = ""
    srcname: str = ""
    srcchan: str = ""
    srcuid: str = ""
    srcdevice: str = ""
    src_up: datetime | None = None
    dstchan: str = ""
    dstuid: str = ""
    dstdevice: str = ""
    linkedid: str = ""
    linkedid_first: str = ""
    accountcode: str = ""
    dialstring: str = ""
    dialstatus: str = ""
    hangupcause: int | None = None
    hangupcausetxt: str = ""
    peer: Peer | None = None
    talks: list[Interval] = []
    held: list[Hold] = []
    billsec: Seconds = 0.0
    billsec_leg_a: Seconds = 0.0
    flags: Flags = Flags()

    @property
    def ver(self) -> int:
        """Orders the states of one leg: epoch and seq in one unsigned 64-bit number."""
        return self.epoch << 32 | self.seq
