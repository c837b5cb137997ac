"""Checkpoints of older legbooks go on as if nothing had happened; those of newer ones are refused."""

import msgspec
import pytest

from legbook.calls import PbxState
from legbook.calls.checkpoint import FORMAT, Checkpoint, NewerFormatError, dump
from legbook.calls.state import Calls
from legbook.contracts.raw import Event
from tests.recorded import CONTEXTS, FIXTURES, RING_GROUP, entries, fold

GOLDEN = {1: FIXTURES / "checkpoints/1-ringgroup-talking.msgpack"}


def test_there_is_one_of_every_older_format() -> None:
    assert GOLDEN.keys() == set(range(1, FORMAT))


@pytest.mark.parametrize("older", GOLDEN)
def test_an_older_one_is_upgraded(older: int) -> None:
    """Written while 202 talks; what follows gives the same leg and the same talk."""
    placed = entries(RING_GROUP)
    state = PbxState.load(GOLDEN[older].read_bytes(), 1, CONTEXTS)
    rest = [each for each in placed if (each.epoch, each.entry.seq) > state.cursor]

    resumed, whole = fold(rest, state), fold(placed)

    assert [leg.dstdevice for leg in resumed.legs] == ["202"]
    (wanted,) = [leg for leg in whole.legs if leg.dstdevice == "202"]
    assert resumed.legs == [wanted]
    assert resumed.talks == whole.talks


def test_the_fleet_file_of_today_counts() -> None:
    """It gave the PBX another number, and named its inbound contexts."""
    saved = PbxState("hq", 1)
    fields: dict[str, str | list[str]] = {
        "Channel": "SIP/sipto45-00000001",
        "Uniqueid": "1.1",
        "ChannelState": "4",
        "Exten": "30900",
        "Context": "from-trunk",
    }
    event = Event(seq=1, at=None, received_at=None, name="Newchannel", fields=fields)
    state = PbxState.load(saved.dump(), 7, CONTEXTS)
    state.apply(event, epoch=1)

    (leg,) = state.legs.values()
    assert (leg.pbx, leg.leg_id & 0xFFF, leg.didnumber) == ("hq", 7, "30900")


def test_a_newer_one_is_refused() -> None:
    newer = dump(Checkpoint(format=FORMAT + 1, epoch=1, seq=1, calls=Calls(pbx="hq", number=1)))
    with pytest.raises(NewerFormatError, match=f"format {FORMAT + 1}"):
        PbxState.load(newer, 1)


@pytest.mark.parametrize("damage", [b"", b"\x28\xb5\x2f\xfd\x00", b"nonsense", b"\x80"])
def test_what_is_none_says_so(damage: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        PbxState.load(damage, 1)
