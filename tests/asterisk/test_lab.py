"""The laboratory itself: phones and a real Asterisk agree on what happened."""

import asyncio

import pytest

from tests.asterisk.cdr import Cdr
from tests.asterisk.configuration import TRUNK
from tests.asterisk.pbx import Asterisk
from tests.asterisk.phonelog import What
from tests.asterisk.scenario import QUEUE_DID, Phones, ring_group_call, trunk_call

pytestmark = pytest.mark.asterisk

CALLED = [What.INVITED, What.RINGING]
DISPOSITIONS = {"201": "NO ANSWER", "202": "ANSWERED", "203": "NO ANSWER"}


def _by_phone(cdrs: list[Cdr]) -> dict[str, Cdr]:
    return {cdr.called: cdr for cdr in cdrs if cdr.called}


async def test_a_ring_group_call_as_the_phones_and_the_call_records_tell_it(asterisk: Asterisk) -> None:
    call = await ring_group_call(asterisk, answer_after=2, talk=4)

    assert call.caller.whats == [What.CALLING, What.RINGING, What.ANSWERED, What.BYE_SENT]
    assert call.phones["202"].whats == [*CALLED, What.ANSWERED, What.BYE_RECEIVED]
    for loser in ("201", "203"):
        assert call.phones[loser].whats == [*CALLED, What.CANCEL_RECEIVED]
        assert "completed elsewhere" in call.phones[loser].first(What.CANCEL_RECEIVED).detail
    assert all(log.first(What.INVITED).detail == "2002" for log in call.phones.values())

    records = _by_phone(call.cdrs)
    assert {phone: cdr.disposition for phone, cdr in records.items()} == DISPOSITIONS
    assert records["202"].billsec == pytest.approx(4, abs=1)
    assert records["201"].billsec == records["203"].billsec == 0
    assert {cdr.linkedid for cdr in call.cdrs} == {records["202"].uniqueid}


async def test_the_clocks_of_phones_and_call_records_agree(asterisk: Asterisk) -> None:
    call = await ring_group_call(asterisk, answer_after=0.5, talk=0.5)

    record = _by_phone(call.cdrs)["202"]
    answered = call.phones["202"].first(What.ANSWERED).at
    ended = call.phones["202"].first(What.BYE_RECEIVED).at
    assert record.answer is not None
    assert abs((record.answer - answered).total_seconds()) < 0.5
    assert abs((record.end - ended).total_seconds()) < 0.5


async def test_a_call_as_a_task_is_seen_while_it_lasts(asterisk: Asterisk, phones: Phones) -> None:
    call = asyncio.create_task(ring_group_call(asterisk, answer_after=0.5, talk=1, phones=phones))

    for called in ("201", "202", "203"):
        await phones[called].log.wait(What.RINGING)
    assert What.ANSWERED not in phones["202"].log.whats
    await phones[TRUNK].log.wait(What.ANSWERED)
    assert not call.done()

    assert (await call).phones["202"].whats[-1] == What.BYE_RECEIVED


async def test_a_caller_who_gives_up_stops_the_ringing(asterisk: Asterisk, phones: Phones) -> None:
    call = await phones[TRUNK].call("30900", caller="2002")
    await phones["203"].log.wait(What.RINGING)

    await call.hang_up()

    assert phones[TRUNK].log.first(What.REFUSED).detail == "487"
    for called in ("201", "202", "203"):
        await phones[called].log.wait(What.CANCEL_RECEIVED)


async def test_an_extension_calls_another_and_the_called_one_hangs_up(
    asterisk: Asterisk, phones: Phones
) -> None:
    phones["203"].answer_after = 0.1
    call = await phones["201"].call("203")
    await phones["201"].log.wait(What.ANSWERED)

    await phones["203"].hang_up()

    assert await call.ended(within=5)
    assert phones["201"].log.whats == [What.CALLING, What.RINGING, What.ANSWERED, What.BYE_RECEIVED]
    assert phones["202"].log.facts == []


async def test_a_queue_call_rings_its_local_members(asterisk: Asterisk) -> None:
    call = await trunk_call(asterisk, did=QUEUE_DID, answer_after=0.5, talk=1)

    assert call.phones["202"].whats == [*CALLED, What.ANSWERED, What.BYE_RECEIVED]
    for loser in ("201", "203"):
        assert call.phones[loser].whats == [*CALLED, What.CANCEL_RECEIVED]
    assert {phone: cdr.disposition for phone, cdr in _by_phone(call.cdrs).items()} == DISPOSITIONS
    assert all(cdr.channel.startswith("Local/") for cdr in call.cdrs if cdr.called)
