"""Somebody hangs up random live legs and rings phones, all the time: what he asked for, and what he was told."""

import asyncio
import random
import uuid
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from legbook.client import Client, NoResultError
from legbook.contracts.commands import Command, Hangup, HangupArgs, Originate, OriginateArgs
from legbook.demo.world import World
from tests.e2e import topics
from tests.faults.load import CLICKS, EXTEN
from tests.faults.screen import Row

PER_SECOND: Final = 5.0
CLICKED: Final = 0.2  # of them: a phone is rung, and a number dialled for it
RING: Final = 10  # seconds
# Seconds that a command may wait for its PBX: less than a takeover takes, or more
PATIENCE: Final = (5.0, 12.0)


@dataclass(frozen=True, slots=True)
class Asked:
    """One command; `uid` is the channel that it must reach, or make, once or never. `at`: Unix seconds."""

    command: Command
    uid: str
    at: float

    def __str__(self) -> str:
        return f"{self.command.pbx} {type(self.command).__name__} {self.uid}"


class Commander:
    """`rows`: what a page shows now."""

    def __init__(
        self, world: World, pbxs: Collection[str], rows: Callable[[], Iterable[Row]], dice: random.Random
    ) -> None:
        self._world, self._pbxs, self._rows, self._dice = world, sorted(pbxs), rows, dice
        self.asked: list[Asked] = []
        self.states: Counter[str] = Counter()
        self.kafka_back = 0.0  # what was asked for before is published then
        self._used: set[tuple[str, str]] = set()
        self._clicked: set[str] = set()
        self._stopping = asyncio.Event()

    async def run(self) -> None:
        """Until `stop`; then it waits for the results that are still to come."""
        async with (
            Client(issuer="faults", settings=topics.settings(self._world)) as client,
            asyncio.TaskGroup() as waiting,
        ):
            while not self._stopping.is_set():
                if self._dice.random() < CLICKED:
                    waiting.create_task(self.click(client))
                elif row := self._choose():
                    waiting.create_task(self.hang_up(client, row))
                await self._pause(self._dice.expovariate(PER_SECOND))

    @property
    def done(self) -> int:
        return self.states["hangup done"] + self.states["originate done"]

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
        """Not of a click: the fake PBX would still say that its phone was reached."""
        is_click = not self._clicked.isdisjoint({row.uid, row.caller})
        return row.called and row.pbx in self._pbxs and (row.pbx, row.uid) not in self._used and not is_click

    async def hang_up(self, client: Client, row: Row) -> None:
        """The called side: each leg has a channel of its own there."""
        self._used.add((row.pbx, row.uid))
        args = HangupArgs(leg_id=row.leg_id, side="dst")
        await self._ask(client, Hangup(args=args, **self._new(row.pbx)), row.uid)

    async def click(self, client: Client) -> None:
        """Some of these phones answer, others are busy or ring in vain."""
        args = OriginateArgs(
            endpoint=self._dice.choice(CLICKS), exten=EXTEN, context="from-internal", ring=RING
        )
        command = Originate(args=args, **self._new(self._dice.choice(self._pbxs)))
        self._clicked.add(command.command_id)
        await self._ask(client, command, command.command_id)

    def _new(self, pbx: str) -> dict[str, Any]:
        now = datetime.now(UTC)
        return {
            "command_id": str(uuid.uuid4()),
            "pbx": pbx,
            "issuer": "faults",
            "actor": "nobody",
            "issued_at": now,
            "not_after": now + timedelta(seconds=self._dice.choice(PATIENCE)),
        }

    async def _ask(self, client: Client, command: Command, uid: str) -> None:
        self.asked.append(Asked(command, uid, command.issued_at.timestamp()))
        try:
            result = await client.send(command)
        except NoResultError:
            self.states["none"] += 1
        else:
            self.states[f"{result.verb} {result.state} {result.reason or ''}".strip()] += 1
