"""One entry at work: the rules speak to it, it collects what changed. At most one change per leg and entry."""

from bisect import insort
from datetime import datetime, timedelta

from msgspec.structs import replace

from legbook.calls.changes import Change, LegChange, Surprise, Talk
from legbook.calls.state import Calls, Timer
from legbook.contracts.legs import Leg


class Step:
    """`now` is the time of the rule at work: that of the entry, or of the timer that ran before it.

    `rule` names the function at work, for what it cannot place.
    """

    def __init__(self, calls: Calls, epoch: int, seq: int) -> None:
        self.calls = calls
        self.now: datetime | None = calls.now
        self.rule = ""
        self.reconstructing = False  # what happens was not heard, but read from a list
        self._epoch, self._seq = epoch, seq
        self._changed: dict[int, Leg] = {}
        self._because: dict[int, list[str]] = {}
        self._said: list[Change] = []

    def put(self, leg: Leg, rule: str) -> None:
        """Sets the state of a leg from here on; one that has ended leaves what is live.

        `rule`: which numbered rule says so, as `<module>.<number>`.
        """
        leg = replace(leg, rule=rule, epoch=self._epoch, seq=self._seq)
        if self.reconstructing and leg.end_reason != "dialled":
            leg = replace(leg, flags=replace(leg.flags, reconstructed=True))
        if leg.state == "ended":
            self.calls.legs.pop(leg.leg_id, None)
        else:
            self.calls.legs[leg.leg_id] = leg
        self._changed[leg.leg_id] = leg
        self._because.setdefault(leg.leg_id, []).append(rule)

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
        legs = [LegChange(leg, tuple(self._because[leg_id])) for leg_id, leg in self._changed.items()]
        return [*legs, *self._said]
