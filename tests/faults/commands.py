"""Somebody hangs up random live legs all the time, each at most once: what he asked for, and what reached the PBX."""

import asyncio
import math
import random
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from legbook.client import Client, NoResultError
from legbook.contracts import codec
from legbook.contracts.commands import Hangup, HangupArgs
from legbook.contracts.topics import RESULTS
from legbook.demo.world import World
from legbook.fakepbx import FakePbx
from tests.e2e import topics
from tests.faults.screen import Row

PER_SECOND: Final = 4.0
# Seconds that a command may wait for its PBX: less than a takeover takes, or more
PATIENCE: Final = (5.0, 12.0)
ANSWERED: Final = 15.0  # seconds after its publication a command has its end


@dataclass(frozen=True, slots=True)
class Asked:
    """One command; `uid` is the channel that it must reach, once or never."""

    command_id: str
    pbx: str
    uid: str
    leg_id: int
    at: float


class Commander:
    """`rows`: what a page shows now."""

    def __init__(
        self, world: World, pbxs: Collection[str], rows: Callable[[], Iterable[Row]], dice: random.Random
    ) -> None:
        self._world, self._pbxs, self._rows, self._dice = world, pbxs, rows, dice
        self.asked: list[Asked] = []
        self.states: Counter[str] = Counter()
        self.kafka_back = 0.0  # what was asked for before is published then
        self._used: set[tuple[str, str]] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; then it waits for the results that are still to come."""
        async with (
            Client(issuer="faults", settings=topics.settings(self._world)) as client,
            asyncio.TaskGroup() as waiting,
        ):
            while not self._stopping.is_set():
                if row := self._choose():
                    waiting.create_task(self.hang_up(client, row))
                await self._pause(self._dice.expovariate(PER_SECOND))

    def stop(self) -> None:
        self._stopping.set()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    def _choose(self) -> Row | None:
        fresh = [row for row in self._rows() if self._may(row)]
        return self._dice.choice(fresh) if fresh else None

    def _may(self, row: Row) -> bool:
        return row.called and row.pbx in self._pbxs and (row.pbx, row.uid) not in self._used

    async def hang_up(self, client: Client, row: Row) -> None:
        """The called side: each leg has a channel of its own there."""
        self._used.add((row.pbx, row.uid))
        now = datetime.now(UTC)
        command = Hangup(
            command_id=str(uuid.uuid4()),
            pbx=row.pbx,
            args=HangupArgs(leg_id=row.leg_id, side="dst"),
            issuer="faults",
            actor="nobody",
            issued_at=now,
            not_after=now + timedelta(seconds=self._dice.choice(PATIENCE)),
        )
        self.asked.append(Asked(command.command_id, row.pbx, row.uid, row.leg_id, now.timestamp()))
        try:
            result = await client.send(command)
        except NoResultError:
            self.states["none"] += 1
        else:
            self.states[f"{result.state} {result.reason or ''}".strip()] += 1


def doubled(pbxs: Iterable[FakePbx], asked: Iterable[Asked]) -> list[str]:
    """Channels that the PBX was told to hang up more often than anybody had asked."""
    wanted = Counter((each.pbx, each.uid) for each in asked)
    reached = Counter(
        (pbx.name, str(action.fields.get("Channel")))
        for pbx in pbxs
        for action in pbx.actions.named("Hangup")
    )
    return [f"{pbx} {uid}" for pbx, uid in (reached - wanted).elements()]


async def unanswered(world: World, commander: Commander) -> list[str]:
    """Commands without a final state on the results topic in time."""
    ends: dict[str, float] = {}
    for record in await topics.records(world, RESULTS.name):
        result = codec.decode_result(record.value or b"")
        if result.final:
            ends.setdefault(result.command_id, record.timestamp / 1000)  # by the broker's clock
    latest = {each: max(each.at, commander.kafka_back) + ANSWERED for each in commander.asked}
    late = [each for each, moment in latest.items() if ends.get(each.command_id, math.inf) > moment]
    return [f"{each.pbx} {each.uid}: end {_after(each, ends)}" for each in late]


def _after(asked: Asked, ends: Mapping[str, float]) -> str:
    end = ends.get(asked.command_id)
    return "never" if end is None else f"after {end - asked.at:.1f} s"
