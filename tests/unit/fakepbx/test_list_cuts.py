"""At every cut of a recording the lists agree with each other and with what has happened until then."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from legbook.ami.message import Fields
from legbook.fakepbx import load
from legbook.fakepbx.lists import Item, Live, items
from tests.unit.fakepbx.samples import NAMES, RECORDINGS

Event = dict[str, str]
each_recording = pytest.mark.parametrize("path", RECORDINGS, ids=NAMES)
QUEUES = [
    pytest.param(p, id=n)
    for p, n in zip(RECORDINGS, NAMES, strict=True)
    if n.split("/")[1][:2] in {"12", "13", "14"}
]


@dataclass(slots=True)
class Happened:
    """Told from the names of events alone, by uniqueids."""

    up: set[str] = field(default_factory=set)
    within: dict[str, set[str]] = field(default_factory=dict)
    waiting: set[str] = field(default_factory=set)

    def add(self, event: Event) -> None:
        uniqueid, bridge = event.get("Uniqueid", ""), event.get("BridgeUniqueid", "")
        match event["Event"]:
            case "Newchannel":
                self.up.add(uniqueid)
            case "Hangup":
                self.up.discard(uniqueid)
            case "BridgeCreate":
                self.within[bridge] = set()
            case "BridgeDestroy":
                del self.within[bridge]
            case "BridgeEnter":
                self.within[bridge].add(uniqueid)
            case "BridgeLeave":
                self.within[bridge].remove(uniqueid)
            case "QueueCallerJoin":
                self.waiting.add(uniqueid)
            case "QueueCallerLeave":
                self.waiting.discard(uniqueid)


def cuts(path: Path) -> Iterator[tuple[Happened, Live, int]]:
    """After each event."""
    happened, live = Happened(), Live()
    for recorded in load(path).events:
        event = dict(recorded.fields)
        fields: Fields = event
        happened.add(event)
        live.apply(fields, recorded.offset)
        yield happened, live, recorded.offset


def uniqueids(found: list[Item]) -> list[str]:
    return [str(item["Uniqueid"]) for item in found]


@each_recording
def test_the_channels_are_those_born_and_not_hung_up(path: Path) -> None:
    for happened, live, now in cuts(path):
        for shown in (
            list(items.core_show_channels(live, now, 22)),
            list(items.core_show_channels(live, now, 16)),
            list(items.status(live, now)),
        ):
            assert sorted(uniqueids(shown)) == sorted(happened.up)
            assert all(item["Channel"] and item["Linkedid"] for item in shown)


@each_recording
def test_bridges_and_channels_say_the_same_of_who_is_where(path: Path) -> None:
    for happened, live, now in cuts(path):
        listed = {str(item["BridgeUniqueid"]): item for item in items.bridge_list(live, 22)}
        assert listed.keys() == happened.within.keys()
        for bridge, members in happened.within.items():
            assert uniqueids(list(items.bridge_info(live, bridge))) == sorted(members)
            assert int(str(listed[bridge]["BridgeNumChannels"])) >= len(members)
        places = {uid: bridge for bridge, members in happened.within.items() for uid in members}
        for item in items.core_show_channels(live, now, 22):
            assert item["BridgeId"] == places.get(str(item["Uniqueid"]), "")


@each_recording
def test_who_is_called_is_an_outgoing_line_and_who_calls_is_not(path: Path) -> None:
    called: set[str] = set()
    for (_, live, now), recorded in zip(cuts(path), load(path).events, strict=True):
        if recorded.name == "DialState":  # it rings: what was published of it is true by then
            called.add(dict(recorded.fields)["DestUniqueid"])
        for item in items.status(live, now):
            if item["Uniqueid"] in called and item["ChannelStateDesc"] == "Ringing":
                assert item["Application"] in {"AppDial", "AppDial2", "AppQueue"}
                assert item["Data"] == "(Outgoing Line)"


@pytest.mark.parametrize("path", QUEUES)
def test_a_queue_lists_a_caller_exactly_while_it_waits(path: Path) -> None:
    waited = 0
    for happened, live, now in cuts(path):
        listed = list(items.queue_status(live, now))
        entries = [item for item in listed if item["Event"] == "QueueEntry"]
        assert set(uniqueids(entries)) == happened.waiting & happened.up
        assert [item["Position"] for item in entries] == [str(n) for n in range(1, len(entries) + 1)]
        calls = [int(str(item["Calls"])) for item in listed if item["Event"] == "QueueParams"]
        assert sum(calls) == len(entries)
        waited += len(entries)
    assert waited


def test_no_list_of_a_call_that_is_over_shows_anything() -> None:
    for path in RECORDINGS:
        *_, (happened, live, now) = cuts(path)
        assert happened.up == set()
        assert list(items.status(live, now)) == list(items.bridge_list(live, 22)) == []
