"""Commands through the real gateway to a PBX: what is carried out, once; what is refused, and why."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from legbook.client import Client
from legbook.contracts.commands import CommandResult
from legbook.contracts.topics import COMMANDS, partition_of
from legbook.demo.watch import Watch
from legbook.demo.world import World
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.fakepbx.answers import HANDLERS
from tests.e2e import topics
from tests.e2e.commands import PARTITIONS, ends, hangup, publish, results
from tests.e2e.conftest import QUICK
from tests.e2e.fleet import play
from tests.recorded import RING_GROUP
from tests.waiting import until

PBX = "commands"
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def line(running: World, ports: dict[str, int]) -> AsyncIterator[FakePbx]:
    """A ring-group call every second."""
    async with play(PBX, [RING_GROUP], ports, rounds=1000, spacing=1.0) as line:
        yield line


@pytest_asyncio.fixture(loop_scope="module")
async def pbx(world: World, line: FakePbx) -> FakePbx:
    """It obeys again, whatever a test before has made of it; the gateway is logged in; no action is on record."""
    line.handlers.update(HANDLERS)
    await until(lambda: 'command_gateway_connected{pbx="commands"} 1.0' in world.metrics("command_gateway"))
    line.actions.entries.clear()
    return line


async def live_leg(world: World, state: str) -> dict[str, Any]:
    """The newest row in this state: it has longest to live."""
    watch = Watch(world.env["MYSQL_URL"], world.env["CLICKHOUSE_URL"])
    try:
        rows = await until(
            lambda: [r for r in watch.live() if r["pbx"] == PBX and r["disposition"] == state], len
        )
    finally:
        watch.close()
    return rows[-1]


def sent_to(pbx: FakePbx) -> list[str]:
    """The channels that somebody asked to hang up."""
    return [str(action.fields["Channel"]) for action in pbx.actions.named("Hangup")]


@pytest.mark.parametrize(
    ("state", "side"), [("LINK", "dst"), ("LINK", "both"), ("RINGING", "dst"), ("LINK", "src")]
)
async def test_a_live_leg_is_hung_up(world: World, pbx: FakePbx, watch: Watch, state: str, side: Any) -> None:
    row = await live_leg(world, state)
    async with Client(issuer="test", settings=topics.settings(world)) as client:
        result = await client.hangup(PBX, row["id"], side=side, actor="alice")

    wanted = {"dst": [row["dstuid"]], "src": [row["srcuid"]], "both": [row["dstuid"], row["srcuid"]]}[side]
    assert (result.state, result.reason, result.uniqueids) == ("done", None, wanted)
    assert result.leg_ids == [row["id"]]
    assert sent_to(pbx) == wanted
    await until(lambda: row["id"] in {r["id"] for r in watch.live()}, lambda there: not there)
    (states,) = [s for command_id, s in (await results(world)).items() if command_id == result.command_id]
    assert [each.state for each in states] == ["sent", "done"]


def _bad(leg_id: int) -> list[tuple[dict[str, Any], str, str]]:
    """(command, reason, what its message names)."""
    good = hangup(PBX, leg_id)
    now = datetime.now(UTC)

    def with_(**more: Any) -> dict[str, Any]:
        return hangup(PBX, leg_id) | more

    return [
        (with_(verb="explode"), "unknown_verb", "explode"),
        ({k: v for k, v in with_().items() if k != "verb"}, "unknown_verb", "verb"),
        (with_(force=True), "bad_field", "force"),
        (with_(args={**good["args"], "channel": "SIP/1"}), "bad_field", "channel"),
        (with_(args={"leg_id": str(leg_id), "side": "dst"}), "bad_field", "$.args.leg_id"),
        (with_(args={"leg_id": leg_id, "side": "left"}), "bad_field", "$.args.side"),
        (with_(args=None), "bad_field", "$.args"),
        (with_(v=2), "bad_field", "v is 2"),
        *((with_(actor=f"al{c}ice"), "bad_field", "$.actor") for c in ("\r", "\n", "\0")),
        (with_(issuer="crm\r\nAction: Originate"), "bad_field", "$.issuer"),
        (with_(actor="x" * (1 << 20)), "bad_field", "$.actor"),
        (with_(issued_at="yesterday"), "bad_field", "$.issued_at"),
        (with_(not_after=(now + timedelta(seconds=90)).isoformat()), "bad_field", "not_after"),
        (with_(issued_at=(now + timedelta(seconds=50)).isoformat(),
               not_after=(now + timedelta(seconds=60)).isoformat()), "bad_field", "issued_at"),
        (with_(pbx="nowhere"), "unknown_pbx", "nowhere"),
        (with_(pbx="h q"), "bad_field", "$.pbx"),
        (with_(args={"leg_id": 4096 + 1, "side": "dst"}), "unknown_leg", "4097"),
    ]  # fmt: skip


async def test_what_cannot_be_carried_out_is_refused_by_name_and_nothing_reaches_the_pbx(
    world: World, pbx: FakePbx
) -> None:
    row = await live_leg(world, "LINK")
    bad = _bad(row["id"])

    await publish(world, [command for command, _, _ in bad], pbx=PBX)

    found = await ends(world, [command for command, _, _ in bad])
    for result, (command, reason, named) in zip(found, bad, strict=True):
        assert (result.state, result.reason) == ("rejected", reason), (command, result)
        assert named in result.message
        assert len(result.message) <= 200
    assert sent_to(pbx) == []


async def test_what_is_no_command_goes_to_the_dead_letters(world: World, pbx: FakePbx) -> None:
    garbage = [
        b"hang up line 3",
        b"[]",
        b'{"verb":"hangup"}',
        b'{"command_id":7}',
        b"\xff",
        b'{"command_id":"a b"}',
    ]

    await publish(world, garbage, pbx=PBX)

    async with asyncio.timeout(20):
        while len(letters := await topics.letters(world, COMMANDS)) < len(garbage):
            await asyncio.sleep(0.1)
    assert [value for value, _ in letters] == garbage
    assert {headers["reason"].partition(":")[0] for _, headers in letters} == {"bad_json"}
    assert sent_to(pbx) == []


async def test_a_leg_that_is_over(world: World, pbx: FakePbx, watch: Watch) -> None:
    row = await live_leg(world, "LINK")
    async with Client(issuer="test", settings=topics.settings(world)) as client:
        first = await client.hangup(PBX, row["id"], side="dst", actor="alice")
        await until(lambda: row["id"] in {r["id"] for r in watch.live()}, lambda there: not there)
        async with asyncio.timeout(10):
            while (
                again := await client.hangup(PBX, row["id"], side="dst", actor="alice")
            ).reason != "leg_ended":
                assert (again.state, again.reason) == ("failed", "ami_error"), (
                    "the topic says it a little later"
                )

    assert first.state == "done"
    assert str(row["id"]) in again.message


async def test_past_its_deadline_it_expires(world: World, pbx: FakePbx) -> None:
    row = await live_leg(world, "LINK")
    past = datetime.now(UTC) - timedelta(seconds=1)
    command = hangup(
        PBX, row["id"], issued_at=(past - timedelta(seconds=5)).isoformat(), not_after=past.isoformat()
    )

    await publish(world, [command], pbx=PBX)

    (result,) = await ends(world, [command])
    assert (result.state, result.reason) == ("expired", None)
    assert "not_after" in result.message
    assert sent_to(pbx) == []


async def test_a_duplicate_gets_the_same_result_and_other_content_a_conflict(
    world: World, pbx: FakePbx
) -> None:
    row = await live_leg(world, "LINK")
    command = hangup(PBX, row["id"])
    await publish(world, [command], pbx=PBX)
    (first,) = await ends(world, [command])
    await publish(world, [command, command | {"actor": "bob"}], pbx=PBX)

    (conflict,) = await _conflicts(world, command)
    states = (await results(world))[command["command_id"]]

    assert [(each.state, each.reason) for each in states] == [("sent", None), ("done", None), ("done", None)]
    assert states[-1] == first, "the newest record of the id is the original's"
    assert (conflict.state, conflict.reason) == ("rejected", "id_conflict")
    assert conflict.command_id == command["command_id"]
    assert len(sent_to(pbx)) == 1


async def test_twice_at_once_is_sent_once(world: World, pbx: FakePbx) -> None:
    row = await live_leg(world, "LINK")
    command = hangup(PBX, row["id"])

    await publish(world, [command, command], pbx=PBX)

    await ends(world, [command])
    states = [each.state for each in (await results(world))[command["command_id"]]]
    assert (states[0], set(states[1:])) == ("sent", {"done"})
    assert len(sent_to(pbx)) == 1


async def _conflicts(world: World, command: dict[str, Any]) -> list[CommandResult]:
    """Of other commands with its id, once there is one."""
    async with asyncio.timeout(20):
        while True:
            known = await results(world)
            if found := [key for key in known if key.startswith(f"{command['command_id']}|")]:
                return [each for key in found for each in known[key]]
            await asyncio.sleep(0.1)


async def test_the_same_id_with_other_content_is_told_while_the_first_is_under_way(
    world: World, pbx: FakePbx
) -> None:
    pbx.handlers["hangup"] = _says_nothing
    row = await live_leg(world, "LINK")
    command = hangup(PBX, row["id"])

    await publish(world, [command, command | {"actor": "bob"}], pbx=PBX)

    (conflict,) = await _conflicts(world, command)
    assert [each.state for each in (await results(world))[command["command_id"]]] == ["sent"]
    assert conflict.reason == "id_conflict"
    (end,) = await ends(world, [command])
    assert (end.state, end.reason) == ("unknown", "no_answer")


async def _says_nothing(_switch: Switch, _session: Session, _action: Action) -> None:
    """A PBX that hangs."""


async def _says_no(_switch: Switch, session: Session, action: Action) -> None:
    session.error(action, "No such channel")


async def _lies(_switch: Switch, session: Session, action: Action) -> None:
    session.reply(action, "Success", ("Message", "Channel Hungup"))


@pytest.mark.parametrize(
    ("handler", "state", "reason", "named"),
    [
        (_says_no, "failed", "ami_error", "No such channel"),
        (_lies, "unknown", "no_effect", "did not hang up"),
        (_says_nothing, "unknown", "no_answer", "before the PBX answered"),
    ],
)
async def test_what_the_pbx_makes_of_it(
    world: World, pbx: FakePbx, handler: Any, state: str, reason: str, named: str
) -> None:
    pbx.handlers["hangup"] = handler
    row = await live_leg(world, "LINK")  # it talks on for longer than the gateway waits

    async with Client(issuer="test", settings=topics.settings(world)) as client:
        result = await client.hangup(PBX, row["id"], side="dst", actor="alice")

    assert (result.state, result.reason) == (state, reason)
    assert named in result.message
    assert len(sent_to(pbx)) == 1


async def test_500_at_once(world: World, pbx: FakePbx) -> None:
    """The queue of a PBX holds 100; the others are told at once, and none is lost."""
    pbx.handlers["hangup"] = _says_nothing
    row = await live_leg(world, "RINGING")
    burst = [hangup(PBX, row["id"]) for _ in range(500)]

    await publish(world, burst, pbx=PBX)

    found = await ends(world, burst, patience=30)
    told = [(result.state, result.reason) for result in found]
    assert told.count(("unknown", "no_answer")) == 100
    assert told.count(("rejected", "busy")) == 400
    assert len(sent_to(pbx)) == 100


async def test_a_command_on_a_wrong_partition_is_moved_once(world: World, pbx: FakePbx) -> None:
    row = await live_leg(world, "LINK")
    wrong = (partition_of(PBX, PARTITIONS) + 1) % PARTITIONS
    moved, lost = hangup(PBX, row["id"]), hangup(PBX, row["id"])

    await publish(world, [moved], pbx=PBX, partition=wrong)
    await publish(world, [lost], pbx=PBX, partition=wrong, headers=[("hops", b"1")])

    done, refused = await ends(world, [moved, lost])
    assert (done.state, refused.state, refused.reason) == ("done", "rejected", "wrong_partition")
    assert len(sent_to(pbx)) == 1
    (states,) = [s for i, s in (await results(world)).items() if i == moved["command_id"]]
    assert [each.state for each in states] == ["sent", "done"]


async def test_the_gateway_is_killed_between_sent_and_the_answer(world: World, pbx: FakePbx) -> None:
    pbx.handlers["hangup"] = _says_nothing
    row = await live_leg(world, "LINK")
    command = hangup(PBX, row["id"])
    await publish(world, [command], pbx=PBX)
    await asyncio.wait_for(pbx.actions.wait("Hangup"), 10)

    world.kill("command_gateway")
    world.start("command_gateway", **QUICK)
    await publish(world, [command], pbx=PBX)

    (result,) = await ends(world, [command], patience=30)
    assert (result.state, result.reason) == ("unknown", "gateway_restarted")
    assert len(sent_to(pbx)) == 1, "a state on record means: never again"


async def test_sigterm_of_the_gateway_is_clean(world: World) -> None:
    code = await asyncio.to_thread(world.terminate, "command_gateway")

    assert code == 0, world.log("command_gateway")[-2000:]
    world.start("command_gateway", **QUICK)
    await asyncio.to_thread(world.wait_ready, "command_gateway")


async def test_one_record_cannot_end_the_gateway(world: World, pbx: FakePbx) -> None:
    """Compressed, all of these are a few kilobytes on the wire."""
    row = await live_leg(world, "LINK")
    wrong = (partition_of(PBX, PARTITIONS) + 1) % PARTITIONS
    moved, after = hangup(PBX, 4096 + 1), hangup(PBX, row["id"])
    much = b'{"command_id":"much","pbx":"commands","verb":[' + b"{}," * 600_000 + b"{}]}"

    await publish(world, [moved], pbx=PBX, partition=wrong, headers=[("x", b"0" * (17 << 20))])
    await publish(
        world, [b"0" * (17 << 20), *[much.replace(b"much", b"much%d" % i) for i in range(30)]], pbx=PBX
    )
    await publish(world, [after], pbx=PBX)

    refused, done = await ends(world, [moved, after])
    assert (refused.reason, done.state) == ("unknown_leg", "done")
    assert world.exit_code("command_gateway") is None


async def test_a_pbx_that_is_down(world: World, pbx: FakePbx) -> None:
    """The last one: nobody calls after it."""
    row = await live_leg(world, "LINK")
    await pbx.stop()
    await until(lambda: 'command_gateway_connected{pbx="commands"} 0.0' in world.metrics("command_gateway"))

    async with Client(issuer="test", settings=topics.settings(world)) as client:
        began = asyncio.get_running_loop().time()
        result = await client.hangup(PBX, row["id"], side="dst", actor="alice")
        took = asyncio.get_running_loop().time() - began

    assert (result.state, result.reason) == ("failed", "pbx_down")
    assert took < 2.0, "not after its deadline of 5 s"
