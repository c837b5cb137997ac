"""When nobody read a PBX, and what cannot be known of its calls then.

AMI has no replay: from the cut of one reader of ami_ingest to the login of the next one, events are gone. Of a
call in which something else than an end happened meanwhile nothing is compared. A leg of which only the end fell
into the gap must be there, once, with an end that says that it is an estimate. Every other leg must be exact.
"""

import asyncio
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, NamedTuple

from legbook.calls.rules import EVENTS
from legbook.demo.world import USERNAME
from legbook.fakepbx import ExpectedLeg, FakePbx, LoggedAction
from legbook.fakepbx.identities import Identity, Kind
from legbook.fakepbx.lives import lives
from legbook.fakepbx.moments import to_datetime
from legbook.fakepbx.player import Round
from tests.e2e.verifier import Excused
from tests.faults.screen import Seen

_CLAIM: Final = timedelta(
    seconds=1
)  # a new epoch begins before its login: what an older one says from then on is late
_IN_MEMORY: Final = timedelta(seconds=0.15)  # read, and not yet in Kafka when it was killed
_STUCK: Final = 3.0  # seconds after the login
_ENDS: Final = frozenset({"Hangup", "BridgeLeave", "BridgeDestroy", "DialEnd"})
_TOLD: Final = EVENTS.keys() | {"BridgeDestroy"}


class Gap(NamedTuple):
    """Nobody is sure to have read what was said from `cut` on, before somebody had logged in again."""

    cut: datetime
    back: datetime

    @property
    def seconds(self) -> float:
        return (self.back - self.cut).total_seconds()


def logins(pbx: FakePbx) -> list[LoggedAction]:
    """Of ami_ingest."""
    return [action for action in pbx.actions.named("Login") if action.user == USERNAME]


class Readers:
    """The sessions of ami_ingest at one PBX, as the PBX sees them."""

    def __init__(self, pbx: FakePbx) -> None:
        self._pbx = pbx
        self._last: dict[int, datetime] = {}

    async def watch(self) -> None:
        """Until cancelled."""
        while True:
            now = self._pbx.now()
            for session in self._pbx._switch.sessions:
                if session.user is not None and session.user.username == USERNAME:
                    self._last[session.number] = now
            await asyncio.sleep(0.02)

    def gaps(self, faults: Collection[datetime]) -> list[Gap]:
        """`faults`: when a reader of this PBX was killed, told to end or stopped."""
        found = logins(self._pbx)
        ends = [self._end(login, faults) for login in found]
        return [
            Gap(_cut(before.at, login.at, ends) - _IN_MEMORY, login.at) for before, login in pairwise(found)
        ]

    def _end(self, login: LoggedAction, faults: Collection[datetime]) -> datetime:
        """Of a session; one that was stopped may go on, but nobody listens to what it says then."""
        hurt = [moment for moment in faults if moment > login.at]
        return min([self._last.get(login.session, login.at), *hurt])


def _cut(before: datetime, login: datetime, ends: Iterable[datetime]) -> datetime:
    return min([login - _CLAIM, *(end for end in ends if before < end < login)])


def excused(pbx: FakePbx, gaps: Sequence[Gap], now: datetime) -> Excused:
    """What must not be compared, and which ends may be estimates."""
    legs: dict[int, list[ExpectedLeg]] = {}
    for leg in [*pbx.truth.finished(now), *pbx.truth.live(now)]:
        legs.setdefault(leg.round, []).append(leg)
    unknown: set[str] = set()
    estimated: set[str] = set()
    for playing in pbx.rounds:
        said = _said_in(playing, gaps)
        if said:
            ended = {_channel(leg) for leg in legs.get(playing.number, []) if _in_any(leg.end, gaps)}
            ended = ended if said <= _ENDS else set()
            estimated |= ended
            unknown |= set(_uniqueids(playing).values()) - ended
    return Excused(frozenset(unknown), frozenset(estimated))


def _said_in(playing: Round, gaps: Iterable[Gap]) -> set[str]:
    """Names of the events of a round that fell into a gap, of those that tell us anything."""
    began, ends = to_datetime(playing.started), to_datetime(playing.ends)
    near = [gap for gap in gaps if began <= gap.back and gap.cut <= ends]
    if not near:
        return set()
    moments = ((event.name, to_datetime(playing.started + event.offset)) for event in playing.script)
    return {name for name, at in moments if name in _TOLD and _in_any(at, near)}


def _in_any(moment: datetime, gaps: Iterable[Gap]) -> bool:
    return any(gap.cut <= moment <= gap.back for gap in gaps)


def _channel(leg: ExpectedLeg) -> str:
    return leg.dstuid or leg.srcuid or ""


def _uniqueids(playing: Round) -> dict[str, str]:
    """As recorded -> as played."""
    recorded = [each for each in playing.recording.identities if each.kind is Kind.UNIQUEID]
    return {each.text: playing.fresh(each) for each in recorded}


def stuck(pbx: FakePbx, gaps: Sequence[Gap], seen: Iterable[Seen]) -> list[str]:
    """Rows of channels that were gone before a login, and that were still shown 3 s after it."""
    ends = _ends(pbx, gaps)
    return [
        f"{each.row.uid} {each.row.state}: shown {each.last - gap.back.timestamp():.1f} s after the login"
        for each in seen
        for gap in gaps
        if each.row.pbx == pbx.name
        and each.row.uid in ends
        and ends[each.row.uid] < gap.back
        and each.first < gap.back.timestamp()
        and each.last > gap.back.timestamp() + _STUCK
    ]


def _ends(pbx: FakePbx, gaps: Sequence[Gap]) -> dict[str, datetime]:
    """When the channels ended that were alive near a gap."""
    found = {}
    for playing in pbx.rounds:
        if _said_in(playing, gaps):
            for uid, life in lives(playing.script).items():
                if life.end is not None:
                    fresh = playing.fresh(Identity(Kind.UNIQUEID, uid))
                    found[fresh] = to_datetime(playing.started + life.end)
    return found
