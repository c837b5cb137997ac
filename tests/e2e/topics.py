"""What stands in our topics, as any read_committed reader sees it."""

from collections.abc import Callable

from aiokafka import ConsumerRecord, TopicPartition

from legbook.contracts.codec import decode_leg
from legbook.contracts.legs import Leg
from legbook.contracts.topics import CDR, LEGS, Topic
from legbook.demo.world import World
from legbook.runtime import kafka
from legbook.runtime.settings import KafkaSettings

Record = ConsumerRecord[bytes, bytes]


def settings(world: World) -> KafkaSettings:
    return KafkaSettings(bootstrap_servers=world.env["KAFKA_BOOTSTRAP_SERVERS"])


async def records(world: World, topic: str) -> list[Record]:
    """All that is there now."""
    reader = kafka.consumer(settings(world))
    await reader.start()
    try:
        parts = [TopicPartition(topic, p) for p in sorted(await _partitions(world, topic))]
        reader.assign(parts)
        found: list[Record] = []
        ends = await reader.end_offsets(parts)
        for part in parts:
            reader.seek(part, (await reader.beginning_offsets([part]))[part])
            while await reader.position(part) < ends[part]:
                found += (await reader.getmany(part, timeout_ms=200)).get(part, [])
        return found
    finally:
        await reader.stop()


async def _partitions(world: World, topic: str) -> range:
    return range(await kafka.partitions(settings(world), topic))


def _of(pbx: str) -> Callable[[Record], bool]:
    return lambda record: (record.key or b"").startswith(f"{pbx}|".encode())


async def finished(world: World, pbx: str) -> list[Leg]:
    """Every record of the cdr topic, doubles included."""
    return [decode_leg(r.value or b"") for r in filter(_of(pbx), await records(world, CDR.name))]


async def live(world: World, pbx: str) -> dict[int, Leg]:
    """The legs topic, compacted."""
    newest: dict[bytes, bytes | None] = {}
    for record in filter(_of(pbx), await records(world, LEGS.name)):
        newest[record.key or b""] = record.value
    legs = [decode_leg(value) for value in newest.values() if value is not None]
    return {leg.leg_id: leg for leg in legs}


async def letters(world: World, topic: Topic) -> list[tuple[bytes | None, dict[str, str]]]:
    """(original bytes, headers) of a dead-letter topic."""
    return [
        (r.value, {name: value.decode() for name, value in r.headers})
        for r in await records(world, topic.dlq)
    ]
