"""Listens to one PBX for as long as it is ours, and publishes what it says.

1. Events are held from the login until FullyBooted has come (or 1 s has passed), so that the first record already
   knows the boot; then come connection.up, gap and what was held, in order. Heartbeats are never held.
2. The answers to our own actions are not entries; every event is.
3. Each ping gives a lower bound of the PBX's clock minus ours: its stamp minus when we read it. The highest of the
   last few is the offset, so the time of our own entries never runs ahead of the PBX's events, however late we read.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final

import structlog
from panoramisk.message import Message as Answer

from ami_ingest import boots, metrics
from ami_ingest.sequence import Sequence
from ami_ingest.settings import Settings
from ami_ingest.snapshot import Snapshots
from ami_ingest.stamps import moment
from legbook.ami.framing import Frame
from legbook.ami.message import Message, parse
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Down, Drop, Event, Gap, Heartbeat
from legbook.runtime.amikeeper import Keeper
from legbook.runtime.amilink import ACTION_PREFIX, Link, LinkError
from legbook.runtime.fleet import Pbx

_log = structlog.get_logger("ami_ingest")
HELD_FOR: Final = 1.0
BEAT: Final = 1.0
OFFSETS: Final = 6  # pings


@dataclass(slots=True)
class State:
    """Of the link, for `pbx.status.v1`; moments are of our clock."""

    up: bool = False
    reason: str = "start"
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    ami: str | None = None  # version of the manager interface
    asterisk: str | None = None
    last_gap: datetime | None = None


class Connection:
    """`boot_known` is told each boot, for the owner record."""

    def __init__(
        self,
        pbx: Pbx,
        login: tuple[str, str],
        sequence: Sequence,
        settings: Settings,
        boot_known: Callable[[int], None],
    ) -> None:
        self._pbx, self._sequence, self._boot_known = pbx, sequence, boot_known
        self._name = sequence.pbx
        self._keeper = Keeper(self._name, pbx, login, settings, self)
        self.snapshots = Snapshots(sequence, settings.snapshot_interval, lambda: self._stamped)
        self._held: list[tuple[Message, int, int]] | None = None  # with its bytes and those dropped
        # the uptime that FullyBooted tells, and when we read that
        self._booted: asyncio.Future[tuple[int, datetime] | None] = asyncio.get_running_loop().create_future()
        self._rtt: float | None = None
        self._offsets: deque[float] = deque(maxlen=OFFSETS)
        self._stamped = True  # events carry the PBX's time, as they should
        self._shutdown = False  # Asterisk has said that it stops
        self._read = metrics.EVENTS.labels(self._name)  # looking it up costs a tenth of an event
        self._last_up: datetime | None = None
        self.state = State()
        metrics.CONNECTED.labels(self._name).set(0)

    @property
    def up(self) -> bool:
        return self._keeper.link is not None

    async def run(self) -> None:
        """Until cancelled."""
        self._begin()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            tasks.create_task(self._keeper.run())

    def stop(self, reason: Down = "stopped") -> None:
        """The last word of this ownership. `removed`: the PBX has left the fleet."""
        self._keeper.stop()
        if reason == "removed":
            self._sequence.add(ConnectionDown, reason=reason)
        self._sequence.flush()

    def _begin(self) -> None:
        """For the next link: it may be to another process, with another clock."""
        self._held, self._shutdown = [], False
        self._offsets.clear()
        self._booted = asyncio.get_running_loop().create_future()

    async def rise(self, link: Link) -> None:
        """Finds the boot, then lets the log begin."""
        boot = await self._find_boot(link)
        settled = boots.settled(self._sequence.boot, boot, self._doubt(link))
        self._sequence.start_boot(settled)
        version = link.banner.partition("/")[2] or None
        self._sequence.add(ConnectionUp, banner=link.banner, version=version, boot=settled)
        self._sequence.add(Gap, since=self._last_up, reason="reconnect" if self._last_up else "start")
        held, self._held = self._held or [], None
        for each in held:
            self._publish(*each)
        self._sequence.soon()
        now = datetime.now(UTC)
        self.state = State(up=True, reason="", since=now, ami=version, last_gap=now)
        metrics.CONNECTED.labels(self._name).set(1)
        metrics.CONNECTS.labels(self._name).inc()
        _log.info("connected", pbx=self._name, banner=link.banner, boot=settled, epoch=self._sequence.epoch)
        if settled is not None:
            self._boot_known(settled)

    async def attend(self, link: Link) -> None:
        """What takes its time, while events are published already."""
        with contextlib.suppress(LinkError):  # nice to know, no more
            settings = await link.ask("CoreSettings")
            self.state = replace(self.state, asterisk=settings.get("asteriskversion", "")[:80] or None)
        await self.snapshots.run(link)

    async def _find_boot(self, link: Link) -> int | None:
        try:
            async with asyncio.timeout(HELD_FOR):
                booted = await asyncio.shield(self._booted)
        except TimeoutError:
            booted = None  # no `system` in the read classes
        if booted is not None:
            uptime, read_at = booted  # not the time of now: a ping that took seconds would be another boot
            return boots.started(read_at.timestamp() + (self._sequence.offset or 0.0), uptime)
        status = await link.ask("CoreStatus")
        return boots.started_by_status(status.corestartupdate, status.corestartuptime, self._pbx.zone)

    def _doubt(self, link: Link) -> float:
        """How late its uptime and the stamp of its pong may have come: no more than since they were asked for."""
        booted = self._booted.result() if self._booted.done() else None
        told = (booted[1] - link.asked_login).total_seconds() if booted else 0.0
        return max(0.0, told) + (self._rtt or 0.0)

    def flushed(self) -> None:
        self._sequence.soon()

    def frame(self, frame: Frame) -> None:
        message = parse(frame)
        name = message.first("Event")
        if not name:
            return
        if message.first("ActionID").startswith(ACTION_PREFIX):
            self.snapshots.item(message)
            return
        if name == "FullyBooted" and not self._booted.done():
            uptime = message.first("Uptime")
            good = uptime.isascii() and uptime.isdecimal() and len(uptime) < 12
            self._booted.set_result((int(uptime), datetime.now(UTC)) if good else None)
        self._shutdown = self._shutdown or name == "Shutdown"
        if self._held is None:
            self._publish(message, len(frame.data), frame.dropped)
        else:
            self._held.append((message, len(frame.data), frame.dropped))

    def _publish(self, message: Message, size: int, dropped: int) -> None:
        name, stamp = message.first("Event"), moment(message.first("Timestamp"))
        if name != "FullyBooted":  # the login writes it itself, always without
            self._stamped = stamp is not None
        self._read.inc()
        for flag in message.flags:
            metrics.FLAGGED.labels(self._name, flag).inc()
        self._sequence.add(
            Event,
            at=stamp,
            weight=size * 2,
            name=name,
            fields=message.fields,
            flags=list(message.flags),
            raw_b64=message.raw_b64,
        )
        if dropped:
            self._sequence.add(Drop, reason="long", size=dropped, name=name)

    def pinged(self, sent: datetime, got: datetime, answer: Answer) -> None:
        self._rtt = (got - sent).total_seconds()
        metrics.PING.labels(self._name).set(self._rtt)
        if (stamp := moment(answer.get("timestamp", ""))) is not None:
            self._offsets.append((stamp - got).total_seconds())
            self._sequence.offset = max(self._offsets)
            metrics.OFFSET.labels(self._name).set(self._sequence.offset)

    def down(self, error: LinkError, *, was_up: bool) -> None:
        reason: Down = "shutdown" if self._shutdown else error.reason
        metrics.LINK_ENDS.labels(self._name, reason).inc()
        if was_up:
            self._last_up = datetime.now(UTC)
            if error.half:
                self._sequence.add(Drop, reason="half_frame", size=error.half)
            self._sequence.add(ConnectionDown, reason=reason, detail=str(error))
            self._sequence.soon()
        if was_up or self.state.reason != reason:
            self.state = State(reason=reason, last_gap=self.state.last_gap)
        metrics.CONNECTED.labels(self._name).set(0)
        self._begin()

    async def _beat(self) -> None:
        """At once: it tells readers that a new epoch has begun."""
        while True:
            state = "up" if self.up else "down"
            self._sequence.add(Heartbeat, state=state, offset=self._sequence.offset, rtt=self._rtt)
            self._sequence.soon()
            await asyncio.sleep(BEAT)
