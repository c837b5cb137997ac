"""The state of the fold as bytes, with a format number, and back."""

from typing import Final

import msgspec

from legbook.calls.state import Calls

FORMAT: Final = 1


class NewerFormatError(ValueError):
    """A checkpoint written by a newer legbook: upgrade this process, or fold the raw topic again."""


class Checkpoint(msgspec.Struct, kw_only=True):
    """`epoch, seq`: the newest entry that is in the state."""

    format: int = FORMAT
    epoch: int
    seq: int
    calls: Calls


class _Format(msgspec.Struct):
    format: int


_ENCODER: Final = msgspec.msgpack.Encoder()
_DECODER: Final = msgspec.msgpack.Decoder(Checkpoint)


def dump(checkpoint: Checkpoint) -> bytes:
    return _ENCODER.encode(checkpoint)


def load(data: bytes) -> Checkpoint:
    """NewerFormatError for a newer format; msgspec.DecodeError for bytes that are no checkpoint."""
    found = msgspec.msgpack.decode(data, type=_Format).format
    if found > FORMAT:
        raise NewerFormatError(f"checkpoint format {found}, this legbook knows {FORMAT}: start a newer one")
    return _DECODER.decode(data)
