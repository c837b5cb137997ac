"""The fake PBX as a whole: its port, its stage, and what tests do to it (restart, cut links, bad bytes)."""

import asyncio
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from legbook.fakepbx.actions import ActionLog
from legbook.fakepbx.answers import HANDLERS
from legbook.fakepbx.clicks import Click, Clicks
from legbook.fakepbx.clock import Clock, Speed, TimeSource
from legbook.fakepbx.conversation import converse
from legbook.fakepbx.lists import Live
from legbook.fakepbx.lists.channels import Channels
from legbook.fakepbx.moments import from_datetime, from_seconds, to_datetime
from legbook.fakepbx.player import Playlist, Round
from legbook.fakepbx.recording import Recording, load
from legbook.fakepbx.session import Session
from legbook.fakepbx.stage import Stage
from legbook.fakepbx.switch import Handler, Settings, Switch
from legbook.fakepbx.truth import Truth
from legbook.fakepbx.users import User

HOST = "127.0.0.1"


class FakePbx:
    """`await start()`, `begin()`, …, `await stop()`, or `async with`. All of it in the caller's event loop.

    `boot` is what the PBX clock shows when this is made (default: now); Uptime counts from there. `username` may do
    everything, `others` what they say. `clicks`: recordings of an Originate, played for the endpoint and exten that
    they were made with. A reader that takes nothing for `write_timeout` seconds once the kernel's buffers are full is
    cut, except flat out: there everybody waits for the slowest reader.
    """

    def __init__(
        self,
        name: str,
        recordings: Sequence[Path | Recording],
        *,
        username: str,
        secret: str,
        others: Sequence[User] = (),
        clicks: Sequence[Path | Recording] = (),
        port: int = 0,
        speed: Speed = 1.0,
        rounds: int | None = 1,
        spacing: float | None = None,
        boot: datetime | None = None,
        banner: str | None = None,
        begin_on_login: bool = False,
        write_timeout: float = 0.1,
        time_source: TimeSource | None = None,
    ) -> None:
        loaded = _loaded(recordings)
        self.clicks = Clicks(_loaded(clicks))
        playlist = Playlist(loaded, rounds=rounds, spacing=spacing)
        clock = _clock(boot, speed, time_source)
        settings = _settings(loaded[0], name, [User(username, secret), *others], banner)
        self._switch = Switch(
            settings, clock, dict(HANDLERS), self._logged_in, self._hang_up, self._originate
        )
        self._stage = Stage(name, playlist, clock, self._switch.deliver)
        self.truth = Truth(self._stage.rounds)
        self.port = port
        self._begin_on_login = begin_on_login
        self._write_timeout = None if clock.flat else write_timeout
        self._player: asyncio.Task[None] | None = None
        self._stopping = asyncio.Event()
        self._main: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup | None = None
        self._conversations: dict[asyncio.Task[None], Session] = {}
        self._connections = 0
        self._cut: list[int] = []

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
        return self._stage.rounds

    @property
    def cut_readers(self) -> int:
        """How many sessions were cut because they did not read."""
        return len(self._cut)

    @property
    def cut_sessions(self) -> Sequence[int]:
        """Their numbers, as in `actions`."""
        return tuple(self._cut)

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
        if self._stage.begun:
            raise RuntimeError("the timeline has begun already")
        self._stage.begin()
        self._play(self._group)

    async def finished_playing(self) -> None:
        """Returns when the last event of the last round was written to every session."""
        await self._happened(self._stage.over)

    async def restart(self) -> None:
        """A new boot: calls in the air are gone, sessions closed, Uptime 0; `begin()` starts the next round."""
        if self._player is not None:
            await _cancelled([self._player])
        self._player = None
        self._stage.cut()
        await _cancelled(list(self._conversations))
        self._switch.live = Live()
        self._stage.reboot()

    def drop_sessions(self, username: str | None = None) -> None:
        """Cuts every link, or those of this user, without a goodbye."""
        for session in self._switch.sessions:
            if username is None or (session.user is not None and session.user.username == username):
                session.cut()

    def inject(self, data: bytes) -> None:
        """Raw bytes to every session that is logged in, whatever its mask."""
        for session in self._switch.sessions:
            if session.user is not None:
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
        session = Session(self._connections, writer, self._write_timeout, self._cut.append)
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
        """Of the first user: the others may come before anybody listens."""
        first = session.user is self._switch.settings.users[0]
        if self._begin_on_login and first and session.mask and not self._stage.begun:
            self.begin()

    def _hang_up(self, uniqueid: str, cause: int | None) -> None:
        if not self._stage.hang_up(uniqueid, cause):
            self._switch.end_channel(uniqueid, cause)
        elif self._group is not None and not self._switch.clock.flat:
            self._play(self._group)  # the player sleeps until what was next before

    def _originate(self, endpoint: str, exten: str, click: Click) -> bool:
        recording = self.clicks.take(endpoint, exten)
        if recording is None or not self._stage.originate(recording, click):
            return False
        if self._group is not None and not self._switch.clock.flat:
            self._play(self._group)
        return True

    def _play(self, group: asyncio.TaskGroup) -> None:
        if self._player is not None:
            self._player.cancel()
        self._player = group.create_task(self._stage.play(self._drain), name="player")

    async def _drain(self) -> None:
        for session in list(self._switch.sessions):
            await session.drain()


def _loaded(recordings: Sequence[Path | Recording]) -> list[Recording]:
    return [item if isinstance(item, Recording) else load(item) for item in recordings]


def _clock(boot: datetime | None, speed: Speed, source: TimeSource | None) -> Clock:
    at = from_seconds(time.time()) if boot is None else from_datetime(boot)
    return Clock(at, speed=speed, source=source)


def _settings(first: Recording, name: str, users: Sequence[User], banner: str | None) -> Settings:
    """The PBX is of the version that its first recording was made with."""
    return Settings(name, users, banner or first.banner, first.asterisk, first.system_name)


async def _cancelled(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    if tasks:
        await asyncio.wait(tasks)
