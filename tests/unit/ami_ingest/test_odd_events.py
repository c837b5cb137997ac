"""Events that no PBX should send, and the moment between login and boot."""

import asyncio
import base64

import pytest

from legbook.ami.framing import CAP
from legbook.contracts.raw import Drop, Event
from legbook.fakepbx import FakePbx
from legbook.runtime import amilink
from tests.unit.ami_ingest.listening import SECRET, Listener, listening
from tests.unit.runtime.amiserver import BANNER, BOOTED, Peer, serving


async def injected(pbx: FakePbx, *data: bytes) -> Listener:
    """Has them and one event after them; the link has stayed."""
    async with listening(pbx.port) as listener:
        await listener.until(lambda it: it.connection.up)
        for piece in data:
            pbx.inject(piece)
        pbx.emit("After", "call,all", [])
        await listener.until(lambda it: "After" in it.names)
        assert listener.connection.up
        assert not listener.downs
    assert len(pbx.actions.named("Login")) == 1
    return listener


async def test_two_megabytes_in_one_frame(pbx: FakePbx) -> None:
    body = b"y" * 2_000_000
    listener = await injected(pbx, b"Event: Big\r\nA: b\r\nHuge: " + body + b"\r\nZ: z\r\n\r\n")
    big, after = listener.events
    assert (big.name, big.fields, big.flags) == ("Big", {"Event": "Big", "A": "b"}, ["long"])
    (drop,) = listener.drops
    assert (drop.reason, drop.count, drop.name) == ("long", 1, "Big")
    assert drop.size == len(b"\r\nHuge: " + body + b"\r\nZ: z")
    assert (big.seq, drop.seq) == (after.seq - 2 - heartbeats(listener, drop, after), big.seq + 1)


def heartbeats(listener: Listener, first: Drop, last: Event) -> int:
    return len([entry for entry in listener.taker.entries if first.seq < entry.seq < last.seq])


async def test_a_frame_of_the_cap_is_whole(pbx: FakePbx) -> None:
    data = b"Event: Big\r\nHuge: "
    listener = await injected(pbx, data + b"y" * (CAP - len(data)) + b"\r\n\r\n")
    assert len(listener.events[0].fields["Huge"]) == CAP - len(data)
    assert (listener.events[0].flags, listener.drops) == ([], [])


async def test_invalid_utf8_keeps_its_bytes(pbx: FakePbx) -> None:
    data = b"Event: Odd\r\nCallerIDName: \xff\xfeBob\r\nLast: "
    listener = await injected(pbx, data + b"\r\n\r\n")
    odd = listener.events[0]
    assert odd.flags == ["bad_utf8"]
    assert base64.b64decode(odd.raw_b64 or "") == data
    assert odd.fields == {"Event": "Odd", "CallerIDName": "\ufffd\ufffdBob", "Last": ""}


@pytest.mark.parametrize("name", ["Event", "Uniqueid", "ActionID", "CommandID", "Timestamp"])
async def test_a_repeated_header_is_flagged_and_harmless(pbx: FakePbx, name: str) -> None:
    data = f"Event: Odd\r\n{name}: 1\r\n{name}: 2\r\nActionID: 3\r\nZ: z\r\n\r\n".encode()
    odd = (await injected(pbx, data)).events[0]
    assert odd.name == "Odd"
    assert odd.flags == ["dup_header"]
    assert isinstance(odd.fields[name], list)
    assert odd.fields["Z"] == "z"


async def test_odd_lines_are_flagged(pbx: FakePbx) -> None:
    odd = (await injected(pbx, b"Event: Odd\r\nA:b\r\nN: \x00\r\nno colon\r\nLF: a\nb\r\n\r\n")).events[0]
    assert odd.fields == {"Event": "Odd", "A": "b", "N": "\0", "": "no colon", "LF": "a\nb"}
    assert set(odd.flags) == {"no_space", "nul"}


async def test_a_frame_in_pieces_between_two_events(pbx: FakePbx) -> None:
    pieces = [bytes([byte]) for byte in "Event: Split\r\nName: Jürgen\r\n\r\n".encode()]
    listener = await injected(pbx, b"Event: First\r\n\r\n", *pieces)
    assert listener.names == ["First", "Split", "After"]
    assert listener.events[1].fields["Name"] == "Jürgen"
    assert listener.events[1].flags == []


async def test_answers_are_no_entries(pbx: FakePbx) -> None:
    """Not to our actions, nor what claims to be one."""
    listener = await injected(
        pbx,
        b"Response: Success\r\nActionID: somebody-1\r\nMessage: x\r\n\r\n",
        b"Response: Success\r\n\r\n",
        b"garbage\r\n\r\n",
        b"\r\n\r\n",
        f"Event: CoreShowChannel\r\nActionID: {amilink.ACTION_PREFIX}1\r\n\r\n".encode(),
    )
    assert listener.names == ["After"]
    assert len(pbx.actions.named("Ping")) >= 1


@pytest.mark.parametrize("action_id", ["crm-17", "legbook-1", "legbook-2", "", "action/x/1/1", "0"])
async def test_an_event_with_an_action_id_of_others_is_an_entry(pbx: FakePbx, action_id: str) -> None:
    """OriginateResponse carries that of whoever asked: our gateway is another process."""
    data = f"Event: OriginateResponse\r\nPrivilege: call,all\r\nActionID: {action_id}\r\nReason: 4\r\n\r\n"
    listener = await injected(pbx, data.encode())
    assert listener.names == ["OriginateResponse", "After"]
    assert listener.events[0].fields["ActionID"] == action_id


@pytest.mark.parametrize(
    "data",
    [
        b"Event: FullyBooted\r\nUptime: " + b"9" * 5000 + b"\r\n\r\n",
        b"Event: Shutdown\r\nActionID: x\r\n\r\n",
        b"Event: FullyBooted\r\nActionID: x\r\nUptime: 1\r\n\r\n",
        b"Event: X\r\nTimestamp: " + b"9" * 5000 + b"." + b"1" * 5000 + b"\r\n\r\n",
        "Event: X\r\nTimestamp: ٣.٣\r\n\r\n".encode(),
        b"Event: X\r\nTimestamp: -1.5\r\n\r\n",
        b"Event: X\r\nTimestamp: \r\n\r\n",
        b"Event: X\r\nTimestamp: 99999999999.999999\r\n\r\n",
        b"Event: " + b"N" * 100_000 + b"\r\n\r\n",
        b"Event: X\r\n" + b"H: v\r\n" * 40_000 + b"\r\n",
        b"Event: X\r\n" + b"".join(b"H%d: v\r\n" % number for number in range(20_000)) + b"\r\n",
        b"Event: X\r\nV: " + bytes(range(256)) * 900 + b"\r\n\r\n",
    ],
)
async def test_nothing_that_is_said_ends_the_link(pbx: FakePbx, data: bytes) -> None:
    listener = await injected(pbx, data)
    assert len(listener.of(Event)) == 3, "FullyBooted, this one, and the one after it"


async def test_events_between_login_and_boot_are_held_and_keep_their_order() -> None:
    async def speak(peer: Peer) -> None:
        await peer.log_in()
        peer.say(b"Event: One\r\n\r\nEvent: Two\r\n\r\n")
        ping = await peer.action()
        assert ping is not None
        peer.answer(ping)
        peer.say(b"Event: Three\r\n\r\n" + BOOTED + b"Event: Four\r\n\r\n")
        await peer.serve()

    async with serving(speak) as server, listening(server.port, secret=SECRET) as listener:
        await listener.until(lambda it: len(it.events) == 4)
    names = [getattr(entry, "name", type(entry).__name__) for entry in listener.story]
    assert names == ["ConnectionUp", "Gap", "One", "Two", "Three", "FullyBooted", "Four", "ConnectionDown"]
    assert listener.ups[0].boot is not None


async def test_what_is_held_is_as_whole_as_anything_else() -> None:
    """A frame that was cut says so, and large ones do not end up in one record."""
    large = b"Event: Large\r\nV: " + b"v" * 200_000 + b"\r\n\r\n"

    async def speak(peer: Peer) -> None:
        await peer.log_in()
        peer.say(b"Event: Long\r\nA: b\r\nV: " + b"v" * 1_000_000 + b"\r\n\r\n" + large * 30 + BOOTED)
        await peer.serve()

    async with serving(speak) as server, listening(server.port) as listener:
        await listener.until(lambda it: len(it.events) == 31)
    (drop,) = listener.drops
    assert (drop.reason, drop.name, drop.size) == ("long", "Long", 1_000_005)
    assert listener.events[0].flags == ["long"]
    assert max(listener.taker.sizes) <= 512 * 1024


@pytest.mark.parametrize(
    "uptime", [b"", b"Uptime: \r\n", b"Uptime: soon\r\n", b"Uptime: " + b"9" * 400 + b"\r\n"]
)
@pytest.mark.parametrize("booted", [True, False])
async def test_without_an_uptime_core_status_is_asked(uptime: bytes, *, booted: bool) -> None:
    """Below Asterisk 16 there is none; without `system` in the read classes there is no FullyBooted."""

    async def speak(peer: Peer) -> None:
        await peer.log_in()
        if booted:
            peer.say(b"Event: FullyBooted\r\n" + uptime + b"\r\n")
        peer.say(b"Event: Held\r\n\r\n")
        while (action := await peer.action()) is not None:
            status = b"CoreStartupDate: 2026-11-23\r\nCoreStartupTime: 05:49:01\r\n"
            peer.answer(action, more=status if action.name == "CoreStatus" else b"")

    async with serving(speak) as server, listening(server.port, zone="Europe/Berlin") as listener:
        await listener.until(lambda it: it.boots)
        await listener.until(lambda it: it.events)
    assert listener.boots == [1795412941 - 3600]
    assert listener.names == ["Held"]


async def test_a_pbx_that_refuses_core_status_has_no_boot() -> None:
    async def speak(peer: Peer) -> None:
        await peer.log_in()
        while (action := await peer.action()) is not None:
            peer.answer(action, b"Error" if action.name == "CoreStatus" else b"Success")
            peer.say(b"Event: E\r\n\r\n")

    async with serving(speak) as server, listening(server.port) as listener:
        await listener.until(lambda it: it.names)
    assert (listener.ups[0].boot, listener.boots) == (None, [])
    assert {record.boot for record in listener.taker.taken} == {None}


async def test_another_clock_after_a_reconnect_does_not_make_another_boot_later() -> None:
    """The offset of the old link says nothing about the new one, whose clock may have been set back."""
    clocks = [2_000_000_000.0, 1_800_000_000.0, 1_800_000_000.0]

    async def speak(peer: Peer) -> None:
        stamp = b"Timestamp: %.6f\r\n" % clocks[min(len(server.peers), len(clocks)) - 1]
        await peer.log_in()
        peer.say(BOOTED)
        while (action := await peer.action()) is not None:
            peer.answer(action, more=stamp if action.name == "Ping" else b"")

    async with serving(speak) as server, listening(server.port) as listener:
        for count in (1, 2, 3):
            await listener.up_again(count)
            server.peers[-1].writer.close()
        await listener.until(lambda it: len(it.boots) >= 3)
    first, second, third = listener.boots[:3]
    assert abs(first - 1_999_999_900) < 5
    assert abs(second - 1_799_999_900) < 5
    assert third == second


@pytest.mark.parametrize("greeting", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n"])
async def test_no_credentials_for_what_is_no_pbx(greeting: bytes) -> None:
    async def speak(peer: Peer) -> None:
        peer.say(greeting + b"Event: Forged\r\n\r\n")

    async with serving(speak) as server, listening(server.port) as listener:
        await listener.until(lambda it: len(server.peers) > 3)
        await asyncio.gather(*(peer.ended.wait() for peer in server.peers[:3]))
    assert server.received == b""
    assert listener.story == []
    assert BANNER not in greeting
