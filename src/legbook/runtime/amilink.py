"""One AMI connection, from the greeting to its end: panoramisk's actions behind our own bytes protocol.

panoramisk 1.4 finds the answer that belongs to an action; what it does to the event stream is not used: it drops
characters that are split over two reads, swallows events that carry an ActionID, resends unanswered actions after
a reconnect, reconnects without backoff, and never does so again after `protocol.close()`.
"""

import asyncio
import itertools
import secrets
import ssl
import time
from collections.abc import Callable, Container, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final, cast

import structlog
from panoramisk.actions import Action
from panoramisk.ami_protocol import AMIProtocol
from panoramisk.manager import Manager
from panoramisk.message import Message

from legbook.ami import encode
from legbook.ami.framing import Frame, Framer
from legbook.contracts.raw import Down

_log = structlog.get_logger("legbook.ami")

GREETING: Final = b"Asterisk Call Manager/"
# of this process: its answers are not events, those to other processes of ours (OriginateResponse) are
ACTION_PREFIX: Final = f"legbook-{secrets.token_hex(4)}-"
# panoramisk takes these for text: repeated, they are lists that break it
_SINGLE: Final = ("actionid", "commandid", "event", "message", "response", "timestamp")
_numbers = itertools.count(1)


class LinkError(Exception):
    """The connection could not be made, or is over: `reason` for the log of entries, the text for people.

    `half`: bytes of a last frame that had not ended.
    """

    def __init__(self, reason: Down, text: str, half: int = 0) -> None:
        super().__init__(text)
        self.reason, self.half = reason, half


class _Everything(Container[str]):
    """Every action is forgettable: none is ever sent twice."""

    def __contains__(self, _: object) -> bool:
        return True


class _Action(Action):
    """Takes its bytes from the one encoder; panoramisk looks at the headers (`Async`) to know what will answer."""

    def __init__(self, written: bytes, headers: Mapping[str, str], action_id: str) -> None:
        super().__init__({**headers, "ActionID": action_id})
        self._written = written

    def __str__(self) -> str:
        return self._written.decode()


class _Once(Manager):
    """Answers for one connection; who wants another makes another."""

    def __init__(self) -> None:
        super().__init__(ping_delay=1 << 30, forgetable_actions=_Everything(), log=_log)
        self.loop = asyncio.get_running_loop()

    def close_pinger(self) -> None:
        """We ping ourselves, and look at the answers."""
        if self.pinger is not None:
            self.pinger.cancel()


class _Wire(AMIProtocol):
    """Whole frames to the sink, in order; those with an ActionID to panoramisk too."""

    def __init__(self, sink: Callable[[Frame], None], flushed: Callable[[], None]) -> None:
        self._sink, self._flushed = sink, flushed
        self._framer = Framer()
        self.heard = time.monotonic()
        self.greeting: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self.over: asyncio.Future[LinkError] = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.heard = time.monotonic()
        frames = self._framer.feed(data)
        if self._framer.banner is not None and not self.greeting.done():
            self._greet(self._framer.banner)
        for frame in frames:
            self._sink(frame)
            if b"\r\nActionID: " in frame.data:
                self._answer(frame)
        self._flushed()

    def _greet(self, banner: bytes) -> None:
        text = banner[:80].decode(errors="replace")
        if banner.startswith(GREETING):
            self.version = text.partition("/")[2]
            self.greeting.set_result(text)
        else:
            self.greeting.set_exception(LinkError("no_greeting", f"not an AMI server, it said {text!r}"))

    def _answer(self, frame: Frame) -> None:
        """Only what belongs to an action that waits: panoramisk would act upon events, e.g. close at a Shutdown."""
        message = Message.from_line(frame.data.decode(errors="replace"))
        if message is None or any(isinstance(message.get(name), list) for name in _SINGLE):
            return
        if message.get("actionid") in self.responses:
            self.handle_message(message)

    def connection_lost(self, exc: Exception | None) -> None:
        for action in self.responses.values():
            if not action.future.done():
                action.future.cancel()
        self.responses.clear()
        self.closed = True
        text = str(exc) if exc else "closed by the PBX"
        if not self.greeting.done():
            self.greeting.set_exception(LinkError("no_greeting", f"{text} before any greeting"))
        if not self.over.done():
            self.over.set_result(LinkError("closed", text, half=self._framer.pending))


class Link:
    """A logged-in connection. `sink` gets every frame, events and answers; `flushed` follows each read."""

    def __init__(self, wire: _Wire, manager: Manager, banner: str) -> None:
        self._wire, self._manager = wire, manager
        self.banner = banner
        self.asked_login = datetime.now(UTC)  # what the login says is younger than this

    @classmethod
    async def open(
        cls,
        host: str,
        port: int,
        *,
        tls: bool,
        username: str,
        secret: str,
        sink: Callable[[Frame], None],
        flushed: Callable[[], None],
        patience: float = 10.0,
    ) -> "Link":
        """Connects, checks the greeting, and only then sends the secret. LinkError says what went wrong."""
        manager, loop = _Once(), asyncio.get_running_loop()
        wire = None
        try:
            async with asyncio.timeout(patience):
                transport, wire = await loop.create_connection(
                    lambda: _Wire(sink, flushed),
                    host,
                    port,
                    ssl=ssl.create_default_context() if tls else None,
                )
                made: asyncio.Future[object] = loop.create_future()
                made.set_result((transport, wire))
                manager.connection_made(made)
                manager.close_pinger()
                banner = await wire.greeting
                link = cls(wire, manager, banner)
                await link._login(username, secret)
        except (OSError, TimeoutError, asyncio.CancelledError, LinkError) as error:
            if wire is not None:
                wire.transport.abort()
            raise _told(error, f"{host}:{port}", patience) from error
        return link

    async def _login(self, username: str, secret: str) -> None:
        action_id = f"{ACTION_PREFIX}{next(_numbers)}"
        written = encode.login(username, secret, action_id)
        answer = await self._answer(
            self._manager.send_action(_Action(written, {"Action": "Login"}, action_id))
        )
        if not answer.success:
            raise LinkError("login", f"login of {username!r} refused: {answer.message}")

    async def ask(self, name: str, *headers: tuple[str, str], patience: float = 10.0) -> Message:
        """One action with one answer. LinkError when none comes; BadActionError for what must not be written."""
        return cast("Message", await self._ask(name, headers, patience))

    async def ask_list(self, name: str, *headers: tuple[str, str], patience: float = 30.0) -> list[Message]:
        """One action answered by a list: the response, the items, the one that completes it. LinkError."""
        found = await self._ask(name, headers, patience)
        return found if isinstance(found, list) else [cast("Message", found)]  # an Error is alone

    async def _ask(self, name: str, headers: Iterable[tuple[str, str]], patience: float) -> object:
        (answer,) = self.send([("Action", name), *headers])
        try:
            async with asyncio.timeout(patience):
                return await self._answer(answer)
        except TimeoutError:
            raise LinkError("silent", f"no answer to {name} within {patience:.0f} s") from None

    def send(self, *actions: Iterable[tuple[str, str]]) -> list["asyncio.Future[Any]"]:
        """All in one write, now: nothing is awaited. The answers; one is cancelled if the link ends before it.

        LinkError and BadActionError: nothing was written.
        """
        if self._wire.over.done():
            raise self._wire.over.result()
        named = [(f"{ACTION_PREFIX}{next(_numbers)}", tuple(action)) for action in actions]
        written = [encode.encode([first, ("ActionID", i), *rest]) for i, (first, *rest) in named]
        together = [b"".join(written), *[b""] * (len(written) - 1)]  # panoramisk writes each action by itself
        return [
            self._manager.send_action(_Action(data, dict(headers), action_id))
            for data, (action_id, headers) in zip(together, named, strict=True)
        ]

    async def _answer(self, answer: "asyncio.Future[Any]") -> Any:
        try:
            return await answer
        except asyncio.CancelledError:
            cancelled = cast("asyncio.Task[object]", asyncio.current_task()).cancelling()
            if self._wire.over.done() and not cancelled:  # connection_lost cancelled the answer, nobody us
                raise self._wire.over.result() from None
            raise

    @property
    def silence(self) -> float:
        """Seconds since the last byte."""
        return time.monotonic() - self._wire.heard

    async def ended(self) -> LinkError:
        """Waits for the end of the connection; gives the reason."""
        return await asyncio.shield(self._wire.over)

    def close(self, why: LinkError | None = None) -> None:
        """At once, without a word to the PBX."""
        if why is not None and not self._wire.over.done():
            self._wire.over.set_result(why)
        self._wire.transport.abort()


def _told(error: BaseException, where: str, patience: float) -> BaseException:
    if isinstance(error, LinkError):
        return LinkError(error.reason, f"{where}: {error}")
    if isinstance(error, TimeoutError):
        return LinkError("connect", f"{where}: no login within {patience:.0f} s")
    if isinstance(error, OSError):
        return LinkError("connect", f"{where}: {error.strerror or error}")
    return error
