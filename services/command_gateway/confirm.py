"""Did it have its effect? The Responses, and the Hangup of every channel that was meant, on our own connection."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from legbook.contracts.commands import Reason, State


class Outcome(NamedTuple):
    """`message` for people."""

    state: State
    reason: Reason | None
    message: str


@dataclass(slots=True)
class Expectation:
    """Channels that have yet to hang up."""

    missing: set[str]
    met: asyncio.Event = field(default_factory=asyncio.Event)


class Hangups:
    """Told every Hangup of one PBX."""

    def __init__(self) -> None:
        self._expected: list[Expectation] = []

    def expect(self, uniqueids: Sequence[str]) -> Expectation:
        """From now on; before anything is written."""
        found = Expectation(set(uniqueids))
        self._expected.append(found)
        return found

    def saw(self, uniqueid: str) -> None:
        for each in self._expected:
            each.missing.discard(uniqueid)
            if not each.missing:
                each.met.set()

    def forget(self, expectation: Expectation) -> None:
        self._expected.remove(expectation)


async def confirm(
    answers: Sequence["asyncio.Future[Any]"], expectation: Expectation, patience: float
) -> Outcome:
    """Asterisk says Success to much that has no effect: only both together are `done`."""
    effect = asyncio.create_task(expectation.met.wait())
    try:
        async with asyncio.timeout(patience):
            await asyncio.wait(answers)
            if any(_said_yes(answer) for answer in answers):
                await effect
    except TimeoutError:
        pass  # what is there by now decides
    finally:
        effect.cancel()
    return _judge(answers, expectation, patience)


def _judge(answers: Sequence["asyncio.Future[Any]"], expectation: Expectation, patience: float) -> Outcome:
    given = [answer for answer in answers if answer.done() and not answer.cancelled()]
    if any(_said_yes(answer) for answer in given):
        if expectation.met.is_set():
            return Outcome("done", None, f"{len(answers)} hung up")
        missing = ", ".join(sorted(expectation.missing))
        return Outcome(
            "unknown", "no_effect", f"the PBX said yes, but {missing} did not hang up in {patience:.0f} s"
        )
    if len(given) == len(answers):
        return Outcome("failed", "ami_error", f"the PBX said: {given[0].result().message}"[:200])
    why = "the connection ended" if any(a.cancelled() for a in answers) else f"{patience:.0f} s passed"
    return Outcome("unknown", "no_answer", f"{why} before the PBX answered")


def _said_yes(answer: "asyncio.Future[Any]") -> bool:
    return answer.done() and not answer.cancelled() and bool(answer.result().success)
