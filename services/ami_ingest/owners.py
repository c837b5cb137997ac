"""The right to read a PBX: an owner record with a new epoch, committed before the first connect. Pure.

epoch = max(Unix second, last epoch + 1). A claim of ours stands until a newer one is seen, or until where the PBX is
has changed.
"""

from collections.abc import Iterable, Mapping

from msgspec import Struct

from legbook.contracts import codec
from legbook.contracts.codec import BadMessageError
from legbook.contracts.status import Owner
from legbook.contracts.topics import OWNERS
from legbook.runtime.kafka import Record


def claims(
    wanted: Iterable[str],
    known: Mapping[str, Owner],
    ours: Mapping[str, Owner],
    stamp: tuple[int, str, str],
) -> dict[str, Owner]:
    """PBX -> our claim. `known`: the newest records; `ours`: those of our claims that may stand.

    `stamp`: (Unix second, worker, process).
    """
    found = {}
    for pbx in wanted:
        last, mine = known.get(pbx), ours.get(pbx)
        if mine is not None and (last is None or last.epoch <= mine.epoch):
            found[pbx] = mine
        else:
            found[pbx] = _next(pbx, last, stamp)
    return found


def _next(pbx: str, last: Owner | None, stamp: tuple[int, str, str]) -> Owner:
    now, worker, process = stamp
    epoch = max(now, last.epoch + 1 if last else 0)
    return Owner(pbx=pbx, epoch=epoch, worker=worker, process=process, boot=last.boot if last else None)


def newest(one: Mapping[str, Owner], other: Mapping[str, Owner]) -> dict[str, Owner]:
    """Of two views, the higher epoch of each PBX."""
    return {
        pbx: max((v[pbx] for v in (one, other) if pbx in v), key=lambda owner: owner.epoch)
        for pbx in {**one, **other}
    }


def record(owner: Owner) -> Record:
    headers = [("schema", b"Owner/1"), ("pbx", owner.pbx.encode())]
    return Record(OWNERS.name, owner.pbx.encode(), codec.encode(owner), headers)


def known(state: Mapping[bytes, bytes]) -> dict[str, Owner]:
    """The newest owner of each PBX of a partition. Of a record of a newer version only the epoch counts."""
    found = {}
    for key, value in state.items():
        try:
            owner = codec.decode_owner(value)
        except BadMessageError:
            pbx = key.decode(errors="replace")
            owner = Owner(pbx=pbx, epoch=_epoch(value), worker="?", process="?")
        found[owner.pbx] = owner
    return found


class _Claimed(Struct):
    epoch: int = 0


def _epoch(value: bytes) -> int:
    """0: nothing can be read of it; the Unix second of now is above any epoch that was claimed in time."""
    try:
        return codec.decode_as(value, _Claimed).epoch
    except BadMessageError:
        return 0
