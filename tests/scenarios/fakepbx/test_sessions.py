import asyncio

import pytest

from legbook.fakepbx import Action, FakePbx, Session, Switch
from tests.scenarios.fakepbx.client import SECRET, USERNAME, Client
from tests.scenarios.fakepbx.conftest import Start
from tests.unit.fakepbx.handtime import HandTime
from tests.unit.fakepbx.samples import SIMPLE


async def test_the_banner_is_that_of_the_recording_unless_another_is_wanted(start: Start) -> None:
    for pbx, banner in [
        (await start(), b"Asterisk Call Manager/11.0.0"),
        (await start([SIMPLE]), b"Asterisk Call Manager/5.0.4"),
        (await start(banner="Asterisk Call Manager/2.10.4"), b"Asterisk Call Manager/2.10.4"),
    ]:
        async with Client(pbx.port) as client:
            await client.login()
            assert client.banner == banner


async def test_a_right_login_is_followed_by_fully_booted_with_the_uptime(
    start: Start, time: HandTime
) -> None:
    pbx = await start()
    await time.advance(90.5)
    async with Client(pbx.port) as client:
        await client.login()
        await client.hear()
        assert client.events[0].fields == {
            "Event": "FullyBooted",
            "Privilege": "system,all",
            "Uptime": "90",
            "LastReload": "90",
            "Status": "Fully Booted",
        }
        again = await client.ask("Login", ActionID="7", Username=USERNAME, Secret="x")
        assert again == {"Response": "Success", "ActionID": "7", "Message": "Already authenticated"}


@pytest.mark.parametrize("events", ["off", "call,cdr"])
async def test_without_the_class_system_there_is_no_fully_booted(start: Start, events: str) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        await client.login(events)
        await client.ask("Ping")
        assert client.events == []


@pytest.mark.parametrize(
    ("username", "secret"), [(USERNAME, "wrong"), ("nobody", SECRET), ("", ""), (USERNAME, "ü")]
)
async def test_a_wrong_login_waits_a_second_and_ends_the_connection(
    start: Start, time: HandTime, username: str, secret: str
) -> None:
    pbx: FakePbx = await start()
    async with Client(pbx.port) as client:
        client.say("login", ActionID="1", Username=username, Secret=secret)
        await pbx.actions.wait("Login")
        heard = asyncio.create_task(client.rest())
        await time.advance(0.9)
        assert not heard.done()
        await time.advance(0.2)
        (answer,) = await heard
        assert answer.fields == {"Response": "Error", "ActionID": "1", "Message": "Authentication failed"}


async def test_nothing_is_answered_before_the_login_and_the_connection_stays(start: Start) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        for action in ("Ping", "CoreShowChannels", "NoSuchAction"):
            answer = await client.ask(action, ActionID="2")
            assert answer == {"Response": "Error", "ActionID": "2", "Message": "Permission denied"}
        await client.login()


async def test_what_cannot_be_understood_is_answered_as_asterisk_does(start: Start) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        await client.login()
        answer = await client.ask("NoSuchAction", ActionID="3")
        assert answer == {
            "Response": "Error",
            "ActionID": "3",
            "Message": "Invalid/unknown command: NoSuchAction. "
            "Use Action: ListCommands to show available commands.",
        }
        for raw, message in [
            (b"Channel: x\r\n\r\n", "Missing action in request"),
            (b"Action: Ping\r\nX: " + b"x" * 1100 + b"\r\n\r\n", "Failed to parse message: line too long"),
            (
                b"Action: Ping\r\n" + b"X: y\r\n" * 128 + b"\r\n",
                "Too many lines in message or allocation failure",
            ),
        ]:
            client.say_raw(raw)
            assert await client.response() == {"Response": "Error", "Message": message}
        client.say_raw(b"\r\naction: ping\nActionID: 4\n\n")
        assert (await client.response())["ActionID"] == "4"


async def test_a_line_without_an_end_ends_the_connection_only(start: Start) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        client.say_raw(b"x" * 200_000)
        assert await client.rest() == []
    async with Client(pbx.port) as client:
        await client.login()


async def test_ping_and_core_status_follow_the_clock_of_the_pbx(start: Start, time: HandTime) -> None:
    pbx = await start(speed=10.0)
    await time.advance(6.0)
    async with Client(pbx.port) as client:
        await client.login()
        assert await client.ask("Ping", ActionID="5") == {
            "Response": "Success",
            "ActionID": "5",
            "Ping": "Pong",
            "Timestamp": "1800000060.000000",
        }
        assert await client.ask("CoreStatus") == {
            "Response": "Success",
            "CoreStartupDate": "2027-01-15",
            "CoreStartupTime": "08:00:00",
            "CoreReloadDate": "2027-01-15",
            "CoreReloadTime": "08:00:00",
            "CoreCurrentCalls": "0",
            "CoreProcessedCalls": "0",
        }


async def test_core_settings_differ_by_version(start: Start) -> None:
    for recording, ami, version, last in [
        (None, "11.0.0", "22.10.1", "SoundsSearchCustomDir"),
        ([SIMPLE], "5.0.4", "16.28.0", "CoreHTTPenabled"),
    ]:
        pbx = await start(recording)
        async with Client(pbx.port) as client:
            await client.login()
            answer = await client.ask("CoreSettings")
            assert (answer["AMIversion"], answer["AsteriskVersion"]) == (ami, version)
            assert list(answer)[-1] == last


async def test_logoff_says_goodbye_and_ends_the_connection(start: Start) -> None:
    pbx = await start()
    async with Client(pbx.port) as client:
        await client.login("off")
        client.say("Logoff", ActionID="6")
        (answer,) = await client.rest()
        assert answer.fields == {
            "Response": "Goodbye",
            "ActionID": "6",
            "Message": "Thanks for all the fish.",
        }


async def test_the_log_keeps_every_action_but_no_secret(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start()
    async with Client(pbx.port) as first, Client(pbx.port) as second:
        await first.login()
        await time.advance(2.0)
        await second.login("off")
        second.say_raw(b"Action: Setvar\r\nVariable: a=1\r\nVariable: b=2\r\n\r\n")
        await second.response()
    one, two, three = pbx.actions.entries
    assert (one.session, two.session, three.session) == (1, 2, 2)
    assert two.fields == {"Action": "Login", "Username": USERNAME, "Secret": "***", "Events": "off"}
    assert three.fields == {"Action": "Setvar", "Variable": ["a=1", "b=2"]}
    assert (two.at - one.at).total_seconds() == 2.0
    assert SECRET not in repr(pbx.actions)


async def test_a_handler_answers_an_action_and_makes_events(start: Start) -> None:
    async def hangup(switch: Switch, session: Session, action: Action) -> None:
        switch.emit("Hangup", "call,all", [("Uniqueid", action.get("Channel")), ("Cause", "16")])
        session.reply(action, "Success", ("Message", "Channel Hungup"))

    pbx: FakePbx = await start()
    pbx.handlers["hangup"] = hangup
    async with Client(pbx.port) as client:
        await client.login("call")
        answer = await client.ask("Hangup", ActionID="8", Channel="1.1")
        assert answer == {"Response": "Success", "ActionID": "8", "Message": "Channel Hungup"}
        assert client.events[0].fields == {
            "Event": "Hangup",
            "Privilege": "call,all",
            "Timestamp": "1800000000.000000",
            "Uniqueid": "1.1",
            "Cause": "16",
        }


async def test_an_error_in_a_handler_is_raised_when_the_pbx_stops(time: HandTime) -> None:
    async def broken(switch: Switch, session: Session, action: Action) -> None:
        raise LookupError("broken")

    pbx = FakePbx("hq", [SIMPLE], username=USERNAME, secret=SECRET, time_source=time)
    pbx.handlers["ping"] = broken
    await pbx.start()
    async with Client(pbx.port) as client:
        await client.login()
        client.say("Ping")
        with pytest.raises(ExceptionGroup) as caught:
            await pbx.finished_playing()
        assert caught.group_contains(LookupError, match="broken")
        with pytest.raises(ExceptionGroup):
            await pbx.stop()


async def test_a_port_that_is_taken_is_an_error_of_start(start: Start) -> None:
    pbx = await start()
    with pytest.raises(OSError, match="address already in use"):
        await start(port=pbx.port)
