"""`make bench`: how fast each part is, a line a figure, each beside a baseline measured in the same run.

Machines are noisy: compare ratios, not rates. Nothing here is a test. A whole run writes
docs/reference/performance.md.
"""

import argparse
import asyncio
import faulthandler
import sys
import tempfile
import time
import traceback
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any, Final, NamedTuple

from legbook.demo.world import World
from legbook.devstack.processes import end
from legbook.runtime import logs
from tests.benchmarks import archive, fold, ingest, live, machine, page, projector
from tests.benchmarks.figures import Figure

GIVE_UP: Final = 900  # seconds; then it says where it stands and ends


class Stage(NamedTuple):
    """`seconds`: what is too long. `smoke`: amounts that show that it works, and nothing else."""

    figures: Callable[[World, Any], AsyncIterator[Figure]]
    whole: Any
    smoke: Any
    seconds: float


# In this order: what one leaves in the topics is read by none that comes after it
STAGES: Final = {
    "fold": Stage(fold.figures, fold.Amount(), fold.SMOKE, 90),
    "live": Stage(live.figures, live.Amount(), live.SMOKE, 300),
    "archive": Stage(archive.figures, archive.Amount(), archive.SMOKE, 90),
    "projector": Stage(projector.figures, projector.Amount(), projector.SMOKE, 240),
    "ingest": Stage(ingest.figures, ingest.Amount(), ingest.SMOKE, 150),
}


def say(line: str) -> None:
    sys.stdout.write(f"bench: {line}\n")
    sys.stdout.flush()


async def run(world: World, names: Sequence[str], *, smoke: bool) -> tuple[list[Figure], list[str]]:
    """What was measured, and the stages that failed: the others are measured all the same."""
    found: list[Figure] = []
    failed: list[str] = []
    for name in names:
        stage, began = STAGES[name], time.monotonic()
        say(f"{name} …")
        try:
            async with asyncio.timeout(stage.seconds):
                async with aclosing(stage.figures(world, stage.smoke if smoke else stage.whole)) as figures:  # type: ignore[type-var]
                    async for figure in figures:
                        say(str(figure))
                        found.append(figure)
        except Exception as error:  # noqa: BLE001  # told here, and by the exit code
            failed.append(name)
            traceback.print_exc()
            say(f"{name} failed after {time.monotonic() - began:.0f} s: {error or type(error).__name__}")
        finally:
            end(list(world._services.values()))  # of a stage that failed; the others have done it
    return found, failed


def main() -> int:
    options = _options()
    logs.configure("warning")
    faulthandler.dump_traceback_later(GIVE_UP, exit=True)  # the children die with us
    began, names = time.monotonic(), options.stages or list(STAGES)
    with tempfile.TemporaryDirectory(prefix="legbook-bench-") as folder, World(Path(folder), say) as world:
        found, failed = asyncio.run(run(world, names, smoke=options.smoke))
        facts = machine.facts(world)
    whole = not failed and not options.smoke and names == list(STAGES)
    if whole:
        say(f"written: {page.write(found, facts)}")
    missed = sum(figure.met == "no" for figure in found)
    say(
        f"{len(found)} figures, {missed} goals missed, {len(failed)} stages failed, {time.monotonic() - began:.0f} s"
    )
    return 1 if failed else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("stages", nargs="*", choices=[[], *STAGES], help="only these, and no page is written")
    parser.add_argument("--smoke", action="store_true", help="tiny amounts: does it work? No page is written")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
