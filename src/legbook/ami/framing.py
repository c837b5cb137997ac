r"""Bytes of an AMI socket -> frames. Knows where a frame ends and how long it may be, nothing of headers.

1. A frame ends at CRLFCRLF and nowhere else: `Action: Park` answers with a bare LF inside a value
   (recording 11a, `Message: Park successful\n`).
2. The greeting of a connection is one line that ends at its first CRLF.
3. A frame over the cap gives its complete header lines within the cap and the number of bytes left out;
   the connection stays up and the next frame is whole again.
"""

from dataclasses import dataclass

END = b"\r\n\r\n"
LINE = b"\r\n"
CAP = 256 * 1024


@dataclass(frozen=True, slots=True)
class Frame:
    """The header lines of one message, without the blank line; `dropped` counts the bytes beyond the cap."""

    data: bytes
    dropped: int = 0


class Framer:
    """Feed it what the socket gives, in any slices; it returns whole frames in order."""

    def __init__(self, cap: int = CAP) -> None:
        self.banner: bytes | None = None
        self._cap = cap
        self._buffer = bytearray()
        self._scanned = (
            0  # no END starts before here: a frame that arrives byte by byte is not searched again
        )
        self._head: bytes | None = None  # what is kept of a frame that has passed the cap
        self._dropped = 0

    @property
    def pending(self) -> int:
        """Bytes of a frame that has not ended yet: lost if the connection ends here."""
        return len(self._buffer) + len(self._head or b"") + self._dropped

    def feed(self, data: bytes) -> list[Frame]:
        self._buffer += data
        if self.banner is None and not self._read_banner():
            return []
        frames = []
        while (end := self._buffer.find(END, self._scanned)) >= 0:
            frames.append(self._finish(end))
            del self._buffer[: end + len(END)]
            self._scanned = 0
        self._scanned = max(0, len(self._buffer) - len(END) + 1)
        if self._scanned > self._cap or (self._head is not None and self._scanned):
            self._shed()
        return frames

    def _read_banner(self) -> bool:
        end = self._buffer.find(LINE, self._scanned)
        if end < 0:  # not an AMI server: whoever connects gives up on a missing greeting
            del self._buffer[self._cap :]
            self._scanned = max(0, len(self._buffer) - len(LINE) + 1)
            return False
        self.banner = bytes(self._buffer[:end])
        del self._buffer[: end + len(LINE)]
        self._scanned = 0
        return True

    def _finish(self, end: int) -> Frame:
        if self._head is not None:
            frame = Frame(self._head, self._dropped + end)
            self._head, self._dropped = None, 0
            return frame
        if end <= self._cap:
            return Frame(bytes(self._buffer[:end]))
        head = self._lines_within_cap()
        return Frame(head, end - len(head))

    def _shed(self) -> None:
        """Keep the head, forget the rest, but never the last bytes: they may be the start of an END."""
        if self._head is None:
            self._head = self._lines_within_cap()
            self._dropped = -len(self._head)
        self._dropped += self._scanned
        del self._buffer[: self._scanned]
        self._scanned = 0

    def _lines_within_cap(self) -> bytes:
        return bytes(self._buffer[: max(0, self._buffer.rfind(LINE, 0, self._cap))])
