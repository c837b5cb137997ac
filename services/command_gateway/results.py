"""The states on record of a partition's commands, and how new ones get there.

To send and to refuse are the owner's word: a fenced transaction (`lifecycle`). What became of what was sent is true
whoever says it, and goes through a plain idempotent producer, in order.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog
from aiokafka import AIOKafkaProducer

from command_gateway import metrics
from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.commands import CommandResult
from legbook.contracts.topics import RESULTS
from legbook.runtime import kafka
from legbook.runtime.kafka import Record

_log = structlog.get_logger("command_gateway")
KEPT: Final = timedelta(days=1)  # as the topic does


class Results:
    """Of one partition."""

    def __init__(self, producer: AIOKafkaProducer, partition: int) -> None:
        self._producer, self._partition = producer, partition
        self._known: dict[str, CommandResult] = {}
        self._conflicts: dict[str, list[CommandResult]] = {}

    def load(self, state: Mapping[bytes, bytes]) -> None:
        """What stands in the topic; it may be newer than what we know, after a loss."""
        for value in state.values():
            try:
                result = codec.decode_result(value)
            except BadMessageError as error:
                _log.warning("unreadable", topic=RESULTS.name, why=str(error))
                continue
            known = self._known.get(result.command_id)
            if known is None or not known.final:
                self._known[result.command_id] = result

    def get(self, command_id: str) -> CommandResult | None:
        return self._known.get(command_id)

    def open_ones(self) -> list[CommandResult]:
        """Sent, and no end on record."""
        return [result for result in self._known.values() if not result.final]

    def put(self, result: CommandResult) -> None:
        """Also forgets what is older than a day."""
        self._known.pop(result.command_id, None)
        self._known[result.command_id] = result
        horizon = datetime.now(UTC) - KEPT
        while (oldest := next(iter(self._known.values()))).at < horizon:
            del self._known[oldest.command_id]

    async def end(self, result: CommandResult) -> None:
        """A final state of what we have sent."""
        self.put(result)
        await self.ended(result, on_record=False)

    async def ended(self, result: CommandResult, *, on_record: bool = True) -> None:
        """Whoever used the id for something else is told first: what stays is the original's."""
        metrics.COMMANDS.labels(result.state, result.reason or "").inc()
        conflicts = self._conflicts.pop(result.command_id, [])
        for conflict in conflicts:
            await self._send(conflict)
        if conflicts or not on_record:
            await self._send(result)

    async def repeat(self, result: CommandResult) -> None:
        """For a duplicate. One that is under way is answered when it ends."""
        if result.final:
            await self._send(result)

    async def conflict(self, original: CommandResult | None, answer: CommandResult) -> None:
        """Same id, other content: the id's newest record stays the original's, also when that has no end yet."""
        metrics.COMMANDS.labels(answer.state, answer.reason or "").inc()
        if original is not None and original.final:
            await self._send(answer)
            await self._send(original)
        else:
            self._conflicts.setdefault(answer.command_id, []).append(answer)

    async def _send(self, result: CommandResult) -> None:
        await kafka.deliver(self._producer, record(result), self._partition)


def record(result: CommandResult) -> Record:
    headers = [("schema", b"CommandResult/1"), ("pbx", result.pbx.encode())]
    return Record(RESULTS.name, result.command_id.encode(), codec.encode(result), headers)
