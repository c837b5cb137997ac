"""Time that only a test moves."""

import asyncio

_TURNS = 20  # of the event loop: more than any chain of tasks needs to settle


class HandTime:
    """Sleepers wake in the order of their moments, each at exactly its own."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.slept: list[float] = []
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def monotonic(self) -> float:
        return self.seconds

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        woken: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._sleepers.append((self.seconds + seconds, len(self.slept), woken))
        await woken

    async def advance(self, seconds: float) -> None:
        target = self.seconds + seconds
        await self._settle()
        while due := sorted(item for item in self._sleepers if item[0] <= target):
            self._sleepers.remove(due[0])
            self.seconds = max(self.seconds, due[0][0])
            if not due[0][2].done():
                due[0][2].set_result(None)
            await self._settle()
        self.seconds = target
        await self._settle()

    @staticmethod
    async def _settle() -> None:
        for _ in range(_TURNS):
            await asyncio.sleep(0)
