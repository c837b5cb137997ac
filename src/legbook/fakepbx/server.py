"""The fake PBX as a whole: its port, its timeline, and what tests do to it (restart, cut links, bad bytes)."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from legbook.fakepbx.actions import ActionLog
from legbook.fakepbx.answers import HANDLERS
from legbook.fakepbx.channels import Channels
from legbook.fakepbx.clock import Clock, Speed, TimeSource
from legbook.fakepbx.conversation import converse
from legbook.fakepbx.identities import Mint
from legbook.fakepbx.moments import from_datetime, from_seconds, to_datetime
from legbook.fakepbx.player import Playlist, Round, Timeline
from legbook.fakepbx.recording import Recording, load
from legbook.fakepbx.session import Session
from legbook.fakepbx.switch import Handler, Settings, Switch
from legbook.fakepbx.truth import Truth

HOST = "127.0.0.1"
_BATCH = 256  # events between two turns of everybody else


class FakePbx:
    """`await start()`, `begin()`, …, `await stop()`, or `async with`. All of it in the caller's event loop.

    `boot` is what the PBX clock shows when this is made (default: now); Uptime counts from there.
    """

    def __init__(
        self,
        name: str,
        recordings: Sequence[Path | Recording],
        *,
        username: str,
        secret: str,
        port: int = 0,
        speed: Speed = 1.0,
        rounds: int | None = 1,
        spacing: float | None = None,
        boot: datetime | None = None,
        banner: str | None = None,
        begin_on_login: bool = False,
        time_source: TimeSource | None = None,
    ) -> None:
        loaded = [item if isinstance(item, Recording) else load(item) for item in recordings]
        self._playlist = Playlist(loaded, rounds=rounds, spacing=spacing)
        clock = _clock(boot, speed, time_source)
        settings = _settings(loaded[0], name=name, username=username, secret=secret, banner=banner)
        self._switch = Switch(settings, clock, dict(HANDLERS), self._logged_in)
        self._mint = Mint(name, clock.boot)
        self._rounds: list[Round] = []
        self.truth = Truth(self._rounds)
        self.port = port
        self._begin_on_login = begin_on_login
        self._timeline: Timeline | None = None
        self._player: asyncio.Task[None] | None = None
        self._over = asyncio.Event()
        self._stopping = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._played = clock.boot  # the moment of the last event that was delivered
        self._conversations: dict[asyncio.Task[None], Session] = {}
        self._connections = 0

    @property
    def actions(self) -> ActionLog:
        """Every action received."""
        return self._switch.actions

    @property
    def handlers(self) -> dict[str, Handler]:
        """Lower-case action name -> handler; change it at any time."""
        return self._switch.handlers

    @property
    def channels(self) -> Channels:
        """The channels that are up now."""
        return self._switch.channels

    @property
    def rounds(self) -> Sequence[Round]:
        """The rounds opened so far."""
        return self._rounds

    def now(self) -> datetime:
        """What the clock of the PBX shows."""
        return to_datetime(self._switch.clock.now())

    @property
    def boot(self) -> datetime:
        return to_datetime(self._switch.clock.boot)

    async def start(self) -> None:
        """Listens when it returns; OSError if the port is taken."""
        server = await asyncio.start_server(self._accept, HOST, self.port, start_serving=False)
        self.port = server.sockets[0].getsockname()[1]
        listening = asyncio.Event()
        self._main = asyncio.create_task(self._run(server, listening), name=f"fakepbx {self.name}")
        await self._happened(listening)

    async def stop(self) -> None:
        """Ends everything; an error that any of its tasks had is raised here."""
        self._stopping.set()
        if self._main is not None:
            await self._main

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    def begin(self) -> None:
        """The timeline starts now, or goes on with the next round after a restart."""
        if self._group is None:
            raise RuntimeError("start() comes before begin()")
        if self._timeline is not None:
            raise RuntimeError("the timeline has begun already")
        self._over.clear()
        self._played = now = self._switch.clock.now()
        self._timeline = Timeline(self._playlist, begins=now, mint=self._mint, opened=self._rounds)
        self._player = self._group.create_task(self._play(self._timeline), name="player")

    async def finished_playing(self) -> None:
        """Returns when the last event of the last round was written to every session."""
        await self._happened(self._over)

    async def restart(self) -> None:
        """A new boot: calls in the air are gone, sessions closed, Uptime 0; `begin()` starts the next round."""
        if self._player is not None:
            await _cancelled([self._player])
        self._cut_rounds()
        self._timeline = self._player = None
        await _cancelled(list(self._conversations))
        self._switch.channels = Channels()
        self._switch.clock.reboot()
        self._mint = Mint(self.name, self._switch.clock.boot)

    def drop_sessions(self) -> None:
        """Cuts every link, without a goodbye."""
        for session in self._switch.sessions:
            session.cut()

    def inject(self, data: bytes) -> None:
        """Raw bytes to every session that is logged in, whatever its mask."""
        for session in self._switch.sessions:
            if session.logged_in:
                session.write(data)

    def emit(self, name: str, privilege: str, headers: Sequence[tuple[str, str]]) -> None:
        """An event of the test's own, at the time of now; channels move with it."""
        self._switch.emit(name, privilege, headers)

    @property
    def name(self) -> str:
        return self._switch.settings.name

    async def _run(self, server: asyncio.Server, listening: asyncio.Event) -> None:
        async with server, asyncio.TaskGroup() as self._group:
            try:
                await server.start_serving()
                listening.set()
                await self._stopping.wait()
            finally:
                server.close()
            for task in [*self._conversations, *([self._player] if self._player else [])]:
                task.cancel()

    async def _happened(self, event: asyncio.Event) -> None:
        """Waits for it, unless the PBX ends before: then its error, or that it was stopped, is raised."""
        if self._main is None:
            raise RuntimeError("start() was not called")
        waiting = asyncio.create_task(event.wait())
        try:
            await asyncio.wait({waiting, self._main}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not event.is_set():
            self._main.result()
            raise RuntimeError(f"fake PBX {self.name} was stopped")

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections += 1
        session = Session(self._connections, writer)
        if self._group is None or self._stopping.is_set():
            session.cut()
            return
        task = self._group.create_task(self._serve(session, reader), name=f"session {session.number}")
        self._conversations[task] = session
        task.add_done_callback(self._conversations.pop)

    async def _serve(self, session: Session, reader: asyncio.StreamReader) -> None:
        self._switch.sessions.append(session)
        try:
            await converse(self._switch, session, reader)
        finally:
            self._switch.sessions.remove(session)
            await session.finish()

    def _logged_in(self, session: Session) -> None:
        if self._begin_on_login and session.mask and self._timeline is None:
            self.begin()

    async def _play(self, timeline: Timeline) -> None:
        clock = self._switch.clock
        while (moment := timeline.next_moment()) is not None:
            await clock.reach(moment)
            self._advance(timeline, None if clock.flat else clock.now())
            if clock.flat:
                for session in list(self._switch.sessions):
                    await session.drain()
        self._over.set()

    def _advance(self, timeline: Timeline, until: int | None) -> None:
        events, moment = timeline.take(until, _BATCH)
        if events:
            self._switch.deliver(events)
            self._played = moment

    def _cut_rounds(self) -> None:
        """What is due is still said; whatever a round would do after that never happens."""
        clock, timeline = self._switch.clock, self._timeline
        if timeline is None:
            return
        if not clock.flat:
            now = clock.now()
            while (moment := timeline.next_moment()) is not None and moment <= now:
                self._advance(timeline, now)
            self._played = now
        for playing in self._rounds:
            if playing.cut is None and playing.started + playing.recording.length > self._played:
                playing.cut = self._played


def _clock(boot: datetime | None, speed: Speed, source: TimeSource | None) -> Clock:
    at = from_seconds(time.time()) if boot is None else from_datetime(boot)
    return Clock(at, speed=speed, source=source)


def _settings(first: Recording, *, name: str, username: str, secret: str, banner: str | None) -> Settings:
    """The PBX is of the version that its first recording was made with."""
    return Settings(name, username, secret, banner or first.banner, first.asterisk, first.system_name)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
