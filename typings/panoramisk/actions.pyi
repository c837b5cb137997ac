from asyncio import Future
from collections.abc import Mapping
from typing import Any

class Action:
    future: Future[Any]
    id: str
    def __init__(self, *args: Mapping[str, Any], as_list: bool | None = ..., **kwargs: Any) -> None: ...
    def items(self) -> list[tuple[str, Any]]: ...
    def __getitem__(self, key: str) -> Any: ...
