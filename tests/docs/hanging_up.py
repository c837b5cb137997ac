"""Hanging up by an example, whatever language it is in."""

from pathlib import Path
from typing import Any

from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.docs.conftest import PBX, example
from tests.docs.pages import SNIPPETS
from tests.waiting import until


def newest(rows: list[dict[str, Any]]) -> int | None:
    """A leg of ours that has longest to live: 202 rings still, and will talk."""
    will_talk = (PBX, "202", "RINGING")
    ringing = [row["id"] for row in rows if (row["pbx"], row["dialstring"], row["disposition"]) == will_talk]
    return max(ringing, default=None)


async def hung_up(world: World, calls: Watch, name: str, folder: Path = SNIPPETS) -> int:
    """The leg that was hung up. On a busy machine a leg may be over before the example has begun: then the next."""
    while True:
        leg_id = await until(lambda: newest(calls.live()))
        assert leg_id is not None
        async with example(world, name, PBX, str(leg_id), folder=folder) as asked:
            code, said = await asked.ends()
        if "leg_ended" in said:
            continue
        assert (code, said.split()[0]) == (0, "done"), said
        return leg_id
