import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from structlog.testing import capture_logs

from legbook.ami.encode import BadActionError
from legbook.ami.framing import Frame
from legbook.runtime.amilink import ACTION_PREFIX, Link, LinkError
from tests.unit.runtime.amiserver import BANNER, SECRET, Peer, Script, serving


async def opened(port: int, frames: list[Frame] | None = None, **more: Any) -> Link:
    kept = [] if frames is None else frames
    given = {"tls": False, "username": "legbook", "secret": SECRET, "patience": 5.0, **more}
    return await Link.open("127.0.0.1", port, sink=kept.append, flushed=lambda: None, **given)


async def refused(script: Script, **more: Any) -> tuple[LinkError, bytes]:
    """The error of opening, and everything that the server got."""
    async with serving(script) as server:
        with pytest.raises(LinkError) as caught:
            await opened(server.port, **more)
        async with asyncio.timeout(5):
            await asyncio.gather(*(peer.ended.wait() for peer in server.peers))
        assert SECRET not in f"{caught.value!r} {caught.value} {caught.value.__cause__!r}"
        return caught.value, server.received


@asynccontextmanager
async def linked(script: Script, frames: list[Frame] | None = None) -> AsyncIterator[tuple[Link, Peer]]:
    async def log_in(peer: Peer) -> None:
        await peer.log_in()
        await script(peer)

    async with serving(log_in) as server:
        link = await opened(server.port, frames)
        try:
            yield link, server.peers[0]
        finally:
            link.close()


@pytest.mark.parametrize(
    "greeting",
    [
        b"HTTP/1.1 400 Bad Request\r\nServer: Asterisk\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"\r\n",
        b"\r\nAsterisk Call Manager/5.0.4\r\n",
        b"asterisk call manager/5.0.4\r\n",
        b"X Asterisk Call Manager/5.0.4\r\n",
        b"\xff\xfe\r\n",
        b"Event: FullyBooted\r\nUptime: 5\r\n\r\n",
    ],
)
async def test_another_server_gets_no_credentials(greeting: bytes) -> None:
    async def greet(peer: Peer) -> None:
        peer.say(greeting)

    error, received = await refused(greet)
    assert error.reason == "no_greeting"
    assert "not an AMI server, it said" in str(error)
    assert received == b""


@pytest.mark.parametrize("greeting", [b"", b"Asterisk Call Manager/5.0.4", BANNER[:-1], b"x" * 600_000])
async def test_silence_and_half_a_greeting_get_no_credentials(greeting: bytes) -> None:
    async def greet(peer: Peer) -> None:
        peer.say(greeting)

    error, received = await refused(greet, patience=0.1)
    assert (error.reason, received) == ("connect", b"")
    assert "no login within" in str(error)


async def test_a_server_that_hangs_up_before_its_greeting() -> None:
    async def leave(peer: Peer) -> None:
        peer.say(b"Asteri")
        await peer.writer.drain()
        peer.writer.close()

    error, received = await refused(leave)
    assert (error.reason, received) == ("no_greeting", b"")


async def test_a_plain_server_gets_no_credentials_when_tls_was_asked_for() -> None:
    async def greet(peer: Peer) -> None:
        peer.say(BANNER)

    error, received = await refused(greet, tls=True)
    assert error.reason == "connect"
    assert SECRET.encode() not in received


async def test_a_greeting_in_pieces_is_a_greeting() -> None:
    async def greet(peer: Peer) -> None:
        for at in range(len(BANNER)):
            peer.say(BANNER[at : at + 1])
            await asyncio.sleep(0)
        action = await peer.action()
        assert action is not None
        peer.answer(action)
        await peer.serve()

    async with serving(greet) as server:
        link = await opened(server.port)
        assert link.banner == "Asterisk Call Manager/5.0.4"
        link.close()


async def test_the_login_is_one_action_of_our_encoder() -> None:
    async with linked(Peer.serve) as (_, peer):
        pass
    text = peer.received.decode()
    assert text.startswith(f"Action: Login\r\nActionID: {ACTION_PREFIX}")
    assert text.endswith(f"\r\nUsername: legbook\r\nSecret: {SECRET}\r\nEvents: on\r\n\r\n")
    assert text.count("Action: ") == 1


async def test_a_refused_login_is_told_without_the_secret() -> None:
    async def refuse(peer: Peer) -> None:
        peer.say(BANNER)
        action = await peer.action()
        assert action is not None
        peer.answer(action, b"Error", b"Message: Authentication failed\r\n")

    error, _ = await refused(refuse)
    assert error.reason == "login"
    assert str(error).endswith(": login of 'legbook' refused: Authentication failed")


async def test_a_login_that_is_never_answered() -> None:
    async def greet(peer: Peer) -> None:
        peer.say(BANNER)

    error, _ = await refused(greet, patience=0.1)
    assert error.reason == "connect"


async def test_a_link_that_ends_during_the_login() -> None:
    async def leave(peer: Peer) -> None:
        peer.say(BANNER)
        await peer.action()
        peer.writer.close()

    error, _ = await refused(leave)
    assert error.reason == "closed"


async def test_a_port_that_nobody_serves() -> None:
    async with serving(Peer.serve) as server:
        port = server.port
    with pytest.raises(LinkError) as caught:
        await opened(port)
    assert (caught.value.reason, "Connect call failed" in str(caught.value)) == ("connect", True)


async def test_answers_find_their_action_in_any_order() -> None:
    async def backwards(peer: Peer) -> None:
        asked = [await peer.action() for _ in range(3)]
        for action in reversed(asked):
            assert action is not None
            peer.answer(action, more=b"Value: " + action.get("Value").encode() + b"\r\n")

    async with linked(backwards) as (link, _):
        answers = await asyncio.gather(*(link.ask("Getvar", ("Value", str(number))) for number in range(3)))
    assert [answer.value for answer in answers] == ["0", "1", "2"]


async def test_what_must_not_be_written_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    async with linked(Peer.serve) as (link, peer):
        before = bytes(peer.received)
        with pytest.raises(BadActionError):
            await link.ask("Hangup", ("Channel", "x\r\nAction: Originate"))
        await link.ask("Ping")
    assert bytes(peer.received).removeprefix(before).startswith(b"Action: Ping\r\n")


async def test_no_answer_in_time() -> None:
    async def deaf(peer: Peer) -> None:
        return

    async with linked(deaf) as (link, _):
        with pytest.raises(LinkError, match="no answer to Ping within 0 s") as caught:
            await link.ask("Ping", patience=0.05)
    assert caught.value.reason == "silent"


async def test_the_end_of_the_link_ends_what_waits_for_an_answer() -> None:
    async def leave(peer: Peer) -> None:
        await peer.action()
        peer.say(b"Event: Half\r\nA: b")
        await peer.writer.drain()
        peer.writer.close()

    async with linked(leave) as (link, _):
        with pytest.raises(LinkError) as caught:
            await link.ask("Ping")
        assert caught.value is await link.ended()
        assert caught.value.reason == "closed"
        assert (str(caught.value), caught.value.half) == ("closed by the PBX", 17)
        with pytest.raises(LinkError):
            await asyncio.wait_for(link.ask("Ping"), 1)


async def test_whoever_is_cancelled_stays_cancelled_though_the_link_ends_at_that_moment() -> None:
    asked = asyncio.Event()

    async def deaf(peer: Peer) -> None:
        await peer.action()
        asked.set()

    async with linked(deaf) as (link, _):
        asking = asyncio.create_task(link.ask("Ping"))
        await asyncio.wait_for(asked.wait(), 5)
        link._wire.connection_lost(None)
        asking.cancel()
        await asyncio.wait([asking], timeout=5)
        assert asking.cancelled()


async def test_our_own_reason_is_the_reason() -> None:
    async with linked(Peer.serve) as (link, _):
        link.close(LinkError("silent", "nothing for 15 s"))
        assert (await link.ended()).reason == "silent"


ODD = [
    b"Event: X\r\nActionID: a\r\nActionID: b\r\n\r\n",
    b"Event: X\r\nCommandID: a\r\nCommandID: b\r\nActionID: c\r\n\r\n",
    b"Event: X\r\nEvent: Y\r\nActionID: a\r\n\r\n",
    b"Event: Shutdown\r\nActionID: a\r\n\r\n",
    b"Event: FullyBooted\r\nActionID: a\r\n\r\n",
    b"Response: Success\r\nActionID: a\r\nMessage: x\r\nMessage: y\r\n\r\n",
    b"Response: Success\r\nResponse: Error\r\nActionID: a\r\n\r\n",
    b"Response: Follows\r\nActionID: \r\n\r\n",
    b"\r\nActionID: x\r\n\r\n",
    b"Result: %\xff%zz\r\nResponse: Success\r\nActionID: z\r\n\r\n",
    b"\xff\xfe\r\nActionID: \xff\r\n\r\n",
]


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("pending", [False, True])
async def test_nothing_that_a_pbx_says_breaks_the_link(odd: bytes, *, pending: bool) -> None:
    """Also when it carries the ActionID that we wait for."""

    async def speak(peer: Peer) -> None:
        action = await peer.action()
        assert action is not None
        mine = action.get("ActionID").encode() if pending else b"a"
        peer.say(odd.replace(b"ActionID: a", b"ActionID: " + mine))
        peer.say(b"Event: After\r\n\r\n")
        peer.answer(action)
        await peer.serve()

    frames: list[Frame] = []
    async with linked(speak, frames) as (link, _):
        with capture_logs() as logs:
            await link.ask("Ping")
            await link.ask("Ping")
    names = [frame.data.split(b"\r\n")[0] for frame in frames]
    assert (
        names[1:]
        == [odd.split(b"\r\n")[0], b"Event: After", b"Response: Success", b"Response: Success"][
            : len(names) - 1
        ]
    )
    assert b"Event: After" in names
    assert logs == []


async def test_the_answer_of_another_process_is_not_ours() -> None:
    """OriginateResponse goes to every session, with the ActionID of whoever asked."""

    async def speak(peer: Peer) -> None:
        action = await peer.action()
        assert action is not None
        number = action.get("ActionID").rpartition("-")[2].encode()
        peer.say(b"Event: OriginateResponse\r\nActionID: legbook-%s\r\nResponse: Failure\r\n\r\n" % number)
        peer.answer(action, more=b"Ping: Pong\r\n")

    async with linked(speak) as (link, _):
        assert (await link.ask("Ping")).ping == "Pong"


async def test_silence_counts_from_the_last_byte() -> None:
    async with linked(Peer.serve) as (link, _):
        await asyncio.sleep(0.06)
        assert link.silence >= 0.05
        await link.ask("Ping")
        assert link.silence < 0.05
