"""A SIP phone on loopback: rings, answers after a while or never, calls, hangs up, and keeps a log."""

import asyncio
import secrets
from contextlib import suppress
from enum import Enum, auto
from typing import Self

from tests.asterisk import sip
from tests.asterisk.phonelog import PhoneLog, What
from tests.asterisk.sip import Message

RESEND_SECONDS = 0.5
TRIES = 10


class State(Enum):
    NEW = auto()
    RINGING = auto()
    UP = auto()
    ENDED = auto()


class Phone(asyncio.DatagramProtocol):
    """One line; `answer_after` counts from the INVITE, None lets it ring for ever."""

    def __init__(self, user: str, port: int, server_port: int) -> None:
        self.user = user
        self.port = port
        self.server = f"127.0.0.1:{server_port}"
        self.answer_after: float | None = None
        self.log = PhoneLog()
        self.calls: dict[str, Call] = {}
        self._server = ("127.0.0.1", server_port)
        self._closed = asyncio.Event()
        self._transport: asyncio.DatagramTransport | None = None

    @classmethod
    async def start(cls, user: str, *, port: int, server_port: int) -> Self:
        phone = cls(user, port, server_port)
        phone._transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            lambda: phone, local_addr=("127.0.0.1", port)
        )
        return phone

    async def call(self, number: str, *, caller: str | None = None) -> "Call":
        """Call out, as `caller` if given; returns as soon as the PBX has heard of it."""
        call = Call.outgoing(self, number, caller or self.user)
        self.calls[call.call_id] = call
        await call.invite()
        return call

    async def hang_up(self) -> None:
        """End every call of this phone."""
        for call in list(self.calls.values()):
            await call.hang_up()

    async def close(self) -> None:
        """Hang up, then give the port back; a PBX that is gone confirms nothing, and need not."""
        try:
            with suppress(TimeoutError):
                await self.hang_up()
        finally:
            for call in self.calls.values():
                call.end()
            if self._transport is not None:
                self._transport.close()
                await self._closed.wait()

    @property
    def contact(self) -> str:
        return f"<sip:{self.user}@127.0.0.1:{self.port}>"

    def send(self, message: Message) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(message.encode(), self._server)

    def connection_lost(self, exc: Exception | None) -> None:
        self._closed.set()

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        message = Message.parse(data)
        call = self.calls.get(message.first("Call-ID"))
        if message.code:
            if call is not None:
                call.on_response(message)
        elif call is not None:
            call.on_request(message)
        elif message.cseq[1] == "INVITE":
            call = Call.incoming(self, message)
            self.calls[call.call_id] = call
            call.ring()
        elif message.cseq[1] != "ACK":
            self.send(sip.response(message, 481, tag=_token(), contact=self.contact))


class Call:
    """One SIP dialog of a phone, in either direction."""

    def __init__(self, phone: Phone, call_id: str, *, local: str, remote: str, target: str) -> None:
        self.phone = phone
        self.call_id = call_id
        self.state = State.NEW
        self._local, self._remote, self._target = local, remote, target
        self._tag = _token()
        self._cseq = 0
        self._branch = ""
        self._invite: Message | None = None  # of an incoming call
        self._last_reply: Message | None = None  # to that INVITE, for when it is sent again
        self._answer_timer: asyncio.TimerHandle | None = None
        self._waiting: dict[tuple[int, str], asyncio.Future[int]] = {}
        self._ended = asyncio.Event()

    @classmethod
    def outgoing(cls, phone: Phone, number: str, caller: str) -> Self:
        target = f"sip:{number}@{phone.server}"
        local = f"<sip:{caller}@127.0.0.1:{phone.port}>"
        return cls(phone, _token(), local=local, remote=f"<{target}>", target=target)

    @classmethod
    def incoming(cls, phone: Phone, invite: Message) -> Self:
        call = cls(
            phone, invite.first("Call-ID"), local=sip.without_tag(invite.first("To")),
            remote=invite.first("From"), target=sip.uri_of(invite.first("Contact")),
        )  # fmt: skip
        call._invite = invite
        return call

    async def invite(self) -> None:
        self.phone.log.add(What.CALLING, sip.user_of(self._remote))
        self._cseq += 1
        self._branch = _branch()
        await self._transact(self._request("INVITE", body=sip.silent_audio()))

    async def ended(self, *, within: float) -> bool:
        """Whether the call ends within that many seconds; returns at once when it does."""
        try:
            await asyncio.wait_for(self._ended.wait(), within)
        except TimeoutError:
            return False
        return True

    async def hang_up(self) -> None:
        """End this call whatever its state; returns when the PBX has confirmed it."""
        match self.state:
            case State.ENDED:
                return
            case State.UP:
                self._cseq += 1
                self._branch = _branch()
                self.phone.log.add(What.BYE_SENT)
                self.end()
                await self._transact(self._request("BYE"))
            case _ if self._invite is not None:
                self._refuse(486)
            case _:
                self.phone.log.add(What.CANCEL_SENT)
                await self._transact(self._request("CANCEL"))
                if not await self.ended(within=RESEND_SECONDS * TRIES):
                    raise TimeoutError("the PBX took the CANCEL, but the call goes on")

    def ring(self) -> None:
        """A call came in: ring, and set the clock for the answer."""
        self.phone.log.add(What.INVITED, sip.user_of(self._remote))
        self.state = State.RINGING
        self._reply(180)
        self.phone.log.add(What.RINGING)
        if self.phone.answer_after is not None:
            loop = asyncio.get_running_loop()
            self._answer_timer = loop.call_later(self.phone.answer_after, self._answer)

    def end(self) -> None:
        """Nothing more is expected of this call: no answer, no timer."""
        self.state = State.ENDED
        self._ended.set()
        if self._answer_timer is not None:
            self._answer_timer.cancel()

    def on_request(self, request: Message) -> None:
        match request.cseq[1]:
            case "ACK":
                return
            case "INVITE" if not sip.tag_of(request.first("To")):  # sent again
                if self._last_reply is not None:
                    self.phone.send(self._last_reply)
                return
            case "CANCEL" if self.state is State.RINGING:
                self.phone.log.add(What.CANCEL_RECEIVED, request.first("Reason"))
                self._reply(487)
                self.end()
            case "BYE" if self.state is State.UP:
                self.phone.log.add(What.BYE_RECEIVED)
                self.end()
        body = sip.silent_audio() if request.cseq[1] == "INVITE" else ""
        self.phone.send(sip.response(request, 200, tag=self._tag, contact=self.phone.contact, body=body))

    def on_response(self, message: Message) -> None:
        number, method = message.cseq
        waiting = self._waiting.get((number, method))
        if waiting is not None and not waiting.done() and (message.code >= 200 or method == "INVITE"):
            waiting.set_result(message.code)
        if method == "INVITE":
            self._on_invite_response(message)

    def _on_invite_response(self, message: Message) -> None:
        code = message.code
        if code >= 200:
            self.phone.send(self._ack(message))
        if code == 180 and self.state is State.NEW:
            self.state = State.RINGING
            self.phone.log.add(What.RINGING)
        elif 200 <= code < 300 and self.state in {State.NEW, State.RINGING}:
            self.state = State.UP
            self.phone.log.add(What.ANSWERED)
        elif code >= 300 and self.state is not State.ENDED:
            self.phone.log.add(What.REFUSED, str(code))
            self.end()

    def _ack(self, message: Message) -> Message:
        """A new transaction after a 2xx, part of the INVITE's own after a refusal."""
        if message.code < 300:
            self._target = sip.uri_of(message.first("Contact"))
            self._branch = _branch()
        self._remote = message.first("To")
        return self._request("ACK", cseq=message.cseq[0])

    def _answer(self) -> None:
        self.state = State.UP
        self._reply(200, body=sip.silent_audio())
        self.phone.log.add(What.ANSWERED)

    def _refuse(self, code: int) -> None:
        self._reply(code)
        self.phone.log.add(What.REFUSED, str(code))
        self.end()

    def _reply(self, code: int, *, body: str = "") -> None:
        if self._invite is None:
            raise RuntimeError("this phone made the call: there is nothing to reply to")
        self._last_reply = sip.response(
            self._invite, code, tag=self._tag, contact=self.phone.contact, body=body
        )
        self.phone.send(self._last_reply)

    def _request(self, method: str, *, body: str = "", cseq: int | None = None) -> Message:
        headers = (
            ("Via", f"SIP/2.0/UDP 127.0.0.1:{self.phone.port};branch={self._branch};rport"),
            ("Max-Forwards", "70"),
            ("From", f"{self._local};tag={self._tag}"),
            ("To", self._remote),
            ("Call-ID", self.call_id),
            ("CSeq", f"{cseq or self._cseq} {method}"),
            ("Contact", self.phone.contact),
        )
        return Message(f"{method} {self._target} SIP/2.0", headers, body)

    async def _transact(self, request: Message) -> int:
        """Send until a response comes, as UDP demands."""
        reply: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._waiting[request.cseq] = reply
        for _ in range(TRIES):
            self.phone.send(request)
            await asyncio.wait({reply}, timeout=RESEND_SECONDS)
            if reply.done():
                return reply.result()
        raise TimeoutError(f"no response to {request.start}")


def _token() -> str:
    return secrets.token_hex(8)


def _branch() -> str:
    return f"z9hG4bK{_token()}"
