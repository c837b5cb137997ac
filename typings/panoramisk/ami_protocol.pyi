from asyncio import Protocol, Transport
from typing import Any

from panoramisk.manager import Manager
from panoramisk.message import Message

class AMIProtocol(Protocol):
    transport: Transport
    closed: bool
    version: str | None
    responses: dict[Any, Any]
    factory: Manager | None
    def handle_message(self, message: Message) -> None: ...
    def close(self) -> None: ...
