"""What the services count, waited for with a deadline, and child processes of our own that end by themselves."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from legbook.demo.world import World
from legbook.devstack import StackError
from legbook.devstack.processes import spawn

PATIENCE: Final = 90.0
EVERY: Final = 0.02
_REPORT: Final = "report: "


def say(line: str) -> None:
    """To who waits for it."""
    sys.stdout.write(f"bench: {line}\n")
    sys.stdout.flush()


def total(world: World, service: str, metric: str, **labels: str | list[str]) -> float:
    """Sum over all samples with these labels; 0 before the service serves. StackError if it has ended."""
    if world.exit_code(service) is not None:
        raise StackError(f"{service} has ended:\n{world.log(service)[-3000:]}")
    try:
        text = world.metrics(service)
    except OSError:
        return 0.0
    return sum(
        sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == metric and all(sample.labels[name] in _either(labels[name]) for name in labels)
    )


def _either(wanted: str | list[str]) -> list[str]:
    return [wanted] if isinstance(wanted, str) else wanted


async def until(
    what: str,
    look: Callable[[], float],
    good: Callable[[float], bool],
    patience: float = PATIENCE,
    every: float = EVERY,
) -> float:
    """The first look that is good; StackError with the last one."""
    deadline = time.monotonic() + patience
    while not good(seen := await asyncio.to_thread(look)):
        if time.monotonic() > deadline:
            raise StackError(f"waited {patience:.0f} s for {what}, saw {seen:g}")
        await asyncio.sleep(every)
    return seen


async def pace(what: str, look: Callable[[], float], wanted: float, every: float = EVERY) -> float:
    """A second, from the first look that finds something until all is there: start-up does not count."""
    idle = time.monotonic()

    def begun(seen: float) -> bool:
        nonlocal idle
        idle = idle if seen else time.monotonic()
        return seen > 0

    first = await until(f"the first of {what}", look, begun)
    began = time.monotonic()
    done = await until(f"all {what}", look, lambda seen: seen >= wanted, every=every)
    ended = time.monotonic()
    if done > first:
        return (done - first) / (ended - began)
    return done / (began - idle)  # so little that one look found all of it


def report(**facts: float) -> None:
    """What a child says when it is done; others may write to its log too."""
    sys.stdout.write(f"{_REPORT}{json.dumps(facts)}\n")
    sys.stdout.flush()


class Child:
    """`python -m tests.benchmarks.<module> …`, which ends by itself and reports."""

    def __init__(self, world: World, module: str, *arguments: str) -> None:
        self._name, self._folder = f"bench-{module}-{time.monotonic_ns()}", world.folder
        command = [sys.executable, "-m", f"tests.benchmarks.{module}", *arguments]
        self._process = spawn(self._name, command, folder=world.folder, env=world.env)

    async def said(self, patience: float = PATIENCE) -> dict[str, float]:
        """When it has ended. StackError if it fails, or does not end in time."""
        try:
            code = await asyncio.to_thread(self._process.wait, patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise StackError(f"{self._name} did not end within {patience:.0f} s:\n{self._log()}") from None
        if code:
            raise StackError(f"{self._name} ended with {code}:\n{self._log()}")
        said = [line for line in self._log().splitlines() if _REPORT in line]
        if not said:
            raise StackError(f"{self._name} reported nothing:\n{self._log()}")
        found: dict[str, float] = json.loads(said[-1].partition(_REPORT)[2])
        return found

    def _log(self) -> str:
        return (self._folder / f"{self._name}.log").read_text(errors="replace")[-3000:]
