"""For somebody who sits before a terminal: reaching Kafka at once or not at all, the fleet, an end without noise."""

import asyncio
import logging
import os
import sys
from collections.abc import Coroutine, Mapping
from typing import Any, Final

from aiokafka.errors import (
    ClusterAuthorizationFailedError,
    KafkaConnectionError,
    KafkaError,
    TopicAuthorizationFailedError,
)

from legbook.contracts.topics import Topic
from legbook.runtime import fleet, kafka
from legbook.runtime.fleet import Pbx
from legbook.runtime.settings import FleetSettings, KafkaSettings, load
from legbook.runtime.stop import CannotStartError

UNREACHABLE: Final = (KafkaError, CannotStartError, TimeoutError)
PATIENCE: Final = 15.0  # seconds that Kafka has for its first answer


def why(error: Exception) -> str:
    """For who sees no Kafka: what happened and, after a semicolon, what to do."""
    if isinstance(error, kafka.RefusedError):
        return f"{error}; KAFKA_SASL_… and KAFKA_SSL_CAFILE say how to log in: docs/how-to/secure-kafka.md"
    if isinstance(error, ClusterAuthorizationFailedError | TopicAuthorizationFailedError):
        return f"{error}; this Kafka user lacks an ACL: docs/how-to/secure-kafka.md has them"
    if not isinstance(error, TimeoutError | KafkaConnectionError):
        return str(error)
    text = f"Kafka has not answered for {PATIENCE:.0f} s" if isinstance(error, TimeoutError) else str(error)
    return f"{text}; KAFKA_BOOTSTRAP_SERVERS says where Kafka is"


async def partition_count(settings: KafkaSettings, *topics: Topic) -> int:
    """One of UNREACHABLE at once, and quietly: who sits before a terminal does not want to wait for Kafka."""
    chatty = logging.getLogger("aiokafka")
    chatty.setLevel(logging.CRITICAL)
    async with asyncio.timeout(PATIENCE), kafka.admin(settings) as client:
        there = {each["topic"]: len(each["partitions"]) for each in await client.describe_topics()}
    chatty.setLevel(logging.WARNING)
    for topic in topics:
        if not there.get(topic.name):
            raise CannotStartError(
                f"{topic.name} is not there, or hidden from this Kafka user; "
                "run legbook topics apply, or legbook doctor"
            )
    return there[topics[0].name]


async def until(work: Coroutine[Any, Any, None], end: Coroutine[Any, Any, object]) -> None:
    """Until one of the two is over; raises what it raises."""
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(work), asyncio.create_task(end)]
    try:
        for task in (await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED))[0]:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def drop_output() -> None:
    """After a BrokenPipeError: what is in the buffer goes nowhere, and says nothing at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def known_pbxs() -> Mapping[str, Pbx]:
    """Of the fleet file, where there is one. FleetError if it cannot be read."""
    path = load(FleetSettings).fleet
    return fleet.load(path) if path.exists() else {}
