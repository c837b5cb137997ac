"""Puts curcdr_projector together: faust around the agent, an owner, a shard and a table for each partition."""

import asyncio
import os
import sys
from collections.abc import Mapping
from datetime import tzinfo

import structlog
from aiokafka import TopicPartition

from curcdr_projector import agent
from curcdr_projector.settings import Settings
from curcdr_projector.shard import Shard
from curcdr_projector.table import Table
from legbook.contracts.topics import CDR, CHECKPOINTS, LEGS, RAW, STATUS
from legbook.runtime import http, kafka, logs, stop
from legbook.runtime.fleet import Pbx
from legbook.runtime.fleetfile import FleetFile
from legbook.runtime.ownership import PartitionOwner
from legbook.runtime.settings import FleetSettings, KafkaSettings, MysqlSettings, load
from legbook.runtime.stop import CannotStartError

_log = structlog.get_logger("curcdr_projector")


class Projector:
    """What the partitions of this process share."""

    def __init__(
        self,
        settings: Settings,
        kafka_settings: KafkaSettings,
        mysql: MysqlSettings,
        pbxs: Mapping[str, Pbx],
        count: int,
    ) -> None:
        self._settings, self._kafka, self._mysql = settings, kafka_settings, mysql
        self._pbxs, self._count = pbxs, count
        self._zones: dict[str, tzinfo] = {}
        self.fleet_changed()

    def fleet_changed(self) -> None:
        """What left the fleet keeps its zone: its rows may not be over."""
        self._zones.update((name, pbx.zone) for name, pbx in self._pbxs.items())

    async def acquire(self, partitions: list[int]) -> dict[int, Shard]:
        """1 fence, 2 read; the caller serves."""
        owners = [PartitionOwner(self._kafka, agent.GROUP, CHECKPOINTS.name, p) for p in partitions]
        try:
            return await self._fence_and_load(owners)
        except BaseException:  # a rebalance in the middle: what is open must not stay so
            for owner in owners:
                await asyncio.shield(owner.close())
            raise

    async def _fence_and_load(self, owners: list[PartitionOwner]) -> dict[int, Shard]:
        async with asyncio.TaskGroup() as tasks:
            for owner in owners:
                tasks.create_task(owner.acquire())
        partitions = [owner.partition for owner in owners]
        first, committed = await self._offsets(partitions)
        shards = {}
        for owner in owners:
            shard = Shard(self._settings, self._pbxs, owner, self._count)
            if committed[owner.partition] is not None and not shard.has_cursor:
                raise CannotStartError(
                    f"{RAW.name}-{owner.partition} was read up to {committed[owner.partition]}, but "
                    f"{CHECKPOINTS.name} has no cursor: it was lost or made anew. Reset the group {agent.GROUP} "
                    f"to fold again from the start"
                )
            shard.load(first[owner.partition])
            shard.table = self._table(shard)
            shards[owner.partition] = shard
        _log.info("partitions owned", partitions=partitions)
        return shards

    async def _offsets(self, partitions: list[int]) -> tuple[dict[int, int], dict[int, int | None]]:
        """The first offset of each raw partition, and what the group has committed."""
        reader = kafka.consumer(self._kafka, group_id=agent.GROUP)
        await reader.start()
        try:
            targets = [TopicPartition(RAW.name, p) for p in partitions]
            reader.assign(targets)
            first = await reader.beginning_offsets(targets)
            return (
                {tp.partition: offset for tp, offset in first.items()},
                {tp.partition: await reader.committed(tp) for tp in targets},
            )
        finally:
            await reader.stop()

    def _table(self, shard: Shard) -> Table:
        where = (shard.partition, self._count)
        return Table(self._settings, self._mysql, where, self._zones, shard.live, shard.prove)


def die(error: BaseException) -> None:
    """At once: nothing beyond the last transaction exists anywhere, and a fresh process folds it again."""
    code = stop.exit_code(error)
    sys.stderr.flush()
    os._exit(code)


def main() -> None:
    logs.configure()
    try:
        settings, kafka_settings, mysql = load(Settings), load(KafkaSettings), load(MysqlSettings)
        logs.configure(settings.log_level)
        pbxs = FleetFile(load(FleetSettings).fleet)
        pbxs.watch()
        mysql.parsed()
        count = asyncio.run(
            kafka.partitions(
                kafka_settings,
                RAW.name,
                CHECKPOINTS.name,
                LEGS.name,
                CDR.name,
                STATUS.name,
                RAW.dlq,
                group=agent.GROUP,
            )
        )
    except CannotStartError as error:
        sys.exit(stop.exit_code(error))
    app = agent.app(settings, kafka_settings, count)
    projector = Projector(settings, kafka_settings, mysql, pbxs.pbxs, count)
    pbxs.on_change(projector.fleet_changed)
    folding = agent.Agent(app, projector.acquire, die, settings.unacked_bytes)
    health = http.Health(ready={"partitions": folding.waiting})

    @app.task  # type: ignore[untyped-decorator]
    async def serve_http() -> None:
        pbxs.watch()
        try:
            async with http.serve(health, settings):
                await asyncio.Event().wait()
        except CannotStartError as error:
            die(error)

    app.finalize()
    app.Worker(
        loglevel="warning", quiet=True, redirect_stdouts=False, override_logging=False
    ).execute_from_commandline()
