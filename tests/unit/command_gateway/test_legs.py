"""What is known of the legs, how old it is, and a leg that is about to come."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace

from command_gateway.legs import Begun, Legs
from command_gateway.refusals import RefusedError
from legbook.contracts import codec, examples
from legbook.contracts.legs import Flags, Leg
from legbook.contracts.status import ProjectorStatus
from legbook.contracts.topics import LEGS, STATUS

LEG = examples.RINGING
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


def said(topic: str, key: str, value: Any) -> Any:
    encoded = None if value is None else value if isinstance(value, bytes) else codec.encode(value)
    return SimpleNamespace(topic=topic, key=key.encode(), value=encoded, offset=1)


def leg_said(leg_id: int, value: Any) -> Any:
    return said(LEGS.name, f"hq|{leg_id}", value)


def status(age: float, *, lag: float = 0.0, epoch: int = 5) -> Any:
    found = ProjectorStatus(
        pbx="hq", epoch=epoch, at=NOW - timedelta(seconds=age), lag=lag, late_entries=0, live_legs=1
    )
    return said(STATUS.name, "hq|projector", found)


def test_live_then_over() -> None:
    legs = Legs()
    assert legs.find("hq", 7) is None
    legs.put(leg_said(7, LEG))
    assert legs.find("hq", 7) == LEG
    assert legs.find("branch", 7) is None
    legs.put(leg_said(7, None))
    with pytest.raises(RefusedError, match="leg 7 of hq is over") as error:
        legs.find("hq", 7)
    assert error.value.reason == "leg_ended"


def test_what_nobody_can_read_costs_nothing() -> None:
    legs = Legs()
    legs.put(leg_said(7, LEG))
    for odd in (
        leg_said(7, b"{"),
        said(LEGS.name, "hq", LEG),
        said(LEGS.name, "hq|x", None),
        said(STATUS.name, "k", b"7"),
    ):
        legs.put(odd)
    assert legs.find("hq", 7) == LEG


@pytest.mark.parametrize(("age", "lag"), [(0, 0), (9.9, 0), (0, 9.9), (-3, 0), (5, 4)])
def test_current_enough(age: float, lag: float) -> None:
    legs = Legs()
    legs.put(status(age, lag=lag))
    legs.check_current("hq", NOW, 10.0)


@pytest.mark.parametrize(("age", "lag"), [(11, 0), (0, 11), (6, 5)])
def test_stale(age: float, lag: float) -> None:
    legs = Legs()
    legs.put(status(age, lag=lag))
    with pytest.raises(RefusedError, match="11 s ago") as error:
        legs.check_current("hq", NOW, 10.0)
    assert error.value.reason == "pbx_stale"


def test_nothing_known_is_stale_and_an_older_epoch_no_news() -> None:
    legs = Legs()
    with pytest.raises(RefusedError, match="does curcdr_projector run"):
        legs.check_current("hq", NOW, 10.0)
    legs.put(status(0, epoch=6))
    legs.put(status(100, epoch=5))
    legs.check_current("hq", NOW, 10.0)


def _any(_leg: Leg) -> bool:
    return True


async def test_a_page_may_see_the_phone_of_a_row_before_the_topic_has_it() -> None:
    legs = Legs()
    legs.put(leg_said(7, examples.WAITING))
    waiting = asyncio.create_task(legs.arrival("hq", 7, lambda leg: bool(leg.dstuid), 5.0))
    await asyncio.sleep(0)
    legs.put(leg_said(7, examples.WAITING))
    await asyncio.sleep(0)
    legs.put(leg_said(7, LEG))

    assert (await waiting).dstuid == LEG.dstuid


async def test_a_leg_that_never_gets_that_side_is_given_as_it_is() -> None:
    legs = Legs()
    legs.put(leg_said(7, examples.WAITING))

    assert await legs.arrival("hq", 7, lambda leg: bool(leg.dstuid), 0.01) == examples.WAITING


async def test_a_leg_that_ends_meanwhile_is_over() -> None:
    legs = Legs()
    waiting = asyncio.create_task(legs.arrival("hq", 7, _any, 5.0))
    await asyncio.sleep(0)
    legs.put(leg_said(7, None))

    with pytest.raises(RefusedError, match="is over"):
        await waiting


async def test_a_page_may_see_a_row_before_the_topic_has_it() -> None:
    legs = Legs()
    waiting = [asyncio.create_task(legs.arrival("hq", 7, _any, 5.0)) for _ in range(2)]
    await asyncio.sleep(0)
    legs.put(leg_said(7, replace(LEG, leg_id=7)))

    assert {(await each).leg_id for each in waiting} == {7}


async def test_what_does_not_come_is_unknown() -> None:
    with pytest.raises(RefusedError, match="no leg 7 of hq") as error:
        await Legs().arrival("hq", 7, _any, 0.01)
    assert error.value.reason == "unknown_leg"


FIRST = replace(
    LEG, leg_id=7, answered=False, linkedid_first="my-call", linkedid="other", flags=Flags(originated=True)
)


async def test_what_an_originate_began_is_found_by_its_id_once_it_is_answered() -> None:
    legs = Legs()
    waiting = asyncio.create_task(legs.begun("hq", "my-call", 5.0))
    legs.put(leg_said(7, FIRST))
    await asyncio.sleep(0)
    assert not waiting.done()
    legs.put(leg_said(7, replace(FIRST, answered=True)))

    assert await waiting == Begun(7, answered=True)


async def test_of_several_phones_the_one_that_answered_counts() -> None:
    """A number that rings a group; what was heard is remembered when the leg is over."""
    legs = Legs()
    for each in (FIRST, replace(FIRST, leg_id=8), replace(FIRST, leg_id=8, answered=True), FIRST):
        legs.put(leg_said(each.leg_id, each))
    legs.put(leg_said(8, None))

    assert await legs.begun("hq", "my-call", 5.0) == Begun(8, answered=True)


async def test_a_leg_that_ended_unanswered_is_no_proof_and_may_be_all_there_is() -> None:
    legs = Legs()
    legs.put(leg_said(7, FIRST))
    legs.put(leg_said(7, None))

    assert await legs.begun("hq", "my-call", 0.01) == Begun(7, answered=False)


async def test_a_call_that_was_not_originated_is_nobodys_command() -> None:
    legs = Legs()
    legs.put(leg_said(7, replace(FIRST, flags=Flags())))

    assert await legs.begun("hq", "my-call", 0.01) is None
