"""The call detail records of one live channel, as far as their start and answer go: what begins one, what ends it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, auto

from legbook.ami.message import Fields, first
from legbook.fakepbx.lists.channels import UP


class Stage(Enum):
    SINGLE = auto()
    DIALS = auto()
    DIALLED = auto()  # somebody has answered, and nobody talks yet
    TALKS = auto()
    PARKED = auto()
    OVER = auto()


@dataclass(slots=True)
class Record:
    """`peer`: the uniqueid of who is called or talked to; `answer` is 0 without one."""

    start: int
    answer: int = 0
    stage: Stage = Stage.SINGLE
    peer: str = ""
    bridge: str = ""


@dataclass(slots=True)
class Chain:
    """Of one channel, oldest record first. `called`: somebody dials it; `told`: the moment of its last change."""

    born: int
    up: bool
    told: int
    called: bool = False
    application: str = ""
    records: list[Record] = field(default_factory=list)

    def add(self, start: int) -> Record:
        self.records.append(Record(start, start if self.up else 0))
        return self.records[-1]

    def changes(self, event: Fields, moment: int) -> None:
        """What is not over is answered once the channel is up."""
        self.told = moment
        self.up = first(event, "ChannelState") == UP
        moved = self._moved(event)
        for record in self.records:
            if record.stage is Stage.DIALLED and moved:
                record.stage = Stage.OVER if record.peer else Stage.SINGLE
            if record.stage is not Stage.OVER and self.up and not record.answer:
                record.answer = moment
        if moved and all(record.stage is Stage.OVER for record in self.records):
            self.add(moment)

    def _moved(self, event: Fields) -> bool:
        """It runs something else in the dialplan."""
        if first(event, "Event") != "Newexten":
            return False
        before, self.application = self.application, first(event, "Application")
        return self.application != before and not self.application.startswith("AppDial")

    def dials(self, peer: str, moment: int) -> None:
        free = self._in(Stage.SINGLE)
        for record in self._in(Stage.DIALLED):
            record.stage = Stage.OVER
        for record in free or [self.add(moment)]:
            record.stage, record.peer = Stage.DIALS, peer

    def dialled(self, peer: str, status: str) -> None:
        for record in self._in(Stage.DIALS):
            if record.peer in {"", peer}:
                record.stage = Stage.DIALLED if status == "ANSWER" else Stage.OVER

    def parks(self, moment: int) -> None:
        free = self._in(Stage.SINGLE) + [r for r in self._in(Stage.DIALLED) if not r.peer]
        for record in free or [self.add(moment)]:
            record.stage = Stage.PARKED

    def enters(self, moment: int) -> list[Record]:
        """The records that this talk is for: one at least."""
        return self._in(Stage.SINGLE, Stage.DIALS, Stage.DIALLED) or [self.add(moment)]

    def talks(self, peer: str, bridge: str) -> None:
        """With one more, since its last change."""
        record = self.add(self.told)
        record.stage, record.peer, record.bridge = Stage.TALKS, peer, bridge

    def leaves(self, bridge: str) -> None:
        for record in [*self._in(Stage.PARKED), *self.within(bridge)]:
            record.stage, record.bridge = Stage.OVER, ""

    def loses(self, peer: str) -> None:
        for record in self._in(Stage.DIALS, Stage.TALKS):
            if record.peer == peer:
                record.stage = Stage.OVER

    def within(self, bridge: str) -> Iterator[Record]:
        """The talks in that bridge, those too that went on when a peer was lost."""
        return (record for record in self.records if record.bridge == bridge)

    def _in(self, *stages: Stage) -> list[Record]:
        return [record for record in self.records if record.stage in stages]
