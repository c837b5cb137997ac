"""Only a yes and the effect together are done."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from command_gateway.confirm import Hangups, Outcome, confirm
from command_gateway.verbs.plan import Plan

SOON = 0.05
HANGUP = Plan((), (), done="all gone")
ORIGINATE = Plan((), (), takes=SOON, no="not_reached", done="it has answered")


def answered(*texts: str | None) -> list["asyncio.Future[Any]"]:
    """yes, any other text for an error, gone for a link that ended, None for silence."""
    found = []
    for text in texts:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        if text == "gone":
            future.cancel()
        elif text is not None:
            future.set_result(said(text))
        found.append(future)
    return found


def said(text: str) -> SimpleNamespace:
    return SimpleNamespace(response="Success" if text == "yes" else "Error", message=text, event="")


def originated(response: str, reason: str) -> list[SimpleNamespace]:
    """What panoramisk makes of an asynchronous Originate: that it was queued, and what became of it."""
    event = SimpleNamespace(response=response, reason=reason, event="OriginateResponse", message="")
    return [said("yes"), event]


async def outcome(answers: list["asyncio.Future[Any]"], *seen: str) -> Outcome:
    hangups = Hangups()
    expectation = hangups.expect(["1.1", "1.2"])
    for uniqueid in seen:
        hangups.saw(uniqueid)
    found = await confirm(answers, expectation, HANGUP, SOON)
    hangups.forget(expectation)
    return found


@pytest.mark.parametrize(
    ("answers", "seen", "state", "reason", "named"),
    [
        (("yes", "yes"), ("1.1", "1.2"), "done", None, ""),
        (("yes", "No such channel"), ("1.1", "1.2"), "done", None, ""),
        (("yes", "yes"), ("1.1",), "unknown", "no_effect", "1.2"),
        (("yes", "yes"), ("1.1", "9.9"), "unknown", "no_effect", "1.2"),
        (("No such channel", "Permission denied"), (), "failed", "ami_error", "No such channel"),
        (("No such channel", "No such channel"), ("1.1", "1.2"), "failed", "ami_error", "No such channel"),
        ((None, None), ("1.1", "1.2"), "unknown", "no_answer", "passed"),
        (("gone", "gone"), (), "unknown", "no_answer", "connection ended"),
        (("No such channel", None), (), "unknown", "no_answer", "passed"),
    ],
)
async def test_what_is_known_decides(
    answers: tuple[str | None, ...], seen: tuple[str, ...], state: str, reason: str | None, named: str
) -> None:
    found = await outcome(answered(*answers), *seen)

    assert (found.state, found.reason) == (state, reason)
    assert named in found.message


async def test_the_effect_may_come_after_the_answer() -> None:
    hangups = Hangups()
    expectation = hangups.expect(["1.1"])
    waiting = asyncio.create_task(confirm(answered("yes"), expectation, HANGUP, 5.0))
    await asyncio.sleep(0)
    hangups.saw("1.1")

    assert (await waiting).state == "done"


async def test_the_answer_may_come_after_the_effect() -> None:
    hangups = Hangups()
    expectation = hangups.expect(["1.1"])
    (answer,) = answered(None)
    waiting = asyncio.create_task(confirm([answer], expectation, HANGUP, 5.0))
    hangups.saw("1.1")
    await asyncio.sleep(0)
    answer.set_result(said("yes"))

    assert (await waiting).state == "done"


@pytest.mark.parametrize(
    ("given", "state", "reason", "named"),
    [
        (originated("Success", "4"), "done", None, "it has answered"),
        (originated("Failure", "3"), "failed", "not_reached", "did not answer"),
        (originated("Failure", "5"), "failed", "not_reached", "busy"),
        (originated("Failure", "77"), "failed", "not_reached", "reason 77"),
        (said("Permission denied"), "failed", "ami_error", "Permission denied"),
        (None, "unknown", "no_answer", "passed"),
    ],
)
async def test_of_an_originate_the_event_decides(
    given: Any, state: str, reason: str | None, named: str
) -> None:
    """That it was queued is no success: panoramisk waits for the event."""
    (answer,) = answered(None)
    if given is not None:
        answer.set_result(given)

    found = await confirm([answer], Hangups().expect(()), ORIGINATE, SOON)

    assert (found.state, found.reason) == (state, reason)
    assert named in found.message
