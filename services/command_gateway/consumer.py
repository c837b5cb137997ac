"""One partition of commands while it is ours: owner, view of the legs, connections, and who answers what.

A `membership.Holder`. Records are decided in order; a command for a leg that is not known yet waits aside.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import KafkaError
from msgspec.structs import replace

from command_gateway import metrics, reading
from command_gateway.confirm import Outcome
from command_gateway.connections import Connections
from command_gateway.legs import Legs
from command_gateway.lifecycle import ORIGINATE, Lifecycle, Taken, told_by
from command_gateway.reading import Envelope
from command_gateway.refusals import RefusedError, UnanswerableError
from command_gateway.results import Results
from command_gateway.settings import Settings
from legbook.contracts.commands import CommandResult
from legbook.contracts.topics import COMMANDS, LEGS, RESULTS, STATUS, partition_of
from legbook.runtime import kafka
from legbook.runtime.dlq import dead_letter
from legbook.runtime.fleetfile import FleetFile
from legbook.runtime.follow import Follower
from legbook.runtime.kafka import Record
from legbook.runtime.ownership import LostError, PartitionOwner
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("command_gateway")
GROUP: Final = "command_gateway"
HOPS: Final = "hops"
MOST_QUEUED: Final = 2000  # commands of one partition without a state on record
MOST_BYTES: Final = 16 << 20  # of those that are not decided yet
_Record = ConsumerRecord[Any, Any]


class Consumer:
    """`done(partition, offset)`: everything below needs no further reading."""

    def __init__(
        self,
        settings: Settings,
        kafka_settings: KafkaSettings,
        fleet: FleetFile,
        producer: AIOKafkaProducer,
        where: tuple[int, int],
        done: Callable[[int, int], None],
        confirmed: Callable[[], Awaitable[None]],
    ) -> None:
        self._settings, self._kafka, self._fleet, self._producer = settings, kafka_settings, fleet, producer
        self._partition, self._partitions = where
        self._done, self._confirmed = done, confirmed
        self._owner = PartitionOwner(kafka_settings, GROUP, RESULTS.name, self._partition)
        self._results = Results(producer, self._partition)
        self._legs = Legs()
        self._connections = Connections(settings, fleet, where)
        self._lifecycle = Lifecycle(settings, self._owner, self._results, self._legs, self._connections)
        self._queue: asyncio.Queue[_Record] = asyncio.Queue()
        self._queued = 0  # bytes
        self._next = 0  # offset; what a rebalance brings again is skipped
        self._open: set[int] = set()  # offsets without a state on record
        self._ready = asyncio.Event()
        self._tasks: asyncio.TaskGroup | None = None

    def take(self, records: Sequence[_Record]) -> None:
        for each in records:
            if each.offset >= self._next:
                self._next = each.offset + 1
                self._open.add(each.offset)
                self._queued += len(each.value or b"")
                self._queue.put_nowait(each)

    @property
    def full(self) -> bool:
        return max(self._queue.qsize(), len(self._open)) >= MOST_QUEUED or self._queued >= MOST_BYTES

    def kept(self) -> None:
        """If somebody else had it meanwhile, the next transaction says so."""

    @property
    def ready(self) -> bool:
        """Ours, and what is on record is known."""
        return self._ready.is_set()

    async def run(self) -> None:
        """Until cancelled. What was sent by then still gets its end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                self._tasks = tasks
                self.fleet_changed()
                try:
                    await self._serve()
                finally:
                    await self._lifecycle.drain()
        finally:
            await self._owner.close()

    def fleet_changed(self) -> None:
        """Who has not begun yet begins with what is true then."""
        if self._tasks is not None:
            self._connections.follow_fleet(self._tasks)

    async def _serve(self) -> None:
        follower = Follower(self._kafka, self._legs.put)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(follower.run([LEGS.name, STATUS.name], [self._partition]))
            tasks.create_task(self._decide_all())
            await follower.caught_up.wait()
            while True:
                try:
                    await self._own(tasks)
                except (KafkaError, TimeoutError, LostError) as error:
                    _log.warning("not the owner", partition=self._partition, why=repr(error))
                self._ready.clear()
                await self._confirmed()

    async def _own(self, tasks: asyncio.TaskGroup) -> None:
        """Fences, reads what is on record, sends. Until somebody else may be the owner."""
        await self._owner.acquire()
        self._results.load(self._owner.state)
        orphans = self._lifecycle.orphans()
        for each in orphans:
            if each.verb == ORIGINATE:
                tasks.create_task(self._look_for(each))
        if others := [each for each in orphans if each.verb != ORIGINATE]:
            tasks.create_task(self._give_up(others))
        self._ready.set()
        await self._lifecycle.send()

    async def _give_up(self, orphans: list[CommandResult]) -> None:
        """Whoever sent them has as long to say how they ended as it would have waited for the PBX since then."""
        patience = self._settings.confirm + 1.0
        age = (datetime.now(UTC) - max(each.at for each in orphans)).total_seconds()
        await asyncio.sleep(min(patience, max(0.0, patience - age)))  # whatever the other's clock shows
        await self._end([_without_end(each) for each in orphans])

    async def _look_for(self, sent: CommandResult) -> None:
        """A call that was begun can be seen; whoever began it may still be there, and say the same."""
        left = ((sent.due or sent.at) - datetime.now(UTC)).total_seconds() + 1.0
        begun = await self._legs.begun(sent.pbx, sent.command_id, max(0.0, left))
        outcome = told_by(begun)
        legs = [begun.leg_id] if begun else []
        await self._end([_ended(sent, outcome, legs) if outcome else _without_end(sent, legs)])

    async def _end(self, ends: list[CommandResult]) -> None:
        """Those that have none on record by now."""
        self._results.load(await self._on_record())
        for each in ends:
            known = self._results.get(each.command_id)
            if known is not None and not known.final:
                await self._results.end(each)

    async def _on_record(self) -> dict[bytes, bytes]:
        """As soon as Kafka says it."""
        while True:
            try:
                return await kafka.newest_values(self._kafka, RESULTS.name, self._partition)
            except KafkaError as error:
                _log.warning("waiting for Kafka", why=repr(error))
                await asyncio.sleep(kafka.WAIT)

    async def _decide_all(self) -> None:
        while True:
            source = await self._queue.get()
            await self._ready.wait()
            self._queued -= len(source.value or b"")
            await self._decide(source)
            await asyncio.sleep(0)  # a flood must not keep the sender waiting

    async def _decide(self, source: _Record) -> None:
        try:
            envelope = reading.open_(source.value)
        except UnanswerableError as error:
            await self._bury(source, str(error))
            return
        if envelope.pbx in self._fleet.pbxs and self._right(envelope.pbx) != self._partition:
            await self._forward(source, envelope)
        elif not await self._is_known(envelope, source.offset):
            self._carry_out(source, envelope)

    def _right(self, pbx: str) -> int:
        return partition_of(pbx, self._partitions)

    async def _forward(self, source: _Record, envelope: Envelope) -> None:
        """Once: whoever chose this partition hashes otherwise; a second hop would be a loop."""
        if any(name == HOPS for name, _ in source.headers):
            text = f"{envelope.pbx} does not belong to partition {self._partition}"
            self._lifecycle.refuse(self._taken(source, envelope), RefusedError("wrong_partition", text))
            return
        pbx = envelope.pbx.encode()
        moved = Record(
            COMMANDS.name, pbx, source.value, [("pbx", pbx), (HOPS, b"1")]
        )  # headers of others may be huge
        try:
            await kafka.deliver(self._producer, moved, self._right(envelope.pbx))
        except KafkaError as error:
            await self._bury(source, f"not_forwarded: {error!r}")
            return
        metrics.FORWARDED.inc()
        self._settle(source.offset)

    async def _bury(self, source: _Record, reason: str) -> None:
        """To the dead letters; one after the other, but nobody waits until Kafka has it."""
        letter = dead_letter(source, reason)
        sent = await kafka.accepted(self._producer, letter, self._partition)
        sent.add_done_callback(lambda done: self._buried(source.offset, done))

    def _buried(self, offset: int, done: "asyncio.Future[Any]") -> None:
        """What Kafka refuses is read again by the next owner."""
        if not done.cancelled() and (error := done.exception()) is not None:
            _log.error("a dead letter is not out", partition=self._partition, offset=offset, why=repr(error))
        elif not done.cancelled():
            self._settle(offset)

    async def _is_known(self, envelope: Envelope, offset: int) -> bool:
        """Has this id a state on record, or is it under way? Then it is answered from there."""
        known = self._results.get(envelope.command_id)
        taken = self._lifecycle.under_way.get(envelope.command_id)
        digest = known.digest if known else taken.envelope.digest if taken else None
        if digest is None:
            return False
        if digest != envelope.digest:
            text = f"command_id: {envelope.command_id} was used for another command"
            answer = Taken(envelope, 0.0, lambda: None).result(Outcome("rejected", "id_conflict", text))
            await self._results.conflict(answer)
        elif known is not None:
            await self._results.repeat(known)
        self._settle(offset)
        return True

    def _carry_out(self, source: _Record, envelope: Envelope) -> None:
        taken = self._taken(source, envelope)
        try:
            command = reading.read(envelope, source.value)
            if command.pbx not in self._fleet.pbxs:
                raise RefusedError("unknown_pbx", f"pbx: {command.pbx} is not in the fleet file")  # noqa: TRY301
            self._lifecycle.take(taken, command, datetime.now(UTC))
        except RefusedError as error:
            self._lifecycle.refuse(taken, error)

    def _taken(self, source: _Record, envelope: Envelope) -> Taken:
        return Taken(envelope, source.timestamp / 1000, lambda: self._settle(source.offset))

    def _settle(self, offset: int) -> None:
        self._open.discard(offset)
        self._done(self._partition, min(self._open, default=self._next))


def _ended(sent: CommandResult, outcome: Outcome, leg_ids: list[int]) -> CommandResult:
    state, reason, message = outcome
    now = datetime.now(UTC)
    return replace(sent, state=state, reason=reason, message=message, leg_ids=leg_ids, at=now, due=None)


def _without_end(sent: CommandResult, leg_ids: list[int] | None = None) -> CommandResult:
    why = "the gateway that sent it ended before the PBX had shown its effect"
    return _ended(sent, Outcome("unknown", "gateway_restarted", why), leg_ids or sent.leg_ids)
