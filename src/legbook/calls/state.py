"""What is known of the calls of one PBX now: channels, bridges, legs, talks and timers. Data only."""

from datetime import datetime

from msgspec import Struct, field

from legbook.ami.names import device_of, is_local, is_real, other_half
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event


class Sent(Struct, kw_only=True):
    """Where somebody else sent a caller: what it dials from then on was not its own wish.

    `by`: the device that transferred it blindly, "" if it was redirected; `to`: the number.
    """

    by: str
    to: str


class Channel(Struct, kw_only=True, omit_defaults=True):
    """One channel from its first event to its Hangup.

    `number` is its own CallerIDNum at birth; `exten` the last usable one; `dialled` the exten of its first
    dialling step; `called_leg` the leg in which it is rung, `caller_leg` the one that says it rings nobody,
    `dial_legs` the live legs that it called.
    """

    uniqueid: str
    name: str
    linkedid: str = ""
    state: int | None = None
    number: str = ""
    caller_name: str = ""
    accountcode: str = ""
    first_exten: str = ""
    first_context: str = ""
    exten: str = ""
    did: str = ""
    queue: str = ""  # in which it waits
    gave_up: str = ""  # the queue that it left without having been served
    queued_legs: list[Leg] = field(default_factory=list)  # legs of this wait that are over
    dialled: str | None = None
    dialstatus: str = ""
    dialled_by: str | None = None  # uniqueid of the dialling channel; "" when nobody dials (Originate)
    born: bool = False  # its Newchannel was seen: nothing of it was missed
    reconstructed: bool = False  # read from a list, not heard
    rang_at: datetime | None = None  # may be told 3 ms before its dial (25a)
    up_at: datetime | None = None
    bridge: str | None = None
    talk: int | None = None  # the one it is in
    called_leg: int | None = None
    caller_leg: int | None = None
    dial_legs: list[int] = field(default_factory=list)
    idle_since: datetime | None = None  # when the last leg that it called ended
    sent: Sent | None = None
    excused: bool = False  # it leaves its bridge because it is transferred
    walked_out: bool = False  # it left its bridge before the one it called, and was not
    parked: bool = False
    rings_back: bool = False  # its parking time is over: what it dials now is the parker
    retrieves: str = ""  # uniqueid of the parked channel that it fetched
    picks_up: str = ""  # uniqueid of the ringing channel whose call it takes
    holding: list[int] = field(default_factory=list)  # legs that it has on hold
    heard: datetime | None = None  # time of the last event about it
    absent_at: datetime | None = None  # watermark of a snapshot that does not have it

    @property
    def real(self) -> bool:
        return is_real(self.name)

    @property
    def local(self) -> bool:
        return is_local(self.name)

    @property
    def device(self) -> str:
        return device_of(self.name)


class Bridge(Struct, kw_only=True):
    """`holding`: members wait and do not hear each other (parking, queue music). `basic`: no conference."""

    holding: bool
    basic: bool = True
    members: list[str] = field(default_factory=list)


class Together(Struct, kw_only=True):
    """Real channels that hear each other. `basic`: not in a conference.

    They parted at `end`, and may yet come together again.
    """

    channels: list[str]
    devices: list[str]
    start: datetime | None
    end: datetime | None = None
    basic: bool = True


class Listed(Struct, kw_only=True, omit_defaults=True):
    """What a list says of one live channel. `age`: seconds since its birth; `application`: what it runs."""

    uniqueid: str
    name: str
    linkedid: str = ""
    state: str = ""
    number: str = ""
    caller_name: str = ""
    accountcode: str = ""
    context: str = ""
    exten: str = ""
    application: str = ""
    data: str = ""
    bridge: str = ""
    age: int = 0
    did: str = ""  # the number that was dialled to get in
    queue: str = ""


class Snapshot(Struct, kw_only=True):
    """Lists of what is live; `watermark`: the PBX clock before they were asked for. `bridges`: their items."""

    watermark: datetime
    channels: dict[str, Listed] = field(default_factory=dict)
    bridges: dict[str, dict[str, str]] = field(default_factory=dict)


class Held(Struct, kw_only=True):
    """A DialBegin whose caller is not known yet."""

    event: Event
    since: datetime | None


class Timer(Struct, kw_only=True):
    """`kind` names the rule to run when the time of the entries has reached `due`; kept in that order."""

    due: datetime
    kind: str
    key: str


class Calls(Struct, kw_only=True):
    """`counter` is the last one used in a leg_id; `now` the time of the newest event, `heard` of any entry.

    None: nothing had a time yet.
    """

    pbx: str
    number: int
    inbound_contexts: frozenset[str] = frozenset()
    boot: int | None = None
    now: datetime | None = None
    heard: datetime | None = None
    counter: int = 0
    down_since: datetime | None = None
    suspect_since: datetime | None = None  # something was not understood or not seen: a snapshot is wanted
    gap: bool = False  # nobody listened for a while, and no list has come since
    snapshot: Snapshot | None = None  # being read
    listed: Snapshot | None = None  # read to its end, in its grace
    channels: dict[str, Channel] = field(default_factory=dict)
    local_halves: dict[str, str] = field(default_factory=dict)  # name of a Local half -> uniqueid
    bridges: dict[str, Bridge] = field(default_factory=dict)
    legs: dict[int, Leg] = field(default_factory=dict)
    talks: dict[int, Together] = field(
        default_factory=dict
    )  # by number; those that are over too, for a moment
    talk_counter: int = 0
    parted: list[int] = field(default_factory=list)  # numbers of those that are over
    timers: list[Timer] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)  # by the uniqueid of the phone
    missed: dict[str, list[Leg]] = field(default_factory=dict)  # uniqueid -> legs whose end is estimated
    gone: dict[str, datetime] = field(
        default_factory=dict
    )  # uniqueid -> its Hangup, for a while; oldest first

    def other_half(self, channel: Channel) -> Channel | None:
        """The other end of a Local channel, while it lives."""
        name = other_half(channel.name)
        return self.channels.get(self.local_halves.get(name, "")) if name else None
