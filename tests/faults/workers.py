"""Two workers of each service, and the supervisor that systemd is in production: exit 70 starts again, 78 is over."""

import asyncio
import re
import signal
import time
import urllib.error
from collections.abc import Collection, Mapping
from typing import Final

from legbook.demo.world import SERVICES, World

LOOK: Final = 0.1
STEADY: Final = 2.0  # seconds; a heartbeat, by which a worker learns of a rebalance, comes every 1.5 s
# The metric by which a worker says which PBXs are its own; the archiver knows partitions only
_HOLDS: Final = {
    "ami_ingest": re.compile(r'^ami_ingest_connected\{pbx="(\S+)"\} 1\.0$', re.MULTILINE),
    "curcdr_projector": re.compile(r'^curcdr_projector_live_legs\{pbx="(\S+)"\} ', re.MULTILINE),
    "command_gateway": re.compile(r'^command_gateway_connected\{pbx="(\S+)"\} 1\.0$', re.MULTILINE),
}
_ARCHIVED: Final = re.compile(r'^cdr_archiver_legs_total\{result="archived"\} (\S+)$', re.MULTILINE)
_LATE: Final = re.compile(r"^curcdr_projector_late_entries_total\{\S+ (\S+)$", re.MULTILINE)
FAST: Final = {
    f"{service}_BACKOFF_{which}": seconds
    for service in ("AMI_INGEST", "COMMAND_GATEWAY")
    for which, seconds in (("FIRST", "0.1"), ("MOST", "0.3"))
}


def service_of(worker: str) -> str:
    return worker.partition(".")[0]


def both(service: str) -> tuple[str, str]:
    return service, f"{service}.2"


ALL: Final = tuple(worker for service in SERVICES for worker in both(service))


class Workers:
    """Of one world. Not `strict`: it has more PBXs than are played, so ingest is ready when it has ours.

    `more`: what a worker finds in its environment when it is started again.
    """

    def __init__(
        self,
        world: World,
        pbxs: Collection[str],
        *,
        strict: bool = True,
        more: Mapping[str, str] = FAST,
    ) -> None:
        self.world, self._pbxs, self._strict, self._more = world, frozenset(pbxs), strict, more
        self.restarted: list[str] = []  # after exit 70
        self._away: set[str] = set()  # ended by us

    async def supervise(self) -> None:
        """Until cancelled; AssertionError with the log of a worker that must not be started again."""
        while True:
            for worker in ALL:
                code = None if worker in self._away else self.world.exit_code(worker)
                if code == 70:
                    self.restarted.append(worker)
                    self.start(worker)
                assert code in {None, 70}, f"{worker} ended with {code}:\n{self.world.log(worker)[-3000:]}"
            await asyncio.sleep(LOOK)

    def kill(self, worker: str) -> None:
        self._away.add(worker)
        self.world.kill(worker)

    async def terminate(self, worker: str) -> None:
        """SIGTERM; it must end by itself, with 0."""
        self._away.add(worker)
        code = await asyncio.to_thread(self.world.terminate, worker)
        assert code == 0, f"{worker} ended with {code}:\n{self.world.log(worker)[-3000:]}"

    def start(self, worker: str) -> None:
        self.world.start(worker, **self._more)
        self._away.discard(worker)

    def freeze(self, worker: str) -> None:
        self.world.signal(worker, signal.SIGSTOP)

    def thaw(self, worker: str) -> None:
        self.world.signal(worker, signal.SIGCONT)

    async def ready(self, *workers: str, patience: float = 60.0) -> None:
        """All of them (or all there are) say so on /readyz, for long enough to have noticed a rebalance."""
        since: float | None = None
        deadline = time.monotonic() + patience
        while since is None or time.monotonic() - since < STEADY:
            waiting = [worker for worker in workers or ALL if not await self._is_ready(worker)]
            since = None if waiting else since or time.monotonic()
            assert time.monotonic() < deadline, f"not ready after {patience:.0f} s: {waiting}"
            await asyncio.sleep(LOOK)

    async def _is_ready(self, worker: str) -> bool:
        if worker in self._away or await asyncio.to_thread(self.world.ready, worker):
            return True
        if self._strict or service_of(worker) != "ami_ingest":
            return False
        return self._pbxs <= await self.held("ami_ingest")

    async def held(self, service: str) -> set[str]:
        """PBXs that any worker of the service holds."""
        found = [await self.holds(worker) for worker in both(service)]
        return set().union(*found)

    async def holds(self, worker: str) -> set[str]:
        """The PBXs of ours that it holds; none if it does not answer."""
        text = await self.metrics(worker)
        return set(_HOLDS[service_of(worker)].findall(text)) & self._pbxs

    async def busy(self, service: str) -> str:
        """A worker that holds some of our PBXs."""
        async with asyncio.timeout(30):
            while True:
                for worker in both(service):
                    if await self._works(worker):
                        return worker
                await asyncio.sleep(LOOK)

    async def _works(self, worker: str) -> bool:
        if service_of(worker) != "cdr_archiver":
            return bool(await self.holds(worker))
        before = _ARCHIVED.findall(await self.metrics(worker))
        await asyncio.sleep(2.5)  # it archives once a second
        return before != _ARCHIVED.findall(await self.metrics(worker))

    async def late(self) -> dict[str, float]:
        """Entries of an epoch that was over, by projector, as those that run now have counted."""
        workers = both("curcdr_projector")
        return {each: sum(map(float, _LATE.findall(await self.metrics(each)))) for each in workers}

    async def metrics(self, worker: str) -> str:
        """Nothing from one that does not answer."""
        try:
            return await asyncio.to_thread(self.world.metrics, worker)
        except (urllib.error.URLError, OSError):
            return ""
