"""What the log says of one PBX, in good times and when links end."""

import asyncio
from datetime import timedelta

import pytest
import stamina.instrumentation
from structlog.testing import capture_logs

from ami_ingest.settings import Settings
from legbook.contracts.raw import ConnectionDown, ConnectionUp, Drop, Event, Gap, Heartbeat
from legbook.fakepbx import Action, FakePbx, Session, Switch
from legbook.runtime import amikeeper
from tests.scenarios.fakepbx.client import Client
from tests.unit.ami_ingest.conftest import Start
from tests.unit.ami_ingest.listening import QUICK, SECRET, Listener, listening
from tests.unit.runtime.amiserver import Peer, serving


def logins(pbx: FakePbx) -> int:
    return len(pbx.actions.named("Login"))


async def played(pbx: FakePbx, listener: Listener, client: Client) -> None:
    """The whole recording; returns when the listener has the last event."""
    await client.login()
    pbx.begin()
    await pbx.finished_playing()
    await client.ask("Ping")
    wanted = len([m for m in client.events if m.first("Event") != "FullyBooted"])
    await listener.until(lambda it: len(it.events) >= wanted)


async def test_every_event_whole_and_in_order_after_connection_up(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener, Client(pbx.port) as client:
        await listener.until(lambda it: it.connection.up)
        await played(pbx, listener, client)
    heard = [message.fields for message in client.events if message.first("Event") != "FullyBooted"]
    assert len(heard) > 100
    assert [event.fields for event in listener.events] == heard
    assert [list(event.fields) for event in listener.events] == [list(fields) for fields in heard]
    up, gap, booted, *_ = listener.story
    assert isinstance(up, ConnectionUp)
    assert isinstance(gap, Gap)
    assert isinstance(booted, Event)
    assert (up.banner, up.version) == ("Asterisk Call Manager/11.0.0", "11.0.0")
    assert (gap.since, gap.reason, booted.name) == (None, "start", "FullyBooted")
    assert isinstance(listener.story[-1], ConnectionDown)


async def test_an_event_has_the_time_of_the_pbx_and_an_entry_of_ours_that_time_too(start: Start) -> None:
    pbx: FakePbx = await start()
    behind = (pbx.now() - pbx.boot).total_seconds()
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.emit("X", "call,all", [("A", "b")])
        await listener.until(lambda it: it.events)
    (event,) = listener.events
    assert event.at is not None
    assert f"{event.at.timestamp():.6f}" == event.fields["Timestamp"]
    (up,) = listener.ups
    assert up.at is not None
    assert up.received_at is not None
    assert behind < 1
    assert timedelta(seconds=99) < up.received_at - up.at < timedelta(seconds=101)
    assert listener.sequence.offset == pytest.approx(-100, abs=0.5)


async def test_the_boot_is_in_the_first_record_and_told_once(pbx: FakePbx) -> None:
    boot = round(pbx.boot.timestamp())
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.boots)
    found = next(r.boot for r in listener.taker.taken if isinstance(r.entries[0], ConnectionUp))
    assert found is not None
    assert abs(found - boot) <= 1
    assert [up.boot for up in listener.ups] == listener.boots == [found]
    assert {record.boot for record in listener.taker.taken} == {None, found}


async def test_a_boot_that_is_known_is_kept(pbx: FakePbx) -> None:
    known = round(pbx.boot.timestamp()) - 1
    listener = Listener(pbx.port)
    listener.sequence.start_boot(known)
    listener.running = asyncio.create_task(listener.connection.run())
    await listener.until(lambda it: it.boots)
    await listener.stop()
    assert {record.boot for record in listener.taker.taken} == {known}


async def test_a_pbx_that_is_slow_at_the_login_is_not_another_boot(
    pbx: FakePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its uptime was told seconds before its ping came back: those are not the age of its process."""
    monkeypatch.setattr("ami_ingest.boots.JITTER", 1.2)  # uptime is whole seconds
    ping = pbx.handlers["ping"]

    async def slow(switch: Switch, session: Session, action: Action) -> None:
        pbx.handlers["ping"] = ping
        await asyncio.sleep(2.5)
        await ping(switch, session, action)

    async with listening(pbx.port, QUICK.model_copy(update={"silence": 30.0})) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.handlers["ping"] = slow
        pbx.drop_sessions()
        await listener.up_again(2)
    assert len({up.boot for up in listener.ups}) == 1


async def test_a_pong_that_is_late_on_the_wire_is_not_another_boot(
    pbx: FakePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TCP sends again what was lost, or we were asleep: its stamp is old when we read it."""
    monkeypatch.setattr("ami_ingest.boots.JITTER", 1.2)
    ping = pbx.handlers["ping"]

    async def late(switch: Switch, session: Session, action: Action) -> None:
        pbx.handlers["ping"] = ping
        stamp = f"{pbx.now().timestamp():.6f}"
        await asyncio.sleep(2.5)
        session.reply(action, "Success", ("Ping", "Pong"), ("Timestamp", stamp))

    async with listening(pbx.port, QUICK.model_copy(update={"silence": 30.0})) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.handlers["ping"] = late
        pbx.drop_sessions()
        await listener.up_again(2)
    assert len({up.boot for up in listener.ups}) == 1


async def test_heartbeats_say_up_and_down(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        assert not listener.connection.up
        await listener.until(lambda it: len([b for b in it.of(Heartbeat) if b.state == "up"]) > 3)
    first, *_, last = listener.of(Heartbeat)
    assert isinstance(listener.taker.entries[0], Heartbeat), "at once: a new epoch has begun"
    assert (first.state, first.offset, first.rtt) == ("down", None, None)
    assert last.rtt is not None
    assert last.offset == pytest.approx(-100, abs=0.5)


async def test_heartbeats_while_nobody_answers(pbx: FakePbx) -> None:
    await pbx.stop()
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: len(it.of(Heartbeat)) > 5)
    assert {beat.state for beat in listener.of(Heartbeat)} == {"down"}
    assert listener.story == [], "what was never up cannot go down"


async def test_heartbeats_are_not_held_during_a_slow_login() -> None:
    async def slow(peer: Peer) -> None:
        peer.say(b"Asterisk Call Manager/5.0.4\r\n")
        await peer.reader.read()

    async with serving(slow) as server, listening(server.port) as listener:
        await listener.until(lambda it: len(it.of(Heartbeat)) > 3)


async def test_a_wrong_password_is_told_once_and_tried_again_with_backoff(start: Start) -> None:
    pbx: FakePbx = await start(secret="other")
    waits: list[float] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: waits.append(details.wait_for)])
    settings = QUICK.model_copy(update={"backoff_first": 0.01, "backoff_most": 0.1})
    with capture_logs() as logs:
        async with listening(pbx.port, settings) as listener:
            await listener.until(lambda it: logins(pbx) >= 7)
    logs = [line for line in logs if line["log_level"] != "debug"]
    (line,) = logs[:-1]
    assert (line["event"], line["log_level"], line["reason"], line["pbx"]) == (
        "not connected", "warning", "login", "hq",
    )  # fmt: skip
    assert line["why"] == f"127.0.0.1:{pbx.port}: login of 'legbook' refused: Authentication failed"
    assert logs[-1]["reason"] == "stopped"
    assert SECRET not in str(logs)
    for number, wait in enumerate(waits[:6]):
        least = min(0.1, 0.01 * 2**number) - 1e-9
        assert least <= wait <= min(0.1, least + 0.01) + 1e-9, waits
    assert listener.story == []


async def test_another_trouble_is_told_again(start: Start) -> None:
    pbx: FakePbx = await start(secret="other")
    with capture_logs() as logs:
        async with listening(pbx.port) as listener:
            await listener.until(lambda it: logins(pbx) >= 2)
            await pbx.stop()
            await listener.until(lambda it: "connect" in [line.get("reason") for line in logs])
    told = [line["reason"] for line in logs if line["event"] == "not connected"]
    assert told[0] == "login"
    assert told[-2:] == ["connect", "stopped"]
    assert told.count("login") == told.count("connect") == 1


async def test_no_wait_grows_forgotten_after_a_failure_that_took_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A black hole takes as long to fail as a link takes to have lasted: it has not."""
    monkeypatch.setattr(amikeeper, "LASTED", 0.0)
    waits: list[float] = []
    stamina.instrumentation.set_on_retry_hooks([lambda details: waits.append(details.wait_for)])

    async def leave(peer: Peer) -> None:
        peer.writer.close()

    async with serving(leave) as server, listening(server.port) as listener:
        await listener.until(lambda it: len(server.peers) > 3)
    assert len(waits) >= 3


async def test_a_link_that_has_lasted_is_made_again_at_once(
    pbx: FakePbx, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(amikeeper, "LASTED", 0.0)
    settings = QUICK.model_copy(update={"backoff_first": 60.0, "backoff_most": 60.0})
    async with listening(pbx.port, settings) as listener:
        for count in (1, 2, 3):
            await listener.up_again(count)
            pbx.drop_sessions()
        await listener.until(lambda it: len(it.ups) == 4)


async def test_a_dropped_link_leaves_a_gap_and_the_numbers_run_on(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.emit("Before", "call,all", [])
        await listener.until(lambda it: it.names == ["Before"])
        pbx.drop_sessions()
        await listener.up_again(2)
        pbx.emit("After", "call,all", [])
        await listener.until(lambda it: it.names == ["Before", "After"])
    kinds = [type(entry).__name__ for entry in listener.story if not isinstance(entry, Event)]
    assert kinds == ["ConnectionUp", "Gap", "ConnectionDown", "ConnectionUp", "Gap", "ConnectionDown"]
    down, gap = listener.downs[0], listener.gaps[1]
    assert (down.reason, gap.reason) == ("closed", "reconnect")
    assert gap.since is not None
    assert down.received_at is not None
    assert abs(gap.since - down.received_at) < timedelta(seconds=0.1)
    assert gap.since <= down.received_at
    assert {record.epoch for record in listener.taker.taken} == {77}
    assert len({record.boot for record in listener.taker.taken if record.boot}) == 1


async def test_the_end_of_the_link_is_noticed_at_once_though_a_ping_waits(pbx: FakePbx) -> None:
    asked = asyncio.Event()

    async def deaf(switch: Switch, session: Session, action: Action) -> None:
        asked.set()

    settings = QUICK.model_copy(update={"silence": 60.0})
    async with listening(pbx.port, settings) as listener:
        await listener.until(lambda it: it.connection.up)
        answer = pbx.handlers["ping"]
        pbx.handlers["ping"] = deaf
        await asyncio.wait_for(asked.wait(), 5)
        pbx.handlers["ping"] = answer
        pbx.drop_sessions()
        await listener.until(lambda it: it.downs)
        await listener.until(lambda it: len(it.ups) == 2)
    assert listener.downs[0].reason == "closed"


async def test_half_a_frame_is_counted_where_the_link_ends(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.inject(b"Event: Half\r\nA: b")
        pbx.emit("Swallowed", "call,all", [])
        pbx.inject(b"Event: Half")
        await pbx.stop()
        await listener.until(lambda it: it.downs)
    assert listener.names == ["Half"], "a frame ends at its empty line, wherever it began"
    (half,) = [entry for entry in listener.taker.entries if isinstance(entry, Drop)]
    assert (half.reason, half.size, half.seq) == ("half_frame", 11, listener.downs[0].seq - 1)


async def test_a_restart_is_a_new_boot_and_cuts_the_record(start: Start) -> None:
    pbx: FakePbx = await start(rounds=4, spacing=30)
    settings = QUICK.model_copy(
        update={"backoff_first": 0.2, "backoff_most": 0.2}
    )  # not before it is up again
    async with listening(pbx.port, settings) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.begin()
        await pbx.finished_playing()  # its clock has moved on
        pbx.emit("Old", "call,all", [])
        await listener.until(lambda it: "Old" in it.names)
        await pbx.restart()
        await listener.until(lambda it: len(it.boots) == 2)
        pbx.emit("New", "call,all", [])
        await listener.until(lambda it: it.names[-1] == "New")
    old, new = listener.boots
    assert new - old > 5
    assert abs(new - pbx.boot.timestamp()) <= 1
    for record in listener.taker.taken:
        names = {entry.name for entry in record.entries if isinstance(entry, Event)}
        assert "Old" not in names or record.boot == old
        assert "New" not in names or record.boot == new
    (found,) = [r for r in listener.taker.taken if listener.ups[1] in r.entries]
    assert (found.boot, found.entries[0]) == (new, listener.ups[1])
    assert listener.ups[1].boot == new


async def test_a_shutdown_says_so(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.emit("Shutdown", "system,all", [("Shutdown", "Cleanly"), ("Restart", "False")])
        await listener.until(lambda it: it.names)
        assert not listener.downs, "the link is still there"
        pbx.drop_sessions()
        await listener.until(lambda it: len(it.ups) == 2)
        pbx.drop_sessions()
        await listener.until(lambda it: len(it.downs) == 2)
    assert [down.reason for down in listener.downs][:2] == ["shutdown", "closed"]


async def test_a_half_open_link_is_cut_after_the_silence(pbx: FakePbx) -> None:
    async def deaf(switch: Switch, session: Session, action: Action) -> None:
        return

    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        answer = pbx.handlers["ping"]
        pbx.handlers["ping"] = deaf
        await listener.until(lambda it: it.downs)
        pbx.handlers["ping"] = answer
        await listener.until(lambda it: len(it.ups) == 2)
    down = listener.downs[0]
    assert down.reason == "silent"
    assert "cut" in down.detail


async def test_a_link_that_speaks_is_not_cut_though_pings_are_not_answered(pbx: FakePbx) -> None:
    asked = 0

    async def deaf(switch: Switch, session: Session, action: Action) -> None:
        nonlocal asked
        asked += 1

    settings = Settings(ping_interval=0.02, silence=0.3, backoff_first=0.01, backoff_most=0.02)
    async with listening(pbx.port, settings) as listener:
        await listener.until(lambda it: it.connection.up)
        pbx.handlers["ping"] = deaf
        for number in range(60):  # twice as long as the silence
            pbx.emit("Alive", "call,all", [("N", str(number))])
            await asyncio.sleep(0.01)
        await listener.until(lambda it: asked >= 2)
        assert not listener.downs
    assert logins(pbx) == 1


async def test_the_last_word_is_stopped(pbx: FakePbx) -> None:
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
    last = listener.taker.entries[-1]
    assert isinstance(last, ConnectionDown)
    assert last.reason == "stopped"
    assert listener.taker.taken[-1].boot is not None
