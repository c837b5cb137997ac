"""What is known of the calls of one PBX now: channels, bridges, legs, talks and timers. Data only."""

from datetime import datetime

from msgspec import Struct, field

from legbook.ami.names import device_of, is_local, is_real, other_half
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event


class Channel(Struct, kw_only=True):
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
    dialled: str | None = None
    dialstatus: str = ""
    dialled_by: str | None = None  # uniqueid of the dialling channel; "" when nobody dials (Originate)
    up_at: datetime | None = None
    bridge: str | None = None
    called_leg: int | None = None
    caller_leg: int | None = None
    dial_legs: list[int] = field(default_factory=list)
    idle_since: datetime | None = None  # when the last leg that it called ended
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
    """`holding`: members wait and do not hear each other (parking, queue music)."""

    holding: bool
    members: list[str] = field(default_factory=list)


class Together(Struct, kw_only=True):
    """Real channels that hear each other. `over`: they parted at `end`, and may yet come together again."""

    channels: list[str]
    devices: list[str]
    start: datetime | None
    end: datetime | None = None
    over: bool = False


class Snapshot(Struct, kw_only=True):
    """A list of the live channels that is being read; `watermark`: the PBX clock before it was asked for."""

    watermark: datetime
    channels: list[str] = field(default_factory=list)


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
    snapshot: Snapshot | None = None
    channels: dict[str, Channel] = field(default_factory=dict)
    local_halves: dict[str, str] = field(default_factory=dict)  # name of a Local half -> uniqueid
    bridges: dict[str, Bridge] = field(default_factory=dict)
    legs: dict[int, Leg] = field(default_factory=dict)
    talks: list[Together] = field(default_factory=list)
    timers: list[Timer] = field(default_factory=list)
    held: dict[str, Held] = field(default_factory=dict)  # by the uniqueid of the phone
    missed: dict[str, list[Leg]] = field(default_factory=dict)  # uniqueid -> legs whose end is estimated

    def other_half(self, channel: Channel) -> Channel | None:
        """The other end of a Local channel, while it lives."""
        name = other_half(channel.name)
        return self.channels.get(self.local_halves.get(name, "")) if name else None
