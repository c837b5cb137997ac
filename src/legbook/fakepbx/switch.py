"""The state of the PBX that all its AMI sessions share, and what an action handler may do with it."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

from legbook.ami.framing import END, Frame
from legbook.ami.message import parse
from legbook.fakepbx import causes
from legbook.fakepbx.actions import Action, ActionLog
from legbook.fakepbx.clicks import Click
from legbook.fakepbx.clock import Clock
from legbook.fakepbx.lists import Live
from legbook.fakepbx.lists.channels import Channels
from legbook.fakepbx.lives import UP
from legbook.fakepbx.masks import wants
from legbook.fakepbx.moments import from_seconds, to_ami
from legbook.fakepbx.player import Rendered
from legbook.fakepbx.session import Headers, Session, encode
from legbook.fakepbx.templates import event_type
from legbook.fakepbx.users import User


@dataclass(frozen=True, slots=True)
class Settings:
    """What does not change while this PBX exists; `asterisk` is its version."""

    name: str
    users: Sequence[User]
    banner: str
    asterisk: str
    system_name: str

    @property
    def ami_version(self) -> str:
        return self.banner.rpartition("/")[2]

    @property
    def major(self) -> int:
        """16, or 22 for all that came after."""
        return 22 if int(self.ami_version.partition(".")[0]) > 5 else 16


@dataclass(slots=True)
class Switch:
    """`handlers`: lower-case action name -> who answers it. Whoever wants another answer puts it there.

    `hang_up`: the channel with this uniqueid ends now, with a cause or the one it would have anyway.
    `originate`: calls this endpoint and then this exten; False if the PBX knows no such phone.
    """

    settings: Settings
    clock: Clock
    handlers: dict[str, "Handler"]
    on_login: Callable[[Session], None]
    hang_up: Callable[[str, int | None], None]
    originate: Callable[[str, str, Click], bool]
    live: Live = field(default_factory=Live)
    actions: ActionLog = field(default_factory=ActionLog)
    sessions: list[Session] = field(default_factory=list)

    @property
    def channels(self) -> Channels:
        return self.live.channels

    def deliver(self, events: Sequence[Rendered]) -> None:
        """Events become true: what the lists tell moves, and every session gets what its mask lets through."""
        for _, event in events:
            message = parse(Frame(event.removesuffix(END)))
            self.live.apply(message.fields, from_seconds(message.first("Timestamp")))
        joined: dict[frozenset[str], bytes] = {}
        for session in self.sessions:
            mask = session.mask
            if mask and mask not in joined:
                joined[mask] = b"".join(event for kind, event in events if wants(mask, kind.classes))
            if mask and joined[mask]:
                session.write(joined[mask])

    def end_channel(self, uniqueid: str, cause: int | None) -> None:
        """The hang-up of a channel that no round has: nothing more is known of it than its own end."""
        channel = self.channels.live.get(uniqueid)
        if channel is None:
            return
        fields = channel.fields
        up = fields.get("ChannelState") == UP
        ends = causes.of_talking(cause) if up else causes.of_ringing(fields.get("Channel", ""), cause)
        system = [("SystemName", self.settings.system_name)] if self.settings.system_name else []
        self.emit("Hangup", "call,all", [*system, *fields.items(), *causes.headers(ends).items()])

    def emit(self, name: str, privilege: str, headers: Headers) -> None:
        """One event that no recording has, e.g. what a handler causes; with a Timestamp of now."""
        timestamp = to_ami(self.clock.now()).decode()
        first = [("Event", name), ("Privilege", privilege), ("Timestamp", timestamp)]
        self.deliver([(event_type(name, privilege), encode([*first, *headers]))])


Handler = Callable[[Switch, Session, Action], Awaitable[None]]
