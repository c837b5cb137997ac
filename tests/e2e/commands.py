"""Commands as any service would publish them, byte by byte, and what became of them."""

import asyncio
import json
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from legbook.contracts.codec import decode_result
from legbook.contracts.commands import CommandResult
from legbook.contracts.topics import COMMANDS, RESULTS, partition_of
from legbook.demo.world import World
from legbook.runtime import kafka
from legbook.runtime.kafka import Record
from tests.e2e import topics

PARTITIONS = 4


def hangup(pbx: str, leg_id: int, side: str = "dst", **more: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    command = {
        "v": 1,
        "command_id": str(uuid.uuid4()),
        "pbx": pbx,
        "verb": "hangup",
        "args": {"leg_id": leg_id, "side": side},
        "issuer": "test",
        "actor": "alice",
        "issued_at": now.isoformat(),
        "not_after": (now + timedelta(seconds=20)).isoformat(),
    }
    return command | more


def originate(pbx: str, endpoint: str, exten: str, ring: int = 10) -> dict[str, Any]:
    args = {"endpoint": endpoint, "exten": exten, "context": "from-internal", "ring": ring}
    return hangup(pbx, 0, verb="originate", args=args)


async def publish(
    world: World,
    values: Sequence[Any],
    *,
    pbx: str = "hq",
    partition: int | None = None,
    headers: Sequence[tuple[str, bytes]] = (),
) -> None:
    """Objects as JSON, bytes as they are; returns when Kafka has them."""
    producer = kafka.producer(topics.settings(world), max_request_size=64 << 20)
    async with producer:
        where = partition_of(pbx, PARTITIONS) if partition is None else partition
        for value in values:
            data = value if isinstance(value, bytes) else json.dumps(value).encode()
            await kafka.deliver(producer, Record(COMMANDS.name, pbx.encode(), data, headers), where)


async def results(world: World) -> dict[str, list[CommandResult]]:
    """Every state of every command, in order, by the record's key: a conflict has one of its own."""
    found: dict[str, list[CommandResult]] = {}
    for each in await topics.records(world, RESULTS.name):
        found.setdefault((each.key or b"").decode(), []).append(decode_result(each.value or b""))
    return found


async def ends(
    world: World, commands: Sequence[dict[str, Any]], patience: float = 20.0
) -> list[CommandResult]:
    """The newest state of each of these, once it is final for all."""
    deadline = asyncio.get_running_loop().time() + patience
    while True:
        known = await results(world)
        newest = [known.get(command["command_id"], [None])[-1] for command in commands]
        found = [result for result in newest if result is not None and result.final]
        if len(found) == len(commands):
            return found
        assert asyncio.get_running_loop().time() < deadline, f"no end yet: {newest}"
        await asyncio.sleep(0.1)
