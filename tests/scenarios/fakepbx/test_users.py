import pytest

from legbook.fakepbx import FakePbx, User
from tests.scenarios.fakepbx.client import SECRET, USERNAME, Client
from tests.scenarios.fakepbx.conftest import Start
from tests.unit.fakepbx.handtime import HandTime

INGEST = User("ingest", "one", read=frozenset({"call", "cdr"}), write=frozenset({"reporting"}))
GATEWAY = User("gateway", "two", read=frozenset(), write=frozenset({"call"}))
DENIED = {"Response": "Error", "Message": "Permission denied"}


async def test_each_user_has_a_secret_of_its_own(start: Start, time: HandTime) -> None:
    pbx: FakePbx = await start(others=[INGEST, GATEWAY])
    for username, secret in [("ingest", "one"), ("gateway", "two"), (USERNAME, SECRET)]:
        async with Client(pbx.port) as client:
            await client.login(username=username, secret=secret)
    for username, secret in [("ingest", "two"), ("gateway", SECRET), (USERNAME, "one"), ("nobody", "one")]:
        async with Client(pbx.port) as client:
            client.say("Login", Username=username, Secret=secret)
            await pbx.actions.wait("Login", len(pbx.actions.entries) + 1)
            await time.advance(1.1)
            (answer,) = await client.rest()
            assert answer.first("Message") == "Authentication failed"
    assert SECRET not in repr(pbx.actions)
    assert "one" not in repr(INGEST)


@pytest.mark.parametrize(
    ("wanted", "names"),
    [("on", {"Newchannel", "Cdr"}), ("cdr,dialplan", {"Cdr"}), ("dialplan", set()), ("off", set())],
)
@pytest.mark.parametrize("way", ["login", "action"])
async def test_a_mask_holds_no_more_than_the_user_may_read(
    start: Start, wanted: str, names: set[str], way: str
) -> None:
    pbx: FakePbx = await start(others=[INGEST], speed="flat")
    async with Client(pbx.port) as client:
        await client.login(wanted if way == "login" else "off", username="ingest", secret="one")
        if way == "action":
            answer = await client.ask("Events", EventMask=wanted)
            assert answer["Response"] == "Success"
        pbx.begin()
        await pbx.finished_playing()
        await client.ask("Ping")
        heard = {message.first("Event") for message in client.events}
    assert heard & {"Newchannel", "Cdr", "VarSet", "FullyBooted"} == names


@pytest.mark.parametrize(
    ("action", "classes"),
    [
        ("Hangup", {"system", "call"}),
        ("CoreShowChannels", {"system", "reporting"}),
        ("CoreStatus", {"system", "reporting"}),
        ("CoreSettings", {"system", "reporting"}),
    ],
)
async def test_any_one_class_of_an_action_is_enough(start: Start, action: str, classes: set[str]) -> None:
    everything = {"system", "call", "reporting", "originate", "cdr"}
    users = [User(name, "x", write=frozenset({name})) for name in everything]
    pbx: FakePbx = await start(others=[*users, User("none", "x", write=frozenset())])
    for name in [*everything, "none"]:
        async with Client(pbx.port) as client:
            await client.login("off", username=name, secret="x")
            answer = await client.ask(action, Channel="nobody")
            assert (answer == DENIED) == (name not in classes)


async def test_without_any_right_one_may_ping_choose_events_and_leave(start: Start) -> None:
    pbx: FakePbx = await start(others=[User("none", "x", write=frozenset())])
    async with Client(pbx.port) as client:
        await client.login("off", username="none", secret="x")
        assert (await client.ask("Ping"))["Ping"] == "Pong"
        assert (await client.ask("Events", EventMask="call"))["Response"] == "Success"
        assert str((await client.ask("NoSuchAction"))["Message"]).startswith("Invalid/unknown command")
        assert (await client.ask("Logoff"))["Response"] == "Goodbye"


async def test_the_log_says_who_asked(start: Start) -> None:
    pbx: FakePbx = await start(others=[GATEWAY])
    async with Client(pbx.port) as one, Client(pbx.port) as other:
        await one.ask("Ping")
        await one.login("off")
        await other.login("off", username="gateway", secret="two")
        await other.ask("CoreStatus")
        await one.ask("CoreStatus")
    logged = [(entry.name, entry.session, entry.user) for entry in pbx.actions.entries]
    assert logged == [
        ("Ping", 1, ""),
        ("Login", 1, USERNAME),
        ("Login", 2, "gateway"),
        ("CoreStatus", 2, "gateway"),
        ("CoreStatus", 1, USERNAME),
    ]
