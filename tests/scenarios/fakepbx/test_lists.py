"""Lists as they come over the wire: what the events heard until then tell, framed as Asterisk frames it."""

from pathlib import Path

import pytest

from legbook.ami.message import Message
from legbook.fakepbx import FakePbx, User
from legbook.fakepbx.lists import Item, Lists, at
from legbook.fakepbx.moments import from_datetime, from_seconds
from tests.scenarios.fakepbx.client import Client
from tests.scenarios.fakepbx.conftest import BOOT, Start
from tests.unit.fakepbx.answered import read
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import FIXTURES, RECORDINGS, RING_GROUP, recording

RECONNECT = recording("22.10.1-pjsip/26-reconnect-midcall+second")
ALL_LISTS = FIXTURES / "lists/22.10.1-pjsip-timestamps/40-all-lists.jsonl.gz"
VARIABLES = ["CDR(start,u)", "FROM_DID", "NOSUCH"]


def item(message: Message) -> Item:
    return {name: value for name, value in message.fields.items() if name != "ActionID"}


async def listed(client: Client, action: str, **headers: str) -> list[Item]:
    return [item(message) for message in await client.listed(action, **headers)]


async def lists(client: Client, **headers: str) -> Lists:
    bridges = await listed(client, "BridgeList")
    return Lists(
        await listed(client, "CoreShowChannels"),
        await listed(client, "Status", **headers),
        bridges,
        {
            str(bridge["BridgeUniqueid"]): await listed(
                client, "BridgeInfo", BridgeUniqueid=str(bridge["BridgeUniqueid"])
            )
            for bridge in bridges
        },
        await listed(client, "QueueStatus"),
        await listed(client, "ParkedCalls"),
    )


@pytest.mark.parametrize("path", [RECONNECT, ALL_LISTS, RING_GROUP], ids=lambda path: path.name[:2])
async def test_lists_tell_what_the_events_tell(start: Start, time: HandTime, path: Path) -> None:
    """In every round, by the names of that round."""
    pbx: FakePbx = await start([path], rounds=4, spacing=1.3)
    pbx.begin()
    seen = 0
    async with Client(pbx.port) as listener, Client(pbx.port) as client:
        await listener.login()
        await client.login("off")
        for _ in range(12):
            await time.advance(0.71)
            await listener.ask("Ping")
            heard = [m for m in listener.events if m.first("Timestamp")]
            frames = [(from_seconds(m.first("Timestamp")), m.fields) for m in heard]
            told = at(frames, now=from_datetime(pbx.now()), variables=VARIABLES)

            shown = await lists(client, Variables=",".join(VARIABLES))

            assert shown == told
            seen = max(seen, len(shown.core_show_channels))
    names = {m.first("Channel") for m in listener.events if m.first("Event") == "Newchannel"}
    recorded = {event["Channel"] for _, event in read(path)[0] if event["Event"] == "Newchannel"}
    assert seen > len(recorded)
    assert not names & recorded


async def test_a_list_is_framed_as_in_26(start: Start, time: HandTime) -> None:
    """Where the ActionID stands, what the last event counts, and how each begins."""
    _, answers = read(RECONNECT)
    recorded = {answer.name: answer for answer in answers}
    pbx: FakePbx = await start([RECONNECT])
    pbx.begin()
    await time.advance(4.6)
    async with Client(pbx.port) as client:
        await client.login("off")
        bridge = str((await listed(client, "BridgeList"))[0]["BridgeUniqueid"])
        for name, answer in recorded.items():
            begun = len(client.events)
            response = await client.ask(name, ActionID="x", BridgeUniqueid=bridge)
            assert list(response) == ["Response", "ActionID", "EventList", "Message"]
            while client.events[begun:] == [] or client.events[-1].first("EventList") != "Complete":
                await client.hear()
            *found, complete = client.events[begun:]
            assert list(complete.fields) == list(answer.complete)
            assert complete.first("ListItems") == str(len(found))
            if answer.items:
                assert list(found[0].fields) == list(answer.items[0])


async def test_the_order_is_that_of_the_version(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start([recording("16.28.0-chan_sip/26-reconnect-midcall+second")])
    pbx.begin()
    await time.advance(4.6)
    async with Client(pbx.port) as client:
        await client.login("off")
        published = [str(c["Channel"]) for c in await listed(client, "CoreShowChannels")]
        present = [str(c["Channel"]) for c in await listed(client, "Status")]
    assert sorted(published) == sorted(present)
    assert sorted(published) not in (published, present)
    assert published != present


async def test_filters_and_what_is_not_there(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start([ALL_LISTS])
    pbx.begin()
    await time.advance(4.4)
    async with Client(pbx.port) as client:
        await client.login("off")
        one = (await listed(client, "CoreShowChannels"))[0]
        assert await listed(client, "Status", Channel=str(one["Channel"]).upper()) == [
            found for found in await listed(client, "Status") if found["Uniqueid"] == one["Uniqueid"]
        ]
        of_500 = await listed(client, "QueueStatus", Queue="500", Member="Agent 201")
        assert [(found["Event"], found["Queue"]) for found in of_500] == [
            ("QueueParams", "500"),
            ("QueueMember", "500"),
            ("QueueEntry", "500"),
            ("QueueEntry", "500"),
        ]
        assert len(await listed(client, "ParkedCalls", ParkingLot="default")) == 1
        for action, headers, message in [
            ("Status", {"Channel": "PJSIP/nobody-00000001"}, "No such channel"),
            ("BridgeInfo", {}, "BridgeUniqueid must be provided"),
            ("BridgeInfo", {"BridgeUniqueid": "x"}, "Specified BridgeUniqueid not found"),
            ("ParkedCalls", {"ParkingLot": "x"}, "Requested parking lot could not be found."),
        ]:
            assert await client.ask(action, **headers) == {"Response": "Error", "Message": message}


async def test_a_new_boot_has_nothing_to_list(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start([ALL_LISTS])
    pbx.begin()
    await time.advance(6.0)
    await pbx.restart()
    async with Client(pbx.port) as client:
        await client.login("off")
        assert await lists(client) == at([])


@pytest.mark.parametrize(
    ("write", "allowed"),
    [
        ({"reporting"}, {"CoreShowChannels", "Status", "BridgeList", "QueueStatus"}),
        ({"call"}, {"Status", "BridgeList", "QueueStatus", "ParkedCalls"}),
        (set(), {"BridgeList", "QueueStatus"}),
    ],
)
async def test_who_may_ask(start: Start, write: set[str], allowed: set[str]) -> None:
    pbx: FakePbx = await start(others=[User("asking", "two", write=frozenset(write))])
    async with Client(pbx.port) as client:
        await client.login("off", username="asking", secret="two")
        for action in ["CoreShowChannels", "Status", "BridgeList", "QueueStatus", "ParkedCalls"]:
            answer = await client.ask(action)
            assert (answer["Response"] == "Success") == (action in allowed), action


async def test_flat_out_every_list_is_complete(start: Start) -> None:
    pbx: FakePbx = await start(RECORDINGS, rounds=100, spacing=0.3, speed="flat", boot=BOOT)
    async with Client(pbx.port) as client:
        await client.login("off")
        pbx.begin()
        most = 0
        while pbx.channels.live or not most:
            most = max(most, len(await client.listed("Status")))
            await client.listed("QueueStatus")
        assert most > 3
