import asyncio
from datetime import timedelta
from itertools import pairwise

import pytest

from legbook.ami.message import Message
from legbook.fakepbx import FakePbx, load
from tests.scenarios.fakepbx.client import Client
from tests.scenarios.fakepbx.conftest import BOOT, Start
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import RECORDINGS, RING_GROUP, SIMPLE


def names(messages: list[Message]) -> list[str]:
    return [message.first("Event") for message in messages]


async def heard_until_ping(client: Client) -> list[Message]:
    """All events sent so far: the answer comes behind them."""
    await client.ask("Ping")
    return client.events


@pytest.mark.parametrize("mask", ["on", "call", "call,cdr", "dialplan,system", "off"])
@pytest.mark.parametrize("way", ["login", "action"])
async def test_a_session_gets_the_classes_of_its_mask(start: Start, mask: str, way: str) -> None:
    pbx: FakePbx = await start(speed="flat")
    async with Client(pbx.port) as client:
        await client.login(mask if way == "login" else "agent")
        if way == "action":
            answer = await client.ask("Events", EventMask=mask)
            assert answer == {"Response": "Success", "Events": "Off" if mask == "off" else "On"}
        pbx.begin()
        await pbx.finished_playing()
        heard = [m for m in await heard_until_ping(client) if m.first("Event") != "FullyBooted"]
    wanted = set(mask.split(","))
    assert names(heard) == [
        event.name
        for event in load(RING_GROUP).events
        if mask == "on" or dict(event.fields)["Privilege"].removesuffix(",all") in wanted
    ]


async def test_an_empty_mask_is_refused(start: Start) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        await client.login()
        assert await client.ask("Events") == {"Response": "Error", "Message": "Invalid event mask"}


@pytest.mark.parametrize("speed", [1.0, 20.0])
async def test_the_gaps_of_the_recording_shrink_with_the_speed(
    start: Start, time: HandTime, speed: float
) -> None:
    pbx: FakePbx = await start(speed=speed)
    async with Client(pbx.port) as client:
        await client.login("call")
        pbx.begin()
        await time.advance(2.2 / speed)
        assert "DialBegin" in names(await heard_until_ping(client))
        assert "BridgeEnter" not in names(client.events)
        await time.advance(0.2 / speed)
        assert names(await heard_until_ping(client)).count("BridgeEnter") == 2
        await time.advance(3.8 / speed)
        assert names(await heard_until_ping(client)).count("Hangup") == 2
        await time.advance(0.2 / speed)
        assert names(await heard_until_ping(client)).count("Hangup") == 4
        await pbx.finished_playing()


async def test_core_show_channels_in_the_middle_of_a_call_is_what_is_up(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(rounds=2, spacing=2.0)
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("off")
        assert await client.listed("CoreShowChannels") == []
        await time.advance(4.25)  # the first call talks, the second one rings three phones
        items = await client.listed("CoreShowChannels")
    states: dict[str, set[str]] = {}
    for leg in pbx.truth.live(pbx.now()):
        assert leg.srcuid is not None
        assert leg.dstuid is not None
        states.setdefault(leg.srcuid, set()).add("Up" if leg.state == "LINK" else "Ring")
        states.setdefault(leg.dstuid, set()).add("Up" if leg.state == "LINK" else "Ring")
    shown = {item.first("Uniqueid"): item.first("ChannelStateDesc") for item in items}
    assert len(shown) == 6
    assert shown.keys() == states.keys()
    assert {uid for uid, state in shown.items() if state == "Up"} == {
        uid for uid, state in states.items() if state == {"Up"}
    }
    up = [item for item in items if item.first("ChannelStateDesc") == "Up"]
    assert len({item.first("BridgeId") for item in up}) == 1
    assert {item.first("Duration") for item in up} == {"00:00:03"}
    assert len(items[0].fields) == 2 + 18
    await time.advance(10)
    assert len(pbx.channels.live) == 0


async def test_all_sessions_see_one_timeline_and_late_ones_its_rest(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(rounds=2, spacing=1.0)
    async with Client(pbx.port) as early, Client(pbx.port) as late:
        await early.login("call")
        pbx.begin()
        await time.advance(1.8)
        await late.login("call")
        await time.advance(10)
        await pbx.finished_playing()
        all_of_it = [m.fields for m in await heard_until_ping(early)]
        rest = [m.fields for m in await heard_until_ping(late)]
    assert 0 < len(rest) < len(all_of_it)
    assert rest == all_of_it[-len(rest) :]
    assert str(rest[0]["Timestamp"]) > "1800000001.8"


async def test_everything_flat_out_in_order_and_complete(start: Start) -> None:
    pbx: FakePbx = await start(
        RECORDINGS, rounds=len(RECORDINGS) * 10, spacing=0.2, speed="flat", begin_on_login=True
    )
    async with Client(pbx.port) as client:
        await client.login()
        ended = asyncio.create_task(pbx.finished_playing())
        wanted = 10 * sum(len(load(path).events) for path in RECORDINGS)
        while len(client.events) < wanted + 1:
            await client.hear()
        await ended
    stamps = [message.first("Timestamp") for message in client.events[1:]]
    assert all(before <= after for before, after in pairwise(stamps))
    assert pbx.now() >= BOOT + timedelta(seconds=float(stamps[-1]) - BOOT.timestamp() - 0.001)
    created = [m.first("Uniqueid") for m in client.events if m.first("Event") == "Newchannel"]
    births = sum(event.name == "Newchannel" for path in RECORDINGS for event in load(path).events)
    assert len(created) == len(set(created)) == 10 * births


async def test_it_begins_with_the_first_login_that_wants_events(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start([SIMPLE], begin_on_login=True)
    async with Client(pbx.port) as gateway, Client(pbx.port) as ingest:
        await gateway.login("off")
        await time.advance(5)
        assert pbx.rounds == []
        await ingest.login()
        await time.advance(9)
        await pbx.finished_playing()
        assert names(await heard_until_ping(ingest)).count("Hangup") == 2
    assert pbx.rounds[0].started == int((BOOT.timestamp() + 5) * 1_000_000)


async def test_truth_while_it_plays(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(rounds=None, spacing=3.0)
    pbx.begin()
    await time.advance(3.36)
    assert [(leg.round, leg.called, leg.state) for leg in pbx.truth.live(pbx.now())] == [
        (0, "202", "LINK"),
        (1, "201", "DIAL"),
        (1, "202", "DIAL"),
        (1, "203", "DIAL"),
    ]
    await time.advance(30)
    finished = pbx.truth.finished(pbx.now())
    assert [leg.disposition for leg in finished].count("ANSWERED") == 10
    assert len({leg.dstuid for leg in finished}) == len(finished)


async def test_beginning_twice_or_too_early_is_an_error(start: Start) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    with pytest.raises(RuntimeError, match="begun already"):
        pbx.begin()
    with pytest.raises(RuntimeError, match="start"):
        FakePbx("x", [SIMPLE], username="a", secret="b").begin()


async def test_stopping_in_the_middle_wakes_who_waits_for_the_end(start: Start) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    waiting = asyncio.create_task(pbx.finished_playing())
    async with Client(pbx.port) as client:
        await client.login()
        await pbx.stop()
        assert names(await client.rest()) == ["FullyBooted"]
    with pytest.raises(RuntimeError, match="was stopped"):
        await waiting
