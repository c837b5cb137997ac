"""Dead letters: what could not be read goes to its own topic with the reason; too much of it stops the process."""

from dataclasses import dataclass
from importlib.metadata import version
from typing import Final

from aiokafka import ConsumerRecord

from legbook.runtime.kafka import Record
from legbook.runtime.metrics import DEAD_LETTERS
from legbook.runtime.stop import FatalError

LARGEST: Final = 8 << 20  # bytes: what a producer of ours can send, with room for headers
LARGEST_KEY: Final = 1024


def dead_letter(source: "ConsumerRecord[bytes, bytes]", reason: str, entry: str = "") -> Record:
    """The original bytes, to `<topic>.dlq`; counts it. `reason` begins with its kind: `bad_message: …`."""
    return letter(source.topic, source.partition, source.offset, source.key, source.value, reason, entry)


def letter(
    topic: str,
    partition: int,
    offset: int,
    key: bytes | None,
    value: bytes | None,
    reason: str,
    entry: str = "",
) -> Record:
    DEAD_LETTERS.labels(topic=topic, kind=reason.partition(":")[0]).inc()
    facts = {
        "topic": topic,
        "partition": str(partition),
        "offset": str(offset),
        "entry": entry,
        "reason": reason[:2000],
        "version": version("legbook"),
    }
    if value is not None and len(value) > LARGEST:
        facts["reason"] = f"{facts['reason']} (only the first {LARGEST:,} of {len(value):,} bytes are here)"
        value = value[:LARGEST]
    headers = [(name, text.encode(errors="backslashreplace")) for name, text in facts.items()]
    return Record(f"{topic}.dlq", (key or b"")[:LARGEST_KEY], value, headers)


class BrakeError(FatalError):
    """Too much goes to the dead letters: stop, once they are out."""


@dataclass(slots=True)
class Brake:
    """A stopped reader is cheaper than a whole topic in the dead letters."""

    in_a_row: int = 100
    of_last: int = 1000
    ratio: float = 0.1
    _row: int = 0
    _bad: int = 0
    _seen: int = 0

    def good(self, count: int = 1) -> None:
        self._row = 0
        self._count(count, 0)

    def bad(self, topic: str) -> None:
        """BrakeError when it is too much."""
        self._row += 1
        self._count(1, 1)
        if self._row >= self.in_a_row or self._bad > self.of_last * self.ratio:
            raise BrakeError(
                f"{self._bad} of the last {self._seen} records of {topic} went to {topic}.dlq, {self._row} in a row: "
                f"stopped; look at their `reason` header before you start again"
            )

    def _count(self, seen: int, bad: int) -> None:
        self._seen += seen
        self._bad += bad
        if self._seen >= self.of_last:
            self._seen //= 2
            self._bad //= 2
