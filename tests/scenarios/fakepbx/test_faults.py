from datetime import timedelta

from legbook.fakepbx import FakePbx
from legbook.fakepbx.moments import from_datetime
from tests.scenarios.fakepbx.client import Client
from tests.scenarios.fakepbx.conftest import BOOT, Start
from tests.unit.fakepbx.handtime import HandTime


async def test_a_restart_is_a_new_boot(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(rounds=3, spacing=3.0)
    async with Client(pbx.port) as client:
        await client.login()
        pbx.begin()
        await time.advance(3.5)
        await pbx.restart()
        before = [m.first("Uniqueid") for m in await client.rest() if m.first("Event") == "Newchannel"]
    assert len(before) == 8
    assert (pbx.channels.live, pbx.boot) == ({}, BOOT + timedelta(seconds=5))
    async with Client(pbx.port) as client:
        await client.login()
        await client.hear()
        assert client.events[0].first("Uptime") == "0"
        assert (await client.ask("CoreStatus"))["CoreStartupTime"] == "08:00:05"
        pbx.begin()
        await time.advance(7)
        await pbx.finished_playing()
        await client.ask("Ping")
    after = [m.first("Uniqueid") for m in client.events if m.first("Event") == "Newchannel"]
    assert after == [f"1800000005.{number}" for number in range(4)]
    assert not set(before) & set(after)


async def test_truth_over_a_restart(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(rounds=2, spacing=3.0)
    pbx.begin()
    await time.advance(4.0)
    live, then = pbx.truth.live(pbx.now()), pbx.now()
    assert [leg.state for leg in live] == ["LINK", "RINGING", "RINGING", "RINGING"]
    await pbx.restart()
    assert pbx.truth.live(pbx.now()) == []
    assert pbx.truth.cut(pbx.now()) == live
    assert [item.cut for item in pbx.rounds] == [from_datetime(then)] * 2
    assert [(leg.called, leg.disposition) for leg in pbx.truth.finished(pbx.now())] == [
        ("201", "NO ANSWER"),
        ("203", "NO ANSWER"),
    ]
    pbx.begin()
    await pbx.finished_playing()  # both rounds had begun: nothing is left to play


async def test_what_was_due_at_a_restart_is_still_said(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    async with Client(pbx.port) as client:
        await client.login("call")
        pbx.begin()
        await time.advance(1.0)
        time.seconds += 5.5  # nobody has had a turn since
        await pbx.restart()
        heard = [message.first("Event") for message in await client.rest()]
    assert heard.count("Hangup") == 4
    assert len(pbx.truth.finished(pbx.now())) == 3


async def test_a_restart_flat_out(start: Start) -> None:
    pbx: FakePbx = await start(rounds=1000, spacing=0.05, speed="flat")
    async with Client(pbx.port) as client:
        await client.login("call")
        pbx.begin()
        while len(client.events) < 1000:
            await client.hear()
        await pbx.restart()
        heard = [m for m in await client.rest() and client.events if m.first("Event") == "Hangup"]
    gone = {message.first("Uniqueid") for message in heard}
    legs = pbx.truth.finished(pbx.now())
    assert {leg.dstuid for leg in legs} == gone - {leg.srcuid for leg in legs}
    assert pbx.truth.cut(pbx.now()) != []
    assert not {leg.dstuid for leg in pbx.truth.cut(pbx.now())} & gone


async def test_dropped_links_can_be_made_again_and_the_calls_go_on(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login()
        await time.advance(1.0)
        pbx.drop_sessions()
        await client.rest()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(6.0)
        await client.ask("Ping")
    heard = [message.first("Event") for message in client.events]
    assert "Newchannel" not in heard
    assert heard.count("Hangup") == 4


async def test_raw_bytes_reach_every_session_that_is_logged_in(start: Start) -> None:
    pbx: FakePbx = await start()
    async with Client(pbx.port) as client, Client(pbx.port) as stranger:
        await client.login("off")
        await stranger.ask("Ping")
        pbx.inject(b"Event: \xff\x00odd\r\nX:y\r\n\r\n")
        await client.hear()
        await client.ask("Ping")
        await stranger.ask("Ping")
    (odd,) = client.events
    assert set(odd.flags) == {"bad_utf8", "nul", "no_space"}
    assert stranger.events == []
