"""Compressed bodies, in and out."""

import re
import zlib
from collections.abc import Callable, Iterator
from typing import Protocol

import lz4.frame  # type: ignore[import-untyped,unused-ignore]
from backports import zstd

from legbook.devstack.front.refusals import Refused, not_implemented

PREFERRED = ("zstd", "lz4", "gzip", "deflate")
GZIP = 31  # zlib's window bits


class Decoder(Protocol):
    """Reads one frame."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes | None: ...
    def decompress(self, data: bytes, /) -> bytes: ...


DECODERS: dict[str, Callable[[], Decoder]] = {
    "lz4": lz4.frame.LZ4FrameDecompressor,
    "zstd": zstd.ZstdDecompressor,
    "deflate": zlib.decompressobj,
    "gzip": lambda: zlib.decompressobj(GZIP),
}


def decompress(body: bytes, encoding: str) -> bytes:
    """All frames, one a block: who reads only the first one loses rows and answers 200."""
    if encoding in ("", "identity"):
        return body
    if encoding not in DECODERS:
        raise not_implemented(f"Content-Encoding {encoding} is not supported")
    try:
        return b"".join(frames(body, DECODERS[encoding]))
    except (EOFError, RuntimeError, zlib.error, zstd.ZstdError) as error:
        reason = f"Cannot decompress the {encoding} body: {error}"
        raise Refused(271, "CANNOT_DECOMPRESS", reason) from error


def frames(body: bytes, decoder: Callable[[], Decoder]) -> Iterator[bytes]:
    while body:
        frame = decoder()
        yield frame.decompress(body)
        if not frame.eof:
            raise EOFError("the last frame is cut short")
        body = frame.unused_data or b""


class Encoder(Protocol):
    def compress(self, data: bytes, /) -> bytes: ...
    def flush(self) -> bytes: ...


class Packer:
    """One frame for the whole answer, in the first encoding of ours that the client accepts."""

    def __init__(self, accepted: str) -> None:
        named = re.split(r"[ ,;]+", accepted)
        self.encoding = next((encoding for encoding in PREFERRED if encoding in named), None)
        self._encoder: Encoder | None = None
        self._head = b""
        if self.encoding == "zstd":
            self._encoder = zstd.ZstdCompressor(level=1)
        elif self.encoding == "lz4":
            encoder = lz4.frame.LZ4FrameCompressor(auto_flush=True)
            self._encoder, self._head = encoder, encoder.begin()
        elif self.encoding is not None:
            self._encoder = zlib.compressobj(1, wbits=GZIP if self.encoding == "gzip" else zlib.MAX_WBITS)

    def add(self, data: bytes) -> bytes:
        if self._encoder is None:
            return data
        head, self._head = self._head, b""
        return head + self._encoder.compress(data)

    def end(self, data: bytes = b"") -> bytes:
        return self.add(data) + (self._encoder.flush() if self._encoder else b"")
