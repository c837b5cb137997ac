"""What a check says: how bad it is, what was seen, what to do next. Knows no server."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """`warn`: legbook works, but not as it should; `fail`: it does not work like this."""

    ok = "ok"
    warn = "warn"
    fail = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """`todo`: what to type or to change next."""

    level: Level
    seen: str
    todo: str = ""


Findings = AsyncIterator[Finding]
Check = Callable[[], Findings]


def ok(seen: str, todo: str = "") -> Finding:
    return Finding(Level.ok, seen, todo)


def warn(seen: str, todo: str) -> Finding:
    return Finding(Level.warn, seen, todo)


def fail(seen: str, todo: str) -> Finding:
    return Finding(Level.fail, seen, todo)


async def in_thread(check: Callable[[], Iterable[Finding]]) -> Findings:
    """Of a check whose driver blocks; the driver has timeouts of its own."""
    for finding in await asyncio.to_thread(lambda: list(check())):
        yield finding
