"""Did it have its effect? What the PBX says on our own connection: Responses, an OriginateResponse, Hangups."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from panoramisk.message import Message

from command_gateway.verbs.plan import Plan
from legbook.contracts.commands import Reason, State

# Reason of an OriginateResponse (asterisk/asterisk include/asterisk/frame.h: enum ast_control_frame_type);
# a phone that is busy or refuses is 0 or 5, one that lets it ring 3 or 1 (recordings 15b, 15c)
REASONS: Final = {
    "0": "it was not reached, or refused",
    "1": "it was hung up",
    "3": "it did not answer",
    "5": "it is busy",
    "8": "the network is congested",
}


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

    def __post_init__(self) -> None:
        self.look()

    def look(self) -> None:
        if not self.missing:
            self.met.set()


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
            each.look()

    def forget(self, expectation: Expectation) -> None:
        self._expected.remove(expectation)


async def confirm(
    answers: Sequence["asyncio.Future[Any]"], expectation: Expectation, plan: Plan, patience: float
) -> Outcome:
    """Asterisk says Success to much that has no effect: only both together are `done`."""
    patience += plan.takes
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
    return _judge(answers, expectation, plan, patience)


def _judge(
    answers: Sequence["asyncio.Future[Any]"], expectation: Expectation, plan: Plan, patience: float
) -> Outcome:
    given = [answer for answer in answers if answer.done() and not answer.cancelled()]
    if any(_said_yes(answer) for answer in given):
        if expectation.met.is_set():
            return Outcome("done", None, plan.done)
        missing = ", ".join(sorted(expectation.missing))
        return Outcome(
            "unknown", "no_effect", f"the PBX said yes, but {missing} did not hang up in {patience:.0f} s"
        )
    if len(given) == len(answers):
        return _refused(_last(given[0]), plan)
    why = "the connection ended" if any(a.cancelled() for a in answers) else f"{patience:.0f} s passed"
    return Outcome("unknown", "no_answer", f"{why} before the PBX answered")


def _refused(said: Message, plan: Plan) -> Outcome:
    """An action that is not taken gets an Error with a Message; one that comes to nothing an event with a Reason."""
    if said.event:
        return Outcome(
            "failed", plan.no, REASONS.get(said.reason, f"the PBX said: reason {said.reason}"[:200])
        )
    return Outcome("failed", "ami_error", f"the PBX said: {said.message}"[:200])


def _said_yes(answer: "asyncio.Future[Any]") -> bool:
    return answer.done() and not answer.cancelled() and _last(answer).response == "Success"


def _last(answer: "asyncio.Future[Any]") -> Message:
    """Of an asynchronous Originate panoramisk gives both: that it was queued, and what became of it."""
    given = answer.result()
    last: Message = given[-1] if isinstance(given, list) else given
    return last
