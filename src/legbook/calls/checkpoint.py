"""The state of the fold as bytes, with a format number, and back.

Compressed here: 50,000 live channels are 33 MB as they are, more than a record may have, and 2 MB so.
"""

from typing import Any, Final

import cramjam
import msgspec

from legbook.calls.state import Calls

FORMAT: Final = 2
_ZSTD: Final = b"\x28\xb5\x2f\xfd"  # how such bytes begin; format 1 was not compressed


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
    return bytes(cramjam.zstd.compress(_ENCODER.encode(checkpoint), 1))


def load(data: bytes) -> Checkpoint:
    """NewerFormatError for a newer format; msgspec.DecodeError for bytes that are no checkpoint."""
    if data.startswith(_ZSTD):
        try:
            data = bytes(cramjam.zstd.decompress(data))
        except cramjam.DecompressionError as error:
            raise msgspec.DecodeError(str(error)) from None
    found = msgspec.msgpack.decode(data, type=_Format).format
    if found > FORMAT:
        raise NewerFormatError(f"checkpoint format {found}, this legbook knows {FORMAT}: start a newer one")
    if found == 1:
        return msgspec.convert(_from_1(msgspec.msgpack.decode(data)), Checkpoint)
    return _DECODER.decode(data)


def _from_1(saved: dict[str, Any]) -> dict[str, Any]:
    """Talks had no numbers, and a list of channels was settled channel by channel."""
    calls = saved["calls"]
    talks = dict(enumerate(calls["talks"], 1))
    parted = [number for number, talk in talks.items() if talk["over"]]
    for number in talks.keys() - set(parted):
        for uniqueid in talks[number]["channels"]:
            calls["channels"][uniqueid]["talk"] = number
    kinds = {"snapshots.absent": "snapshots.settle"}
    timers = [{**timer, "kind": kinds.get(timer["kind"], timer["kind"])} for timer in calls["timers"]]
    newer = {"talks": talks, "parted": parted, "talk_counter": len(talks), "timers": timers, "snapshot": None}
    return {**saved, "format": FORMAT, "calls": {**calls, **newer}}
