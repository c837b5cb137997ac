"""SIP messages as text: just what a phone on loopback needs of RFC 3261. No I/O."""

import re
from dataclasses import dataclass
from typing import Self

REASONS = {
    100: "Trying",
    180: "Ringing",
    200: "OK",
    481: "Call/Transaction Does Not Exist",
    486: "Busy Here",
    487: "Request Terminated",
}

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response; header names are matched without regard to case."""

    start: str
    headers: Headers
    body: str = ""

    @classmethod
    def parse(cls, data: bytes) -> Self:
        head, _, body = data.decode("utf-8", "replace").partition("\r\n\r\n")
        start, *lines = head.split("\r\n")
        pairs = (line.partition(":") for line in lines)
        return cls(start, tuple((name.strip(), value.strip()) for name, _, value in pairs), body)

    def encode(self) -> bytes:
        body = self.body.encode()
        headers = [*self.headers, ("Content-Length", str(len(body)))]
        if body:
            headers.append(("Content-Type", "application/sdp"))
        lines = [self.start, *(f"{name}: {value}" for name, value in headers)]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + body

    def every(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def first(self, name: str) -> str:
        return next(iter(self.every(name)), "")

    @property
    def code(self) -> int:
        """The status of a response; 0 for a request."""
        return int(self.start.split(" ")[1]) if self.start.startswith("SIP/") else 0

    @property
    def cseq(self) -> tuple[int, str]:
        """Number and method: they pair a response with its request."""
        number, method = self.first("CSeq").split()
        return int(number), method


def response(request: Message, code: int, *, tag: str, contact: str, body: str = "") -> Message:
    to = request.first("To")
    if code > 100 and not tag_of(to):
        to += f";tag={tag}"
    vias = tuple(("Via", via) for via in request.every("Via"))
    same = tuple((name, request.first(name)) for name in ("From", "Call-ID", "CSeq"))
    return Message(f"SIP/2.0 {code} {REASONS[code]}", (*vias, *same, ("To", to), ("Contact", contact)), body)


def silent_audio() -> str:
    """An SDP body that offers PCMU and hears nothing: port 9 discards."""
    return (
        "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
        "m=audio 9 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\na=sendrecv\r\n"
    )


def tag_of(address: str) -> str:
    match = re.search(r";tag=([^;>\s]+)", address)
    return match[1] if match else ""


def without_tag(address: str) -> str:
    return re.sub(r";tag=[^;>\s]+", "", address)


def uri_of(address: str) -> str:
    match = re.search(r"<([^>]+)>", address)
    return match[1] if match else address


def user_of(address: str) -> str:
    return uri_of(address).removeprefix("sip:").partition("@")[0]
