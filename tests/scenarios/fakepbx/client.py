"""A plain AMI client: what a test says and what it hears, message by message."""

import asyncio
from collections import deque
from types import TracebackType
from typing import Self

from legbook.ami.encode import encode
from legbook.ami.framing import Framer
from legbook.ami.message import Message, parse

USERNAME, SECRET = "legbook", "s3cret"


class Client:
    def __init__(self, port: int) -> None:
        self._port = port
        self._framer = Framer()
        self._heard: deque[Message] = deque()
        self.events: list[Message] = []

    @property
    def banner(self) -> bytes | None:
        return self._framer.banner

    async def __aenter__(self) -> Self:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def say(self, action: str, **headers: str) -> None:
        self._writer.write(encode([("Action", action), *headers.items()]))

    def say_raw(self, data: bytes) -> None:
        self._writer.write(data)

    async def hear(self) -> Message | None:
        """The next message, None at the end of the connection. Events are kept in `events` too."""
        while not self._heard:
            try:
                data = await self._reader.read(65536)
            except ConnectionError:
                return None
            if not data:
                return None
            self._heard += [parse(frame) for frame in self._framer.feed(data)]
        message = self._heard.popleft()
        if "Event" in message.fields:
            self.events.append(message)
        return message

    async def response(self) -> dict[str, str | list[str]]:
        """The next message that is no event."""
        while (message := await self.hear()) is not None:
            if "Response" in message.fields:
                return message.fields
        raise ConnectionError("the PBX ended the connection")

    async def ask(self, action: str, **headers: str) -> dict[str, str | list[str]]:
        self.say(action, **headers)
        return await self.response()

    async def login(self, events: str = "on", *, username: str = USERNAME, secret: str = SECRET) -> None:
        answer = await self.ask("Login", Username=username, Secret=secret, Events=events)
        assert answer == {"Response": "Success", "Message": "Authentication accepted"}

    async def listed(self, action: str, **headers: str) -> list[Message]:
        """The items of a list answer."""
        begun = len(self.events)
        answer = await self.ask(action, ActionID="list", **headers)
        assert answer["EventList"] == "start"
        while message := await self.hear():
            if message.first("EventList") == "Complete":
                break
        items = [m for m in self.events[begun:] if m.first("ActionID") == "list"]
        assert items[-1].first("ListItems") == str(len(items) - 1)
        return items[:-1]

    async def rest(self) -> list[Message]:
        """Everything until the connection ends."""
        messages = []
        while (message := await self.hear()) is not None:
            messages.append(message)
        return messages
