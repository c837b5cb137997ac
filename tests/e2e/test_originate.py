"""Click-to-dial through the real gateway to a PBX: a phone rings once or not at all, and one is told which."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from legbook.client import Client
from legbook.contracts.codec import decode_result
from legbook.contracts.commands import CommandResult
from legbook.demo.watch import Watch
from legbook.demo.world import GATEWAY, World
from legbook.fakepbx import Action, FakePbx, Session, Switch, load
from legbook.fakepbx.answers import HANDLERS
from tests.e2e import topics
from tests.e2e.commands import ends, originate, publish, results
from tests.e2e.conftest import QUICK
from tests.e2e.fleet import play
from tests.recorded import FIXTURES, RING_GROUP
from tests.waiting import until

PBX = "clicks"
EXTEN = "90555123"
ANSWERS = FIXTURES / "recordings/22.10.1-pjsip/15a-originate-success.jsonl.gz"
BUSY = FIXTURES / "recordings/22.10.1-pjsip/15c-originate-agent-busy.jsonl.gz"
RINGS_ON = FIXTURES / "recordings/16.28.0-chan_sip/15b-originate-agent-noanswer.jsonl.gz"
NUMBER_FIRST = FIXTURES / "recordings/22.10.1-pjsip/15g-originate-local-ids.jsonl.gz"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(running: World, ports: dict[str, int]) -> AsyncIterator[FakePbx]:
    async with play(PBX, [RING_GROUP], ports) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="module")
async def pbx(world: World, line: FakePbx) -> FakePbx:
    """It obeys again, whatever a test before has made of it; the gateway is logged in; no action is on record."""
    line.handlers.update(HANDLERS)
    await until(lambda: 'command_gateway_connected{pbx="clicks"} 1.0' in world.metrics("command_gateway"))
    await until(lambda: line.rounds)  # it plays since ami_ingest has logged in, and answers an Originate
    line.actions.entries.clear()
    return line


def plays(pbx: FakePbx, *recordings: Path) -> None:
    pbx.clicks.recordings = [load(path) for path in recordings]


def rows_of(watch: Watch, command_id: str) -> list[dict[str, Any]]:
    """Live, of the phone that this command rang: first called, then calling."""
    return [row for row in watch.live() if command_id in {row["srcuid"], row["dstuid"]}]


async def legs_of(watch: Watch, command_id: str) -> list[dict[str, Any]]:
    """Of the call that this command began, in the archive, once there are any."""
    return await until(
        lambda: watch.query("SELECT * FROM cdr WHERE linkedid = {l:String} ORDER BY leg_id", l=command_id),
        len,
    )


async def ask(world: World, endpoint: str, ring: int = 10) -> CommandResult:
    async with Client(issuer="test", settings=topics.settings(world)) as client:
        return await client.originate(
            PBX, endpoint, EXTEN, context="from-internal", actor="alice", ring=ring, caller_number="201"
        )


async def test_the_phone_answers_and_the_number_is_dialled(world: World, pbx: FakePbx, watch: Watch) -> None:
    plays(pbx, ANSWERS)

    result = await ask(world, "PJSIP/201")

    assert (result.state, result.reason, result.verb) == ("done", None, "originate"), result
    assert result.uniqueids == [result.command_id]
    (action,) = pbx.actions.named("Originate")
    assert action.fields["ChannelId"] == result.command_id
    first, second = await until(lambda: rows_of(watch, result.command_id), lambda rows: len(rows) == 2)
    assert (first["dstuid"], first["src"], first["dst"]) == (result.command_id, "", "201")
    assert (second["srcuid"], second["src"], second["dst"]) == (result.command_id, "201", EXTEN)
    assert result.leg_ids == [first["id"]]
    (states,) = [s for i, s in (await results(world)).items() if i == result.command_id]
    assert [each.state for each in states] == ["sent", "done"]
    await until(lambda: rows_of(watch, result.command_id), lambda rows: not rows)
    legs = await legs_of(watch, result.command_id)
    assert [leg["disposition"] for leg in legs] == ["ANSWERED", "ANSWERED"]


async def test_the_number_first(world: World, pbx: FakePbx, watch: Watch) -> None:
    plays(pbx, NUMBER_FIRST)

    told = await asyncio.to_thread(
        world.legbook, "command", "originate", PBX, "Local/201@from-internal", EXTEN, "--json"
    )

    result = decode_result(told.encode())
    assert (result.state, result.uniqueids) == ("done", [result.command_id]), result
    legs = await legs_of(watch, result.command_id)
    assert result.leg_ids == [legs[0]["leg_id"]]


@pytest.mark.parametrize(
    ("endpoint", "recording", "named"),
    [
        ("PJSIP/201", BUSY, "not reached, or refused"),
        ("SIP/201", RINGS_ON, "did not answer"),
        ("PJSIP/299", ANSWERS, "not reached"),
    ],
)
async def test_the_phone_does_not_answer(
    world: World, pbx: FakePbx, endpoint: str, recording: Path, named: str
) -> None:
    plays(pbx, recording)

    result = await ask(world, endpoint)

    assert (result.state, result.reason) == ("failed", "not_reached"), result
    assert named in result.message
    assert len(pbx.actions.named("Originate")) == 1


async def test_what_may_not_be_called(world: World, pbx: FakePbx) -> None:
    wanted = [
        (originate(PBX, "PJSIP/301", EXTEN), "not_allowed", "policy.endpoints"),
        (originate(PBX, "Local/201@from-trunk", EXTEN), "not_allowed", "policy.contexts"),
        (originate(PBX, "PJSIP/201&PJSIP/202", EXTEN), "bad_field", "args.endpoint"),
        (originate(PBX, "PJSIP/201", "1,System(id)"), "bad_field", "args.exten"),
        (originate(PBX, "PJSIP/201", EXTEN, ring=90), "bad_field", "args.ring"),
    ]
    commands = [command for command, _, _ in wanted]
    await publish(world, commands, pbx=PBX)

    for result, (_, reason, named) in zip(await ends(world, commands), wanted, strict=True):
        assert (result.state, result.reason) == ("rejected", reason), result
        assert named in result.message
    assert pbx.actions.named("Originate") == []


async def test_twice_at_once_it_rings_once(world: World, pbx: FakePbx) -> None:
    plays(pbx, ANSWERS)
    command = originate(PBX, "PJSIP/201", EXTEN)

    await publish(world, [command, command, command], pbx=PBX)

    (result,) = await ends(world, [command])
    assert result.state == "done"
    assert len(pbx.actions.named("Originate")) == 1


async def test_the_gateway_is_killed_while_it_rings(world: World, pbx: FakePbx, watch: Watch) -> None:
    """The next one sees in the legs what became of the call, and never calls again."""
    plays(pbx, ANSWERS)
    command = originate(PBX, "PJSIP/201", EXTEN)
    await publish(world, [command], pbx=PBX)
    await asyncio.wait_for(pbx.actions.wait("Originate"), 10)

    world.kill("command_gateway")
    world.start("command_gateway", **QUICK)
    await publish(world, [command], pbx=PBX)

    (result,) = await ends(world, [command], patience=30)
    assert (result.state, result.reason) == ("done", None), result
    (leg, *_) = await legs_of(watch, command["command_id"])
    assert result.leg_ids == [leg["leg_id"]]
    assert len(pbx.actions.named("Originate")) == 1


async def test_the_gateway_is_stopped_while_it_rings_longer_than_it_waits(world: World, pbx: FakePbx) -> None:
    """It leaves the call to the next one, which alone may say that nobody knows how it ended."""
    plays(pbx, RINGS_ON)
    command = originate(PBX, "SIP/201", EXTEN, ring=4)
    await publish(world, [command], pbx=PBX)
    await asyncio.wait_for(pbx.actions.wait("Originate"), 10)

    assert await asyncio.to_thread(world.terminate, "command_gateway") == 0
    world.start("command_gateway", **QUICK)

    (result,) = await ends(world, [command], patience=30)
    assert (result.state, result.reason, len(result.leg_ids)) == ("unknown", "gateway_restarted", 1), result
    (states,) = [s for i, s in (await results(world)).items() if i == command["command_id"]]
    assert [each.state for each in states] == ["sent", "unknown"]
    assert len(pbx.actions.named("Originate")) == 1


async def test_the_connection_ends_while_it_rings(world: World, pbx: FakePbx) -> None:
    """The legs, which ami_ingest still hears, tell what became of it."""
    plays(pbx, ANSWERS)
    command = originate(PBX, "PJSIP/201", EXTEN)
    await publish(world, [command], pbx=PBX)
    await asyncio.wait_for(pbx.actions.wait("Originate"), 10)
    pbx.drop_sessions(GATEWAY.username)

    (result,) = await ends(world, [command], patience=30)

    assert (result.state, result.message[:4]) == ("done", "leg "), result.message
    assert len(pbx.actions.named("Originate")) == 1


async def _queued(_switch: Switch, session: Session, action: Action) -> None:
    session.reply(action, "Success", ("Message", "Originate successfully queued"))


async def test_nobody_says_what_became_of_it(world: World, pbx: FakePbx) -> None:
    """No channel was ever seen, and who sent it is gone: nobody knows, and nobody calls again."""
    pbx.handlers["originate"] = _queued
    command = originate(PBX, "PJSIP/201", EXTEN, ring=1)
    await publish(world, [command], pbx=PBX)
    await asyncio.wait_for(pbx.actions.wait("Originate"), 10)
    world.kill("command_gateway")
    world.start("command_gateway", **QUICK)

    (result,) = await ends(world, [command], patience=30)

    assert (result.state, result.reason, result.leg_ids) == ("unknown", "gateway_restarted", [])
    assert len(pbx.actions.named("Originate")) == 1
