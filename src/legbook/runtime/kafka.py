"""aiokafka, set up the one way that we use it, and the few things it makes hard."""

import asyncio
import math
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, NamedTuple

import structlog
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.conn import collect_hosts, create_conn
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    GroupCoordinatorNotAvailableError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    TopicAuthorizationFailedError,
    UnknownTopicOrPartitionError,
)
from aiokafka.structs import RecordMetadata

from legbook.runtime.settings import KafkaSettings
from legbook.runtime.stop import CannotStartError

_log = structlog.get_logger("legbook.kafka")


class Record(NamedTuple):
    """To send; which partition is said beside it."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class RefusedError(KafkaError):
    """A server is there, and one side does not trust the other: a password, a certificate."""


NOT_ALLOWED: Final[int] = TopicAuthorizationFailedError.errno
WAIT: Final = 2.0  # seconds between two tries to reach a Kafka that is not there


def options(settings: KafkaSettings) -> dict[str, Any]:
    """What every client needs: servers and security."""
    found: dict[str, Any] = {
        "bootstrap_servers": settings.bootstrap_servers,
        "security_protocol": settings.security_protocol,
    }
    if settings.security_protocol.endswith("SSL"):
        found["ssl_context"] = _trusted(settings)
    if settings.security_protocol.startswith("SASL"):
        found |= {
            "sasl_mechanism": settings.sasl_mechanism,
            "sasl_plain_username": settings.sasl_username,
            "sasl_plain_password": settings.password,
        }
    return found


def _trusted(settings: KafkaSettings) -> ssl.SSLContext:
    cafile = str(settings.ssl_cafile) if settings.ssl_cafile else None
    try:
        return ssl.create_default_context(cafile=cafile)
    except OSError as error:  # ssl.SSLError is one
        raise CannotStartError(f"KAFKA_SSL_CAFILE: {error.strerror or error}: {cafile}") from None


def producer(settings: KafkaSettings, **more: Any) -> AIOKafkaProducer:
    """Idempotent: keeps order and never gives up a record that it has accepted (aiokafka's _can_retry).

    But without a leader aiokafka fails a batch that is older than the request time-out, idempotent or not.
    """
    wanted = {
        "acks": "all",
        "enable_idempotence": True,
        "compression_type": "zstd",
        "max_batch_size": 1 << 20,
    }
    made = AIOKafkaProducer(**options(settings), **{**wanted, "max_request_size": 16 << 20, **more})
    made._message_accumulator._batch_ttl = math.inf  # noqa: SLF001  # no option of aiokafka's says it
    return made


def consumer(settings: KafkaSettings, *topics: str, **more: Any) -> AIOKafkaConsumer:
    """read_committed, from the earliest, commits by hand."""
    wanted = {
        "isolation_level": "read_committed",
        "auto_offset_reset": "earliest",
        "enable_auto_commit": False,
        "max_partition_fetch_bytes": 16 << 20,
    }
    return AIOKafkaConsumer(*topics, **options(settings), **{**wanted, **more})


@asynccontextmanager
async def admin(settings: KafkaSettings) -> AsyncIterator[AIOKafkaAdminClient]:
    """KafkaError, with the reasons, when no server takes us."""
    client = AIOKafkaAdminClient(**options(settings))
    try:
        try:
            await client.start()
        except KafkaConnectionError as error:
            raise await _explained(settings) from error
        yield client
    finally:
        await client.close()


async def _explained(settings: KafkaSettings) -> KafkaError:
    """Aiokafka says why (a password, a certificate) to its log only: asks each server again."""
    security, reasons, refused = options(settings), [], False
    for host, port, _ in collect_hosts(security.pop("bootstrap_servers"), randomize=False):
        try:
            (await create_conn(host, port, **security)).close()
        except (OSError, KafkaError, TimeoutError) as error:
            reasons.append(f"{host}:{port}: {error or type(error).__name__}")
            refused |= isinstance(error, ssl.SSLError | KafkaError) and not isinstance(
                error, KafkaConnectionError
            )
    told = ", ".join(reasons) or "it was away for a moment"
    return RefusedError(told) if refused else KafkaConnectionError(told)


async def stop(producer: AIOKafkaProducer, patience: float = 5.0) -> None:
    """Aiokafka waits for what it has accepted, for ever when Kafka is away: not for so long."""
    try:
        async with asyncio.timeout(patience):
            await producer.stop()
    except TimeoutError:
        _log.debug("producer did not stop cleanly")


async def accepted(
    producer: AIOKafkaProducer, record: Record, partition: int
) -> "asyncio.Future[RecordMetadata]":
    """Returns when the producer will not give it up any more; the future, when Kafka has it.

    KafkaError: no retry cures it.
    """
    while True:
        try:
            return await producer.send(
                record.topic, record.value, key=record.key, partition=partition, headers=list(record.headers)
            )
        except (KafkaTimeoutError, UnknownTopicOrPartitionError):
            continue  # a full batch or no metadata for the whole request time-out


async def deliver(producer: AIOKafkaProducer, record: Record, partition: int) -> None:
    """Returns when Kafka has it; waits as long as that takes. KafkaError: no retry cures it."""
    await (await accepted(producer, record, partition))


async def partitions(settings: KafkaSettings, *topics: str, group: str = "") -> int:
    """The number of partitions of these topics, once they all exist. Waits for Kafka and for them, and says so.

    Who subscribes before a topic exists stays without it until the metadata are five minutes old. `group`: of a
    consumer, who may need a right to it; faust says nothing when it has none.
    """
    while True:
        try:
            async with admin(settings) as client:
                found = {each["topic"]: each for each in await client.describe_topics(list(topics))}
                hidden = [name for name in topics if found.get(name, {}).get("error_code") == NOT_ALLOWED]
                if group and not await _may_join(client, group):
                    hidden.append(f"group {group}")
            missing = [
                name for name in topics if name not in hidden and not found.get(name, {}).get("partitions")
            ]
            if not missing and not hidden:
                return len(found[topics[0]]["partitions"])
            if hidden:
                _log.warning("waiting for ACLs", hidden=hidden, hint="docs/how-to/secure-kafka.md has them")
            if missing:
                _log.warning("waiting for topics", missing=missing, hint="run: legbook topics apply")
        except (KafkaError, TimeoutError) as error:
            _log.warning("waiting for Kafka", servers=settings.bootstrap_servers, why=repr(error))
        await asyncio.sleep(WAIT)


async def _may_join(client: AIOKafkaAdminClient, group: str) -> bool:
    try:
        await client.find_coordinator(group)
    except GroupAuthorizationFailedError:
        return False
    except GroupCoordinatorNotAvailableError:
        pass  # the first of all groups: its consumer waits for it
    return True


async def newest_values(settings: KafkaSettings, topic: str, partition: int) -> dict[bytes, bytes]:
    """The newest committed value of every key of a compacted partition; keys with a tombstone are left out."""
    target, found = TopicPartition(topic, partition), dict[bytes, bytes]()
    reader = consumer(settings, fetch_max_wait_ms=50)
    try:
        await reader.start()
        reader.assign([target])
        end = (await reader.end_offsets([target]))[target]
        reader.seek(
            target, (await reader.beginning_offsets([target]))[target]
        )  # seek_to_beginning races to the end
        while await reader.position(target) < end:  # the position also passes transaction markers
            for record in (await reader.getmany(target, timeout_ms=200)).get(target, ()):
                _put(found, record)
    finally:
        await reader.stop()
    return found


def _put(found: dict[bytes, bytes], record: "ConsumerRecord[bytes, bytes]") -> None:
    if record.key is not None:
        if record.value is None:
            found.pop(record.key, None)
        else:
            found[record.key] = record.value
