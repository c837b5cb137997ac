"""One AMI connection: what it has logged in for and which events it gets, and writing to it."""

import asyncio
import contextlib
from collections.abc import Callable, Iterable

from legbook.fakepbx.actions import Action
from legbook.fakepbx.masks import ALL, NONE
from legbook.fakepbx.users import User

_FLUSH = 1.0  # seconds that a closing connection may take to deliver what was written

Headers = Iterable[tuple[str, str]]


class Session:
    """`user`: None until login. `mask`: never more than it reads; empty until login and after `Events: off`.

    What was written must be taken by the kernel within `write_timeout` seconds, as with Asterisk's writetimeout:
    else the link is cut without a word and `on_cut` called. None: whoever writes waits in `drain`.
    """

    def __init__(
        self,
        number: int,
        writer: asyncio.StreamWriter,
        write_timeout: float | None,
        on_cut: Callable[[int], None],
    ) -> None:
        self.number = number
        self.user: User | None = None
        self.mask = NONE
        self.leaving = False
        self._writer = writer
        self._write_timeout = write_timeout
        self._on_cut = on_cut
        self._written = 0  # bytes, ever
        self._watch: asyncio.TimerHandle | None = None

    def log_in(self, user: User, mask: frozenset[str] | None) -> None:
        self.user = user
        self.want(ALL if mask is None else mask)

    def want(self, mask: frozenset[str]) -> None:
        self.mask = NONE if self.user is None else self.user.sees(mask)

    def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            return
        self._writer.write(data)
        self._written += len(data)
        if self._watch is None and self._waiting:
            self._begin_watch()

    @property
    def _waiting(self) -> int:
        """Bytes that the kernel has not taken yet."""
        return self._writer.transport.get_write_buffer_size()

    def _begin_watch(self) -> None:
        if self._write_timeout is not None:
            loop = asyncio.get_running_loop()
            self._watch = loop.call_later(self._write_timeout, self._end_watch, self._written)

    def _end_watch(self, written: int) -> None:
        """`written`: what had been written when the watch began; what came after it gets a watch of its own."""
        self._watch = None
        if self._writer.is_closing():
            return
        if self._written - self._waiting < written:
            self._on_cut(self.number)
            self.cut()
        elif self._waiting:
            self._begin_watch()

    def reply(self, action: Action, response: str, *headers: tuple[str, str]) -> None:
        """A Response; it repeats the ActionID of the action, if there is one."""
        self._message([("Response", response)], action, headers)

    def item(self, action: Action, event: str, headers: Headers, *, id_last: bool = False) -> None:
        """One event of a list answer; some have the ActionID at their end."""
        if id_last:
            self._message([("Event", event), *headers], action, [])
        else:
            self._message([("Event", event)], action, headers)

    def error(self, action: Action, message: str) -> None:
        self.reply(action, "Error", ("Message", message))

    def _message(self, first: list[tuple[str, str]], action: Action, headers: Headers) -> None:
        action_id = action.get("ActionID")
        self.write(encode([*first, *([("ActionID", action_id)] if action_id else []), *headers]))

    async def drain(self) -> None:
        """Waits for a slow reader; that a connection is gone is noticed where it is read."""
        with contextlib.suppress(ConnectionError):
            await self._writer.drain()

    def cut(self) -> None:
        """The link breaks: what was not sent yet is lost."""
        self._writer.transport.abort()

    async def finish(self) -> None:
        """Ends the connection; what was written still goes out if the reader takes it soon."""
        self._writer.close()
        try:
            async with asyncio.timeout(_FLUSH):
                await self._writer.wait_closed()
        except TimeoutError:
            self.cut()
        except ConnectionError:
            return  # the other side was faster


def encode(headers: Headers) -> bytes:
    """What Asterisk sends: nothing is checked, a value may hold what Asterisk lets through."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return f"{lines}\r\n".encode("utf-8", "surrogateescape")
