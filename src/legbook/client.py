"""For services in Python: publish a command, get its result.

async with Client(issuer="crm") as client:
    result = await client.hangup("hq", leg_id, side="dst", actor="alice")
    result = await client.originate("hq", "PJSIP/201", "90555123", context="from-internal", actor="alice")
"""

import asyncio
import uuid
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import TracebackType
from typing import Any, Final, Self

import structlog
from aiokafka import AIOKafkaProducer, ConsumerRecord

from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.commands import (
    Command,
    CommandResult,
    Hangup,
    HangupArgs,
    Originate,
    OriginateArgs,
    Side,
)
from legbook.contracts.topics import COMMANDS, RESULTS, partition_of
from legbook.runtime import kafka
from legbook.runtime.follow import Follower
from legbook.runtime.kafka import Record
from legbook.runtime.settings import KafkaSettings

_log = structlog.get_logger("legbook.client")
CONFIRMS: Final = (
    10.0  # seconds that a gateway may need after the deadline: to send, to confirm, to take over
)


class NoResultError(TimeoutError):
    """Nobody has said what became of a command: it may have had its effect, or may yet."""


class Client:
    """One connection for any number of commands, also at the same time. `issuer`: the name of your service."""

    def __init__(self, *, issuer: str, settings: KafkaSettings | None = None) -> None:
        self._issuer, self._settings = issuer, settings or KafkaSettings()
        self._waiting: dict[tuple[str, str], list[asyncio.Future[CommandResult]]] = {}
        self._following: asyncio.Task[None]
        self._producer: AIOKafkaProducer
        self._partitions: int

    async def __aenter__(self) -> Self:
        """Waits for Kafka and the topics, and says so in the log."""
        self._partitions = await kafka.partitions(self._settings, COMMANDS.name, RESULTS.name)
        self._producer = kafka.producer(self._settings)
        try:
            await self._producer.start()
        except BaseException:
            await kafka.stop(self._producer)
            raise
        follower = Follower(self._settings, self._hear, from_end=True)
        self._following = asyncio.create_task(follower.run([RESULTS.name], range(self._partitions)))
        await follower.caught_up.wait()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._following.cancel()
        await asyncio.wait([self._following])
        await kafka.stop(self._producer)

    async def hangup(
        self, pbx: str, leg_id: int, *, side: Side, actor: str, patience: float = 5.0
    ) -> CommandResult:
        """`patience`: seconds until it must have been sent to the PBX, or expires. NoResultError."""
        args = HangupArgs(leg_id=leg_id, side=side)
        return await self.send(Hangup(args=args, **self._new(pbx, actor, patience)))

    async def originate(
        self,
        pbx: str,
        endpoint: str,
        exten: str,
        *,
        context: str,
        actor: str,
        ring: int = 30,
        caller_name: str = "",
        caller_number: str = "",
        patience: float = 5.0,
    ) -> CommandResult:
        """Click-to-dial: `endpoint` rings, and when it answers `exten` is dialled for it. NoResultError.

        `ring`: seconds that it may ring; the result comes when it has answered, or has not.
        """
        args = OriginateArgs(
            endpoint=endpoint,
            exten=exten,
            context=context,
            ring=ring,
            caller_name=caller_name,
            caller_number=caller_number,
        )
        return await self.send(Originate(args=args, **self._new(pbx, actor, patience)))

    def _new(self, pbx: str, actor: str, patience: float) -> dict[str, Any]:
        """What every command has."""
        now = datetime.now(UTC)
        return {
            "command_id": str(uuid.uuid4()),
            "pbx": pbx,
            "issuer": self._issuer,
            "actor": actor,
            "issued_at": now,
            "not_after": now + timedelta(seconds=patience),
        }

    async def send(self, command: Command) -> CommandResult:
        """Its final result. Sending it again with the same id is safe: it has its effect once. NoResultError."""
        value = codec.encode(command)
        key = command.command_id, sha256(value).hexdigest()
        answer: asyncio.Future[CommandResult] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(key, []).append(answer)
        try:
            return await self._ask(command, value, answer)
        finally:
            self._waiting[key].remove(answer)
            if not self._waiting[key]:
                del self._waiting[key]

    async def _ask(
        self, command: Command, value: bytes, answer: "asyncio.Future[CommandResult]"
    ) -> CommandResult:
        headers = [("schema", f"{type(command).__name__}/1".encode()), ("pbx", command.pbx.encode())]
        record = Record(COMMANDS.name, command.pbx.encode(), value, headers)
        await kafka.deliver(self._producer, record, partition_of(command.pbx, self._partitions))
        patience = max(0.0, (command.not_after - datetime.now(UTC)).total_seconds()) + CONFIRMS
        if isinstance(command, Originate):
            patience += command.args.ring
        try:
            async with asyncio.timeout(patience):
                return await answer
        except TimeoutError:
            raise NoResultError(
                f"no result of {command.command_id} within {patience:.0f} s: does command_gateway run?"
            ) from None

    def _hear(self, record: "ConsumerRecord[Any, Any]") -> None:
        try:
            result = codec.decode_result(record.value) if record.value else None
        except BadMessageError as error:
            _log.warning("unreadable", topic=record.topic, offset=record.offset, why=str(error))
            return
        if result is None or not result.final:
            return
        for answer in self._waiting.get((result.command_id, result.digest), ()):
            if not answer.done():
                answer.set_result(result)
