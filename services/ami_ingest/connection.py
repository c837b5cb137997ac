"""Listens to one PBX for as long as it is ours: connects, publishes what it says, watches the link, connects again.

1. Events are held from the login until FullyBooted has come (or 1 s has passed), so that the first record already
   knows the boot; then come connection.up, gap and what was held, in order. Heartbeats are never held.
2. The answers to our own actions are not entries; every event is.
3. A link without a byte for `silence` seconds is cut: pings make an idle PBX say something.
4. Each ping gives a lower bound of the PBX's clock minus ours: its stamp minus when we read it. The highest of the
   last few is the offset, so the time of our own entries never runs ahead of the PBX's events, however late we read.
5. Backoff with jitter between connections; it starts again from its first wait once a link has lasted.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import stamina
import structlog

from ami_ingest import boots, metrics
from ami_ingest.sequence import Sequence
from ami_ingest.settings import Settings
from legbook.ami.framing import Frame
from legbook.ami.message import Message, first, parse
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Drop, Event, Gap, Heartbeat
from legbook.runtime.amilink import ACTION_PREFIX, Link, LinkError
from legbook.runtime.fleet import Pbx

_log = structlog.get_logger("ami_ingest")
HELD_FOR: Final = 1.0
LASTED: Final = 10.0  # a link this old starts a fresh backoff when it ends
BEAT: Final = 1.0
OFFSETS: Final = 6  # pings


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
        self._pbx, self._login, self._sequence, self._settings = pbx, login, sequence, settings
        self._boot_known = boot_known
        self._name = sequence.pbx
        self._link: Link | None = None
        self._held: list[tuple[Message, int, int]] | None = None  # with its bytes and those dropped
        self._booted: asyncio.Future[int | None] | None = None
        self._rtt: float | None = None
        self._offsets: deque[float] = deque(maxlen=OFFSETS)
        self._up = False
        self._rose = 0.0
        self._shutdown = False  # Asterisk has said that it stops
        self._last_up: datetime | None = None
        self._told = ""
        metrics.CONNECTED.labels(self._name).set(0)

    @property
    def up(self) -> bool:
        return self._up

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._beat())
            while True:
                await self._with_backoff()

    async def stop(self) -> None:
        """The last word of this ownership."""
        self._down(LinkError("stopped", "the worker stops"))
        self._sequence.flush()

    async def _with_backoff(self) -> None:
        settings = self._settings
        async for attempt in stamina.retry_context(
            on=LinkError,
            attempts=None,
            timeout=None,
            wait_initial=settings.backoff_first,
            wait_max=settings.backoff_most,
            wait_jitter=settings.backoff_first,
        ):
            with attempt:
                await self._once()

    async def _once(self) -> None:
        """One link from connect to end. LinkError, unless it had lasted."""
        try:
            await self._listen()
        except LinkError as error:
            lasted = self._up and asyncio.get_running_loop().time() - self._rose >= LASTED
            self._down(error)
            if not lasted:
                raise
        finally:
            if self._link is not None:
                self._link.close()
                self._link = None

    async def _listen(self) -> None:
        self._held, self._shutdown = [], False
        self._offsets.clear()  # it may be another process with another clock
        self._booted = asyncio.get_running_loop().create_future()
        username, secret = self._login
        self._link = link = await Link.open(
            self._pbx.host,
            self._pbx.port,
            tls=self._pbx.tls,
            username=username,
            secret=secret,
            sink=self._frame,
            flushed=self._sequence.soon,
        )
        await self._ping(link)
        await self._rise(link)
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(self._watch(link))
            end = await link.ended()
            watching.cancel()
        raise LinkError("shutdown", str(end), end.half) if self._shutdown else end

    async def _rise(self, link: Link) -> None:
        """Finds the boot, then lets the log begin."""
        boot = await self._find_boot(link)
        settled = boots.settled(self._sequence.boot, boot)
        self._sequence.start_boot(settled)
        version = link.banner.partition("/")[2] or None
        self._sequence.add(ConnectionUp, banner=link.banner, version=version, boot=settled)
        self._sequence.add(Gap, since=self._last_up, reason="reconnect" if self._last_up else "start")
        held, self._held = self._held or [], None
        for each in held:
            self._publish(*each)
        self._sequence.soon()
        self._up, self._told, self._rose = True, "", asyncio.get_running_loop().time()
        metrics.CONNECTED.labels(self._name).set(1)
        metrics.CONNECTS.labels(self._name).inc()
        _log.info("connected", pbx=self._name, banner=link.banner, boot=settled, epoch=self._sequence.epoch)
        if settled is not None:
            self._boot_known(settled)

    async def _find_boot(self, link: Link) -> int | None:
        assert self._booted is not None  # noqa: S101  # set by _listen, for the type checker
        try:
            async with asyncio.timeout(HELD_FOR):
                uptime = await asyncio.shield(self._booted)
        except TimeoutError:
            uptime = None  # no `system` in the read classes
        if uptime is not None:
            return boots.started(self._pbx_now().timestamp(), uptime)
        status = await link.ask("CoreStatus")
        return boots.started_by_status(status.corestartupdate, status.corestartuptime, self._pbx.zone)

    def _pbx_now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._sequence.offset or 0.0)

    def _frame(self, frame: Frame) -> None:
        """From the socket, in order; never raises, never waits."""
        message = parse(frame)
        name = message.first("Event")
        if not name or message.first("ActionID").startswith(ACTION_PREFIX):
            return
        if name == "FullyBooted" and self._booted is not None and not self._booted.done():
            uptime = message.first("Uptime")
            self._booted.set_result(int(uptime) if uptime.isdecimal() and len(uptime) < 12 else None)
        self._shutdown = self._shutdown or name == "Shutdown"
        if self._held is None:
            self._publish(message, len(frame.data), frame.dropped)
        else:
            self._held.append((message, len(frame.data), frame.dropped))

    def _publish(self, message: Message, size: int, dropped: int) -> None:
        name = message.first("Event")
        metrics.EVENTS.labels(self._name).inc()
        for flag in message.flags:
            metrics.FLAGGED.labels(self._name, flag).inc()
        self._sequence.add(
            Event,
            at=_stamp(message) if "Timestamp" in message.fields else None,
            weight=size * 2,
            name=name,
            fields=message.fields,
            flags=list(message.flags),
            raw_b64=message.raw_b64,
        )
        if dropped:
            self._sequence.add(Drop, reason="long", size=dropped, name=name)

    async def _watch(self, link: Link) -> None:
        """Pings; cuts a link that says nothing."""
        while True:
            await asyncio.sleep(self._settings.ping_interval)
            try:
                await self._ping(link)
            except LinkError:
                if link.silence >= self._settings.silence:
                    link.close(LinkError("silent", f"nothing for {link.silence:.0f} s, cut"))

    async def _ping(self, link: Link) -> None:
        patience = max(0.5, self._settings.silence - link.silence)
        sent = datetime.now(UTC)
        answer = await link.ask("Ping", patience=patience)
        got = datetime.now(UTC)
        self._rtt = (got - sent).total_seconds()
        metrics.PING.labels(self._name).set(self._rtt)
        if (stamp := _time(answer.get("timestamp", ""))) is not None:
            self._offsets.append((stamp - got).total_seconds())
            self._sequence.offset = max(self._offsets)
            metrics.OFFSET.labels(self._name).set(self._sequence.offset)

    def _down(self, error: LinkError) -> None:
        metrics.LINK_ENDS.labels(self._name, error.reason).inc()
        if self._up:
            self._last_up = datetime.now(UTC)
            if error.half:
                self._sequence.add(Drop, reason="half_frame", size=error.half)
            self._sequence.add(ConnectionDown, reason=error.reason, detail=str(error))
            self._sequence.soon()
        self._up = False
        metrics.CONNECTED.labels(self._name).set(0)
        if self._told != str(error):  # one line for the same trouble, however often it comes
            self._told = str(error)
            _log.warning("not connected", pbx=self._name, reason=error.reason, why=str(error))

    async def _beat(self) -> None:
        """At once: it tells readers that a new epoch has begun."""
        while True:
            state = "up" if self._up else "down"
            self._sequence.add(Heartbeat, state=state, offset=self._sequence.offset, rtt=self._rtt)
            self._sequence.soon()
            await asyncio.sleep(BEAT)


def _stamp(message: Message) -> datetime | None:
    return _time(first(message.fields, "Timestamp"))


def _time(text: str) -> datetime | None:
    """`1795396901.426113`: read as decimal digits, a float would lose the last microsecond."""
    whole, _, fraction = text.partition(".")
    if not (whole.isdecimal() and whole.isascii() and len(whole) < 12):
        return None
    micros = int(fraction[:6].ljust(6, "0")) if fraction.isdecimal() and fraction.isascii() else 0
    return datetime.fromtimestamp(int(whole), UTC) + timedelta(microseconds=micros)
