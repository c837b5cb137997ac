"""cdr_archiver as a process of its own, and what crosses Kafka around it."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiokafka import AIOKafkaConsumer, TopicPartition

from legbook.contracts.codec import encode
from legbook.contracts.legs import Leg
from legbook.contracts.topics import CDR, partition_of
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings
from tests import waiting

PARTITIONS = 4
PATIENCE = 40.0


def until(look: Callable[[], Any]) -> Any:
    """Its first true value, for tests that are not coroutines."""
    return asyncio.run(waiting.until(look, patience=PATIENCE, every=0.05))


class Service:
    """Started when entered; killed when left, if it still runs."""

    def __init__(self, env: Mapping[str, str], log: Path, group: str, **settings: str) -> None:
        self.log = log
        self.env = {
            **os.environ,
            **env,
            "CDR_ARCHIVER_GROUP": group,
            "CDR_ARCHIVER_HTTP_PORT": "0",
        } | settings

    def __enter__(self) -> Self:
        with self.log.open("ab") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cdr_archiver"], env=self.env, stderr=out, stdout=out
            )
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.exit_code()

    def exit_code(self) -> int:
        return self.process.wait(PATIENCE)

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.read_text().splitlines() if line.endswith("}")]

    def said(self, event: str) -> dict[str, Any] | None:
        return next((line for line in self.lines() if line["event"] == event), None)

    def get(self, path: str) -> tuple[int, str]:
        address = until(lambda: self.said("serving"))["livez"].replace("/livez", path)
        try:
            with urllib.request.urlopen(address, timeout=5) as answer:  # noqa: S310  # loopback
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def settings_of(env: Mapping[str, str]) -> KafkaSettings:
    return KafkaSettings.model_validate({"bootstrap_servers": env["KAFKA_BOOTSTRAP_SERVERS"]})


def publish(env: Mapping[str, str], *legs: Leg | bytes | None, pbx: str, abort: bool = False) -> None:
    """Finished legs, or other values, in one transaction, as the projector does it."""
    asyncio.run(_publish(settings_of(env), legs, pbx, abort=abort))


async def _publish(
    settings: KafkaSettings, legs: tuple[Leg | bytes | None, ...], pbx: str, *, abort: bool
) -> None:
    async with kafka.producer(settings, transactional_id=f"test-{pbx}") as producer:
        await producer.begin_transaction()
        for one in legs:
            key = f"{pbx}|{one.leg_id if isinstance(one, Leg) else 0}".encode()
            value = encode(one) if isinstance(one, Leg) else one
            await producer.send_and_wait(CDR.name, value, key=key, partition=partition_of(pbx, PARTITIONS))
        await (producer.abort_transaction() if abort else producer.commit_transaction())


def letters(env: Mapping[str, str], pbx: str) -> list[tuple[bytes | None, dict[str, str]]]:
    """The dead letters of this PBX: value and headers."""
    return asyncio.run(_letters(settings_of(env), pbx))


async def _letters(settings: KafkaSettings, pbx: str) -> list[tuple[bytes | None, dict[str, str]]]:
    partition, found = TopicPartition(CDR.dlq, partition_of(pbx, PARTITIONS)), []
    async with kafka.consumer(settings) as reader:
        reader.assign([partition])
        end = (await reader.end_offsets([partition]))[partition]
        while await reader.position(partition) < end:
            for record in (await reader.getmany(partition, timeout_ms=500)).get(partition, ()):
                if record.key is not None and record.key.startswith(f"{pbx}|".encode()):
                    headers = {name: text.decode() for name, text in record.headers}
                    found.append((record.value, headers))
    return found


def start_at_the_end(env: Mapping[str, str], group: str) -> None:
    """So that a group does not read what other tests have left."""
    asyncio.run(_start_at_the_end(settings_of(env), group))


async def _start_at_the_end(settings: KafkaSettings, group: str) -> None:
    async with _member(settings, group) as reader:
        await reader.commit(await reader.end_offsets(_all()))


def committed(env: Mapping[str, str], group: str, pbx: str) -> int | None:
    """The offset from which the partition of this PBX would be read."""
    return asyncio.run(_committed(settings_of(env), group, pbx))


async def _committed(settings: KafkaSettings, group: str, pbx: str) -> int | None:
    async with _member(settings, group) as reader:
        return await reader.committed(TopicPartition(CDR.name, partition_of(pbx, PARTITIONS)))


def _all() -> list[TopicPartition]:
    return [TopicPartition(CDR.name, number) for number in range(PARTITIONS)]


def _member(settings: KafkaSettings, group: str) -> AIOKafkaConsumer:
    reader = kafka.consumer(settings, group_id=group)
    reader.assign(_all())
    return reader
