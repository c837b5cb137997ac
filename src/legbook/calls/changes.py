"""What the fold says: frozen values, each with the rules that made it."""

from dataclasses import dataclass
from datetime import datetime

from legbook.contracts.legs import Leg


@dataclass(frozen=True, slots=True)
class LegChange:
    """The newest state of a leg; `leg.epoch` and `leg.seq` say by which entry.

    `rules`: all that had a say in this entry, in order (`answers.1` is rule 1 of the module `answers`); the last
    one is `leg.rule`.
    """

    leg: Leg
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Talk:
    """A maximal interval in which the same two or more real channels were together."""

    channels: tuple[str, ...]
    devices: tuple[str, ...]
    start: datetime | None
    end: datetime | None


@dataclass(frozen=True, slots=True)
class Surprise:
    """An event that no rule could place, e.g. the hang-up of a channel that was born before we listened.

    `rule`: the function it went to; `why` is one of a few reasons and never has a value of the event in it.
    """

    rule: str
    uniqueid: str
    why: str


Change = LegChange | Talk | Surprise


class RuleError(Exception):
    """A rule raised, which none should: the cause says what, `changes` what was said before it did."""

    def __init__(self, changes: list[Change]) -> None:
        super().__init__("a rule raised")
        self.changes = changes
