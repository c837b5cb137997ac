"""The real process: its fleet file, its log, its health; and the log that it leaves in Kafka."""

import asyncio
import json
import os
import signal
import sys
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import aiohttp
from aiokafka import ConsumerRecord, TopicPartition

from legbook.contracts import codec
from legbook.contracts.raw import Entry, RawRecord
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings

USERNAME, SECRET = "legbook", "s3cret"
PATIENCE = 30.0  # seconds until a condition that never comes is a failure
Records = list["ConsumerRecord[bytes, bytes]"]


async def until(condition: Callable[[], Any], patience: float = PATIENCE) -> None:
    async with asyncio.timeout(patience):
        while not condition():
            await asyncio.sleep(0.02)


class Ingest:
    """One `python -m ami_ingest`."""

    def __init__(self, folder: Path, bootstrap: str, instance: str = "slot-1") -> None:
        self._instance = instance
        self._folder = folder / uuid.uuid4().hex[:8]
        self._folder.mkdir()
        self._fleet = self._folder / "fleet.toml"
        self._bootstrap = bootstrap

    def fleet(self, pbxs: Mapping[str, int], **more: str) -> None:
        """PBX -> port; `more`: lines for each."""
        lines = "".join(f"{key} = {value}\n" for key, value in more.items())
        tables = [
            f'[pbx.{name}]\nnumber = {number}\nhost = "127.0.0.1"\nport = {port}\n{lines}'
            f'ingest = {{ username = "{USERNAME}", secret_env = "PBX_SECRET" }}\n'
            for number, (name, port) in enumerate(pbxs.items(), 1)
        ]
        self._fleet.write_text("".join(tables))

    def hang_up_signal(self) -> None:
        """SIGHUP: read the fleet file again."""
        self.process.send_signal(signal.SIGHUP)

    async def start(self, pbxs: Mapping[str, int]) -> None:
        self.fleet(pbxs)
        ours = {
            "KAFKA_BOOTSTRAP_SERVERS": self._bootstrap,
            "LEGBOOK_FLEET": str(self._fleet),
            "PBX_SECRET": SECRET,
            "AMI_INGEST_BACKOFF_FIRST": "0.1",
            "AMI_INGEST_INSTANCE": self._instance,
        }
        with (self._folder / "log").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "ami_ingest", stderr=log, env={**os.environ, **ours}
            )

    @property
    def text(self) -> str:
        return (self._folder / "log").read_text()

    @property
    def log(self) -> list[dict[str, Any]]:
        """Its lines so far; the last one may be half written."""
        return [json.loads(line) for line in self.text.splitlines(keepends=True) if line.endswith("\n")]

    def said(self, event: str) -> list[dict[str, Any]]:
        return [line for line in self.log if line["event"] == event]

    async def ready(self) -> None:
        await until(lambda: self.said("serving") or self.process.returncode is not None)
        assert self.process.returncode is None, self.text
        url = self.said("serving")[0]["livez"].replace("/livez", "/readyz")
        async with asyncio.timeout(PATIENCE), aiohttp.ClientSession() as session:
            while (await session.get(url)).status != 200:
                await asyncio.sleep(0.02)

    async def stop(self) -> int:
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        return await asyncio.wait_for(self.process.wait(), PATIENCE)

    async def kill(self) -> None:
        """SIGKILL, unless it has ended."""
        if self.process.returncode is None:
            self.process.kill()
            await self.process.wait()
        assert SECRET not in self.text


async def read(settings: KafkaSettings, topic: str, partitions: int, pbx: str) -> Records:
    """All records of a PBX, whatever partition they are in, in the order of each."""
    targets = [TopicPartition(topic, number) for number in range(partitions)]
    reader = kafka.consumer(settings, fetch_max_wait_ms=50)
    await reader.start()
    found: Records = []
    try:
        reader.assign(targets)
        ends = await reader.end_offsets(targets)
        for target, first in (await reader.beginning_offsets(targets)).items():
            reader.seek(target, first)
        for target in targets:
            while await reader.position(target) < ends[target]:
                for records in (await reader.getmany(timeout_ms=200)).values():
                    found += records
    finally:
        await reader.stop()
    return [record for record in found if record.key == pbx.encode()]


def decoded(records: Records) -> list[RawRecord]:
    return [codec.decode_raw(record.value or b"") for record in records]


def entries(records: Records) -> list[Entry]:
    return [entry for record in decoded(records) for entry in record.entries]
