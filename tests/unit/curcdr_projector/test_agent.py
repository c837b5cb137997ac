"""What goes wrong in the background ends the process: whoever waits for it would wait for ever."""

import asyncio
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any

import pytest

from curcdr_projector.agent import Agent


class Deaths(list[BaseException]):
    """Of an agent without faust."""

    def start(self, work: Coroutine[Any, Any, None]) -> "asyncio.Task[None]":
        agent = Agent.__new__(Agent)
        agent._running, agent._die = set(), self.append
        return agent._start(work)


async def _fails() -> None:
    raise RuntimeError("fenced")


async def _holds_what_fails() -> None:
    """As a shard does: the group cancels its own task, and the count of that stays."""
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(_fails())


@pytest.mark.parametrize("work", [_fails, _holds_what_fails])
async def test_an_error_ends_the_process(work: Any) -> None:
    deaths = Deaths()

    await asyncio.wait([deaths.start(work())])

    (error,) = deaths
    assert "fenced" in repr(error)


async def test_a_rebalance_cancels_and_nobody_dies() -> None:
    deaths = Deaths()
    task = deaths.start(asyncio.sleep(60))
    await asyncio.sleep(0)

    task.cancel()
    await asyncio.wait([task])

    assert deaths == []


async def test_a_cancellation_of_its_own_is_as_bad_as_any_error() -> None:
    async def gives_up() -> None:
        raise asyncio.CancelledError

    deaths = Deaths()

    await asyncio.wait([deaths.start(gives_up())])

    assert len(deaths) == 1


@pytest.mark.parametrize(
    ("unacked", "crowded"),
    [
        ([49], [False]),
        ([50], [True]),
        ([49, 0, 0], [False, False, False]),
        ([40, 9, 1], [True, False, False]),  # of 50, who has less than a third waits
        ([30, 20, 20], [True, True, True]),
    ],
)
def test_who_makes_room_before_the_limit_is_reached(unacked: list[int], crowded: list[bool]) -> None:
    agent = Agent.__new__(Agent)
    agent._limit = 100
    shards: list[Any] = [SimpleNamespace(progress=SimpleNamespace(unacked_bytes=each)) for each in unacked]
    agent._shards = dict(enumerate(shards))

    assert [agent._crowded(shard) for shard in shards] == crowded
