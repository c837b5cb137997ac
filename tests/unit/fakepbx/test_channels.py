import pytest

from legbook.fakepbx.channels import Channels
from legbook.fakepbx.moments import from_seconds
from legbook.fakepbx.recording import load
from tests.unit.fakepbx.samples import RECORDINGS, RING_GROUP, parsed, play

# The headers of a real item in their order (recording 26, Asterisk 22), without Event and ActionID
REAL = [
    "Channel", "ChannelState", "ChannelStateDesc", "CallerIDNum", "CallerIDName", "ConnectedLineNum",
    "ConnectedLineName", "Language", "AccountCode", "Context", "Exten", "Priority", "Uniqueid", "Linkedid",
    "Application", "ApplicationData", "Duration", "BridgeId",
]  # fmt: skip


def test_all_channels_come_and_go() -> None:
    channels = Channels()
    events = play(*(load(path) for path in RECORDINGS), rounds=2 * len(RECORDINGS), spacing=0.5)
    names = [message.first("Event") for message in parsed(events)]
    most = 0
    for name, event in zip(names, events, strict=True):
        channels.apply(name, event)
        most = max(most, len(channels.live))
    assert channels.live == {}
    assert channels.created == names.count("Newchannel")
    assert most > 10


def test_a_call_in_the_middle() -> None:
    channels = Channels()
    events = play(load(RING_GROUP))
    for message, event in zip(parsed(events), events, strict=True):
        if from_seconds(message.first("Timestamp")) > 1_800_000_005_000_000:
            break
        channels.apply(message.first("Event"), event)
    trunk, bob = (dict(channel.item(1_800_000_005_400_000)) for channel in channels.live.values())
    assert list(trunk) == list(bob) == REAL
    assert (trunk["Channel"], trunk["Application"], trunk["Duration"]) == (
        "PJSIP/sipto45-00100000",
        "Dial",
        "00:00:05",
    )
    assert (bob["Channel"], bob["Application"], bob["ApplicationData"]) == (
        "PJSIP/202-00100002",
        "AppDial",
        "(Outgoing Line)",
    )
    assert trunk["BridgeId"] == bob["BridgeId"] != ""
    assert trunk["ChannelStateDesc"] == bob["ChannelStateDesc"] == "Up"


def event(name: str, **headers: str) -> tuple[str, bytes]:
    lines = {"Event": name, "Timestamp": "1800000000.000000", "Uniqueid": "1.1", **headers}
    return name, ("".join(f"{key}: {value}\r\n" for key, value in lines.items()) + "\r\n").encode()


def test_a_rename_and_a_bridge_that_is_left() -> None:
    channels = Channels()
    channels.apply(*event("Newchannel", Channel="SIP/1-0000000a"))
    channels.apply(*event("BridgeEnter", Channel="SIP/1-0000000a", BridgeUniqueid="b"))
    assert channels.live["1.1"].bridge == "b"
    channels.apply(*event("BridgeLeave", Channel="SIP/1-0000000a", BridgeUniqueid="b"))
    channels.apply(*event("Rename", Channel="SIP/1-0000000a", Newname="SIP/2-0000000b"))
    assert (channels.live["1.1"].bridge, channels.live["1.1"].fields["Channel"]) == ("", "SIP/2-0000000b")


@pytest.mark.parametrize("name", ["Newstate", "BridgeEnter", "Hangup", "Rename", "VarSet"])
def test_a_channel_that_is_not_known_is_not_made_up(name: str) -> None:
    channels = Channels()
    channels.apply(*event(name))
    assert channels.live == {}
