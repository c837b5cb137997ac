"""One entry at work: the rules speak to it, it collects what changed. At most one change per leg and entry."""

from bisect import insort
from datetime import datetime, timedelta

from msgspec.structs import replace

from legbook.calls.changes import Change, LegChange, Surprise, Talk
from legbook.calls.state import Calls, Timer
from legbook.contracts.legs import Leg


class Step:
    """`now` is the time of the rule at work: that of the entry, or of the timer that ran before it."""

    def __init__(self, calls: Calls, epoch: int, seq: int) -> None:
        self.calls = calls
        self.now: datetime | None = calls.now
        self.rule = ""
        self._epoch, self._seq = epoch, seq
        self._changed: dict[int, Leg] = {}
        self._said: list[Change] = []

    def put(self, leg: Leg) -> None:
        """Sets the state of a leg from here on; one that has ended leaves what is live."""
        leg = replace(leg, rule=self.rule, epoch=self._epoch, seq=self._seq)
        if leg.state == "ended":
            self.calls.legs.pop(leg.leg_id, None)
        else:
            self.calls.legs[leg.leg_id] = leg
        self._changed[leg.leg_id] = leg

    def say(self, talk: Talk) -> None:
        self._said.append(talk)

    def surprise(self, uniqueid: str, why: str) -> None:
        self._said.append(Surprise(self.rule, uniqueid, why))

    def later(self, seconds: float, kind: str, key: str) -> None:
        """Without any time in the entries no timer ever fires."""
        if self.now is not None:
            timer = Timer(due=self.now + timedelta(seconds=seconds), kind=kind, key=key)
            insort(self.calls.timers, timer, key=lambda each: each.due)

    def changes(self) -> list[Change]:
        legs: list[Change] = [LegChange(leg) for leg in self._changed.values()]
        return legs + self._said
