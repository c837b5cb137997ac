"""PBXs under load, two workers of each service, somebody who commands, somebody who looks; and the verdict.

The load goes on until everything works again. Then the PBXs fall silent in mid-call, and 3 s later all must be true.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, closing
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, NamedTuple, Self

from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.fakepbx import FakePbx
from tests.e2e.verifier import NOTHING, Excused, Verdict, say, shown_live, verify, wanted_live
from tests.faults.archive import Archive
from tests.faults.blind import Gap, Readers, excused, logins, stuck
from tests.faults.commands import Commander
from tests.faults.load import CALLS_A_SECOND, alive, fall_silent, pbx_under_load
from tests.faults.screen import Screen, flickers
from tests.faults.told import doubled, ends, unanswered, untrue
from tests.faults.workers import Workers, service_of
from tests.waiting import until

BUSY: Final = 120  # legs alive
SETTLED: Final = 3.0  # seconds after the last event


class Victim(NamedTuple):
    """A worker that is about to be hurt, since when, and the PBXs that it holds (not known of an archiver)."""

    worker: str
    at: float
    holds: frozenset[str]

    @property
    def service(self) -> str:
        return service_of(self.worker)


class Scene:
    """An async context manager. `ports`: of the PBXs, which live in different partitions."""

    def __init__(
        self, world: World, ports: Mapping[str, int], workers: Workers | None = None, *, seed: int = 0
    ) -> None:
        self.world = world
        self.dice = random.Random(seed)  # noqa: S311  # which leg, which moment: not a secret
        self.pbxs = [pbx_under_load(name, port, CALLS_A_SECOND / len(ports)) for name, port in ports.items()]
        self.workers = workers or Workers(world, ports)
        self.screen = Screen(world.env["MYSQL_URL"])
        self.archive = Archive(world.env["CLICKHOUSE_URL"], ports)
        self.commander = Commander(world, ports, self.screen.rows, self.dice)
        self._readers = {pbx.name: Readers(pbx) for pbx in self.pbxs}
        self._cuts: dict[str, list[datetime]] = {pbx.name: [] for pbx in self.pbxs}
        self._exits = AsyncExitStack()

    async def __aenter__(self) -> Self:
        """Returns when all workers are ready and the load is there."""
        async with self._exits:
            for pbx in self.pbxs:
                await self._exits.enter_async_context(pbx)
            self._exits.enter_context(self.screen)
            tasks = await self._exits.enter_async_context(asyncio.TaskGroup())
            background = [self.workers.supervise(), self.archive.watch()]
            background += [readers.watch() for readers in self._readers.values()]
            for work in background:
                self._exits.callback(tasks.create_task(work).cancel)
            await self.workers.ready()
            for pbx in self.pbxs:
                pbx.begin()
            await self._loaded()
            self._commanding = tasks.create_task(self.commander.run())
            self._exits.callback(self._commanding.cancel)
            await until(lambda: self.commander.done, lambda done: done >= 3)
            self._logins = {pbx.name: len(logins(pbx)) for pbx in self.pbxs}
            self._late = await self.workers.late()
            self._exits = self._exits.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._exits.__aexit__(kind, error, trace)

    async def _loaded(self) -> None:
        await until(lambda: sum(map(alive, self.pbxs)), lambda live: live >= BUSY, patience=30)

    async def mark(self, worker: str) -> Victim:
        """Before it is hurt. Whoever reads a PBX is to blame for what nobody reads from now on."""
        service = service_of(worker)
        held = frozenset(self._readers) if service == "cdr_archiver" else await self.workers.holds(worker)
        now = time.time()
        if service == "ami_ingest":
            for name in held:
                self._cuts[name].append(datetime.fromtimestamp(now, UTC))
        return Victim(worker, now, frozenset(held))

    async def verdict(self, *, blind: bool = False, stuck_rows: bool = False) -> Verdict:
        """`blind`: a reader was hurt, so there is what cannot be known."""
        await self.workers.ready()
        await self._goes_on()
        self.commander.stop()
        await self._commanding
        moments = {pbx.name: await fall_silent(pbx) for pbx in self.pbxs}
        deadline = time.monotonic() + SETTLED
        await self.workers.ready()
        with closing(Watch(self.world.env["MYSQL_URL"], self.world.env["CLICKHOUSE_URL"])) as watch:
            await self._settle(watch, moments, deadline)
            found = await self._of_all(watch, moments, blind=blind, stuck_rows=stuck_rows)
        say(f"commands: {dict(self.commander.states)}, restarted after exit 70: {self.workers.restarted}")
        return found

    async def _goes_on(self) -> None:
        """Calls are born, and commands have their effect, after all is well again."""
        rounds, done = min(len(pbx.rounds) for pbx in self.pbxs), self.commander.done
        await until(lambda: min(len(pbx.rounds) for pbx in self.pbxs), lambda n: n >= rounds + 30)
        await until(lambda: self.commander.done, lambda n: n >= done + 3)

    async def _settle(self, watch: Watch, moments: Mapping[str, datetime], deadline: float) -> None:
        """What is not true by then never counts as true."""
        wanted = {pbx.name: wanted_live(pbx.truth.live(moments[pbx.name])) for pbx in self.pbxs}
        while time.monotonic() < deadline:
            shown = {name: await asyncio.to_thread(shown_live, watch, name) for name in wanted}
            if shown == wanted and await asyncio.to_thread(self._is_archived, watch, moments):
                return
            await asyncio.sleep(0.1)

    def _is_archived(self, watch: Watch, moments: Mapping[str, datetime]) -> bool:
        finished = sum(len(pbx.truth.finished(moments[pbx.name])) for pbx in self.pbxs)
        return sum(_archived(watch, pbx) for pbx in self.pbxs) == finished

    async def _of_all(
        self, watch: Watch, moments: Mapping[str, datetime], *, blind: bool, stuck_rows: bool
    ) -> Verdict:
        excuses = [self._excused(pbx, moments[pbx.name]) if blind else NOTHING for pbx in self.pbxs]
        pairs = zip(self.pbxs, excuses, strict=True)
        found = await asyncio.gather(
            *(verify(self.world, watch, pbx, moments[pbx.name], excuse) for pbx, excuse in pairs)
        )
        rows = self.screen.history.seen.values()
        told = await ends(self.world)
        left = [row for pbx in self.pbxs for row in stuck(pbx, self.gaps(pbx), rows)] if stuck_rows else []
        return sum(found, self._seen(moments)) + Verdict(
            live_diff=_said(left),
            cmd_double=_said(doubled(self.pbxs, self.commander.asked)),
            cmd_open=_said(unanswered(self.commander, told)),
            cmd_false=_said(
                list(untrue({p: moments[p.name] for p in self.pbxs}, self.commander.asked, told))
            ),
            late=await self._new_late(),
        )

    async def _new_late(self) -> int:
        """Since the load was there; a projector that was started again has counted from 0."""
        late = await self.workers.late()
        return round(sum(n if n < self._late[each] else n - self._late[each] for each, n in late.items()))

    def _seen(self, moments: Mapping[str, datetime]) -> Verdict:
        """What somebody saw who looked all the time."""
        ends = {
            (pbx.name, leg.dstuid or leg.srcuid or ""): leg.end.timestamp()
            for pbx in self.pbxs
            for leg in pbx.truth.finished(moments[pbx.name])
        }
        return Verdict(flicker=_said(flickers(self.screen.history, ends)))

    def _excused(self, pbx: FakePbx, moment: datetime) -> Excused:
        gaps = self.gaps(pbx)
        excuse = excused(pbx, gaps, moment)
        for gap in gaps:
            say(f"{pbx.name}: nobody read from {gap.cut:%H:%M:%S.%f} for {gap.seconds:.1f} s")
        counts = f"{len(excuse.unknown)} channels not compared, {len(excuse.estimated)} may be estimates"
        say(f"{pbx.name}: {counts}")
        return excuse

    def new_logins(self) -> int:
        """Of ami_ingest, since the load was there."""
        return sum(len(logins(pbx)) - self._logins[pbx.name] for pbx in self.pbxs)

    def gaps(self, pbx: FakePbx) -> list[Gap]:
        return self._readers[pbx.name].gaps(self._cuts[pbx.name])


def _archived(watch: Watch, pbx: FakePbx) -> int:
    born = round(pbx.boot.timestamp() * 1_000_000)
    sql = (
        "SELECT count() AS n FROM cdr WHERE pbx = {p:String} AND born >= fromUnixTimestamp64Micro({b:Int64})"
    )
    return int(watch.query(sql, p=pbx.name, b=born)[0]["n"])


def _said(lines: list[str]) -> int:
    for line in lines:
        say(line)
    return len(lines)
