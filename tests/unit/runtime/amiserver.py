"""A TCP server that says what a test wants it to say, and keeps every byte that it gets."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import SupportsIndex

from legbook.fakepbx.actions import Action, read_action

BANNER = b"Asterisk Call Manager/5.0.4\r\n"
SECRET = "hunter2"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 100\r\n\r\n"


class _Kept(asyncio.StreamReader):
    """Also keeps what was fed."""

    def __init__(self, received: bytearray) -> None:
        super().__init__()
        self.received = received

    def feed_data(self, data: Iterable[SupportsIndex]) -> None:
        self.received += bytes(data)
        super().feed_data(data)


@dataclass
class Peer:
    """One connection, seen by the server."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    received: bytearray
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def say(self, data: bytes) -> None:
        self.writer.write(data)

    async def action(self) -> Action | None:
        return await read_action(self.reader)

    def answer(self, action: Action, response: bytes = b"Success", more: bytes = b"") -> None:
        self.say(
            b"Response: %s\r\nActionID: %s\r\n%s\r\n" % (response, action.get("ActionID").encode(), more)
        )

    async def log_in(self) -> None:
        """Greeting and a login that is taken."""
        self.say(BANNER)
        action = await self.action()
        assert action is not None
        assert action.name == "Login"
        self.answer(action)

    async def serve(self) -> None:
        """Answers everything until the end."""
        while (action := await self.action()) is not None:
            self.answer(action)


Script = Callable[[Peer], Awaitable[None]]


@dataclass
class Server:
    port: int
    peers: list[Peer]

    @property
    def received(self) -> bytes:
        return b"".join(bytes(peer.received) for peer in self.peers)


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """The script runs for each connection; what it raises, the test gets."""
    peers: list[Peer] = []
    loop = asyncio.get_running_loop()
    scripts: list[asyncio.Task[None]] = []

    async def run(peer: Peer) -> None:
        try:
            await script(peer)
            await peer.reader.read()
        except ConnectionError:
            pass
        finally:
            peer.ended.set()
            peer.writer.transport.abort()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert isinstance(reader, _Kept)
        peers.append(Peer(reader, writer, reader.received))
        scripts.append(loop.create_task(run(peers[-1])))

    def protocol() -> asyncio.StreamReaderProtocol:
        return asyncio.StreamReaderProtocol(_Kept(bytearray()), connected)

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    try:
        yield Server(server.sockets[0].getsockname()[1], peers)
    finally:
        server.close()
        for task in scripts:
            task.cancel()
        for outcome in await asyncio.gather(*scripts, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
