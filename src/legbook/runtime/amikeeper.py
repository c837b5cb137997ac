"""Keeps one PBX connected: one link after the other, watched by pings, with backoff in between.

1. A link without a byte for `silence` seconds is cut: pings make an idle PBX say something.
2. Backoff with jitter between links; it starts again from its first wait once a link has lasted.
3. The same trouble is told once, however often it comes.
"""

import asyncio
import contextlib
from datetime import UTC, datetime
from typing import Final, Protocol

import stamina
import structlog
from panoramisk.message import Message

from legbook.ami.framing import Frame
from legbook.runtime.amilink import Link, LinkError
from legbook.runtime.fleet import Pbx
from legbook.runtime.settings import AmiSettings

_log = structlog.get_logger("legbook.ami")
LASTED: Final = 10.0  # seconds; a link this old starts a fresh backoff when it ends


class Listener(Protocol):
    """What a service does with the link to one PBX."""

    def frame(self, frame: Frame) -> None:
        """From the socket, in order; never raises, never waits."""

    def flushed(self) -> None:
        """The socket has no more at hand."""

    async def rise(self, link: Link) -> None:
        """Logged in, and pinged once; the link is up when this returns. LinkError ends it."""

    async def attend(self, link: Link) -> None:
        """Beside the watch, while the link is up; cancelled at its end."""

    def pinged(self, sent: datetime, got: datetime, answer: Message) -> None:
        """A ping came back."""

    def down(self, error: LinkError, *, was_up: bool) -> None:
        """The link is over, or could not be made."""


class Keeper:
    """`name`: of the PBX; `login`: (username, secret)."""

    def __init__(
        self, name: str, pbx: Pbx, login: tuple[str, str], settings: AmiSettings, listener: Listener
    ) -> None:
        self._name, self._pbx, self._login = name, pbx, login
        self._settings, self._listener = settings, listener
        self._link: Link | None = None
        self._up = False
        self._rose = 0.0
        self._told = ""

    @property
    def link(self) -> Link | None:
        """While it is up."""
        return self._link if self._up else None

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._with_backoff()

    def stop(self) -> None:
        """After `run` was cancelled: the last word."""
        self._down(LinkError("stopped", "the worker stops"))

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
            await self._hold()
        except LinkError as error:
            lasted = self._up and asyncio.get_running_loop().time() - self._rose >= LASTED
            self._down(error)
            if not lasted:
                raise
        finally:
            if self._link is not None:
                self._link.close()
                self._link = None

    async def _hold(self) -> None:
        username, secret = self._login
        self._link = link = await Link.open(
            self._pbx.host,
            self._pbx.port,
            tls=self._pbx.tls,
            username=username,
            secret=secret,
            sink=self._listener.frame,
            flushed=self._listener.flushed,
        )
        await self._ping(link)
        await self._listener.rise(link)
        self._up, self._told, self._rose = True, "", asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as tasks:
            beside = [tasks.create_task(self._watch(link)), tasks.create_task(self._attend(link))]
            end = await link.ended()
            for each in beside:
                each.cancel()
        raise end

    async def _watch(self, link: Link) -> None:
        while True:
            await asyncio.sleep(self._settings.ping_interval)
            try:
                await self._ping(link)
            except LinkError:
                if link.silence >= self._settings.silence:
                    link.close(LinkError("silent", f"nothing for {link.silence:.0f} s, cut"))

    async def _attend(self, link: Link) -> None:
        with contextlib.suppress(LinkError):  # the link's own end is told by `ended`
            await self._listener.attend(link)

    async def _ping(self, link: Link) -> None:
        patience = max(0.5, self._settings.silence - link.silence)
        sent = datetime.now(UTC)
        answer = await link.ask("Ping", patience=patience)
        self._listener.pinged(sent, datetime.now(UTC), answer)

    def _down(self, error: LinkError) -> None:
        was_up, self._up = self._up, False
        self._listener.down(error, was_up=was_up)
        if self._told != str(error):
            self._told = str(error)
            _log.warning("not connected", pbx=self._name, reason=error.reason, why=str(error))
