"""Puts cdr_archiver together: ClickHouse checked, topics there, then batch after batch."""

import asyncio

import structlog

from cdr_archiver.consumer import Archiver, consumer_of
from cdr_archiver.settings import Settings
from cdr_archiver.table import Table
from legbook.contracts.topics import CDR
from legbook.runtime import http, kafka, logs, stop
from legbook.runtime.http import Health
from legbook.runtime.settings import ClickhouseSettings, KafkaSettings, load

_log = structlog.get_logger("cdr_archiver")


async def archive(table: Table, settings: Settings, kafka_settings: KafkaSettings, health: Health) -> None:
    """Until cancelled. Ready once partitions are ours: the group may wait for a dead member first."""
    joined = False
    health.ready["partitions"] = lambda: None if joined else "joining the group"
    try:
        async with asyncio.TaskGroup() as starting:
            starting.create_task(table.open())
            starting.create_task(kafka.partitions(kafka_settings, CDR.name, CDR.dlq, group=settings.group))
        async with (
            kafka.producer(kafka_settings) as producer,
            consumer_of(kafka_settings, settings.group, CDR.name, settings.instance) as consumer,
        ):
            joined = True
            _log.info("archiving", topic=CDR.name, group=settings.group)
            await Archiver(consumer, producer, table, settings).run()
    finally:
        await table.close()


async def _run() -> None:
    settings, kafka_settings = load(Settings), load(KafkaSettings)
    logs.configure(settings.log_level)
    table = Table(load(ClickhouseSettings), retry_most=settings.retry_most)
    health = http.Health(ready={"clickhouse": lambda: table.trouble})
    async with http.serve(health, settings):
        await archive(table, settings, kafka_settings, health)


def main() -> None:
    logs.configure()
    stop.run(_run())
