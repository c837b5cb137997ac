"""One recording played with hang-ups in it, and what every such course must hold."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from legbook.ami.message import Message
from legbook.cli.recordings import Placed
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Event
from legbook.fakepbx.hangup import Hangup, after_hangup
from legbook.fakepbx.identities import Identity, Kind
from legbook.fakepbx.lives import Lives, lives
from legbook.fakepbx.moments import to_datetime
from legbook.fakepbx.player import Playlist, Rendered, Round
from legbook.fakepbx.recording import Recording
from legbook.fakepbx.truth import ExpectedLeg, Truth
from tests.recorded import fold
from tests.unit.fakepbx.samples import BEGIN, parsed, timeline

CLOSE = 0.00001  # seconds: the fold computes with floats, nothing else is rounded
_FAR = BEGIN + 1_000_000_000_000


@dataclass(frozen=True, slots=True)
class Course:
    """`asked`: how many messages had come when each hang-up was asked for."""

    playing: Round
    messages: list[Message]
    asked: list[int]

    def uid(self, recorded: str) -> str:
        return self.playing.fresh(Identity(Kind.UNIQUEID, recorded))

    @property
    def lives(self) -> Lives:
        return lives(self.playing.script)

    @property
    def caused(self) -> list[Message]:
        """Everything since the first hang-up."""
        return self.messages[self.asked[0] :]

    @property
    def truth(self) -> list[ExpectedLeg]:
        return Truth([self.playing]).finished(to_datetime(_FAR))

    def about(self, recorded: str, *names: str) -> list[Message]:
        """A dial is about the one who is called."""
        uid = self.uid(recorded)
        return [
            message
            for message in self.messages
            if (message.first("DestUniqueid") or message.first("Uniqueid")) == uid
            and (not names or message.first("Event") in names)
        ]


def played(recorded: Recording, *hangups: Hangup) -> Course:
    line, opened = timeline(Playlist([recorded]))
    events: list[Rendered] = []
    asked: list[int] = []
    for hangup in hangups:
        events += line.take(BEGIN + hangup.at, 100_000)[0]
        playing, done = next(line.playing())
        script = after_hangup(recorded, playing.script, done, hangup)
        assert script is not None
        line.change(playing, done, script)
        asked.append(len(events))
    events += line.take(None, 100_000)[0]
    return Course(opened[0], parsed([data for _, data in events]), asked)


def called(recorded: Recording) -> list[str]:
    """The uniqueids of those who are rung, as recorded."""
    return [uid for uid, life in lives(recorded.templates).items() if life.dialled is not None]


def caller(recorded: Recording) -> str:
    return next(uid for uid, life in lives(recorded.templates).items() if life.dialled is None)


def winner(recorded: Recording) -> str | None:
    whole = lives(recorded.templates)
    return next((uid for uid in called(recorded) if whole[uid].answer is not None), None)


def moments(recorded: Recording, uid: str, *, most: int = 40) -> Iterator[int]:
    """Offsets at which this channel is there: just after something has happened in the recording."""
    life = [event.offset for event in recorded.templates if event.get("Uniqueid") == uid]
    offsets = [o for o in sorted({event.offset for event in recorded.templates}) if life[0] <= o < life[-1]]
    for offset in offsets[:: 1 + len(offsets) // most]:
        yield min(offset + 1, life[-1] - 1)


def assert_sound(course: Course) -> None:
    """What Asterisk never breaks: nothing of a channel after its end, one end each, nobody left in a bridge."""
    stamps = [message.first("Timestamp") for message in course.messages]
    assert stamps == sorted(stamps)
    born: list[str] = []
    gone: list[str] = []
    bridged: Counter[str] = Counter()
    for message in course.messages:
        name, uid = message.first("Event"), message.first("Uniqueid")
        assert uid not in gone, f"{name} of a channel that is gone"
        assert message.first("DestUniqueid") not in gone, f"{name} towards a channel that is gone"
        born += [uid] if name == "Newchannel" else []
        gone += [uid] if name == "Hangup" else []
        bridged[uid] += (name == "BridgeEnter") - (name == "BridgeLeave")
    assert Counter(born) == Counter(gone)
    assert set(bridged.values()) <= {0}
    made, destroyed = (
        [m.first("BridgeUniqueid") for m in course.messages if m.first("Event") == name]
        for name in ("BridgeCreate", "BridgeDestroy")
    )
    assert made == destroyed


def folded(course: Course) -> list[Leg]:
    """The legs that our own fold makes of the stream; none may be left open."""
    result = fold([_placed(seq, message) for seq, message in enumerate(course.messages, 1)])
    assert not result.state.legs
    return result.legs


def _placed(seq: int, message: Message) -> Placed:
    at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        microseconds=round(float(message.first("Timestamp")) * 1_000_000)
    )
    event = Event(seq=seq, at=at, received_at=at, name=message.first("Event"), fields=message.fields)
    return Placed("hq", 1, None, event)


def assert_true(course: Course) -> None:
    """The truth is what the fold finds in the stream."""
    found = {leg.dstuid or leg.srcuid: leg for leg in folded(course)}
    wanted = {str(leg.dstuid or leg.srcuid): leg for leg in course.truth}
    assert found.keys() == wanted.keys()
    for uid, leg in wanted.items():
        assert _said(found[uid]) == _true(leg)
        for name in ("start", "ring", "answer", "end"):
            assert _near(getattr(found[uid], name), getattr(leg, name)), (uid, name)
        assert abs(found[uid].billsec - leg.billsec) < CLOSE


def _said(leg: Leg) -> list[object]:
    words = [leg.kind, leg.src, leg.dst, leg.didnumber, leg.dialled, leg.srcuid, leg.disposition]
    return [*words, str(leg.hangupcause)]


def _true(leg: ExpectedLeg) -> list[object]:
    words = [leg.kind, leg.src, leg.dst, leg.did or "", leg.dialled, leg.srcuid, leg.disposition]
    return [*words, leg.cause]


def _near(one: datetime | None, other: datetime | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs((one - other).total_seconds()) < CLOSE
