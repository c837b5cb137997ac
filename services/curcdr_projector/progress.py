"""How far one partition is: which raw offsets are folded, published and may be acknowledged. Pure bookkeeping.

1. The first record must be at or below the checkpoint, each next one exactly one further: anything else is a hole.
2. Below the checkpoint: only kept for its ack. Below what is published: folded in silence. From there: emitted.
3. Acks go in order, all of a prefix, and only when a committed checkpoint covers it (faust commits over a single
   un-acked offset otherwise).
"""

from collections import deque
from enum import Enum
from typing import Generic, Protocol, TypeVar

from legbook.runtime.stop import FatalError


class Acked(Protocol):
    """A faust event."""

    def ack(self) -> bool: ...


_E = TypeVar("_E", bound=Acked)


class HoleError(FatalError):
    """An offset is missing: what was in it is lost to this process."""


class Fold(Enum):
    """What to do with a record."""

    NOT = "known already"
    SILENT = "fold, say nothing"
    EMIT = "fold and publish"


class Progress(Generic[_E]):
    """`checkpoint` and `published` are offsets: everything below is in the checkpoints, is on the topics."""

    def __init__(self, partition: int, checkpoint: int, published: int) -> None:
        self.partition, self.checkpoint, self.published = partition, checkpoint, published
        self.next = checkpoint
        self.unacked_bytes = 0
        self._delivered: int | None = None
        self._unacked: deque[tuple[_E, int]] = deque()

    def take(self, event: _E, offset: int, size: int) -> Fold:
        """HoleError if something is missing before it."""
        expected = self.next if self._delivered is None else self._delivered
        if self._delivered is not None and offset < self._delivered:
            return Fold.NOT  # faust may deliver twice: the first copy waits for its ack
        if offset > expected:
            raise HoleError(f"partition {self.partition}: expected offset {expected}, got {offset}")
        self._delivered = offset + 1
        self._unacked.append((event, size))
        self.unacked_bytes += size
        if offset < self.next:
            return Fold.NOT
        self.next = offset + 1
        return Fold.EMIT if offset >= self.published else Fold.SILENT

    def waiting(self) -> int:
        """Records that are not acknowledged yet."""
        return len(self._unacked)

    def publishing(self) -> int:
        """What the transaction that begins now will reach; never back while refolding."""
        self.published = max(self.published, self.next)
        return self.published

    def covered(self, count: int) -> list[_E]:
        """The oldest `count` records, to be acknowledged now."""
        done = [self._unacked.popleft() for _ in range(count)]
        self.unacked_bytes -= sum(size for _, size in done)
        return [event for event, _ in done]
