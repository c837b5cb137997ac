"""The fold of one PBX: cursor, time, and which rule an entry goes to.

1. An entry at or below the cursor is skipped; the cursor moves before the rule runs.
2. Time is that of the events: max(time before, `at` or else `received_at`). No clock is read. Our own entries
   (heartbeats) let timers run, but do not move the time of the events behind them: a PBX under load says late what
   it stamped in time (docs/adr/0001).
3. Timers that are due run before the entry's rule, in order, and carry that entry's (epoch, seq).
4. Everything that changes the state of calls is in this package; the caller gets frozen values.
5. Any suffix, duplicate or gap gives fewer legs or estimated times; it never raises and never leaves a leg open
   after its channel is gone.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Self

from legbook.ami.message import first
from legbook.calls import checkpoint, corrections
from legbook.calls.changes import Change, RuleError
from legbook.calls.checkpoint import Checkpoint
from legbook.calls.rules import EVENTS, TIMERS, links, snapshots
from legbook.calls.sightings import hear
from legbook.calls.state import Calls
from legbook.calls.step import Step
from legbook.contracts.legs import Leg
from legbook.contracts.raw import (
    ConnectionDown,
    ConnectionUp,
    Drop,
    Entry,
    Event,
    Gap,
    Heartbeat,
    SnapshotBegin,
    SnapshotChannel,
    SnapshotEnd,
    SnapshotItem,
)

_LINKS: Final[Mapping[type, tuple[str, Callable[[Step, Any], None]]]] = {
    ConnectionUp: ("links.up", links.up),
    ConnectionDown: ("links.down", links.down),
    Heartbeat: ("links.heartbeat", links.heartbeat),
    Drop: ("links.dropped", links.dropped),
    Gap: ("links.gap", links.gap),
    SnapshotBegin: ("snapshots.begin", snapshots.begin),
    SnapshotChannel: ("snapshots.channel", snapshots.channel),
    SnapshotItem: ("snapshots.item", snapshots.item),
    SnapshotEnd: ("snapshots.end", snapshots.end),
}


class PbxState:
    """Feed it the entries of one PBX in order; it returns what changed."""

    def __init__(self, pbx: str, number: int, inbound_contexts: Iterable[str] = ()) -> None:
        self._calls = Calls(pbx=pbx, number=number, inbound_contexts=frozenset(inbound_contexts))
        self._cursor = (0, 0)

    @property
    def cursor(self) -> tuple[int, int]:
        """(epoch, seq) of the newest entry that was applied."""
        return self._cursor

    @property
    def now(self) -> datetime | None:
        """The time that the entries have reached."""
        return self._calls.now

    @property
    def suspect_since(self) -> datetime | None:
        """Since when the state may be wrong, until a snapshot settles it."""
        return self._calls.suspect_since

    @property
    def legs(self) -> Mapping[int, Leg]:
        """The live legs, by leg_id."""
        return self._calls.legs

    def apply(self, entry: Entry, *, epoch: int, boot: int | None = None) -> list[Change]:
        """What this entry changes. `boot`: that of its record, None while unknown. RuleError: a defect of ours."""
        if (epoch, entry.seq) <= self._cursor:
            return []
        self._cursor = (epoch, entry.seq)
        step = Step(self._calls, epoch, entry.seq)
        try:
            self._run(step, entry, boot)
        except Exception as error:
            self._calls.suspect_since = self._calls.heard
            raise RuleError(step.changes()) from error  # legs that ended before it did end
        return step.changes()

    def _run(self, step: Step, entry: Entry, boot: int | None) -> None:
        if boot is not None and boot != self._calls.boot:
            step.rule = "links.new_boot"
            links.new_boot(step, boot)
        self._reach(step, entry.at or entry.received_at, of_event=isinstance(entry, Event))
        if isinstance(entry, Event):
            _place(step, entry)
        else:
            step.rule, link = _LINKS[type(entry)]
            link(step, entry)

    def advance(self, time: datetime) -> list[Change]:
        """The end of a file: time goes on without an entry."""
        step = Step(self._calls, *self._cursor)
        self._reach(step, time, of_event=False)
        return step.changes()

    def _reach(self, step: Step, time: datetime | None, *, of_event: bool) -> None:
        """Runs what is due on the way to this time; timers may set timers."""
        calls = self._calls
        if time is None:
            return
        time = time if calls.now is None else max(calls.now, time)
        while calls.timers and calls.timers[0].due <= time:
            timer = calls.timers.pop(0)
            step.now, step.rule = timer.due, timer.kind
            TIMERS[timer.kind](step, timer.key)
        step.now = calls.heard = time if calls.heard is None else max(time, calls.heard)
        if of_event:
            step.now = calls.now = time

    def dump(self) -> bytes:
        epoch, seq = self._cursor
        return checkpoint.dump(Checkpoint(epoch=epoch, seq=seq, calls=self._calls))

    @classmethod
    def load(cls, data: bytes, number: int, inbound_contexts: Iterable[str] = ()) -> Self:
        """`number` and contexts are the fleet file's, which may have changed. Errors: see checkpoint.load."""
        saved = checkpoint.load(data)
        state = cls(saved.calls.pbx, number, inbound_contexts)
        saved.calls.number, saved.calls.inbound_contexts = number, state._calls.inbound_contexts
        state._calls, state._cursor = saved.calls, (saved.epoch, saved.seq)
        return state


def _place(step: Step, event: Event) -> None:
    rule = EVENTS.get(event.name)
    if rule is None:
        return
    step.rule = rule.name
    snapshots.missed_birth(step, event)
    about = first(event.fields, rule.about)
    if missing := [name for name in rule.needs if not first(event.fields, name)]:
        step.surprise(about, f"{event.name} without {', '.join(missing)}")
    elif event.name != "Hangup" and corrections.is_history(step, event.name, about):
        step.surprise(about, f"{event.name} of a channel that is gone")
    else:
        hear(step, (first(event.fields, "Uniqueid"), first(event.fields, "DestUniqueid")))
        rule.run(step, event)
