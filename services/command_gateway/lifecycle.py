"""The life of a command of one partition: taken -> sent -> final, or refused. At most once, and never without an end.

1. Whatever can be refused is refused before anything is written.
2. What only the owner of the partition may decide, to send or to refuse, goes on record in a transaction that only it
   can commit: a gateway that was asleep cannot refuse what another one has done.
3. After `sent` the deadline once more and, without waiting for anything in between, the action, in one write. What
   became of it is true whoever says it.
4. A state on record, whatever it is, means: never again. `sent` without an end, from a gateway that is gone, becomes
   `unknown`.
5. An offset is done when its command has a state on record.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, assert_never

import structlog

from command_gateway import authorise, metrics
from command_gateway.confirm import Expectation, Outcome, confirm
from command_gateway.connection import Connection
from command_gateway.legs import Begun, Legs
from command_gateway.reading import Envelope
from command_gateway.refusals import RefusedError
from command_gateway.results import Results, record
from command_gateway.settings import Settings
from command_gateway.verbs import hangup, originate
from command_gateway.verbs.plan import NOTHING, Plan
from legbook.contracts.commands import Command, CommandResult, Hangup, Originate
from legbook.runtime.amilink import Link, LinkError
from legbook.runtime.ownership import PartitionOwner

_log = structlog.get_logger("command_gateway")
BATCH: Final = 200  # commands that share a transaction
ARRIVES: Final = 1.0  # seconds until a leg must be in the topic that somebody has seen already
ORIGINATE: Final = "originate"
SENT: Final = Outcome("sent", None, "")
Answers = list["asyncio.Future[Any]"]


@dataclass(slots=True)
class Taken:
    """A command whose end is not on record. `deadline`: monotonic; `published`: Unix seconds, by Kafka.

    `refused`: it goes no further than that. `counted`: it has one of the places of its PBX.
    """

    envelope: Envelope
    published: float
    settled: Callable[[], None]  # its offset is done
    deadline: float = 0.0
    plan: Plan = NOTHING
    legs: list[int] = field(default_factory=list)
    due: datetime | None = None  # once it is sent: its end is on record by then
    refused: Outcome | None = None
    counted: bool = False

    @property
    def id(self) -> str:
        return self.envelope.command_id

    def result(self, outcome: Outcome) -> CommandResult:
        return CommandResult(
            command_id=self.id,
            pbx=self.envelope.pbx,
            state=outcome.state,
            reason=outcome.reason,
            message=outcome.message,
            uniqueids=list(self.plan.uniqueids),
            leg_ids=list(self.legs),
            at=datetime.now(UTC),
            verb=self.envelope.verb,
            due=self.due if outcome.state == "sent" else None,
            digest=self.envelope.digest,
        )


class Lifecycle:
    """Of the commands of one partition; `connections` by PBX."""

    def __init__(
        self,
        settings: Settings,
        owner: PartitionOwner,
        results: Results,
        legs: Legs,
        connections: Mapping[str, Connection],
    ) -> None:
        self._settings, self._owner, self._results = settings, owner, results
        self._legs, self._connections = legs, connections
        self.under_way: dict[str, Taken] = {}  # by command_id
        self._waiting: list[Taken] = []
        self._written: set[str] = set()  # `sent` by us, with or without success: their end comes from us
        self._news = asyncio.Event()
        self._count: Counter[str] = Counter()
        self._expecting: Counter[str] = Counter()  # wait for their leg: they take nobody's place
        self._tasks: set[asyncio.Task[None]] = set()
        self._left = False  # the partition: somebody else looks for the calls that we began

    def take(self, taken: Taken, command: Command, now: datetime) -> None:
        """RefusedError: it goes no further."""
        taken.deadline = time.monotonic() + (command.not_after - now).total_seconds()
        authorise.check(command, now)
        match command:
            case Hangup():
                self._take_hangup(taken, command, now)
            case Originate():
                connection, _ = link_of(self._connections, command.pbx)
                taken.plan = originate.plan(command, connection.policy)
                self._admit(taken)
            case _:
                assert_never(command)

    def _take_hangup(self, taken: Taken, command: Hangup, now: datetime) -> None:
        taken.legs = [command.args.leg_id]
        self._legs.check_current(command.pbx, now, self._settings.stale)
        link_of(self._connections, command.pbx)
        leg = self._legs.find(command.pbx, command.args.leg_id)
        if leg is not None and hangup.has_side(command, leg):
            taken.plan = hangup.plan(command, leg)
            self._admit(taken)
        elif self._expecting[command.pbx] < self._settings.queue:
            self.under_way[taken.id] = taken
            self._expecting[command.pbx] += 1
            self._start(self._when_known(taken, command))
        else:
            raise RefusedError("unknown_leg", f"args.leg_id: no leg {command.args.leg_id} of {command.pbx}")

    def _admit(self, taken: Taken) -> None:
        """RefusedError: its PBX has no place left."""
        pbx = taken.envelope.pbx
        if self._count[pbx] >= self._settings.queue:
            raise RefusedError("busy", f"{self._settings.queue} commands for {pbx} are under way")
        taken.counted = True
        self._track(pbx, 1)
        self.under_way[taken.id] = taken
        self._enqueue(taken)

    async def _when_known(self, taken: Taken, command: Hangup) -> None:
        """A page may see a row, or its phone, a moment before the topic has it."""
        try:
            leg = await self._legs.arrival(
                command.pbx, command.args.leg_id, lambda leg: hangup.has_side(command, leg), ARRIVES
            )
            taken.plan = hangup.plan(command, leg)
            self._admit(taken)
        except RefusedError as error:
            self.refuse(taken, error)
        finally:
            self._expecting[command.pbx] -= 1

    def refuse(self, taken: Taken, error: RefusedError) -> None:
        taken.refused = outcome_of(error)
        self.under_way[taken.id] = taken
        self._enqueue(taken)

    def _enqueue(self, taken: Taken) -> None:
        self._waiting.append(taken)
        self._news.set()

    def _track(self, pbx: str, change: int) -> None:
        self._count[pbx] += change
        metrics.UNDER_WAY.labels(pbx).set(self._count[pbx])

    @property
    def waiting(self) -> int:
        """Decided, and not on record yet."""
        return len(self._waiting)

    def orphans(self) -> list[CommandResult]:
        """Sent, without an end on record, and not by us: a gateway that is gone, or one that is about to say."""
        return [each for each in self._results.open_ones() if each.command_id not in self._written]

    async def send(self) -> None:
        """Until cancelled; LostError when we may not be the owner any more."""
        while True:
            await self._news.wait()
            while self._waiting:
                await self._send(self._waiting[:BATCH])
            self._news.clear()

    async def _send(self, batch: list[Taken]) -> None:
        """After a loss the topic tells what was committed: that is not decided again."""
        new = [each for each in batch if self._results.get(each.id) is None]
        for each in new:
            each.due = self._due(each)
        states = [each.result(each.refused or SENT) for each in new]
        if states:
            await self._owner.write([record(state) for state in states])
        del self._waiting[: len(batch)]
        for each, state in zip(new, states, strict=True):
            if each.refused is None:
                self._results.put(state)
                self._written.add(each.id)
                self._write(each)
            else:
                self._results.ended(state)
        for each in batch:
            if each.id not in self._written:
                self._finish(each)

    def _due(self, taken: Taken) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._settings.confirm + taken.plan.takes + ARRIVES)

    def _write(self, taken: Taken) -> None:
        """No waiting in here: what was true when it was looked at is true when the bytes leave."""
        try:
            connection, answers, expectation = self._act(taken)
        except RefusedError as error:
            self._start(self._end(taken, outcome_of(error)))
            return
        metrics.WRITTEN.observe(max(0.0, time.time() - taken.published))
        taken.settled()
        self._start(self._watch(taken, connection, answers, expectation))

    def _act(self, taken: Taken) -> tuple[Connection, Answers, Expectation]:
        """The action goes out. RefusedError: it did not."""
        if time.monotonic() >= taken.deadline:
            raise RefusedError(None, "not_after passed before it could be sent", "expired")
        connection, link = link_of(self._connections, taken.envelope.pbx)
        expectation = connection.hangups.expect(taken.plan.gone)
        try:
            answers = link.send(*taken.plan.actions)
        except LinkError as error:
            connection.hangups.forget(expectation)
            raise RefusedError("pbx_down", str(error), "failed") from None
        return connection, answers, expectation

    async def _watch(
        self, taken: Taken, connection: Connection, answers: Answers, expectation: Expectation
    ) -> None:
        try:
            outcome = await confirm(answers, expectation, taken.plan, self._settings.confirm)
        finally:
            connection.hangups.forget(expectation)
        if taken.envelope.verb == ORIGINATE:
            outcome = await self._with_its_legs(taken, outcome)
            if outcome.state == "unknown" and self._left:
                return
        await self._end(taken, outcome)

    async def _with_its_legs(self, taken: Taken, outcome: Outcome) -> Outcome:
        """Which leg it began; and what became of that, if our own connection could not say."""
        if outcome.state not in {"done", "unknown"}:
            return outcome
        now = datetime.now(UTC)
        left = ((taken.due or now) - now).total_seconds()
        patience = min(ARRIVES, left) if outcome.state == "done" else left
        begun = await self._legs.begun(taken.envelope.pbx, taken.id, patience)
        taken.legs = [begun.leg_id] if begun else []
        return told_by(begun) or outcome if outcome.state == "unknown" else outcome

    async def _end(self, taken: Taken, outcome: Outcome) -> None:
        await self._results.end(taken.result(outcome))
        self._finish(taken)

    def _finish(self, taken: Taken) -> None:
        taken.settled()
        self._written.discard(taken.id)
        self.under_way.pop(taken.id, None)
        if taken.counted:
            taken.counted = False
            self._track(taken.envelope.pbx, -1)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: "asyncio.Task[None]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("a command has no end on record yet", exc_info=task.exception())

    async def drain(self) -> None:
        """What is sent gets its end, if the PBX shows it in time; what only waits is left to the next owner.

        So is a phone that still rings: what we learn of it is still said, but not that we do not know.
        """
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=self._settings.confirm + 1.0)
        self._left = True


def link_of(connections: Mapping[str, Connection], pbx: str) -> tuple[Connection, Link]:
    """RefusedError: not connected."""
    connection = connections.get(pbx)
    link = connection.link if connection else None
    if connection is None or link is None:
        raise RefusedError("pbx_down", f"{pbx} is not connected", "failed")
    return connection, link


def told_by(begun: Begun | None) -> Outcome | None:
    """What the legs say of an Originate. None: not answered, as far as anybody heard; that is no proof."""
    if begun is None or not begun.answered:
        return None
    return Outcome("done", None, f"leg {begun.leg_id} was answered")


def outcome_of(error: RefusedError) -> Outcome:
    return Outcome(error.state, error.reason, str(error))
