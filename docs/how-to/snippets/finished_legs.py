"""Finished legs from Kafka into a table, each once, corrections applied. Needs aiokafka[zstd]."""

import asyncio
import json
import os
import sqlite3

from aiokafka import AIOKafkaConsumer

SERVERS = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9092")
TABLE = """CREATE TABLE IF NOT EXISTS legs (pbx, leg_id, epoch, seq, dst, disposition, billsec,
    PRIMARY KEY (pbx, leg_id))"""
NEWEST = """INSERT INTO legs VALUES (:pbx, :leg_id, :epoch, :seq, :dst, :disposition, :billsec)
    ON CONFLICT DO UPDATE SET epoch = excluded.epoch, seq = excluded.seq, dst = excluded.dst,
        disposition = excluded.disposition, billsec = excluded.billsec
    WHERE (excluded.epoch, excluded.seq) > (legs.epoch, legs.seq)"""


async def main() -> None:
    table = sqlite3.connect(os.environ.get("BILLING_DB", "billing.db"))
    table.execute(TABLE)
    async with AIOKafkaConsumer(  # a group: several of us share the partitions, and go on where we were
        "pbx.calls.cdr.v1",
        bootstrap_servers=SERVERS,
        group_id="billing",
        enable_auto_commit=False,
        isolation_level="read_committed",
        auto_offset_reset="earliest",
    ) as consumer:
        async for record in consumer:
            if record.value is None:
                continue  # nothing of ours
            leg = json.loads(record.value)
            if leg["v"] != 1:
                raise SystemExit(
                    f"{record.topic} {record.partition}/{record.offset}: made by a newer legbook"
                )
            table.execute(NEWEST, leg)
            table.commit()  # ours first: what Kafka gives us again after a crash changes nothing
            await consumer.commit()
            print(leg["pbx"], leg["leg_id"], leg["disposition"], leg["billsec"], flush=True)


asyncio.run(main())
