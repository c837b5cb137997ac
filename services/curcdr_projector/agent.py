"""faust as consumer, agent and committer, in the one pattern that loses nothing (measured).

No Table; raw bytes; concurrency 1; noack_take; events of an older generation are dropped; nothing is folded before
the new owner of a partition has fenced and loaded (the gate); acks follow committed checkpoints. A rebalance throws
the shards away: what was in flight is either complete before the next owner's fence or never happened.
"""

import asyncio
import tempfile
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any, Final

import faust

from curcdr_projector.settings import Settings
from curcdr_projector.shard import Shard
from legbook.contracts.topics import RAW
from legbook.runtime.dlq import BrakeError
from legbook.runtime.settings import KafkaSettings

GROUP: Final = "curcdr_projector"
Acquire = Callable[[list[int]], Coroutine[Any, Any, dict[int, Shard]]]
Die = Callable[[BaseException], None]


def app(settings: Settings, kafka: KafkaSettings, partitions: int) -> faust.App:
    """The settings of the measured runs; each one that is not the default has a reason there."""
    return faust.App(
        GROUP,
        broker=[f"kafka://{server}" for server in kafka.bootstrap_servers.split(",")],
        broker_credentials=_credentials(kafka),
        version=1,
        store="memory://",
        datadir=Path(tempfile.gettempdir())
        / GROUP,  # nothing is in it, but faust makes it, by default where we stand
        processing_guarantee="at_least_once",
        topic_partitions=partitions,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
        autodiscover=False,
        broker_session_timeout=10.0,
        broker_heartbeat_interval=2.0,
        broker_commit_interval=1.0,
        stream_wait_empty=False,  # else a rebalance hangs for over 20 s
        stream_recovery_delay=0.0,
        table_standby_replicas=0,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
    )


def _credentials(kafka: KafkaSettings) -> Any:
    if kafka.security_protocol == "PLAINTEXT":
        return None
    from legbook.runtime.kafka import options  # noqa: PLC0415

    context = options(kafka).get("ssl_context")
    if kafka.security_protocol == "SSL":
        return faust.SSLCredentials(context)
    return faust.SASLCredentials(
        username=kafka.sasl_username,
        password=kafka.password,
        ssl_context=context,
        mechanism=faust.types.auth.SASLMechanism(kafka.sasl_mechanism),
    )


class Agent:
    """Owns the shards of the assigned partitions and feeds them."""

    def __init__(self, app: faust.App, acquire: Acquire, die: Die, limit: int) -> None:
        self._app, self._acquire, self._die, self._limit = app, acquire, die, limit
        self._shards: dict[int, Shard] = {}
        self._gate = asyncio.Event()
        self._serving: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()  # asyncio itself keeps no task alive
        raw = app.topic(
            RAW.name, key_type=bytes, value_type=bytes, key_serializer="raw", value_serializer="raw"
        )
        app.agent(raw, concurrency=1, name="fold")(self._fold)
        app.on_partitions_revoked.connect(self._revoked)  # type: ignore[arg-type]  # faust hides its keywords
        app.on_partitions_assigned.connect(self._assigned)  # type: ignore[arg-type]

    def waiting(self) -> str | None:
        """For /readyz."""
        if not self._gate.is_set():
            return "no partitions yet"
        troubles = {shard.table.trouble for shard in self._shards.values()} - {None}
        return "; ".join(sorted(troubles)) or None

    async def _fold(self, stream: Any) -> None:
        async for events in stream.noack_take(500, within=0.005):  # `within` is added to every latency
            try:
                await self._gate.wait()
                for event in events:
                    shard = self._shards.get(event.message.partition)
                    # never test app.rebalancing here
                    if shard and event.message.generation_id == self._app.consumer_generation_id:
                        await self._take(shard, event)
                await self._room()
            except Exception as error:  # noqa: BLE001  # faust would ack what was not folded
                self._die(error)

    async def _take(self, shard: Shard, event: Any) -> None:
        """The brake stops the process when its dead letters are out: the next one goes on behind them."""
        try:
            shard.take(event)
        except BrakeError:
            await shard.publish_last()
            raise

    async def _room(self) -> None:
        """Back pressure: faust's queue fills, then it stops to fetch."""
        while self._gate.is_set() and self._unacked() > self._limit:  # noqa: ASYNC110  # three things end this wait
            await asyncio.sleep(0.1)

    def _crowded(self, shard: Shard) -> bool:
        """Half of the limit is used, and of that at least its share by this one: a checkpoint makes room in time."""
        half = self._limit // 2
        return self._unacked() >= half and shard.progress.unacked_bytes * len(self._shards) >= half

    def _unacked(self) -> int:
        return sum(shard.progress.unacked_bytes for shard in self._shards.values())

    async def _revoked(self, _sender: Any, _partitions: Any, **_: Any) -> None:
        self._own([])

    async def _assigned(self, _sender: Any, assigned: Any, **_: Any) -> None:
        self._own(sorted(tp.partition for tp in assigned if tp.topic == RAW.name))

    def _own(self, partitions: list[int]) -> None:
        """No waiting in a rebalance callback: heartbeats are off in it."""
        self._gate.clear()
        if self._serving is not None:
            self._serving.cancel()
        for shard in self._shards.values():
            shard.forget()
            self._start(shard.close())
        self._shards = {}
        self._serving = self._start(self._serve(partitions)) if partitions else None

    async def _serve(self, partitions: list[int]) -> None:
        self._shards = await self._acquire(partitions)
        for shard in self._shards.values():
            shard.crowded = partial(self._crowded, shard)
        self._gate.set()
        async with asyncio.TaskGroup() as tasks:
            for shard in self._shards.values():
                tasks.create_task(shard.run())
                tasks.create_task(shard.table.run())

    def _start(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        async def guarded() -> None:
            try:
                await work
            except asyncio.CancelledError as error:
                task = asyncio.current_task()
                if task is None or not task.cancelling():  # by somebody else: as bad as any error
                    self._die(error)
                raise
            except BaseException as error:
                # also when `cancelling`: a TaskGroup whose child fails leaves that count at one (Python 3.11)
                self._die(error)
                raise

        task = asyncio.create_task(guarded())
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task
