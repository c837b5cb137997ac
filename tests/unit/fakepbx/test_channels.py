import pytest

from legbook.fakepbx import load
from legbook.fakepbx.lists import Live
from legbook.fakepbx.lists.channels import Channels
from legbook.fakepbx.moments import from_seconds
from tests.unit.fakepbx.samples import RECORDINGS, parsed, play


def test_all_channels_come_and_go_and_leave_nothing_behind() -> None:
    live, most = Live(), 0
    messages = parsed(play(*(load(path) for path in RECORDINGS), rounds=2 * len(RECORDINGS), spacing=0.5))
    for message in messages:
        live.apply(message.fields, from_seconds(message.first("Timestamp")))
        most = max(most, len(live.channels.live))
    assert [live.channels.live, live.bridges.live, live.parking.live, live.records.chains] == [{}] * 4
    assert [queue.callers for queue in live.queues.live.values() if queue.callers] == []
    assert live.channels.created == [message.first("Event") for message in messages].count("Newchannel")
    assert most > 10


def event(name: str, **headers: str) -> dict[str, str]:
    return {"Event": name, "Uniqueid": "1.1", **headers}


def one(**headers: str) -> Channels:
    channels = Channels()
    channels.apply(event("Newchannel", Channel="SIP/1-0000000a", ChannelState="0", **headers), 0)
    return channels


def test_a_rename_and_a_bridge_that_is_left() -> None:
    channels = one()
    channels.apply(event("BridgeEnter", Channel="SIP/1-0000000a", BridgeUniqueid="b"), 1)
    assert channels.live["1.1"].bridge == "b"
    channels.apply(event("BridgeLeave", Channel="SIP/1-0000000a", BridgeUniqueid="b"), 2)
    channels.apply(event("Rename", Channel="SIP/1-0000000a", Newname="SIP/2-0000000b"), 3)
    assert (channels.live["1.1"].bridge, channels.live["1.1"].name) == ("", "SIP/2-0000000b")
    assert (channels.find("sip/2-0000000B"), channels.find("1.1"), channels.find("SIP/1-0000000a")) == (
        "1.1",
        "1.1",
        None,
    )


@pytest.mark.parametrize("name", ["Newstate", "BridgeEnter", "Hangup", "Rename", "VarSet", "DialBegin"])
def test_a_channel_that_is_not_known_is_not_made_up(name: str) -> None:
    live = Live()
    live.apply(event(name, ChannelState="6", DestUniqueid="1.2"), 0)
    assert (live.channels.live, live.records.chains) == ({}, {})


@pytest.mark.parametrize(
    ("exten", "name", "dialled"),
    [("205", "SIP/1-0000000a", "205"), ("s", "SIP/1-0000000a", ""), ("205", "Local/205@x-0000000a;2", "")],
)
def test_only_who_has_dialled_has_a_number_that_was_dialled(exten: str, name: str, dialled: str) -> None:
    channels = Channels()
    channels.apply(event("Newchannel", Channel=name, Exten=exten), 0)
    assert channels.live["1.1"].dialled == dialled


def test_every_event_about_a_channel_tells_what_it_is_now() -> None:
    channels = one()
    channels.apply(
        {"Event": "DialEnd", "DestUniqueid": "1.1", "DestChannelState": "6", "DestCallerIDNum": "7"}, 1
    )
    assert (channels.live["1.1"].fields["ChannelState"], channels.live["1.1"].fields["CallerIDNum"]) == (
        "6",
        "7",
    )


def test_who_picks_up_takes_the_age_of_what_it_picks_up() -> None:
    channels = one()
    channels.apply({**event("Newchannel", Channel="SIP/2-0000000b"), "Uniqueid": "1.2"}, 5)
    channels.apply({**event("Pickup", TargetUniqueid="1.1"), "Uniqueid": "1.2"}, 6)
    assert channels.live["1.2"].since == 0


def test_items_of_a_list_are_no_events() -> None:
    live = Live()
    live.apply({"Event": "ParkedCall", "ParkeeUniqueid": "1.1", "ActionID": "x"}, 0)
    assert live.parking.live == {}
