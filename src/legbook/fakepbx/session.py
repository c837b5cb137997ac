"""One AMI connection: what it has logged in for and which events it gets, and writing to it."""

import asyncio
import contextlib
from collections.abc import Iterable

from legbook.fakepbx.actions import Action
from legbook.fakepbx.masks import NONE

_FLUSH = 1.0  # seconds that a closing connection may take to deliver what was written
_STUCK = 8 * 1024 * 1024  # bytes: Asterisk too drops a reader that falls so far behind, without a word

Headers = Iterable[tuple[str, str]]


class Session:
    """`mask` is empty until login and after `Events: off`."""

    def __init__(self, number: int, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self.logged_in = False
        self.mask = NONE
        self.leaving = False
        self._writer = writer

    def write(self, data: bytes) -> None:
        if self._writer.is_closing():
            return
        if self._writer.transport.get_write_buffer_size() > _STUCK:
            self.cut()
        else:
            self._writer.write(data)

    def reply(self, action: Action, response: str, *headers: tuple[str, str]) -> None:
        """A Response; it repeats the ActionID of the action, if there is one."""
        self._message([("Response", response)], action, headers)

    def item(self, action: Action, event: str, headers: Headers) -> None:
        """One event of a list answer."""
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
