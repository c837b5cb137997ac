"""One owned partition: the states of its PBXs, what they say next, and how far they are.

Folding never waits. Everything unforeseen is raised: the process ends, a fresh one folds again from the checkpoint.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

import structlog

from curcdr_projector import metrics
from curcdr_projector.outputs import Cursor, Outputs, cursor_key, cursor_record
from curcdr_projector.progress import Fold, Progress
from curcdr_projector.settings import Settings
from curcdr_projector.status import Statuses
from legbook.calls import LegChange, PbxState, RuleError, Surprise
from legbook.calls.checkpoint import NewerFormatError
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.legs import Leg
from legbook.contracts.raw import Entry, RawRecord
from legbook.contracts.topics import CHECKPOINTS, RAW, partition_of
from legbook.runtime.dlq import Brake, BrakeError, letter
from legbook.runtime.fleet import Pbx
from legbook.runtime.kafka import Record
from legbook.runtime.ownership import LostError, PartitionOwner
from legbook.runtime.stop import CannotStartError, FatalError

_log = structlog.get_logger("curcdr_projector")
YIELD_EVERY: Final = 1000
UNKNOWN_PBX: Final = "unknown_pbx"


class Shard:
    """`put` of the table is told every leg that is emitted."""

    def __init__(
        self, settings: Settings, fleet: Mapping[str, Pbx], owner: PartitionOwner, partitions: int
    ) -> None:
        self._settings, self._fleet, self._owner, self._partitions = settings, fleet, owner, partitions
        self.partition = owner.partition
        self.table: Any = None
        self.progress: Progress[Any] = Progress(self.partition, 0, 0)
        self._states: dict[str, PbxState] = {}
        self._outputs = Outputs()
        self._brake = Brake()
        self._dirty: set[str] = set()
        self._entries = 0
        self._saved_at = time.monotonic()
        self.crowded: Callable[[], bool] = lambda: False  # the agent knows: it must be saved to make room
        self._proofs: list[asyncio.Future[None]] = []
        self._statuses = Statuses()
        metrics.UNACKED.labels(str(self.partition)).set(0)

    def load(self, first_offset: int) -> None:
        """From what the owner has read; `first_offset`: of the raw partition, where a new group begins."""
        latest = dict(self._owner.state)
        saved = latest.pop(cursor_key(self.partition), None)
        cursor = (
            codec.decode_as(saved, Cursor)
            if saved
            else Cursor(checkpoint=first_offset, published=first_offset)
        )
        if first_offset > cursor.checkpoint:
            raise CannotStartError(
                f"{RAW.name}-{self.partition} begins at {first_offset}, the checkpoint is at {cursor.checkpoint}: "
                f"what lies between was deleted by retention. Delete the records of {CHECKPOINTS.name}-"
                f"{self.partition} and reset the group to fold from there"
            )
        self.progress = Progress(self.partition, cursor.checkpoint, cursor.published)
        for name, value in latest.items():
            pbx = self._fleet.get(name.decode())
            if pbx is None:
                _log.warning("checkpoint of a PBX that is not in the fleet file", pbx=name.decode())
                continue
            try:
                self._states[name.decode()] = PbxState.load(value, pbx.number, pbx.inbound_contexts)
            except NewerFormatError as error:
                raise CannotStartError(f"{CHECKPOINTS.name}, {name.decode()}: {error}") from None

    @property
    def has_cursor(self) -> bool:
        return cursor_key(self.partition) in self._owner.state

    def live(self) -> Iterable[Leg]:
        return [leg for state in self._states.values() for leg in state.legs.values()]

    def take(self, event: Any) -> None:
        """A faust event of the raw topic. HoleError; FatalError when the brake is pulled."""
        message = event.message
        what = self.progress.take(event, message.offset, len(event.value))
        metrics.UNACKED.labels(str(self.partition)).set(self.progress.unacked_bytes)
        if what is Fold.NOT:
            return
        emit = what is Fold.EMIT
        try:
            record = self._read(event.value)
        except BadMessageError as error:
            if emit:
                place = (RAW.name, self.partition, message.offset)
                self._refuse(letter(*place, event.key, event.value, str(error)), str(error))
            return
        self._fold(record, message.offset, emit=emit)
        self._brake.good()

    def _read(self, value: bytes) -> RawRecord:
        record = codec.decode_raw(value)
        if record.pbx not in self._fleet and record.pbx not in self._states:
            raise BadMessageError(f"{UNKNOWN_PBX}: {record.pbx} is not in the fleet file")
        if partition_of(record.pbx, self._partitions) != self.partition:
            raise BadMessageError(
                f"wrong_partition: {record.pbx} does not belong to partition {self.partition}"
            )
        return record

    def _refuse(self, refused: Record, reason: str) -> None:
        """Once: what was published before this process is not sent again."""
        _log.warning("dead letter", partition=self.partition, reason=reason[:300])
        self._outputs.dead_letter(refused)
        if not reason.startswith(
            UNKNOWN_PBX
        ):  # it may just have left the fleet: no reason to stop the others
            self._brake.bad(RAW.name)

    def _fold(self, record: RawRecord, offset: int, *, emit: bool) -> None:
        name = record.pbx
        state = self._states.get(name)
        if state is None:
            pbx = self._fleet[name]
            state = self._states[name] = PbxState(name, pbx.number, pbx.inbound_contexts)
        if record.epoch < state.cursor[0]:
            self._statuses.late(record)
            return
        self._dirty.add(name)
        self._entries += len(record.entries)
        braked: BrakeError | None = None
        for entry in record.entries:
            try:
                self._apply(state, record, entry, offset, emit=emit)
            except BrakeError as error:
                braked = error  # behind the record: the next process goes on with the one after it
        self._statuses.folded(record, len(state.legs))
        if braked is not None:
            raise braked

    def _apply(self, state: PbxState, record: RawRecord, entry: Entry, offset: int, *, emit: bool) -> None:
        wrong: BaseException | None = None
        try:
            changes = state.apply(entry, epoch=record.epoch, boot=record.boot)
        except RuleError as error:  # it costs one entry, never the stream, nor what was said before it
            changes, wrong = error.changes, error.__cause__
        for change in changes if emit else ():
            if isinstance(change, LegChange):
                self._outputs.leg(change.leg)
                self.table.put(change.leg)
            elif isinstance(change, Surprise):
                metrics.SURPRISES.labels(change.why).inc()
        if wrong is not None:
            metrics.RULE_ERRORS.labels(record.pbx).inc()
            if emit:
                self._refuse_entry(record, entry, offset, wrong)

    def _refuse_entry(self, record: RawRecord, entry: Entry, offset: int, wrong: BaseException) -> None:
        alone = codec.encode(RawRecord(pbx=record.pbx, boot=record.boot, epoch=record.epoch, entries=[entry]))
        reason = f"rule_error: {type(wrong).__name__}: {wrong}"
        place = f"{record.epoch}.{entry.seq}"
        key = record.pbx.encode()
        self._refuse(letter(RAW.name, self.partition, offset, key, alone, reason, place), reason)

    async def run(self) -> None:
        """Publishes in turns with the other partitions: all at once would double the time of each."""
        interval = self._settings.interval
        shift = self.partition * interval / self._partitions
        while True:
            await asyncio.sleep(interval - (time.monotonic() - shift) % interval)
            due = self._checkpoint_due()
            if self._outputs or due or self._proofs or self._statuses.due:
                await self._publish(checkpoint=due)

    async def publish_last(self) -> None:
        """What was said so far, before the process ends."""
        await self._publish(checkpoint=False)

    def _checkpoint_due(self) -> bool:
        late = time.monotonic() - self._saved_at >= self._settings.checkpoint_interval
        many = self._entries >= self._settings.checkpoint_entries
        return bool(self.progress.waiting()) and (late or many or self.crowded())

    async def _publish(self, *, checkpoint: bool) -> None:
        """One transaction; all it carries is encoded before the first await, folding goes on meanwhile."""
        records, covered, proofs = self._outputs.drain(), 0, []
        if (
            self.progress.next >= self.progress.published
        ):  # MySQL must not be told of a past that is being refolded
            proofs, self._proofs = self._proofs, []
        published = self.progress.publishing()
        if self._statuses.due:
            records += self._statuses.records(self._states, self._fleet)
        if checkpoint:
            records += [
                Record(CHECKPOINTS.name, n.encode(), self._states[n].dump()) for n in sorted(self._dirty)
            ]
            self._dirty, self._entries, self._saved_at = set(), 0, time.monotonic()
            self.progress.checkpoint, covered = self.progress.next, self.progress.waiting()
        records.append(cursor_record(self.partition, Cursor(self.progress.checkpoint, published)))
        with metrics.TRANSACTION.time():
            try:
                await self._owner.write(records, patience=self._settings.stall)
            except LostError as error:
                raise FatalError(f"partition {self.partition} is not ours any more: {error}") from error
        for proof in proofs:
            if not proof.done():
                proof.set_result(None)
        for number, event in enumerate(self.progress.covered(covered), 1):
            event.ack()
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
        metrics.UNACKED.labels(str(self.partition)).set(self.progress.unacked_bytes)

    def forget(self) -> None:
        """Its gauges are somebody else's now."""
        self._statuses.forget()
        metrics.UNACKED.remove(str(self.partition))

    async def close(self) -> None:
        await self._owner.close()

    async def prove(self) -> None:
        """Waits until all is folded that was published, and for a transaction after that: nobody had fenced us."""
        proof: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._proofs.append(proof)
        await proof
