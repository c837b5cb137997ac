"""Which channels a PBX has: asked after each login, every few minutes, and when the projector doubts its state.

Ping, CoreShowChannels, Status, BridgeList, QueueStatus, Ping. Asterisk writes what has happened so far before it
answers an action, so everything older than the first ping's answer is on the wire before the lists; the time of that
answer is the watermark: a channel that is not in the list and of which nothing newer was heard is gone. They are told
in one piece, when they are complete. The other three say how to understand a channel that nobody told us of; a PBX
may refuse them.

A PBX that stamps no events (timestampevents is off) is told of by our clock: so is the watermark then.
"""

import asyncio
import random
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

import structlog

from ami_ingest import metrics
from ami_ingest.sequence import Sequence
from ami_ingest.stamps import moment
from legbook.ami.message import Message
from legbook.contracts.raw import SnapshotBegin, SnapshotChannel, SnapshotEnd, SnapshotItem
from legbook.runtime.amilink import Link, LinkError

_log = structlog.get_logger("ami_ingest")
AGAIN: Final = 5.0  # seconds after one that failed, and between two that were asked for
JITTER: Final = 0.2
_ASKED: Final = (("Status", (("Variables", "DID,FROM_DID"),)), ("BridgeList", ()), ("QueueStatus", ()))
_OTHERS: Final = frozenset({"Status", "BridgeListItem", "QueueEntry"})


class Snapshots:
    """Of one PBX. `item` takes each list item from the socket; answers to our actions are no entries."""

    def __init__(self, sequence: Sequence, interval: float, stamped: Callable[[], bool]) -> None:
        self._sequence, self._interval, self._stamped = sequence, interval, stamped
        self._items: list[Message] = []
        self._others: list[Message] = []
        self._wanted = asyncio.Event()
        self._taken_at: datetime | None = None  # by the clock of entries that are ours

    def item(self, message: Message) -> None:
        name = message.first("Event")
        if name == "CoreShowChannel":
            self._items.append(message)
        elif name in _OTHERS:
            self._others.append(message)

    def ask(self, suspect_since: datetime) -> None:
        """The state may be wrong since then, says the projector."""
        if self._taken_at is None or suspect_since > self._taken_at:
            self._wanted.set()

    async def run(self, link: Link) -> None:
        """One at once, then at intervals and when asked. Until cancelled."""
        while True:
            self._wanted.clear()
            try:
                wait = await self._take(link)
            except LinkError as error:  # a PBX that did not answer this once may answer the next time
                _log.warning("no snapshot", pbx=self._sequence.pbx, why=str(error))
                wait = AGAIN
            await asyncio.sleep(AGAIN)
            await self._until_wanted(wait - AGAIN)

    async def _until_wanted(self, patience: float) -> None:
        try:
            async with asyncio.timeout(patience):
                await self._wanted.wait()
        except TimeoutError:
            return

    async def _take(self, link: Link) -> float:
        """Seconds until the next one is due."""
        later = self._interval * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311  # not all PBXs at once
        self._items, self._others = [], []
        began = await self._time(link)
        answers = await link.ask_list("CoreShowChannels")
        for action, headers in _ASKED:
            await link.ask_list(action, *headers)
        ended = await self._time(link)
        items, self._items = self._items, []
        if len(answers) == 1 and not answers[0].success:
            metrics.SNAPSHOTS.labels(self._sequence.pbx, "refused").inc()
            hint = "the AMI user needs write = reporting"
            _log.warning("snapshot refused", pbx=self._sequence.pbx, said=answers[0].message[:200], hint=hint)
            return later
        counted = answers[-1].get("listitems", "")
        complete = counted == str(len(items))
        self._tell(items, began, ended, complete=complete)
        metrics.SNAPSHOTS.labels(self._sequence.pbx, "complete" if complete else "incomplete").inc()
        return later if complete else AGAIN

    async def _time(self, link: Link) -> datetime:
        """By the clock of the events; what is older is on the wire before this returns."""
        sent = datetime.now(UTC)
        pong = await link.ask("Ping")
        return (moment(pong.get("timestamp", "")) if self._stamped() else None) or sent

    def _tell(self, items: list[Message], began: datetime, ended: datetime, *, complete: bool) -> None:
        sequence = self._sequence
        sequence.add(SnapshotBegin, watermark=began)
        for message in items:
            sequence.add(SnapshotChannel, weight=1000, fields=message.fields)
        for message in self._others:
            sequence.add(SnapshotItem, weight=1000, name=message.first("Event"), fields=message.fields)
        self._others = []
        sequence.add(SnapshotEnd, watermark=ended, channels=len(items), complete=complete)
        sequence.soon()
        if complete:
            self._taken_at = began
