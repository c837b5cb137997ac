"""Calls through the laboratory PBX, a coroutine each: run one as a task and watch it from outside."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.asterisk.cdr import Cdr
from tests.asterisk.configuration import EXTENSIONS, TRUNK
from tests.asterisk.pbx import Asterisk
from tests.asterisk.phone import Phone
from tests.asterisk.phonelog import PhoneLog, What

RING_GROUP_DID = "30900"
QUEUE_DID = "30502"
CDR_SECONDS = 10

Phones = dict[str, Phone]


@dataclass(frozen=True, slots=True)
class CallLog:
    """One call as its witnesses tell it: the caller's phone, the called phones, the PBX's own records."""

    caller: PhoneLog
    phones: dict[str, PhoneLog]
    cdrs: list[Cdr]


@asynccontextmanager
async def open_phones(asterisk: Asterisk) -> AsyncIterator[Phones]:
    """The phones 201, 202, 203 and the far end of the trunk, by name; none answers until told to."""
    async with AsyncExitStack() as stack:
        phones = {}
        for name in (*EXTENSIONS, TRUNK):
            port = asterisk.phone_ports[name]
            phones[name] = await Phone.start(name, port=port, server_port=asterisk.sip_port)
            stack.push_async_callback(phones[name].close)
        yield phones


async def ring_group_call(
    asterisk: Asterisk, *, answer_after: float, talk: float, phones: Phones | None = None
) -> CallLog:
    """A trunk call from 2002 to ring group 1000; 202 answers, the caller hangs up `talk` seconds later."""
    return await trunk_call(asterisk, did=RING_GROUP_DID, answer_after=answer_after, talk=talk, phones=phones)


async def trunk_call(
    asterisk: Asterisk,
    *,
    did: str,
    answer_after: float,
    talk: float,
    answered_by: str = "202",
    caller: str = "2002",
    phones: Phones | None = None,
) -> CallLog:
    """A call to a DID that rings all three phones, of which one answers; the caller hangs up.

    Give `phones` to follow their logs while the call lasts; else they exist for this call only.
    """
    async with open_phones(asterisk) if phones is None else nullcontext(phones) as opened:
        known = {name: len(phone.log.facts) for name, phone in opened.items()}
        began = datetime.now(UTC)
        for name in EXTENSIONS:
            opened[name].answer_after = answer_after if name == answered_by else None
        call = await opened[TRUNK].call(did, caller=caller)
        agent = opened[answered_by].log
        await agent.wait(What.ANSWERED, timeout=answer_after + 10, after=known[answered_by])
        await opened[TRUNK].log.wait(What.ANSWERED, after=known[TRUNK])
        if await call.ended(within=talk):
            raise RuntimeError(f"the call was to last {talk} s: {opened[TRUNK].log.since(known[TRUNK])}")
        await call.hang_up()
        await agent.wait(What.BYE_RECEIVED, after=known[answered_by])
        cdrs = await _records_of(asterisk, caller, since=began)
        logs = {name: phone.log.since(known[name]) for name, phone in opened.items()}
    return CallLog(caller=logs.pop(TRUNK), phones=logs, cdrs=cdrs)


async def _records_of(asterisk: Asterisk, caller: str, *, since: datetime) -> list[Cdr]:
    """The caller's records, as soon as each phone has its own and the h extension has one."""
    deadline = time.monotonic() + CDR_SECONDS
    while True:
        records = [record for record in asterisk.cdr() if record.src == caller and record.start >= since]
        phones = {record.called for record in records}
        if phones.issuperset(EXTENSIONS) and any(record.dst == "h" for record in records):
            return records
        if time.monotonic() > deadline:
            raise TimeoutError(f"the call is over, its records are not complete: {records}")
        await asyncio.sleep(0.05)
