"""A Kafka of our own with empty topics, records to put there, and the real command as a process."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import pytest

from legbook.cli.topics import _apply
from legbook.contracts.topics import partition_of
from legbook.devstack import Stack
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from legbook.runtime.settings import KafkaSettings

PARTITIONS = 4
Produce = Callable[[Sequence[Record]], None]
Process = subprocess.Popen[str]


def _hears_ctrl_c() -> None:
    """What a shell starts in the background ignores it, and so would its children."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@dataclass(frozen=True, slots=True)
class Legbook:
    """`legbook …` of this installation, told where Kafka is."""

    servers: str

    def start(self, *arguments: str) -> Process:
        command = [sys.executable, "-m", "legbook.cli", *arguments]
        env = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": self.servers, "COLUMNS": "80"}
        pipe = subprocess.PIPE
        return subprocess.Popen(
            command,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=pipe,
            stderr=pipe,
            text=True,
            preexec_fn=_hears_ctrl_c,  # noqa: PLW1509  # this process has one thread
        )

    def run(self, *arguments: str) -> tuple[int, list[str], str]:
        """Exit code, lines of stdout, stderr."""
        with self.start(*arguments) as process:
            out, errors = process.communicate(timeout=30)
        return process.returncode, out.splitlines(), errors


@pytest.fixture(scope="module")
def kafka_settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KafkaSettings]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        with Stack(tmp_path_factory.mktemp("cli"), only=("kafka",)) as stack:
            settings = KafkaSettings(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"])
            asyncio.run(_apply(settings, PARTITIONS, 1))
            yield settings


@pytest.fixture(scope="module")
def legbook(kafka_settings: KafkaSettings) -> Legbook:
    return Legbook(kafka_settings.bootstrap_servers)


@pytest.fixture(scope="module")
def produce(kafka_settings: KafkaSettings) -> Produce:
    """To the partition of the PBX in the header, as everybody does."""

    async def send(records: Sequence[Record]) -> None:
        async with kafka.producer(kafka_settings) as producer:
            for record in records:
                partition = partition_of(dict(record.headers)["pbx"].decode(), PARTITIONS)
                await kafka.deliver(producer, record, partition)

    return lambda records: asyncio.run(send(records))


def record(topic: str, pbx: str, key: str, value: bytes | None) -> Record:
    return Record(topic, key.encode(), value, [("pbx", pbx.encode())])
