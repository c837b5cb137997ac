"""Says when a phone rings, as soon as it does: screen_pop_topic.py PBX DEVICE. Needs aiokafka[zstd]."""

import asyncio
import json
import os
import sys

from aiokafka import AIOKafkaConsumer

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")


async def main(pbx: str, device: str) -> None:
    popped: set[bytes | None] = set()
    async with AIOKafkaConsumer(  # from now on: who rang before we came is in curcdr
        "pbx.calls.legs.v1", bootstrap_servers=SERVERS, isolation_level="read_committed"
    ) as consumer:
        print("listening", flush=True)
        async for record in consumer:
            if record.value is None:
                popped.discard(record.key)  # it is over
                continue
            leg = json.loads(record.value)
            rings = leg["state"] == "ringing" and (leg["pbx"], leg["dstdevice"]) == (pbx, device)
            if rings and record.key not in popped:  # a leg has several records while it rings
                popped.add(record.key)
                print(leg["leg_id"], leg["src"], leg["srcname"], "for", leg["didnumber"], flush=True)


asyncio.run(main(sys.argv[1], sys.argv[2]))
