"""`make bench`: how fast each part is, a line a figure, each beside a baseline measured in the same run.

Machines are noisy: compare ratios, not rates. Nothing here is a test. A whole run writes
docs/reference/performance.md.
"""

import asyncio
import faulthandler
import tempfile
import time
import traceback
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer

from legbook.demo.world import World
from legbook.devstack import StackError
from legbook.devstack.processes import end
from legbook.runtime import logs
from tests.benchmarks import archive, fold, ingest, live, machine, page, projector
from tests.benchmarks.figures import Figure
from tests.benchmarks.meters import say

LONGEST: Final = 540  # seconds for all stages
GIVE_UP: Final = 600  # nothing helped: it says where it stands and ends, and its children with it


class Stage(NamedTuple):
    """`smoke`: amounts that show that it works, and nothing else. `seconds`: what is too long."""

    figures: Callable[[World, Any], AsyncGenerator[Figure, None]]
    whole: Any
    smoke: Any
    seconds: float


# In this order: what one leaves in the topics is read by none that comes after it
STAGES: Final = {
    "fold": Stage(fold.figures, fold.Amount(), fold.SMOKE, 60),
    "live": Stage(live.figures, live.Amount(), live.SMOKE, 280),
    "archive": Stage(archive.figures, archive.Amount(), archive.SMOKE, 80),
    "projector": Stage(projector.figures, projector.Amount(), projector.SMOKE, 180),
    "ingest": Stage(ingest.figures, ingest.Amount(), ingest.SMOKE, 100),
}


async def run(world: World, names: Sequence[str], *, smoke: bool) -> tuple[list[Figure], list[str]]:
    """What was measured, and the stages that failed: the others are measured all the same."""
    found: list[Figure] = []
    failed: list[str] = []
    over = time.monotonic() + LONGEST
    for name in names:
        stage, began = STAGES[name], time.monotonic()
        say(f"{name} …")
        try:
            async with (
                asyncio.timeout(min(stage.seconds, over - began)),
                aclosing(stage.figures(world, stage.smoke if smoke else stage.whole)) as figures,
            ):
                async for figure in figures:
                    say(str(figure))
                    found.append(figure)
        except Exception as error:  # noqa: BLE001  # told here, and by the exit code
            failed.append(name)
            if not isinstance(error, StackError | TimeoutError):
                traceback.print_exc()
            why = str(error) or "it took too long"
            say(f"{name} failed after {time.monotonic() - began:.0f} s: {why}")
        finally:
            end(list(world._services.values()))  # of a stage that failed; the others have done it
    return found, failed


def main(
    stages: Annotated[list[str] | None, typer.Argument(help="Only these, and no page is written.")] = None,
    *,
    smoke: Annotated[bool, typer.Option(help="Tiny amounts: does it work? No page is written.")] = False,
) -> None:
    """Measure, and write docs/reference/performance.md."""
    names = stages or list(STAGES)
    if unknown := set(names) - set(STAGES):
        raise typer.BadParameter(f"no stage {', '.join(sorted(unknown))}: there are {', '.join(STAGES)}")
    logs.configure("warning")
    faulthandler.dump_traceback_later(GIVE_UP, exit=True)
    began = time.monotonic()
    try:
        with (
            tempfile.TemporaryDirectory(prefix="legbook-bench-") as folder,
            World(Path(folder), say) as world,
        ):
            found, failed = asyncio.run(run(world, names, smoke=smoke))
            facts = machine.facts(world)
    except StackError as error:
        say(str(error))
        raise typer.Exit(1) from None
    if names == list(STAGES) and not smoke and not failed:
        say(f"written: {page.write(found, facts)}")
    missed = sum(figure.met == "no" for figure in found)
    seconds = time.monotonic() - began
    say(f"{len(found)} figures, {missed} goals missed, {len(failed)} stages failed, {seconds:.0f} s")
    raise typer.Exit(1 if failed else 0)


if __name__ == "__main__":
    typer.run(main)
