"""Live legs from Kafka: says what is live now, then every change. Needs aiokafka[zstd], nothing of legbook."""

import asyncio
import json
import os
from typing import Any

from aiokafka import AIOKafkaConsumer

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")


def told(key: str, leg: dict[str, Any] | None) -> str:
    if leg is None:
        return f"{key} over"
    return f"{key} {leg['state']} {leg['src']} -> {leg['dst']} on {leg['dstdevice']}"


async def main() -> None:
    live: dict[str, dict[str, Any]] = {}
    async with AIOKafkaConsumer(  # no group: every reader sees every partition, from its beginning
        "pbx.calls.legs.v1",
        bootstrap_servers=SERVERS,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    ) as consumer:
        ends = await consumer.end_offsets(consumer.assignment())  # what was there when we came
        while True:
            for records in (await consumer.getmany(timeout_ms=200)).values():
                for record in records:
                    key, leg = (record.key or b"").decode(), json.loads(record.value or b"null")
                    if leg:
                        live[key] = leg
                    else:  # a tombstone
                        live.pop(key, None)
                    if not ends:
                        print(told(key, leg), flush=True)
            if ends and all([await consumer.position(part) >= end for part, end in ends.items()]):
                ends = {}
                print(f"{len(live)} live legs", *(told(*each) for each in live.items()), sep="\n", flush=True)


asyncio.run(main())
