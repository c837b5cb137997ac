"""Actions as they arrive: reading one from a connection, and the log of all that tests look into."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from legbook.ami.encode import MAX_HEADERS

_MAX_LINE = 1024


@dataclass(frozen=True, slots=True)
class Action:
    """Headers in order. `fault` is Asterisk's answer to what it could not read."""

    headers: tuple[tuple[str, str], ...]
    fault: str | None = None

    @property
    def name(self) -> str:
        return self.get("Action")

    def get(self, name: str) -> str:
        """The first value, "" without one; Asterisk does not mind the case of header names."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), "")


@dataclass(frozen=True, slots=True)
class LoggedAction:
    """`at` by the PBX clock; `session` counts connections from 1; a Secret is `***`.

    `user`: who is logged in; before that who the action says it is, "" if it does not.
    """

    at: datetime
    session: int
    user: str
    name: str
    fields: dict[str, str | list[str]]


@dataclass(slots=True)
class ActionLog:
    """Every action received since the start, restarts included."""

    entries: list[LoggedAction] = field(default_factory=list)
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def add(self, action: Action, session: int, user: str, at: datetime) -> None:
        fields: dict[str, str | list[str]] = {}
        for name, text in action.headers:
            value = "***" if name.lower() in {"secret", "key"} else text
            known = fields.get(name)
            fields[name] = (
                value if known is None else [*([known] if isinstance(known, str) else known), value]
            )
        self.entries.append(LoggedAction(at, session, user, action.name, fields))
        self._news.set()

    def named(self, name: str) -> list[LoggedAction]:
        return [entry for entry in self.entries if entry.name.lower() == name.lower()]

    async def wait(self, name: str, count: int = 1) -> list[LoggedAction]:
        """Returns when this action was received so many times; the time limit is the caller's."""
        while len(found := self.named(name)) < count:
            self._news.clear()
            await self._news.wait()
        return found


async def read_action(reader: asyncio.StreamReader) -> Action | None:
    """None at the end of the connection. A line ends at LF, as in Asterisk, and an action at an empty line."""
    headers: list[tuple[str, str]] = []
    fault = None
    while True:
        try:
            line = await reader.readline()
        except ValueError:  # more than the reader's 64 KiB without an end: nothing can be answered to that
            return None
        if not line.endswith(b"\n"):
            return None
        text = line.rstrip(b"\r\n").decode("utf-8", "replace")
        if not text:
            if headers or fault:
                return Action(tuple(headers), fault)
            continue
        if len(line) > _MAX_LINE:
            fault = "Failed to parse message: line too long"
        elif len(headers) >= MAX_HEADERS:
            fault = "Too many lines in message or allocation failure"
        else:
            name, _, value = text.partition(":")
            headers.append((name.strip(), value.strip()))
