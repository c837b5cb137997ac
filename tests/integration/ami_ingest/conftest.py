"""A Kafka of our own, because we stop it, with the topics; and the real process that reads one PBX."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from legbook.cli.topics import _apply
from legbook.contracts.topics import RAW
from legbook.devstack import Stack
from legbook.runtime.settings import KafkaSettings
from tests.integration.ami_ingest.process import Ingest

PARTITIONS = 4
Start = Callable[[str, int], Awaitable[Ingest]]


@pytest.fixture(scope="session")
def kafka_stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
        with Stack(tmp_path_factory.mktemp("ami_ingest"), only=("kafka",)) as stack:
            settings = KafkaSettings(bootstrap_servers=stack.env["KAFKA_BOOTSTRAP_SERVERS"])
            made = asyncio.run(_apply(settings, PARTITIONS, 1))
            assert f"{RAW.name}: created, {PARTITIONS} partitions" in made
            yield stack


@pytest.fixture
def kafka_settings(kafka_stack: Stack) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=kafka_stack.env["KAFKA_BOOTSTRAP_SERVERS"])


@pytest.fixture
async def start(tmp_path: Path, kafka_settings: KafkaSettings) -> AsyncIterator[Start]:
    """Starts `python -m ami_ingest` for one PBX and waits until it is ready; it is gone at the end."""
    async with AsyncExitStack() as stack:

        async def start_ingest(pbx: str, port: int) -> Ingest:
            made = Ingest(tmp_path, kafka_settings.bootstrap_servers)
            await made.start({pbx: port})
            stack.push_async_callback(made.kill)
            await made.ready()
            return made

        yield start_ingest
