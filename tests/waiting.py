"""Waiting for a condition, with a deadline: no test sleeps and hopes."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


async def until(
    look: Callable[[], _T], good: Callable[[_T], object] = bool, patience: float = 20.0, every: float = 0.02
) -> _T:
    """The first look that is good; fails with the last one."""
    deadline = time.monotonic() + patience
    while not good(seen := await asyncio.to_thread(look)):
        assert time.monotonic() < deadline, f"waited {patience} s, saw last: {seen!r}"
        await asyncio.sleep(every)
    return seen
