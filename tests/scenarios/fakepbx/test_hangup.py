import asyncio
from collections import Counter

import pytest

from legbook.ami.message import Message
from legbook.fakepbx import ExpectedLeg, FakePbx
from tests.scenarios.fakepbx.client import Client
from tests.scenarios.fakepbx.conftest import BOOT, Start
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import SIMPLE

GONE = {"Response": "Error", "Message": "No such channel"}
DONE = {"Response": "Success", "Message": "Channel Hungup"}


def names(messages: list[Message]) -> list[str]:
    return [message.first("Event") for message in messages]


def channel_of(pbx: FakePbx, uniqueid: str | None) -> str:
    return pbx.channels.live[str(uniqueid)].fields["Channel"]


def leg_of(legs: list[ExpectedLeg], called: str, number: int = 0) -> ExpectedLeg:
    return next(leg for leg in legs if (leg.called, leg.round) == (called, number))


async def test_what_cannot_be_hung_up_is_answered_as_asterisk_does(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        assert await client.ask("Hangup", Channel="PJSIP/nobody-00000000", ActionID="1") == {
            "Response": "Error", "ActionID": "1", "Message": "No such channel"
        }  # fmt: skip
        assert await client.ask("Hangup") == {"Response": "Error", "Message": "No channel specified"}
        await time.advance(1.0)
        over = channel_of(pbx, leg_of(pbx.truth.live(pbx.now()), "201").dstuid)
        await time.advance(10.0)
        assert await client.ask("Hangup", Channel=over) == GONE
        assert pbx.channels.live == {}


@pytest.mark.parametrize("way", ["name", "lower", "uniqueid"])
async def test_a_talk_ends_now(start: Start, time: HandTime, way: str) -> None:
    pbx: FakePbx = await start(rounds=2, spacing=3.0)
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(4.0)
        leg = leg_of(pbx.truth.live(pbx.now()), "202")
        channel = {
            "name": channel_of(pbx, leg.dstuid),
            "lower": channel_of(pbx, leg.dstuid).lower(),
            "uniqueid": str(leg.dstuid),
        }[way]
        await client.ask("Ping")
        before = len(client.events)
        assert await client.ask("Hangup", Channel=channel, Cause="16") == DONE
        assert len(client.events) == before
        await time.advance(0.05)  # the next event of its recording is 2 s away
        await client.ask("Ping")
        caused = client.events[before:]
        assert Counter(names(caused)) == {
            "BridgeLeave": 2, "BridgeDestroy": 1, "SoftHangupRequest": 1, "Hangup": 2, "DeviceStateChange": 2
        }  # fmt: skip
        assert caused[0].first("Timestamp") == "1800000004.000000"
        assert {m.first("Uniqueid") for m in caused if m.first("Event") == "Hangup"} == {
            leg.srcuid,
            leg.dstuid,
        }
        assert len(pbx.channels.live) == 4
        (ended,) = [each for each in pbx.truth.finished(pbx.now()) if each.dstuid == leg.dstuid]
        assert (ended.disposition, ended.cause) == ("ANSWERED", "16")
        assert 0 <= (ended.end - BOOT).total_seconds() - 4.0 < 0.05
        assert [each.round for each in pbx.truth.live(pbx.now())] == [1, 1, 1]
        await time.advance(10)
        await pbx.finished_playing()
        await client.ask("Ping")
    assert Counter(names(client.events))["Hangup"] == 8
    assert len(pbx.truth.finished(pbx.now())) == 6


async def test_a_ringing_phone_and_then_its_caller(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(1.0)
        phone = leg_of(pbx.truth.live(pbx.now()), "202")
        await client.ask("Hangup", Channel=channel_of(pbx, phone.dstuid))
        await time.advance(3.0)  # 202 would have answered by now
        live = pbx.truth.live(pbx.now())
        assert [(each.called, each.state) for each in live] == [("201", "RINGING"), ("203", "RINGING")]
        assert len(pbx.channels.live) == 3
        await client.ask("Hangup", Channel=channel_of(pbx, live[0].srcuid))
        await time.advance(0.05)
        await pbx.finished_playing()
        await client.ask("Ping")
    ended = pbx.truth.finished(pbx.now())
    assert [(each.disposition, each.answer, each.billsec) for each in ended] == [("NO ANSWER", None, 0.0)] * 3
    assert [round((each.end - BOOT).total_seconds(), 1) for each in ended] == [4.0, 1.0, 4.0]
    statuses = [m.first("DialStatus") for m in client.events if m.first("Event") == "DialEnd"]
    assert statuses == ["NOANSWER", "CANCEL", "CANCEL"]
    assert pbx.channels.live == {}


async def test_all_sessions_hear_the_same_in_the_same_order(start: Start, time: HandTime) -> None:
    """The answer is said before what it causes, whatever else is due at that moment."""
    pbx: FakePbx = await start(rounds=30, spacing=0.1)
    async with Client(pbx.port) as asking, Client(pbx.port) as hearing:
        await asking.login()
        await hearing.login()
        pbx.begin()
        await time.advance(2.0)
        for leg in pbx.truth.live(pbx.now())[::4]:
            time.seconds += 0.03  # nobody has had a turn: events are due
            asking.say("Hangup", Channel=channel_of(pbx, leg.dstuid), ActionID="it")
            while (message := await asking.hear()) is not None and message.first("ActionID") != "it":
                assert message.first("Uniqueid") != leg.dstuid or message.first("Event") != "Hangup"
        await time.advance(20)
        await pbx.finished_playing()
        await asking.ask("Ping")
        await hearing.ask("Ping")
    first, second = ([m.fields for m in each.events if "Timestamp" in m.fields] for each in (asking, hearing))
    assert first == second
    stamps = [str(fields["Timestamp"]) for fields in first]
    assert stamps == sorted(stamps)
    assert names(hearing.events).count("Hangup") == 120
    assert len(pbx.truth.finished(pbx.now())) == 90


async def test_what_is_due_happens_before_a_hang_up(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(2.0)
        caller = str(pbx.truth.live(pbx.now())[0].srcuid)
        time.seconds += 1.0  # 202 has answered, and nobody has had a turn to say so
        assert await client.ask("Hangup", Channel=caller) == DONE
        await time.advance(0.05)
        await client.ask("Ping")
    assert names(client.events).count("BridgeEnter") == names(client.events).count("BridgeLeave") == 2
    ended = leg_of(pbx.truth.finished(pbx.now()), "202")
    assert ended.disposition == "ANSWERED"
    assert ended.billsec == pytest.approx(0.68, abs=0.05)


async def test_a_channel_that_a_test_has_made_only_gets_its_hangup(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    snapshot = [
        ("Channel", "PJSIP/9-00000001"),
        ("ChannelState", "6"),
        ("ChannelStateDesc", "Up"),
        ("Uniqueid", "9.9"),
    ]
    pbx.emit("Newchannel", "call,all", snapshot)
    async with Client(pbx.port) as client:
        await client.login("call")
        assert await client.ask("Hangup", Channel="pjsip/9-00000001") == DONE
        assert client.events == []
        await client.ask("Ping")
        (hangup,) = client.events
        assert {**hangup.fields, "Timestamp": ""}.items() >= {
            ("Event", "Hangup"), ("Uniqueid", "9.9"), ("Channel", "PJSIP/9-00000001"),
            ("Cause", "16"), ("Cause-txt", "Normal Clearing"),
        }  # fmt: skip
        assert await client.ask("Hangup", Channel="9.9") == GONE


@pytest.mark.parametrize("text", ["x", "-1", "128", "1 6", "0", "99999"])
async def test_a_cause_that_is_none_does_not_matter(start: Start, time: HandTime, text: str) -> None:
    pbx: FakePbx = await start([SIMPLE])
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(1.0)
        (leg,) = pbx.truth.live(pbx.now())
        assert await client.ask("Hangup", Channel=str(leg.dstuid), Cause=text) == DONE
        await time.advance(0.05)
        (ended,) = pbx.truth.finished(pbx.now())
        assert (ended.cause, ended.disposition) == ("16", "NO ANSWER")


async def test_flat_out_a_hang_up_comes_between_the_others(start: Start) -> None:
    pbx: FakePbx = await start(rounds=400, spacing=0.05, speed="flat")
    async with Client(pbx.port) as client, Client(pbx.port) as asking:
        await client.login("call")
        await asking.login("off")
        reading = asyncio.create_task(client.rest())
        pbx.begin()
        ended = asyncio.create_task(pbx.finished_playing())
        done = 0
        while not ended.done():
            live = pbx.truth.live(pbx.now())
            if live and live[-1].dstuid:
                done += await asking.ask("Hangup", Channel=live[-1].dstuid) == DONE
            await asyncio.sleep(0)
        await pbx.stop()
        heard = await reading
    stamps = [message.first("Timestamp") for message in heard if message.first("Timestamp")]
    assert stamps == sorted(stamps)
    hangups = [message.first("Uniqueid") for message in heard if message.first("Event") == "Hangup"]
    assert done > 3
    assert len(hangups) == len(set(hangups)) == 1600
    assert len(pbx.truth.finished(pbx.now())) == 1200


async def test_a_restart_after_a_hang_up(start: Start, time: HandTime) -> None:
    """What was hung up is finished, what was live is cut: no leg is both, none is neither."""
    pbx: FakePbx = await start(rounds=2, spacing=1.0)
    pbx.begin()
    async with Client(pbx.port) as client:
        await client.login("call")
        await time.advance(2.0)
        for called, number in (("201", 0), ("202", 1)):
            leg = leg_of(pbx.truth.live(pbx.now()), called, number)
            await client.ask("Hangup", Channel=str(leg.dstuid))
        await time.advance(0.05)
        live = pbx.truth.live(pbx.now())
        assert [(leg.round, leg.called) for leg in live] == [(0, "202"), (0, "203"), (1, "201"), (1, "203")]
        await pbx.restart()
    assert pbx.truth.cut(pbx.now()) == live
    assert [(leg.round, leg.called) for leg in pbx.truth.finished(pbx.now())] == [(0, "201"), (1, "202")]
    assert pbx.truth.live(pbx.now()) == []
