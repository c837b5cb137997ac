"""Click-to-dial on a real Asterisk 22: phones really ring, once or not at all, whoever is killed in between."""

import asyncio
import uuid
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from legbook.ami.encode import encode, login
from legbook.client import Client
from legbook.contracts.commands import CommandResult
from legbook.demo.watch import Watch
from legbook.demo.world import World
from tests.asterisk.configuration import TRUNK
from tests.asterisk.conftest import secrets_of
from tests.asterisk.pbx import Asterisk
from tests.asterisk.phonelog import What
from tests.asterisk.scenario import Phones
from tests.e2e import topics
from tests.waiting import until

pytestmark = pytest.mark.asterisk
NUMBER = "9555123"  # the dialplan sends 9X. to the trunk


@pytest_asyncio.fixture
async def client(world: World) -> AsyncIterator[Client]:
    async with Client(issuer="test", settings=topics.settings(world)) as client:
        yield client


async def call(client: Client, endpoint: str, exten: str, ring: int = 10) -> CommandResult:
    return await client.originate(
        "hq",
        endpoint,
        exten,
        context="from-internal",
        actor="alice",
        ring=ring,
        caller_name="Click to dial",
        caller_number="201",
    )


def rung(phones: Phones, name: str) -> int:
    return phones[name].log.whats.count(What.INVITED)


async def test_a_phone_rings_and_the_number_is_dialled_for_it(
    client: Client, phones: Phones, watch: Watch
) -> None:
    phones["201"].answer_after = 0.5
    phones[TRUNK].answer_after = 0.5

    result = await call(client, "PJSIP/201", NUMBER)

    assert (result.state, result.uniqueids) == ("done", [result.command_id]), result
    rows = await until(watch.live, lambda rows: [row["disposition"] for row in rows] == ["LINK", "LINK"])
    assert [(row["src"], row["dst"]) for row in rows] == [("", "201"), ("201", NUMBER)]
    assert result.leg_ids == [rows[0]["id"]]
    assert (rung(phones, "201"), rung(phones, TRUNK)) == (1, 1)
    assert (await phones["201"].log.wait(What.INVITED)).detail == "201", "the caller id that was asked for"
    await phones["201"].hang_up()
    await until(watch.live, lambda rows: rows == [])


async def test_the_number_first_then_the_phone(client: Client, phones: Phones, watch: Watch) -> None:
    phones[TRUNK].answer_after = 0.3
    phones["201"].answer_after = 0.3

    result = await call(client, f"Local/{NUMBER}@from-internal", "201")

    assert result.state == "done", result
    await phones["201"].log.wait(What.ANSWERED)
    order = [phones[name].log.first(What.INVITED).at for name in (TRUNK, "201")]
    assert order == sorted(order)
    assert (rung(phones, "201"), rung(phones, TRUNK)) == (1, 1)
    await phones["201"].hang_up()
    await until(watch.live, lambda rows: rows == [])


async def test_a_phone_that_nobody_answers_stops_ringing(
    client: Client, phones: Phones, watch: Watch
) -> None:
    phones["201"].answer_after = None

    result = await call(client, "PJSIP/201", NUMBER, ring=1)

    assert (result.state, result.reason) == ("failed", "not_reached"), result
    assert "did not answer" in result.message
    await phones["201"].log.wait(What.CANCEL_RECEIVED)
    assert (rung(phones, "201"), rung(phones, TRUNK)) == (1, 0)
    await until(watch.live, lambda rows: rows == [])


async def test_what_the_policy_does_not_name_rings_nowhere(client: Client, phones: Phones) -> None:
    result = await call(client, "PJSIP/555@sipto45", NUMBER)

    assert (result.state, result.reason) == ("rejected", "not_allowed"), result
    assert rung(phones, TRUNK) == 0


async def test_the_gateway_is_killed_while_it_rings(
    asterisk: Asterisk, client: Client, phones: Phones, watch: Watch, world: World
) -> None:
    phones["201"].answer_after = 4.0
    phones[TRUNK].answer_after = 0.2
    asked = asyncio.create_task(call(client, "PJSIP/201", NUMBER))
    await phones["201"].log.wait(What.INVITED)

    world.kill("command_gateway")
    world.start("command_gateway", **secrets_of(asterisk))

    result = await asked
    assert (result.state, result.reason) == ("done", None), result
    (first, _) = await until(watch.live, lambda rows: len(rows) == 2)
    assert result.leg_ids == [first["id"]]
    assert rung(phones, "201") == 1
    await phones["201"].hang_up()
    await until(watch.live, lambda rows: rows == [])


@pytest.mark.parametrize("delay", [0.0, 0.004, 0.008, 0.012, 0.02, 0.05])
async def test_the_gateway_is_killed_at_any_moment(
    asterisk: Asterisk, client: Client, phones: Phones, watch: Watch, world: World, delay: float
) -> None:
    """Before it is on record, before the bytes are out, after: it rings 0 or 1 times, and one is told which."""
    await asyncio.to_thread(world.wait_ready, "command_gateway")
    phones["201"].answer_after = 0.1
    asked = asyncio.create_task(call(client, "PJSIP/201", "201"))
    await asyncio.sleep(delay)

    world.kill("command_gateway")
    world.start("command_gateway", **secrets_of(asterisk))

    result = await asked
    assert result.state in {"done", "unknown", "expired", "failed"}, result
    await phones["201"].hang_up()
    await until(watch.live, lambda rows: rows == [])
    first = [fact for fact in phones["201"].log.facts if fact.what is What.INVITED and fact.detail == "201"]
    assert (len(first) > 0) == (result.state == "done"), (result, phones["201"].log.whats)


async def test_asterisk_itself_refuses_an_id_that_is_in_use(asterisk: Asterisk, phones: Phones) -> None:
    """What ChannelId is for: written twice by anybody, it still rings once."""
    phones["201"].answer_after = None
    reader, writer = await asyncio.open_connection("127.0.0.1", asterisk.ami_port)
    action: dict[str, Any] = {
        "Action": "Originate",
        "Channel": "PJSIP/201",
        "Context": "from-internal",
        "Exten": NUMBER,
        "Priority": "1",
        "Timeout": "3000",
        "ChannelId": str(uuid.uuid4()),
        "Async": "true",
    }
    writer.write(login("legbook_gateway", asterisk.gateway_secret, "1"))
    writer.write(encode((action | {"ActionID": "first"}).items()))
    await phones["201"].log.wait(What.INVITED)
    writer.write(encode((action | {"ActionID": "second"}).items()))

    async with asyncio.timeout(10):
        while True:
            told = (await reader.readuntil(b"\r\n\r\n")).decode()
            if "OriginateResponse" in told and "ActionID: second" in told:
                break
    assert "Response: Failure" in told
    assert rung(phones, "201") == 1
    writer.close()
    await phones["201"].hang_up()
