"""The one table of topics, and which partition a PBX has."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

HOUR: Final = 3_600_000
DAY: Final = 24 * HOUR
MIB: Final = 1 << 20

_COMPACT: Final = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 * MIB),
    "segment.ms": "600000",
    "min.cleanable.dirty.ratio": "0.1",
    "max.compaction.lag.ms": "600000",
}


@dataclass(frozen=True, slots=True)
class Topic:
    """`messages`: names of the structs in its values; empty where content is private or original bytes."""

    name: str
    key: str
    purpose: str
    config: Mapping[str, str]
    messages: tuple[str, ...] = ()

    @property
    def dlq(self) -> str:
        return f"{self.name}.dlq"


def _keep(days: int, largest: int = MIB) -> dict[str, str]:
    return {
        "cleanup.policy": "delete",
        "retention.ms": str(days * DAY),
        "max.message.bytes": str(largest),
    }


RAW: Final = Topic(
    "pbx.ami.raw.v1",
    "pbx",
    "Everything that one PBX said, in socket order, 1 to 256 entries a record.",
    _keep(7, 4 * MIB),
    ("RawRecord",),
)
OWNERS: Final = Topic(
    "pbx.ami.owners.v1", "pbx", "Which ingest worker reads a PBX, since when (private).", _COMPACT, ("Owner",)
)
STATUS: Final = Topic(
    "pbx.status.v1",
    "pbx|ingest, pbx|projector",
    "How well a PBX is listened to and folded; readers keep the highest epoch.",
    _COMPACT,
    ("IngestStatus", "ProjectorStatus"),
)
CHECKPOINTS: Final = Topic(
    "pbx.calls.checkpoints.v1",
    "pbx, cursor|<partition>",
    "State of the fold, and the offsets it reaches (private, msgpack and JSON).",
    {**_COMPACT, "max.message.bytes": str(16 * MIB)},
)
LEGS: Final = Topic(
    "pbx.calls.legs.v1",
    "pbx|leg_id",
    "Newest state of every live leg; a tombstone at its end. Read it with read_committed.",
    _COMPACT,
    ("Leg",),
)
CDR: Final = Topic(
    "pbx.calls.cdr.v1",
    "pbx|leg_id",
    "Finished legs; a correction has the same key and a higher (epoch, seq). Read it with read_committed.",
    _keep(30),
    ("Leg",),
)
COMMANDS: Final = Topic(
    "pbx.commands.v1",
    "pbx",
    "What other services want of a PBX. Short-lived: a command has a deadline.",
    {**_keep(1, 2 * MIB), "retention.ms": str(HOUR)},
    ("Hangup", "Originate"),
)
RESULTS: Final = Topic(
    "pbx.commands.results.v1",
    "command_id, command_id|<digest>",
    "What became of each command; its newest state for a day. Read it with read_committed.",
    {
        **_COMPACT,
        "cleanup.policy": "compact,delete",
        "retention.ms": str(DAY),
        "message.timestamp.type": "LogAppendTime",
    },
    ("CommandResult",),
)
TOPICS: Final = (RAW, OWNERS, STATUS, CHECKPOINTS, LEGS, CDR, COMMANDS, RESULTS)
WITH_DLQ: Final = (RAW, CDR, COMMANDS)
DLQ_CONFIG: Final = _keep(30, 16 * MIB)
DLQ_HEADERS: Final = {
    "topic": "Source topic.",
    "partition": "Source partition.",
    "offset": "Source offset.",
    "entry": "`epoch.seq` of the entry that failed: the value is then a record of that entry alone. Else empty.",
    "reason": "Why, with the field's name and place.",
    "version": "Version of legbook that refused it.",
}


def dlq_topics() -> tuple[Topic, ...]:
    """The dead-letter topics that exist: of the topics whose reader may refuse a record."""
    return tuple(
        Topic(topic.dlq, topic.key, f"What the reader of {topic.name} refused: original bytes.", DLQ_CONFIG)
        for topic in WITH_DLQ
    )


def partition_of(pbx: str, partitions: int) -> int:
    """The partition of everything that belongs to this PBX, whatever the key: Kafka's murmur2 of its name."""
    return (_murmur2(pbx.encode()) & 0x7FFFFFFF) % partitions


def _murmur2(data: bytes) -> int:
    """As Kafka's Java client (Utils.murmur2); compared with aiokafka's in the tests."""
    m, mask = 0x5BD1E995, 0xFFFFFFFF
    h = 0x9747B28C ^ len(data)
    whole = len(data) & ~3
    for i in range(0, whole, 4):
        k = int.from_bytes(data[i : i + 4], "little") * m & mask
        h = h * m & mask ^ (k ^ k >> 24) * m & mask
    if tail := data[whole:]:
        h = (h ^ int.from_bytes(tail, "little")) * m & mask
    h = (h ^ h >> 13) * m & mask
    return h ^ h >> 15
