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
CONFLICT: Final = "|"  # in no command_id
KEPT: Final = timedelta(days=1)  # as the topic does


class Results:
    """Of one partition."""

    def __init__(self, producer: AIOKafkaProducer, partition: int) -> None:
        self._producer, self._partition = producer, partition
        self._known: dict[str, CommandResult] = {}

    def load(self, state: Mapping[bytes, bytes]) -> None:
        """What stands in the topic; it may be newer than what we know, after a loss."""
        for key, value in state.items():
            command_id = key.decode(errors="replace")
            if CONFLICT in command_id:
                continue  # of another command that used the id
            known = self._known.get(command_id)
            if known is None or not known.final:
                self._known[command_id] = _read(command_id, value)

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

    def ended(self, result: CommandResult) -> None:
        """It is final now, or about to be."""
        self.put(result)
        metrics.COMMANDS.labels(result.state, result.reason or "").inc()

    async def end(self, result: CommandResult) -> None:
        """A final state of what we have sent."""
        self.ended(result)
        await self._send(result)

    async def repeat(self, result: CommandResult) -> None:
        """For a duplicate. One that is under way is answered when it ends."""
        if result.final:
            await self._send(result)

    async def conflict(self, answer: CommandResult) -> None:
        """Same id, other content: under a key of its own, so that it hides nothing of the original."""
        metrics.COMMANDS.labels(answer.state, answer.reason or "").inc()
        await self._send(answer)

    async def _send(self, result: CommandResult) -> None:
        await kafka.deliver(self._producer, record(result), self._partition)


def _read(command_id: str, value: bytes) -> CommandResult:
    """What cannot be read (a newer version's) is on record all the same: never again."""
    try:
        return codec.decode_result(value)
    except BadMessageError as error:
        _log.warning("unreadable", topic=RESULTS.name, command_id=command_id, why=str(error))
        now = datetime.now(UTC)
        text = "its state on record cannot be read"
        return CommandResult(command_id=command_id, pbx="", state="unknown", message=text, at=now, digest="")


def record(result: CommandResult) -> Record:
    headers = [("schema", b"CommandResult/1"), ("pbx", result.pbx.encode())]
    other = f"{CONFLICT}{result.digest[:16]}" if result.reason == "id_conflict" else ""
    return Record(RESULTS.name, f"{result.command_id}{other}".encode(), codec.encode(result), headers)
